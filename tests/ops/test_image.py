"""What the table of images cannot say: randomness, and arguments that make no sense."""

import numpy as np
import pytest

from mlapi import ops
from mlapi.errors import ArgumentError, DTypeError, ShapeError
from mlapi.graph import SymbolicTensor

IMAGE = np.random.default_rng(0).random((2, 6, 7, 3)).astype("float32")


def numpy(x):
    return ops.convert_to_numpy(x)


def test_elastic_transform_follows_its_seed():
    one, same, other = (
        numpy(ops.image.elastic_transform(IMAGE, 5.0, 1.0, seed=seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-3
    assert not np.allclose(one[0] - IMAGE[0], one[1] - IMAGE[1])


def test_elastic_transform_keeps_what_is_even():
    for mode in ("nearest", "wrap", "mirror", "reflect"):
        y = ops.image.elastic_transform(np.ones((5, 6, 1), "float32"), 9.0, 1.0, fill_mode=mode)
        np.testing.assert_allclose(numpy(y), 1.0, rtol=1e-6)
    symbol = ops.image.elastic_transform(SymbolicTensor((None, 5, 6, 1), "uint8"))
    assert (symbol.shape, symbol.dtype) == ((None, 5, 6, 1), "uint8")


@pytest.mark.parametrize(
    "call",
    [
        lambda: ops.image.resize(IMAGE, (3, 3), "cubic"),
        lambda: ops.image.resize(
            IMAGE, (3, 3), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True
        ),
        lambda: ops.image.crop_images(IMAGE, 1, 1),
        lambda: ops.image.crop_images(IMAGE, 5, 1, 5, 1),
        lambda: ops.image.pad_images(IMAGE, 1, 1, target_height=2, target_width=20),
        lambda: ops.image.map_coordinates(IMAGE[0, 0], np.ones((2, 3), "float32"), 2),
        lambda: ops.image.affine_transform(IMAGE, np.ones(8, "float32"), fill_mode="edge"),
        lambda: ops.image.ssim(IMAGE, IMAGE, filter_size=4),
        lambda: ops.image.elastic_transform(IMAGE, sigma=0.0),
        lambda: ops.image.extract_patches(IMAGE, (2, 2, 2, 2)),
        lambda: ops.unfold(IMAGE, 2, padding=-1),
        lambda: ops.conv_transpose(IMAGE, np.ones((2, 2, 4, 3)), 2, output_padding=2),
    ],
)
def test_arguments_without_sense(call):
    with pytest.raises(ArgumentError):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: ops.image.resize(IMAGE[0, 0], (3, 3)),
        lambda: ops.image.rgb_to_hsv(IMAGE[..., :2]),
        lambda: ops.image.map_coordinates(IMAGE[0, 0], np.ones((3, 3), "float32"), 1),
        lambda: ops.image.affine_transform(IMAGE, np.ones(6, "float32")),
        lambda: ops.image.perspective_transform(IMAGE, np.ones((3, 2)), np.ones((4, 2))),
        lambda: ops.image.ssim(IMAGE, IMAGE),
        lambda: ops.image.ssim(IMAGE, IMAGE[:1], filter_size=3),
        lambda: ops.image.extract_patches(IMAGE, 8),
        lambda: ops.image.scale_and_translate(
            IMAGE, (2, 3, 3, 4), np.ones(2), np.zeros(2), (1, 2), "linear"
        ),
        lambda: ops.depth_to_space(IMAGE, 2),
        lambda: ops.space_to_depth(IMAGE, 2),
        lambda: ops.fold(IMAGE[0], 3, 2),
        lambda: ops.conv_transpose(IMAGE, np.ones((2, 2, 3, 4))),
        lambda: ops.psnr(IMAGE, IMAGE[0], 1.0),
        lambda: ops.ctc_decode(IMAGE, [1, 1]),
    ],
)
def test_shapes_that_do_not_fit(call):
    with pytest.raises(ShapeError):
        call()


def test_integer_colors_are_refused():
    for convert in (ops.image.rgb_to_hsv, ops.image.hsv_to_rgb):
        with pytest.raises(DTypeError):
            convert(np.zeros((2, 2, 3), "uint8"))

"""Transforms there and back; bad arguments are refused."""

import numpy as np
import pytest

import mlapi
from mlapi import ops
from mlapi.errors import ArgumentError, ShapeError
from mlapi.graph import SymbolicTensor
from mlapi.testing.case import real


def numpy(x):
    return ops.convert_to_numpy(ops.stop_gradient(x))


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("window", ["hann", "hamming", None, np.float32([1, 2, 3, 4, 3, 2])])
def test_short_time_there_and_back(window, center):
    x = real(2, 41)
    options = {"window": window, "center": center}
    both = mlapi.jit(
        lambda x: ops.istft(ops.stft(x, 6, 2, 8, **options), 6, 2, 8, length=41, **options), []
    )
    y = numpy(both(ops.convert_to_tensor(x)))
    assert y.shape == x.shape
    inner = slice(None) if center else slice(4, -6)
    np.testing.assert_allclose(y[:, inner], x[:, inner], atol=1e-5)


def test_windows_of_unknown_length():
    real_part, _ = ops.stft(SymbolicTensor((None, 32), "float32"), 8, 4, 8)
    assert real_part.shape == (None, 9, 5)
    assert ops.istft((real_part, real_part), 8, 4, 8).shape == (None, 32)


PAIR = (np.ones(4, "float32"), np.ones(4, "float32"))
BAD = {
    "no pair": (lambda: ops.fft(np.ones(4)), ArgumentError),
    "three": (lambda: ops.fft((*PAIR, PAIR[0])), ArgumentError),
    "shapes": (lambda: ops.fft((PAIR[0], np.ones(3))), ArgumentError),
    "rank": (lambda: ops.fft2(PAIR), ShapeError),
    "length": (lambda: ops.rfft(PAIR[0], fft_length=0), ArgumentError),
    "window": (lambda: ops.stft(np.ones(9), 4, 2, 4, window="triangle"), ArgumentError),
    "size": (lambda: ops.stft(np.ones(9), 4, 2, 4, window=np.ones(3)), ShapeError),
    "too short": (lambda: ops.stft(np.ones(9), 4, 2, 3), ArgumentError),
    "no sequence": (lambda: ops.extract_sequences(np.ones(3), 4, 1), ShapeError),
    "stride": (lambda: ops.extract_sequences(np.ones(3), 2, 0), ArgumentError),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments(name):
    call, error = BAD[name]
    with pytest.raises(error):
        call()


def test_patterns():
    x = np.arange(24).reshape(2, 3, 4)
    y = numpy(ops.rearrange(x, "a b c -> (c a) b"))
    np.testing.assert_array_equal(y, x.transpose(2, 0, 1).reshape(8, 3))
    y = ops.rearrange(SymbolicTensor((None, None, 6), "int8"), "b t (h d) -> b h t d", h=2)
    assert (y.shape, y.dtype) == ((None, 2, None, 3), "int8")


@pytest.mark.parametrize(
    "pattern",
    ["a b", "a b -> a", "a b -> a b c", "a a -> a a", "a b c -> c b a", "(a b -> a b",
     "(a x) b -> a x b", "a ... b c -> a b c ...", "a, b -> b a", "((a) b) c -> a b c"],
)  # fmt: skip
def test_bad_patterns(pattern):
    with pytest.raises(ArgumentError):
        ops.rearrange(np.ones((2, 3)), pattern)


def test_bad_lengths():
    with pytest.raises(ShapeError):
        ops.rearrange(np.ones((5, 3)), "(a b) c -> a b c", a=2)
    with pytest.raises(ArgumentError, match="no axis"):
        ops.rearrange(np.ones((4, 3)), "a c -> c a", h=2)

"""Attention and normalization that compute in 16 bits, against the same in 32."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops, tree
from tests.layers.cases import Row, attention, normalization

ROWS = [Row(*case) for family in (attention, normalization) for case in family.CASES]
ROWS = [row for row in ROWS if row.options.get("mixed", True)]
TOLERANCE = {"float16": 1e-2, "bfloat16": 6e-2}


def numpy(x):
    return np.array(ops.convert_to_numpy(ops.cast(x, "float32")))


@pytest.mark.parametrize("kind", TOLERANCE)
@pytest.mark.parametrize("row", ROWS, ids=[f"{r.layer.__name__}-{i}" for i, r in enumerate(ROWS)])
def test_a_mixed_layer_is_close_to_an_exact_one(row: Row, kind: str) -> None:
    exact, mixed = (row.layer(**row.arguments, dtype=t) for t in ("float32", f"mixed_{kind}"))
    exact(row.inputs, **row.call)
    mixed(row.inputs, **row.call)
    mixed.set_weights(exact.get_weights())
    assert {w.dtype for w in mixed.weights} <= {"float32"}
    found = tree.flatten(mixed(row.inputs, **row.call))
    expected = tree.flatten(exact(row.inputs, **row.call))
    assert {ops.dtype(x) for x in found} == {kind}
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(numpy(one), numpy(other), rtol=0, atol=2 * TOLERANCE[kind])
    for one, other in zip(mixed.get_weights(), exact.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=TOLERANCE[kind])


LARGE = (1000 * np.random.default_rng(0).standard_normal((2, 6, 4))).astype("float32")
SUMS = [
    layers.BatchNormalization,
    layers.LayerNormalization,
    lambda **kwargs: layers.GroupNormalization(2, **kwargs),
    layers.RMSNormalization,
    layers.UnitNormalization,
]


@pytest.mark.parametrize("dtype", ["float16", "mixed_float16"])
@pytest.mark.parametrize("make", SUMS)
def test_squares_beyond_the_range_of_float16(make, dtype) -> None:
    training = {"training": True} if make is layers.BatchNormalization else {}
    found, expected = (make(dtype=kind)(LARGE, **training) for kind in (dtype, "float32"))
    assert ops.dtype(found) == "float16"
    np.testing.assert_allclose(numpy(found), numpy(expected), rtol=0, atol=1e-2)


@pytest.mark.parametrize("make", [layers.LayerNormalization, layers.GroupNormalization])
def test_inputs_of_more_bits_are_normalized_before_they_are_rounded(make) -> None:
    options = {"groups": 2} if make is layers.GroupNormalization else {}
    x = 1e3 * LARGE  # infinite in float16
    found = make(dtype="mixed_float16", **options)(x)
    assert ops.dtype(found) == "float16"
    np.testing.assert_allclose(numpy(found), numpy(make(**options)(x)), rtol=0, atol=1e-2)


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("kind", TOLERANCE)
def test_masks_of_half_precision_hide_everything(kind: str, scores: bool) -> None:
    x = np.random.default_rng(0).standard_normal((2, 5, 4)).astype("float32")
    mask = np.tile([True, True, False, True, False], (2, 1))
    other = np.where(mask[..., None], x, 50.0).astype("float32")  # what is hidden does not matter
    options = {"return_attention_scores": scores, "use_causal_mask": True}
    lists = {"mask": [None, mask], **options}
    heads = {"value_mask": mask, **options}
    for layer, call in (
        (layers.Attention(dtype=kind), lambda f, v: f([x, v], **lists)),
        (layers.AdditiveAttention(dtype=kind), lambda f, v: f([x, v], **lists)),
        (layers.MultiHeadAttention(2, 3, dtype=kind), lambda f, v: f(x, v, **heads)),
        (layers.GroupQueryAttention(3, 4, 2, dtype=kind), lambda f, v: f(x, v, **heads)),
    ):
        for one, same in zip(tree.flatten(call(layer, x)), tree.flatten(call(layer, other))):
            assert ops.dtype(one) == kind
            assert np.isfinite(numpy(one)).all()
            np.testing.assert_allclose(numpy(one), numpy(same), rtol=1e-6)


def test_a_transformer_learns_in_half_precision() -> None:
    inputs = mlapi.Input((6,), dtype="int32")
    policy = {"dtype": "mixed_bfloat16"}
    x = layers.Embedding(5, 8, mask_zero=True, **policy)(inputs)
    y = layers.LayerNormalization(**policy)(x)
    x = layers.add([x, layers.MultiHeadAttention(2, 4, **policy)(y, y)])
    x = layers.GlobalAveragePooling1D()(layers.RMSNormalization(**policy)(x))
    model = mlapi.Model(inputs, layers.Dense(2, dtype="float32")(x))
    model.compile("adam", mlapi.losses.SparseCategoricalCrossentropy(from_logits=True))
    words = np.random.default_rng(0).integers(1, 5, (32, 6))
    labels = (words == 1).any(1).astype("int32")
    model.optimizer.learning_rate = 0.02
    losses = model.fit(words, labels, epochs=12, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < 0.7 * losses[0]

"""Attention: masks of all kinds, other axes, dropout, heads that share keys."""

import math

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops
from mlapi.errors import ArgumentError, ShapeError
from tests.layers import references

_random = np.random.default_rng(5)
QUERY = _random.standard_normal((2, 5, 4)).astype("float32")
VALUE = _random.standard_normal((2, 3, 6)).astype("float32")
KEY = _random.standard_normal((2, 3, 7)).astype("float32")


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


def test_query_value_and_key_of_their_own():
    layer = layers.MultiHeadAttention(2, 3, value_dim=4)
    output, scores = layer(QUERY, VALUE, KEY, return_attention_scores=True)
    wanted = references.attention(QUERY, VALUE, layer.get_weights(), KEY)
    np.testing.assert_allclose(numpy(output), wanted[0], 1e-4, 1e-5)
    np.testing.assert_allclose(numpy(scores), wanted[1], 1e-4, 1e-5)
    np.testing.assert_allclose(numpy(layer(QUERY, VALUE, KEY)), wanted[0], 1e-4, 1e-5)


def test_weights_have_the_names_and_shapes_of_keras():
    layer = layers.MultiHeadAttention(2, 3, value_dim=5, output_shape=7, use_gate=True, name="mha")
    layer(QUERY, VALUE)
    assert [(w.path, w.shape) for w in layer.weights] == [
        ("mha/query/kernel", (4, 2, 3)),
        ("mha/query/bias", (2, 3)),
        ("mha/key/kernel", (6, 2, 3)),
        ("mha/key/bias", (2, 3)),
        ("mha/gate/kernel", (4, 2, 5)),
        ("mha/gate/bias", (2, 5)),
        ("mha/value/kernel", (6, 2, 5)),
        ("mha/value/bias", (2, 5)),
        ("mha/attention_output/kernel", (2, 5, 7)),
        ("mha/attention_output/bias", (7,)),
    ]


TARGETS = np.array([[True, True, False, True, False], [True, False, True, True, True]])
SOURCES = np.array([[True, True, False], [True, False, True]])
PAIRS = np.array([[[True, False, True]] * 5, [[True, True, True]] * 5])

MASKS = {
    "value": ({"value_mask": SOURCES}, SOURCES[:, None, None]),
    "key": ({"key_mask": SOURCES}, SOURCES[:, None, None]),
    "pairs": ({"attention_mask": PAIRS}, PAIRS[:, None]),
    "numbers": ({"attention_mask": PAIRS.astype("float32")}, PAIRS[:, None]),
    "heads": ({"attention_mask": PAIRS[:, None]}, PAIRS[:, None]),
    "one for all targets": ({"attention_mask": SOURCES[:, None]}, SOURCES[:, None, None]),
    "query": ({"query_mask": TARGETS}, TARGETS[:, None, :, None]),
    "causal": ({"use_causal_mask": True}, np.tri(5, 3, dtype=bool)),
    "together": (
        {"use_causal_mask": True, "value_mask": SOURCES, "attention_mask": PAIRS},
        np.tri(5, 3, dtype=bool) & SOURCES[:, None, None] & PAIRS[:, None],
    ),
}


HEADS = {
    "MultiHeadAttention": lambda: layers.MultiHeadAttention(4, 3),
    "GroupQueryAttention": lambda: layers.GroupQueryAttention(3, 4, 2),
}


@pytest.mark.parametrize("heads", HEADS)
@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("mask", MASKS)
def test_masks(mask, scores, heads):
    arguments, pairs = MASKS[mask]
    layer = HEADS[heads]()
    output = layer(QUERY, VALUE, return_attention_scores=scores, **arguments)
    output = output[0] if scores else output
    wanted = references.attention(QUERY, VALUE, layer.get_weights(), mask=pairs)[0]
    np.testing.assert_allclose(numpy(output), wanted, 1e-4, 1e-5)


@pytest.mark.parametrize("make", [layers.MultiHeadAttention, layers.GroupQueryAttention])
def test_first_kernels_are_as_wide_as_those_of_one_matrix(make):
    """Glorot and Bengio's limit for 64 inputs and 4 heads of 16 units, and back."""
    layer = make(4, 16) if make is layers.MultiHeadAttention else make(16, 4, 4)
    layer.build((2, 5, 64), (2, 5, 64))
    limit = math.sqrt(6 / (64 + 4 * 16))
    for kernel in layer.get_weights()[::2]:
        assert np.abs(kernel).max() == pytest.approx(limit, rel=0.02)


def test_a_target_without_sources_gets_the_mean():
    layer = layers.MultiHeadAttention(1, 3)
    arguments = {"attention_mask": np.zeros((2, 5, 3), bool)}
    for scores in (False, True):
        output = layer(QUERY, VALUE, return_attention_scores=scores, **arguments)
        wanted = references.attention(QUERY, VALUE, layer.get_weights(), mask=np.zeros(1, bool))[0]
        np.testing.assert_allclose(numpy(output[0] if scores else output), wanted, 1e-4, 1e-5)


def test_padding_travels_from_the_embedding():
    words = np.array([[3, 1, 0, 0], [2, 2, 4, 0]])
    inputs = mlapi.Input((4,), dtype="int32")
    embedding, layer = layers.Embedding(6, 4, mask_zero=True), layers.MultiHeadAttention(2, 3)
    x = embedding(inputs)
    x = layer(x, x)
    model = mlapi.Model(inputs, layers.GlobalAveragePooling1D()(x))
    vectors, mask = embedding.get_weights()[0][words], words != 0
    wanted, _ = references.attention(
        vectors, vectors, layer.get_weights(), mask=mask[:, None, None]
    )
    wanted = (wanted * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
    np.testing.assert_allclose(numpy(model(words)), wanted, 1e-4, 1e-5)


@pytest.mark.parametrize("axes", [(1,), (2,), (2, 1), None])
def test_attention_along_other_axes(axes):
    x = _random.standard_normal((2, 3, 4, 6)).astype("float32")
    layer = layers.MultiHeadAttention(2, 3, attention_axes=axes)
    output, scores = layer(x, x, return_attention_scores=True)
    weights = layer.get_weights()
    if axes == (1,):  # each column by itself
        columns = [references.attention(x[:, :, i], x[:, :, i], weights) for i in range(4)]
        wanted = np.stack([y for y, _ in columns], 2), np.stack([s for _, s in columns], 1)
    elif axes == (2,):  # each row by itself
        rows = [references.attention(x[:, i], x[:, i], weights) for i in range(3)]
        wanted = np.stack([y for y, _ in rows], 1), np.stack([s for _, s in rows], 1)
    else:
        flat = x.reshape(2, 12, 6)
        y, s = references.attention(flat, flat, weights)
        wanted = y.reshape(x.shape), s.reshape(2, 2, 3, 4, 3, 4)
        if axes == (2, 1):
            wanted = wanted[0], wanted[1].transpose(0, 1, 3, 2, 5, 4)
    np.testing.assert_allclose(numpy(output), wanted[0], 1e-4, 1e-5)
    np.testing.assert_allclose(numpy(scores), wanted[1], 1e-4, 1e-5)


@pytest.mark.parametrize("shape", [(2, 3, 4, 4), (1, 1, 1, 4, 4), (2, 3, 2, 4, 4)])
def test_masks_along_other_axes(shape):
    x = _random.standard_normal((2, 3, 4, 6)).astype("float32")
    mask = _random.random(shape) < 0.7
    layer = layers.MultiHeadAttention(2, 3, attention_axes=2)
    output = numpy(layer(x, x, attention_mask=mask))
    full = np.broadcast_to(mask if mask.ndim == 5 else mask[:, :, None], (2, 3, 2, 4, 4))
    for i in range(3):
        wanted = references.attention(x[:, i], x[:, i], layer.get_weights(), mask=full[:, i])[0]
        np.testing.assert_allclose(output[:, i], wanted, 1e-4, 1e-5)


def test_dropout_drops_weights_of_attention():
    x = np.ones((1, 200, 2), "float32")
    layer = layers.MultiHeadAttention(1, 2, dropout=0.5, use_bias=False, seed=3)
    layer(x, x)
    eye = np.eye(2, dtype="float32")
    layer.set_weights([eye[:, None], eye[:, None], eye[:, None], eye[None]])
    np.testing.assert_allclose(numpy(layer(x, x)), x, 1e-5)
    output = numpy(layer(x, x, training=True))
    # Each output is the mean of 200 numbers that are 0 or 2: mean 1, deviation 1 / sqrt(200).
    assert abs(output.mean() - 1) < 0.02
    assert 0.04 < output[..., 0].std() < 0.1


def test_shapes_are_known_before_data():
    query, value = mlapi.Input((None, 4)), mlapi.Input((None, 6))
    output, scores = layers.MultiHeadAttention(2, 3)(query, value, return_attention_scores=True)
    assert output.shape == (None, None, 4)
    assert scores.shape == (None, 2, None, None)


def test_ranks_must_agree():
    with pytest.raises(ShapeError, match="same rank"):
        layers.MultiHeadAttention(2, 3)(QUERY, VALUE[:, 0])
    with pytest.raises(ShapeError, match="attention_axes"):
        layers.MultiHeadAttention(2, 3, attention_axes=2)(QUERY, VALUE)
    with pytest.raises(ShapeError, match="rank 3"):
        layers.GroupQueryAttention(3, 4, 2)(QUERY[None], VALUE[None])


def test_groups_of_heads_have_the_weights_of_keras():
    layer = layers.GroupQueryAttention(3, 4, 2, use_gate=True)
    layer(QUERY, VALUE, KEY)
    assert layer.name.startswith("grouped_query_attention")  # as Keras has it
    assert [(w.path.removeprefix(layer.name), w.shape) for w in layer.weights] == [
        ("/query/kernel", (4, 4, 3)),
        ("/query/bias", (4, 3)),
        ("/key/kernel", (7, 2, 3)),
        ("/key/bias", (2, 3)),
        ("/gate/kernel", (4, 4, 3)),
        ("/gate/bias", (4, 3)),
        ("/value/kernel", (6, 2, 3)),
        ("/value/bias", (2, 3)),
        ("/attention_output/kernel", (4, 3, 4)),
        ("/attention_output/bias", (4,)),
    ]


def test_groups_of_one_are_attention_with_several_heads():
    grouped, plain = layers.GroupQueryAttention(3, 2, 2), layers.MultiHeadAttention(2, 3)
    expected = plain(QUERY, VALUE)
    grouped(QUERY, VALUE)
    grouped.set_weights(plain.get_weights())
    np.testing.assert_allclose(numpy(grouped(QUERY, VALUE)), numpy(expected), 1e-6)


@pytest.mark.parametrize("heads", HEADS)
def test_penalties_are_those_of_all_projections(heads):
    config = {**HEADS[heads]().get_config(), "activity_regularizer": "l2"}
    layer = type(HEADS[heads]()).from_config(config)
    output = numpy(layer(QUERY, VALUE))
    weights = layer.get_weights()
    inputs = zip((QUERY, VALUE, VALUE), weights[:6:2], weights[1:6:2], strict=True)
    projected = [np.tensordot(x, kernel, 1) + bias for x, kernel, bias in inputs]
    expected = sum(0.01 * (y**2).sum() / 2 for y in (*projected, output))
    np.testing.assert_allclose(
        sum(numpy(loss) for loss in map(ops.stop_gradient, layer.losses)), expected, 1e-5
    )
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize("heads", HEADS)
def test_flash_attention_keeps_no_scores(heads):
    layer = type(HEADS[heads]()).from_config({**HEADS[heads]().get_config(), "flash_attention": 1})
    layer.build(QUERY.shape, VALUE.shape)
    with pytest.raises(ArgumentError, match="return_attention_scores"):
        layer(QUERY, VALUE, return_attention_scores=True)


# --- without projections -------------------------------------------------------------------------

PLAIN = {
    "dot": lambda **kwargs: layers.Attention(**kwargs),
    "concat": lambda **kwargs: layers.Attention(score_mode="concat", **kwargs),
    "additive": lambda **kwargs: layers.AdditiveAttention(**kwargs),
}
NEAR = QUERY[:, :3]


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("plain", PLAIN)
def test_masked_sources_have_no_weight_and_masked_targets_no_output(plain, scores):
    layer = PLAIN[plain]()
    output = layer([QUERY, NEAR], mask=[TARGETS, SOURCES], return_attention_scores=scores)
    _, weights = layer([QUERY, NEAR], return_attention_scores=True)
    weights = numpy(weights) * SOURCES[:, None]
    weights /= weights.sum(-1, keepdims=True)
    if scores:
        output, found = output
        np.testing.assert_allclose(numpy(found), weights, 1e-4, 1e-6)
    expected = weights @ NEAR * TARGETS[..., None]
    np.testing.assert_allclose(numpy(output), expected, 1e-4, 1e-5)


def test_a_plain_target_without_sources_gets_the_mean():
    for make in PLAIN.values():
        output = make()([QUERY, NEAR], mask=[None, np.zeros((2, 3), bool)])
        expected = np.broadcast_to(NEAR.mean(1, keepdims=True), QUERY.shape)
        np.testing.assert_allclose(numpy(output), expected, 1e-5, 1e-6)


@pytest.mark.parametrize("plain", PLAIN)
def test_masks_travel_through_attention(plain):
    words, others = np.array([[3, 1, 0, 0], [2, 2, 4, 0]]), np.array([[1, 0, 2], [3, 3, 0]])
    inputs = mlapi.Input((4,), dtype="int32"), mlapi.Input((3,), dtype="int32")
    embedding, layer = layers.Embedding(6, 4, mask_zero=True), PLAIN[plain]()
    x = layer([embedding(x) for x in inputs])
    model = mlapi.Model(inputs, layers.GlobalAveragePooling1D()(x))
    vectors = [numpy(embedding(x)) for x in (words, others)]
    attended = numpy(layer(vectors, mask=[words != 0, others != 0]))
    expected = attended.sum(1) / (words != 0).sum(1, keepdims=True)
    np.testing.assert_allclose(numpy(model([words, others])), expected, 1e-4, 1e-5)


@pytest.mark.parametrize("plain", PLAIN)
def test_plain_attention_drops_weights(plain):
    x = np.ones((1, 200, 2), "float32")
    layer, same = PLAIN[plain](dropout=0.5, seed=3), PLAIN[plain](dropout=0.5, seed=3)
    np.testing.assert_allclose(numpy(layer([x, x])), x, 1e-5)
    output, weights = layer([x, x], training=True, return_attention_scores=True)
    assert abs((numpy(weights) == 0).mean() - 0.5) < 0.02
    assert abs(numpy(output).mean() - 1) < 0.02
    same([x, x])
    np.testing.assert_allclose(numpy(same([x, x], training=True)), numpy(output), 1e-5)


def test_dots_of_tensors_with_more_axes():
    x = _random.standard_normal((2, 3, 4, 5)).astype("float32")
    layer = layers.Attention(use_scale=True)
    output = numpy(layer([x, x], use_causal_mask=True))
    for i in range(3):
        row = numpy(layer([x[:, i], x[:, i]], use_causal_mask=True))
        np.testing.assert_allclose(output[:, i], row, 1e-5, 1e-5)


@pytest.mark.parametrize("inputs", [QUERY, [QUERY], [QUERY] * 4])
def test_plain_attention_takes_lists(inputs):
    layer = layers.Attention()
    with pytest.raises(ArgumentError, match=r"\[query, value\]"):
        layer(inputs)
    layer([QUERY, NEAR])
    with pytest.raises(ArgumentError, match=r"\[query, value\]"):
        layer(inputs)


def test_a_missing_argument_of_the_call_is_named() -> None:
    for query in (np.ones((2, 3, 4), "float32"), mlapi.Input((3, 4))):
        with pytest.raises(
            ArgumentError, match=r'"attend" was called without value\. .*query, value'
        ):
            layers.MultiHeadAttention(2, 3, name="attend")(query)

"""Masks: who makes them, who heeds them, and how they travel from layer to layer."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops
from tests.layers import references

WORDS = np.array([[3, 1, 0, 0], [2, 2, 4, 0], [1, 4, 2, 5]])
MASK = WORDS != 0


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


@pytest.fixture
def embedding():
    return layers.Embedding(6, 3, mask_zero=True)


def vectors(embedding):
    return numpy(embedding(WORDS))


def run(*stack):
    """The output of a functional model of these layers for WORDS."""
    x = inputs = mlapi.Input((4,), dtype="int32")
    for layer in stack:
        x = layer(x)
    return numpy(mlapi.Model(inputs, x)(WORDS))


def test_embedding_marks_zeros(embedding):
    np.testing.assert_array_equal(numpy(embedding.compute_mask(WORDS)), MASK)
    assert layers.Embedding(6, 3).compute_mask(WORDS) is None


def test_masking_marks_and_clears_steps():
    x = np.array([[[1.0, 2.0], [9.0, 9.0], [9.0, 3.0]]], "float32")
    layer = layers.Masking(9.0)
    np.testing.assert_array_equal(numpy(layer(x)), x * [[[1], [0], [1]]])
    np.testing.assert_array_equal(numpy(layer.compute_mask(x)), [[True, False, True]])


def test_reversible_embedding_marks_words_and_not_vectors():
    layer = layers.ReversibleEmbedding(6, 3, mask_zero=True)
    np.testing.assert_array_equal(numpy(layer.compute_mask(WORDS)), MASK)
    assert layer.compute_mask(layer(WORDS)) is None


def test_average_pooling_leaves_padding_out(embedding):
    result = run(embedding, layers.GlobalAveragePooling1D())
    x = vectors(embedding)
    expected = [x[0, :2].mean(0), x[1, :3].mean(0), x[2].mean(0)]
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_average_pooling_of_nothing_is_zero():
    x = np.ones((1, 3, 2), "float32")
    pooled = layers.GlobalAveragePooling1D()(x, mask=np.zeros((1, 3), bool))
    np.testing.assert_array_equal(numpy(pooled), np.zeros((1, 2)))


def test_average_pooling_with_channels_first():
    x = np.arange(6.0, dtype="float32").reshape(1, 2, 3)
    layer = layers.GlobalAveragePooling1D("channels_first", keepdims=True)
    result = numpy(layer(x, mask=np.array([[True, True, False]])))
    np.testing.assert_allclose(result, [[[0.5], [3.5]]])


@pytest.mark.parametrize(
    "between",
    [
        lambda: layers.Activation("linear"),
        lambda: layers.Dropout(0.5),
        lambda: layers.AlphaDropout(0.5),
        lambda: layers.ActivityRegularization(),
        lambda: layers.Rescaling(1.0),
        lambda: layers.Identity(),
    ],
)
def test_a_mask_passes_layers_that_keep_the_time_axis(embedding, between):
    direct = run(embedding, layers.GlobalAveragePooling1D())
    np.testing.assert_allclose(run(embedding, between(), layers.GlobalAveragePooling1D()), direct)


def test_a_mask_ends_where_it_makes_no_sense(embedding):
    result = run(embedding, layers.ZeroPadding1D(0), layers.GlobalAveragePooling1D())
    np.testing.assert_allclose(result, vectors(embedding).mean(1), rtol=1e-5)


@pytest.mark.parametrize("options", [{}, {"recurrent_dropout": 0.3}, {"go_backwards": True}])
def test_lstm_passes_over_masked_steps(embedding, options):
    lstm = layers.LSTM(4, return_sequences=True, **options)
    result = run(embedding, lstm)
    x, mask = vectors(embedding), MASK
    if "go_backwards" in options:
        x, mask = x[:, ::-1], mask[:, ::-1]
    np.testing.assert_allclose(result, references.lstm(x, *lstm.get_weights(), mask)[0], 1e-4, 1e-5)


def test_lstm_can_write_zeros_for_masked_steps(embedding):
    lstm = layers.LSTM(4, return_sequences=True, return_state=True, zero_output_for_mask=True)
    outputs, h, _ = lstm(vectors(embedding), mask=MASK)
    expected, last, _ = references.lstm(vectors(embedding), *lstm.get_weights(), MASK)
    np.testing.assert_allclose(numpy(outputs), expected * MASK[..., None], 1e-4, 1e-5)
    np.testing.assert_allclose(numpy(h), last, 1e-4, 1e-5)


def test_lstm_hands_its_mask_on(embedding):
    lstm = layers.LSTM(4, return_sequences=True, go_backwards=True)
    result = run(embedding, lstm, layers.GlobalAveragePooling1D())
    backwards = MASK[:, ::-1]
    outputs = references.lstm(vectors(embedding)[:, ::-1], *lstm.get_weights(), backwards)[0]
    expected = (outputs * backwards[..., None]).sum(1) / backwards.sum(1, keepdims=True)
    np.testing.assert_allclose(result, expected, 1e-4, 1e-5)


def test_batch_normalization_counts_only_what_is_not_masked():
    x = np.random.default_rng(0).standard_normal((3, 4, 2)).astype("float32")
    layer = layers.BatchNormalization(momentum=0.0)
    result = numpy(layer(x, training=True, mask=MASK))
    mean, variance = x[MASK].mean(0), x[MASK].var(0)
    np.testing.assert_allclose(result, (x - mean) / np.sqrt(variance + 1e-3), 1e-4, 1e-5)
    np.testing.assert_allclose(layer.moving_mean.numpy(), mean, 1e-4, 1e-6)
    np.testing.assert_allclose(layer.moving_variance.numpy(), variance, 1e-4)


def test_softmax_gives_masked_places_nothing():
    x = np.array([[1.0, 2.0, 50.0], [1.0, 1.0, 1.0]], "float32")
    mask = np.array([[True, True, False], [False, False, False]])
    result = numpy(layers.Softmax()(x, mask=mask))
    share = 1 / (1 + np.e)
    np.testing.assert_allclose(result, [[share, 1 - share, 0], [0, 0, 0]], 1e-5)


def test_merging_layers_join_masks():
    one = np.array([[True, True, False, False]])
    other = np.array([[True, False, True, False]])
    x = ops.ones((1, 4, 2))
    both = [[True, True, True, False]]
    for layer in (layers.Add(), layers.Maximum(), layers.Concatenate()):
        np.testing.assert_array_equal(numpy(layer.compute_mask([x, x], [one, other])), both)
    assert layers.Add().compute_mask([x, x], [one, None]) is None
    assert layers.Dot(2).compute_mask([x, x], [one, other]) is None
    along = layers.Concatenate(axis=1).compute_mask([x, x], [one, None])
    np.testing.assert_array_equal(numpy(along), [[True, True, False, False] + [True] * 4])

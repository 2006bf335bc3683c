"""Arguments that make no sense are refused at once, with what, where and what to do."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, validation
from mlapi.errors import ArgumentError, ArgumentTypeError, ShapeError
from mlapi.validation import Choice, ints, optional

WRONG = [
    (layers.Dense, {"units": 0}, r"units must be an integer of at least 1, received 0"),
    (layers.Dense, {"units": 2.5}, r"units must be an integer"),
    (layers.Dense, {"units": True}, r"units must be an integer"),
    (layers.Dense, {"units": 2, "use_bias": "no"}, r"use_bias must be True or False"),
    (layers.Dense, {"units": 2, "activation": "rellu"}, r"Did you mean 'relu'"),
    (layers.Dense, {"units": 2, "kernel_initializer": "glorot"}, r"(?i)unknown .*'glorot'"),
    (layers.Dense, {"units": 2, "kernel_regulariser": "l2"}, r"Did you mean 'kernel_regularizer'"),
    (layers.Embedding, {"input_dim": 5, "output_dim": -1}, r"output_dim must be"),
    (layers.Dropout, {"rate": 50}, r"rate must be a number from 0 to 1, received 50"),
    (layers.Dropout, {"rate": "half"}, r"rate must be a number"),
    (layers.GaussianNoise, {"stddev": -1.0}, r"stddev must be a number of at least 0"),
    (layers.ReLU, {"max_value": -1.0}, r"max_value must be .* or None"),
    (
        layers.Conv2D,
        {"filters": 3, "kernel_size": (3, 3, 3)},
        r"kernel_size must be .* or 2 int",
    ),
    (layers.Conv2D, {"filters": 3, "kernel_size": 0}, r"kernel_size must be .* of at least 1"),
    (
        layers.Conv2D,
        {"filters": 3, "kernel_size": 2, "padding": "sane"},
        r"padding must be 'valid' or 'same', received 'sane'. Did you mean 'same'",
    ),
    (layers.Conv2D, {"filters": 3, "kernel_size": 2, "padding": "causal"}, r"padding must be"),
    (layers.Conv2D, {"filters": 3, "kernel_size": 2, "groups": 2}, r"multiple of groups=2"),
    (
        layers.Conv2D,
        {"filters": 3, "kernel_size": 2, "strides": 2, "dilation_rate": 2},
        r"cannot both be above 1",
    ),
    (
        layers.MaxPooling2D,
        {"data_format": "channel_last"},
        r"data_format must be .* Did you mean 'channels_last'",
    ),
    (layers.ZeroPadding2D, {"padding": (1, 2, 3)}, r"padding must be"),
    (
        layers.Conv2DTranspose,
        {"filters": 2, "kernel_size": 3, "output_padding": 1},
        r"output_padding=\(1, 1\) must be smaller than strides=\(1, 1\)",
    ),
    (
        layers.Conv1DTranspose,
        {"filters": 2, "kernel_size": 3, "output_padding": -1},
        r"output_padding must be an integer of at least 0, or None",
    ),
    (
        layers.Conv3DTranspose,
        {"filters": 2, "kernel_size": 3, "strides": 2, "dilation_rate": [1, 1, 2]},
        r"cannot both be above 1",
    ),
    (layers.Conv2DTranspose, {"filters": 0, "kernel_size": 3}, r"filters must be"),
    (
        layers.SeparableConv1D,
        {"filters": 2, "kernel_size": 3, "padding": "causal"},
        r"padding must be 'valid' or 'same'",
    ),
    (
        layers.SeparableConv2D,
        {"filters": 2, "kernel_size": 3, "depth_multiplier": 0},
        r"depth_multiplier must be",
    ),
    (layers.AdaptiveMaxPooling2D, {"output_size": (2, None)}, r"output_size must be"),
    (layers.AdaptiveAveragePooling1D, {"output_size": 0}, r"output_size must be"),
    (layers.Cropping1D, {"cropping": -1}, r"cropping must be an integer of at least 0"),
    (layers.Cropping3D, {"cropping": (1, 2)}, r"cropping must be .* 3 pairs"),
    (layers.UpSampling1D, {"size": 2.5}, r"size must be an integer"),
    (layers.UpSampling3D, {"size": 0}, r"size must be .* 3 integers of at least 1"),
    (
        layers.UpSampling2D,
        {"interpolation": "billinear"},
        r"interpolation must be .* Did you mean 'bilinear'",
    ),
    (layers.AlphaDropout, {"rate": 1}, r"rate must be a number of at least 0 and below 1"),
    (layers.GaussianDropout, {"rate": 1.0}, r"rate must be a number of at least 0 and below 1"),
    (layers.Dropout, {"rate": 0.5, "noise_shape": 3}, r"noise_shape must be a list"),
    (layers.Dropout, {"rate": 0.5, "seed": "one"}, r"seed must be an integer, or None"),
    (layers.ActivityRegularization, {"l1": -0.1}, r"l1 must be"),
    (layers.Dot, {"axes": 0}, r"axes must be an integer or a pair .* other than 0"),
    (layers.Dot, {"axes": (1, 2, 3)}, r"axes must be"),
    (layers.Dot, {"axes": 1, "normalize": "yes"}, r"normalize must be True or False"),
    (layers.EinsumDense, {"equation": "ab,bc", "output_shape": 2}, r"equation must be of the form"),
    (layers.EinsumDense, {"equation": "ab,bc->ca", "output_shape": 2}, r"the batch"),
    (layers.EinsumDense, {"equation": "ab,bd->ac", "output_shape": 2}, r"Each letter"),
    (layers.EinsumDense, {"equation": "ab,bc->ac", "output_shape": 0}, r"output_shape must be"),
    (
        layers.EinsumDense,
        {"equation": "ab,bc->ac", "output_shape": 2, "bias_axes": "b"},
        r"bias_axes must be letters of the output, 'ac', or None",
    ),
    (
        layers.ReversibleEmbedding,
        {"input_dim": 5, "output_dim": 2, "reverse_dtype": "int32"},
        r"reverse_dtype must be a floating-point dtype",
    ),
    (
        layers.ReversibleEmbedding,
        {"input_dim": 5, "output_dim": 2, "logit_soft_cap": 0},
        r"logit_soft_cap must be a number above 0, or None",
    ),
    (layers.Reshape, {"target_shape": (-1, -1)}, r"at most one of them -1"),
    (layers.Permute, {"dims": (0, 1)}, r"dims must be"),
    (layers.Rescaling, {"scale": "big"}, r"scale must be a number or a list of numbers"),
    (layers.BatchNormalization, {"momentum": 2}, r"momentum must be a number from 0 to 1"),
    (layers.BatchNormalization, {"axis": 1.5}, r"axis must be an integer"),
    (layers.BatchNormalization, {"renorm_clipping": {"rmaks": 2}}, r"Did you mean 'rmax'"),
    (layers.LayerNormalization, {"axis": []}, r"axis must be an integer or a list"),
    (
        layers.BatchNormalization,
        {"renorm_clipping": {"rmin": 2, "rmax": 1}},
        r'"rmin" below "rmax"',
    ),
    (layers.GroupNormalization, {"groups": 0}, r"groups must be .* or -1 for"),
    (layers.GroupNormalization, {"groups": 2.0}, r"groups must be"),
    (layers.RMSNormalization, {"epsilon": -1}, r"epsilon must be a number of at least 0"),
    (layers.UnitNormalization, {"axis": "last"}, r"axis must be an integer or a list"),
    (layers.SpectralNormalization, {"layer": 3}, r"layer must be a layer, received 3"),
    (
        layers.SpectralNormalization,
        {"layer": layers.Dense(2), "power_iterations": 0},
        r"power_iterations must be an integer of at least 1",
    ),
    (layers.Attention, {"score_mode": "dots"}, r"Did you mean 'dot'"),
    (layers.Attention, {"dropout": 2}, r"dropout must be a number from 0 to 1"),
    (layers.AdditiveAttention, {"use_scale": "no"}, r"use_scale must be True or False"),
    (
        layers.GroupQueryAttention,
        {"head_dim": 2, "num_query_heads": 3, "num_key_value_heads": 2},
        r"num_query_heads=3 must be a multiple of num_key_value_heads=2",
    ),
    (
        layers.MultiHeadAttention,
        {"num_heads": 1, "key_dim": 2, "flash_attention": True, "dropout": 0.1},
        r"flash_attention=True rules out dropout",
    ),
    (layers.LSTM, {"units": 3, "dropout": -0.1}, r"dropout must be a number from 0 to 1"),
    (layers.LSTM, {"units": 3, "use_cudnn": "yes"}, r'use_cudnn must be "auto"'),
    (layers.LSTM, {"units": 3, "use_cudnn": True, "unroll": True}, r"unroll rules out"),
    (layers.LSTM, {"units": 3, "stateful": "yes"}, r"stateful must be True or False"),
    (layers.LSTM, {"units": 3, "implementation": 3}, r"implementation must be '1' or '2'"),
    (layers.LSTM, {"units": 3, "time_major": True}, r"time_major=True is not supported"),
    (layers.GRU, {"units": -1}, r"units must be an integer of at least 1"),
    (layers.GRU, {"units": 3, "use_cudnn": True, "reset_after": False}, r"reset_after=False rules"),
    (layers.SimpleRNN, {"units": 3, "recurrent_dropout": 2}, r"recurrent_dropout must be a number"),
    (layers.RNN, {"cell": 3}, r"cell must be a layer"),
    (layers.RNN, {"cell": layers.LSTMCell}, r"cell must be a layer"),
    (layers.RNN, {"cell": layers.Dense(3)}, r"must have a `state_size`.*received Dense"),
    (layers.RNN, {"cell": []}, r"cells must be a list of at least one cell"),
    (layers.StackedRNNCells, {"cells": [layers.GRUCell(2), 3]}, r"cells\[1\] must be a layer"),
    (layers.ConvLSTM1D, {"filters": 2, "kernel_size": (3, 3)}, r"kernel_size must be"),
    (layers.ConvLSTM2D, {"filters": 2, "kernel_size": 3, "padding": "causal"}, r"padding must be"),
    (
        layers.ConvLSTM2D,
        {"filters": 2, "kernel_size": 3, "strides": 2, "dilation_rate": 2},
        r"cannot both be above 1",
    ),
    (layers.MultiHeadAttention, {"num_heads": 0, "key_dim": 2}, r"num_heads must be"),
    (
        layers.MultiHeadAttention,
        {"num_heads": 1, "key_dim": 2, "output_shape": ()},
        r"output_shape",
    ),
]


@pytest.mark.parametrize(
    ("layer", "arguments", "message"), WRONG, ids=[f"{w[0].__name__}-{w[2]}" for w in WRONG]
)
def test_constructor_refuses(layer, arguments, message):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message) as caught:
        layer(**arguments)
    assert isinstance(caught.value, ValueError | TypeError)


def test_message_names_the_layer():
    with pytest.raises(ArgumentError, match='Dense "head": units must be'):
        layers.Dense(0, name="head")


UNFIT = [
    (layers.Dense(2), (4,), r"rank"),
    (layers.Conv2D(2, 3), (2, 8, 8), r"Conv2D .* rank 4"),
    (layers.Conv2D(4, 3, groups=2), (2, 8, 8, 3), r"3 channels .* groups=2"),
    (layers.Reshape((3, 4)), (2, 5), r"holds 5 values a sample.* target_shape=\(3, 4\)"),
    (layers.Reshape((3, -1)), (2, 5), r"holds 5 values a sample"),
    (layers.Permute((2, 1)), (2, 5), r"rank 3"),
    (layers.RepeatVector(2), (2, 5, 2), r"rank 2"),
    (layers.MaxPooling1D(), (2, 5), r"rank 3"),
    (layers.GlobalAveragePooling2D(), (2, 5, 5), r"rank 4"),
    (layers.BatchNormalization(axis=4), (2, 5), r"axis=4 does not fit an input of rank 2"),
    (layers.LayerNormalization(axis=[1, -1]), (2, 5), r"each axis once"),
    (layers.GroupNormalization(3), (2, 5), r"5 channels cannot be cut into groups=3"),
    (layers.GroupNormalization(2, axis=0), (2, 5), r"axis=0 is that of the samples"),
    (layers.UnitNormalization(axis=[1, -1]), (2, 5), r"each axis once"),
    (layers.SpectralNormalization(layers.Flatten()), (2, 5), r"neither a kernel nor embeddings"),
    (layers.LSTM(2), (2, 5), r"rank 3"),
    (layers.Conv2DTranspose(2, 3), (2, 8, 8), r"Conv2DTranspose .* rank 4"),
    (layers.Cropping1D((2, 3)), (2, 5, 4), r"cropping=\(2, 3\) leaves nothing"),
    (layers.EinsumDense("ab,bc->ac", 2), (2, 5, 3), r"its input has 2 axes"),
    (layers.EinsumDense("...x,xy->...y", 2), (2,), r"output_shape should have 0 sizes"),
    (layers.EinsumDense("abc,cd->abd", 2), (2, 5, 3), r"output_shape should have 2 sizes"),
    (layers.EinsumDense("abc,cd->abd", (4, 2)), (2, 5, 3), r"'b' is 5 there and 4 here"),
    (layers.EinsumDense("ab,bc->ac", None), (2, 5), r"the size of 'c' must be given"),
    (layers.RNN(layers.GRUCell(2)), (2, 5), r"rank 3 or more"),
    (layers.ConvLSTM2D(2, 3), (2, 4, 5, 5), r"rank 5"),
    (
        layers.ConvLSTM1D(2, 5),
        (2, 3, 4, 2),
        r"reaches over 5 places of spatial axis 0, which has 4",
    ),
]


@pytest.mark.parametrize(("layer", "shape", "message"), UNFIT, ids=[u[2] for u in UNFIT])
def test_first_input_must_fit(layer, shape, message):
    with pytest.raises(ArgumentError, match=message):
        layer(np.ones(shape, "float32"))


LATER = [
    (layers.Dense(2), (2, 5), (2, 6), r"expected size 5 on axis -1, received 6"),
    (layers.Conv1D(2, 3), (2, 8, 4), (2, 8, 3), r"expected size 4 on axis -1, received 3"),
    (layers.PReLU(), (2, 5), (2, 4), r"expected size 5 on axis 1"),
    (layers.BatchNormalization(), (2, 5), (2, 4), r"expected size 5 on axis 1"),
    (layers.GroupNormalization(1), (2, 5), (2, 4), r"expected size 5 on axis 1"),
    (layers.RMSNormalization(), (2, 5), (2, 4), r"expected size 5 on axis 1"),
    (layers.LSTM(2), (2, 5, 3), (2, 5, 4), r"expected size 3 on axis -1"),
    (layers.Conv1DTranspose(2, 3), (2, 8, 4), (2, 8, 3), r"expected size 4 on axis -1"),
    (layers.EinsumDense("...x,xy->...y", 2), (2, 3, 5), (2, 3, 4), r"expected size 5 on axis 2"),
    (layers.RNN(layers.GRUCell(2)), (2, 5, 3), (2, 5, 4), r"expected size 3 on axis -1"),
]


@pytest.mark.parametrize(
    ("layer", "first", "second", "message"), LATER, ids=[type(case[0]).__name__ for case in LATER]
)
def test_later_inputs_must_fit_too(layer, first, second, message):
    layer(np.ones(first, "float32"))
    with pytest.raises(ShapeError, match=message):
        layer(np.ones(second, "float32"))
    layer(np.ones(first, "float32"))


def test_unknown_sizes_that_weights_depend_on():
    channels = mlapi.Input((None, None, None))
    with pytest.raises(ArgumentError, match="number of channels"):
        layers.Conv2D(2, 3)(channels)
    with pytest.raises(ShapeError, match="unknown size"):
        layers.BatchNormalization()(channels)
    with pytest.raises(ShapeError, match="is unknown"):
        layers.EinsumDense("ab,bc->ac", 2)(mlapi.Input((None,)))


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (layers.Dense(2), "kernel"),
        (layers.Conv2D(2, 3), "kernel"),
        (layers.SeparableConv2D(2, 3), "pointwise_kernel"),
        (layers.Embedding(3, 2), "embeddings"),
    ],
)
def test_weights_of_a_layer_that_is_not_built(layer, name):
    with pytest.raises(AttributeError, match=f"{layer.name}.* has no {name} yet: call the layer"):
        getattr(layer, name)
    assert not hasattr(layer, name)
    with pytest.raises(ShapeError, match="sizes of a step must be known"):
        layers.ConvLSTM1D(2, 3)(mlapi.Input((None, None, 3)))


def test_leaky_relu_knows_the_old_name_of_its_slope():
    with pytest.warns(DeprecationWarning, match="negative_slope"):
        layer = layers.LeakyReLU(alpha=0.1)
    assert layer.negative_slope == 0.1


def test_embedding_starts_from_given_weights():
    table = np.arange(6.0).reshape(3, 2)
    layer = layers.Embedding(3, 2, weights=[table])
    np.testing.assert_array_equal(
        mlapi.ops.convert_to_numpy(layer(np.array([2, 0]))), table[[2, 0]]
    )
    assert "weights" not in layer.get_config()


CHECKS = [value for value in vars(validation).values() if isinstance(value, validation.Check)]


@pytest.mark.parametrize(
    "check",
    [*CHECKS, ints(2), optional(ints(1)), Choice("a", "b")],
    ids=lambda check: check.sentence,
)
def test_every_check_refuses_its_bad_value(check):
    with pytest.raises((ArgumentError, ArgumentTypeError)) as caught:
        check("Dense", "units", check.bad)
    assert str(caught.value).startswith(f"Dense: units must be {check.sentence}, received ")


def test_checks_return_plain_values():
    assert type(validation.positive_int("Dense", "units", np.int64(3))) is int
    assert validation.boolean("Dense", "use_bias", np.True_) is True
    assert ints(2)("Conv2D", "strides", [1, np.int32(2)]) == (1, 2)
    assert ints(3)("Conv3D", "strides", 2) == (2, 2, 2)
    assert optional(validation.number)("ReLU", "max_value", None) is None
    assert Choice("valid", "same")("Conv2D", "padding", "SAME") == "same"

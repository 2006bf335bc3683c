"""Recurrent layers as they are written by hand in TensorFlow; each returns the last output."""

from collections.abc import Callable

import tensorflow as tf

Tensor = tf.Tensor


def lstm_step(recurrent: Tensor, bias: Tensor) -> Callable[..., tuple[Tensor, ...]]:
    """Of an input that is projected already."""

    def step(z: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        i, f, g, o = tf.split(z + h @ recurrent, 4, -1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        return tf.sigmoid(o) * tf.tanh(c), c

    return step


def gru_step(recurrent: Tensor, bias: Tensor) -> Callable[..., tuple[Tensor, ...]]:
    """Of an input that is projected already."""

    def step(at: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        z_x, r_x, g_x = tf.split(at, 3, -1)
        z, r, g = tf.split(h @ recurrent + bias[1], 3, -1)
        z, g = tf.sigmoid(z_x + z), tf.tanh(g_x + tf.sigmoid(r_x + r) * g)
        return (z * h + (1 - z) * g,)

    return step


STEPS = {"lstm": lstm_step, "gru": gru_step}


def prepare(
    kind: str, x: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor
) -> tuple[Tensor, Callable[..., tuple[Tensor, ...]], tuple[Tensor, ...]]:
    """Inputs of all steps, the step, and the first states."""
    steps = tf.transpose(x, (1, 0, 2))
    flat = tf.reshape(steps, (-1, x.shape[-1])) @ kernel + (bias if kind == "lstm" else bias[0])
    zs = tf.reshape(flat, (*steps.shape[:2], -1))
    start = tf.zeros((x.shape[0], recurrent.shape[0]))
    return zs, STEPS[kind](recurrent, bias), (start,) * (2 if kind == "lstm" else 1)


def unrolled(kind: str, x: Tensor, *weights: Tensor) -> Tensor:
    zs, step, states = prepare(kind, x, *weights)
    for z in tf.unstack(zs):
        states = step(z, *states)
    return states[0]


def looped(kind: str, x: Tensor, *weights: Tensor) -> Tensor:
    zs, step, states = prepare(kind, x, *weights)
    count = zs.shape[0]
    array = tf.TensorArray(zs.dtype, count, element_shape=zs.shape[1:]).unstack(zs)

    def body(t: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        return t + 1, *step(array.read(t), *states)

    loop = tf.while_loop(lambda t, *_: t < count, body, (0, *states), maximum_iterations=count)
    return loop[1]


def block(_: str, x: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
    def reorder(weights: Tensor) -> Tensor:
        i, f, g, o = tf.split(weights, 4, -1)
        return tf.concat([i, g, f, o], -1)

    steps = tf.transpose(x, (1, 0, 2))
    start = tf.zeros((x.shape[0], recurrent.shape[0]))
    none = tf.zeros((recurrent.shape[0],))
    out = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.constant(steps.shape[0], tf.int64),
        x=steps, cs_prev=start, h_prev=start, b=reorder(bias),
        w=reorder(tf.concat([kernel, recurrent], 0)),
        wci=none, wcf=none, wco=none, forget_bias=0.0, cell_clip=-1.0,
    )  # fmt: skip
    return out.h[-1]

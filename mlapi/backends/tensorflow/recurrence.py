"""Recurrent layers over whole sequences on tensorflow.

The gradient that tensorflow takes of a loop keeps every intermediate result of every step in a list
of its own. Here a loop goes back through the steps with nothing but what depends on the step
after; all else, the gradients of the weights included, is computed for all steps at once.
"""

# tensorflow's annotations lack what it takes: its own shapes, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false, reportOperatorIssue=false, reportOptionalOperand=false, reportAttributeAccessIssue=false, reportUntypedFunctionDecorator=false

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from mlapi.backends.tensorflow import transforms
from mlapi.backends.tensorflow.control import scan
from mlapi.backends.tensorflow.nn import dense

Tensor = tf.Tensor
Tensors = tuple[Tensor, ...]
Activation = Callable[[Tensor], Tensor] | None

# Steps that a round of a loop takes: so many in one cost little more than a single step, and a
# longer graph takes longer to build.
_ROUND, _PLAIN_ROUND = 16, 8


def _with_gradient(
    plain: Callable[..., Tensors], fast: Callable[..., tuple[Tensors, Callable[..., Tensors]]]
) -> Callable[..., Tensors]:
    """`plain`, as computed by `fast`, which returns the results and the function of their gradient.

    Gradients of the gradient are those of `plain`.
    """

    @tf.custom_gradient
    def run(*inputs: Tensor) -> Any:
        results, back = fast(*inputs)

        def gradient(*upstream: Tensor) -> Any:
            @tf.custom_gradient
            def first(*given: Tensor) -> Any:
                def second(*outer: Tensor) -> Any:
                    with tf.GradientTape() as tape:
                        tape.watch(given)
                        found = _gradient(plain, given[: len(inputs)], given[len(inputs) :])
                    none = tf.UnconnectedGradients.ZERO
                    return tape.gradient(found, given, outer, unconnected_gradients=none)

                return back(*given[len(inputs) :]), second

            return first(*inputs, *upstream)

        return results, gradient

    return run


def _gradient(
    function: Callable[..., Tensors], inputs: Sequence[Tensor], upstream: Sequence[Tensor]
) -> Sequence[Tensor]:
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        results = function(*inputs)
    none = tf.UnconnectedGradients.ZERO
    return tape.gradient(results, inputs, upstream, unconnected_gradients=none)


def _times_first(
    x: Tensor, mask: Tensor | None, go_backwards: bool
) -> tuple[Tensor, Tensor | None]:
    steps = tf.transpose(x, (1, 0, 2))
    keep = None if mask is None else tf.transpose(mask)[:, :, None]
    if go_backwards:
        steps = tf.reverse(steps, [0])
        keep = keep if keep is None else tf.reverse(keep, [0])
    return steps, keep


def _loop(
    step: Callable[..., Tensors], inputs: Tensor, states: Tensors, keep: Tensor | None = None
) -> tuple[Tensor, Tensors]:
    """All first states, and the last of all; where they are not kept, they stay as they were."""

    def advance(states: Tensors, at: Tensors) -> tuple[Tensors, Tensor]:
        z, *kept = at
        new = step(z, *states)
        if kept:
            new = tuple(tf.where(kept[0], a, b) for a, b in zip(new, states, strict=True))
        return new, new[0]

    xs = (inputs,) if keep is None else (inputs, keep)
    states, outputs = scan(advance, states, xs, None, False, _PLAIN_ROUND)
    return outputs, states


def _before(first: Tensor, states: Tensor) -> Tensor:
    """The state that each step started from."""
    return tf.concat([first[None], states[:-1]], 0)


def _of_weights(x: Tensor, dz: Tensor) -> Tensor:
    """The gradient of the weights that took `x` to where `dz` is the gradient."""
    flat = tf.reshape(x, (-1, x.shape[-1]))
    return tf.matmul(flat, tf.reshape(dz, (-1, dz.shape[-1])), transpose_a=True)


def _of_bias(dz: Tensor) -> Tensor:
    return tf.reduce_sum(tf.reshape(dz, (-1, dz.shape[-1])), 0)


# --- LSTM ----------------------------------------------------------------------------------------


def lstm(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    activation: Activation = None,
    recurrent_activation: Activation = None,
) -> Any:
    plain = activation is not None or recurrent_activation is not None
    if mask is not None and not plain:
        return NotImplemented
    steps, keep = _times_first(x, mask, go_backwards)
    if not plain:
        if bias is None:
            bias = tf.zeros([kernel.shape[1]], x.dtype)
        y, h, c = _lstm(steps, h, c, kernel, recurrent_kernel, bias)
    else:
        step = _lstm_step(
            recurrent_kernel, activation or tf.tanh, recurrent_activation or tf.sigmoid
        )
        y, (h, c) = _loop(step, dense(steps, kernel, bias), (h, c), keep)
    return tf.transpose(y, (1, 0, 2)), h, c


lstm.declines = True  # type: ignore[attr-defined]


def _lstm_step(recurrent: Tensor, inner: Any, gate: Any) -> Callable[..., Tensors]:
    def step(z: Tensor, h: Tensor, c: Tensor) -> Tensors:
        i, f, g, o = tf.split(z + tf.matmul(h, recurrent), 4, -1)
        c = gate(f) * c + gate(i) * inner(g)
        return gate(o) * inner(c), c

    return step


def _plain_lstm(
    steps: Tensor, h: Tensor, c: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor
) -> Tensors:
    step = _lstm_step(recurrent, tf.tanh, tf.sigmoid)
    y, states = _loop(step, dense(steps, kernel, bias), (h, c))
    return y, *states


def _fast_lstm(
    steps: Tensor, h: Tensor, c: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor
) -> tuple[Tensors, Callable[..., Tensors]]:
    i, f, g, o, inner, cs, hs = _lstm_parts(steps, h, c, kernel, recurrent, bias)

    def back(dy: Tensor, dh: Tensor, dc: Tensor) -> Tensors:
        old_h, old_c = _before(h, hs), _before(c, cs)
        of_c = tf.stack([g * i * (1 - i), old_c * f * (1 - f), i * (1 - g * g)], 2)
        rows = of_c, inner * o * (1 - o), o * (1 - inner * inner), f, dy

        def step(carry: Tensors, at: Tensors) -> tuple[Tensors, Tensor]:
            (dh, dc), (of_c, of_o, of_inner, f, dy) = carry, at
            dh = dh + dy
            dc = dc + dh * of_inner
            gates = tf.reshape(of_c * dc[:, None], (-1, 3 * dh.shape[1]))
            dz = tf.concat([gates, dh * of_o], 1)
            return (tf.matmul(dz, recurrent, transpose_b=True), dc * f), dz

        (dh, dc), dz = scan(step, (dh, dc), rows, None, True, _ROUND)
        dx = dense(dz, tf.transpose(kernel))
        return dx, dh, dc, _of_weights(steps, dz), _of_weights(old_h, dz), _of_bias(dz)

    return (hs, hs[-1], cs[-1]), back


def _lstm_parts(
    steps: Tensor, h: Tensor, c: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor
) -> Tensors:
    """Of all steps: gates i, f, inner g, gate o, tanh of the memory, memory, output."""
    if steps.dtype in (tf.float32, tf.float16) and not transforms.under_xla:
        return _block_lstm(steps, h, c, kernel, recurrent, bias)

    def step(carry: Tensors, z: Tensor) -> tuple[Tensors, Tensors]:
        h, c = carry
        i, f, g, o = tf.split(z + tf.matmul(h, recurrent), 4, -1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        c = f * c + i * g
        inner = tf.tanh(c)
        h = o * inner
        return (h, c), (i, f, g, o, inner, c, h)

    return scan(step, (h, c), dense(steps, kernel, bias), None, False, _ROUND)[1]


def _block_lstm(
    steps: Tensor, h: Tensor, c: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor
) -> Tensors:
    """The kernel over whole sequences."""

    def reorder(weights: Tensor) -> Tensor:  # the kernel has its gates in the order i, g, f, o
        i, f, g, o = tf.split(weights, 4, -1)
        return tf.concat([i, g, f, o], -1)

    none = tf.zeros([h.shape[1]], steps.dtype)  # connections from the memory to the gates
    out = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.cast(tf.shape(steps)[0], tf.int64),
        x=steps, cs_prev=c, h_prev=h, b=reorder(bias),
        w=reorder(tf.concat([kernel, recurrent], 0)),
        wci=none, wcf=none, wco=none, forget_bias=0.0, cell_clip=-1.0,
    )  # fmt: skip
    return out.i, out.f, out.ci, out.o, out.co, out.cs, out.h


_lstm = _with_gradient(_plain_lstm, _fast_lstm)


# --- GRU -----------------------------------------------------------------------------------------


def gru(
    x: Tensor,
    h: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    activation: Activation = None,
    recurrent_activation: Activation = None,
    reset_after: bool = True,
) -> Any:
    plain = activation is not None or recurrent_activation is not None or not reset_after
    if mask is not None and not plain:
        return NotImplemented
    steps, keep = _times_first(x, mask, go_backwards)
    if not plain:
        if bias is None:
            bias = tf.zeros([2, kernel.shape[1]], x.dtype)
        y, h = _gru(steps, h, kernel, recurrent_kernel, bias)
    else:
        of_inputs, of_states = (
            (bias, None) if bias is None or not reset_after else (bias[0], bias[1])
        )
        form = _after_step if reset_after else _before_step
        inner, gate = activation or tf.tanh, recurrent_activation or tf.sigmoid
        step = form(recurrent_kernel, of_states, inner, gate)
        y, (h,) = _loop(step, dense(steps, kernel, of_inputs), (h,), keep)
    return tf.transpose(y, (1, 0, 2)), h


gru.declines = True  # type: ignore[attr-defined]


def _after_step(
    recurrent: Tensor, bias: Tensor | None, inner: Any, gate: Any
) -> Callable[..., Tensors]:
    def step(at: Tensor, h: Tensor) -> Tensors:
        z_x, r_x, g_x = tf.split(at, 3, -1)
        z, r, g = tf.split(dense(h, recurrent, bias), 3, -1)
        z, g = gate(z_x + z), inner(g_x + gate(r_x + r) * g)
        return (z * h + (1.0 - z) * g,)

    return step


def _before_step(recurrent: Tensor, _: None, inner: Any, gate: Any) -> Callable[..., Tensors]:
    units = recurrent.shape[0]
    of_gates, of_inner = recurrent[:, : 2 * units], recurrent[:, 2 * units :]

    def step(at: Tensor, h: Tensor) -> Tensors:
        gates = gate(at[:, : 2 * units] + tf.matmul(h, of_gates))
        z, r = tf.split(gates, 2, -1)
        g = inner(at[:, 2 * units :] + tf.matmul(r * h, of_inner))
        return (z * h + (1.0 - z) * g,)

    return step


def _plain_gru(
    steps: Tensor, h: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor
) -> Tensors:
    of_inputs, of_states = tf.unstack(bias)
    step = _after_step(recurrent, of_states, tf.tanh, tf.sigmoid)
    y, states = _loop(step, dense(steps, kernel, of_inputs), (h,))
    return y, *states


def _fast_gru(
    steps: Tensor, h: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor
) -> tuple[Tensors, Callable[..., Tensors]]:
    units = recurrent.shape[0]
    of_inputs, of_states = tf.unstack(bias)

    def step(carry: Tensors, at: Tensor) -> tuple[Tensors, Tensors]:
        (h,) = carry
        product = dense(h, recurrent, of_states)
        gates = tf.sigmoid(at[:, : 2 * units] + product[:, : 2 * units])
        z, r = tf.split(gates, 2, -1)
        of_state = product[:, 2 * units :]
        g = tf.tanh(at[:, 2 * units :] + r * of_state)
        h = g + z * (h - g)
        return (h,), (gates, of_state, g, h)

    parts = scan(step, (h,), dense(steps, kernel, of_inputs), None, False, _ROUND)[1]
    gates, of_state, g, hs = parts

    def back(dy: Tensor, dh: Tensor) -> Tensors:
        z, r = tf.split(gates, 2, -1)
        old_h = _before(h, hs)
        of_z, of_g = (old_h - g) * z * (1 - z), (1 - z) * (1 - g * g)
        of_r = of_g * of_state * r * (1 - r)
        of_product = tf.stack([of_z, of_r, of_g * r], 2)

        def step(carry: Tensors, at: Tensors) -> tuple[Tensors, Tensor]:
            (dh,), (of_product, z, dy) = carry, at
            dh = dh + dy
            product = tf.reshape(of_product * dh[:, None], (-1, 3 * units))
            return (z * dh + tf.matmul(product, recurrent, transpose_b=True),), dh

        (dh,), dhs = scan(step, (dh,), (of_product, z, dy), None, True, _ROUND)
        wide = (*tf.unstack(tf.shape(dhs)[:2]), 3 * units)
        product = tf.reshape(of_product * dhs[:, :, None], wide)
        dz = tf.concat([of_z * dhs, of_r * dhs, of_g * dhs], -1)
        dbias = tf.stack([_of_bias(dz), _of_bias(product)])
        dx = dense(dz, tf.transpose(kernel))
        return dx, dh, _of_weights(steps, dz), _of_weights(old_h, product), dbias

    return (hs, hs[-1]), back


_gru = _with_gradient(_plain_gru, _fast_gru)


# --- the simple one ------------------------------------------------------------------------------


def simple_rnn(
    x: Tensor,
    h: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    activation: Activation = None,
) -> Any:
    if mask is not None and activation is None:
        return NotImplemented
    steps, keep = _times_first(x, mask, go_backwards)
    if activation is None:
        if bias is None:
            bias = tf.zeros([kernel.shape[1]], x.dtype)
        y, h = _simple_rnn(steps, h, kernel, recurrent_kernel, bias)
    else:
        step = _simple_step(recurrent_kernel, activation)
        y, (h,) = _loop(step, dense(steps, kernel, bias), (h,), keep)
    return tf.transpose(y, (1, 0, 2)), h


simple_rnn.declines = True  # type: ignore[attr-defined]


def _simple_step(recurrent: Tensor, inner: Any) -> Callable[..., Tensors]:
    return lambda z, h: (inner(z + tf.matmul(h, recurrent)),)


def _plain_simple_rnn(
    steps: Tensor, h: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor
) -> Tensors:
    y, states = _loop(_simple_step(recurrent, tf.tanh), dense(steps, kernel, bias), (h,))
    return y, *states


def _fast_simple_rnn(
    steps: Tensor, h: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor
) -> tuple[Tensors, Callable[..., Tensors]]:
    def forward(h: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        h = tf.tanh(z + tf.matmul(h, recurrent))
        return h, h

    last, hs = scan(forward, h, dense(steps, kernel, bias), None, False, _ROUND)

    def back(dy: Tensor, dh: Tensor) -> Tensors:
        def step(dh: Tensor, at: Tensors) -> tuple[Tensor, Tensor]:
            slope, dy = at
            dz = slope * (dh + dy)
            return tf.matmul(dz, recurrent, transpose_b=True), dz

        dh, dz = scan(step, dh, (1 - hs * hs, dy), None, True, _ROUND)
        dx = dense(dz, tf.transpose(kernel))
        return dx, dh, _of_weights(steps, dz), _of_weights(_before(h, hs), dz), _of_bias(dz)

    return (hs, last), back


_simple_rnn = _with_gradient(_plain_simple_rnn, _fast_simple_rnn)

"""Recurrent layers over whole sequences on jax: one loop, with a gradient that is cheap to take.

The gradient that jax takes of a loop adds up that of the weights step by step. Here a change of the
weights is turned into one of what is added to their products, for all steps at once; so the loop's
gradient leaves them out, and theirs is one product over all steps.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from mlapi.backends.jax.nn import dense, together

Tensor = jax.Array
Activation = Callable[[Tensor], Tensor] | None
States = tuple[Tensor, ...]
# `sums(x)` is `x` times the next of the weights, plus what belongs there of the input.
Sums = Callable[[Tensor], Tensor]
# `(sums, other inputs, states) -> new states`, the first of which is the output.
Step = Callable[[Sums, Any, States], States]


def _run(
    step: Step,
    addends: Sequence[Tensor],
    others: Tensor | None,
    keep: Tensor | None,
    states: States,
    weights: Sequence[Tensor],
) -> tuple[States, Tensor, list[Tensor]]:
    """The last states, all outputs, and all that the weights were multiplied with."""

    def advance(states: States, at: Any) -> tuple[States, Any]:
        addends, others, keep = at
        factors: list[Tensor] = []

        def sums(x: Tensor) -> Tensor:
            factors.append(x)
            return addends[len(factors) - 1] + x @ weights[len(factors) - 1]

        new = step(sums, others, states)
        if keep is not None:
            new = tuple(jnp.where(keep, a, b) for a, b in zip(new, states, strict=True))
        return new, (new[0], factors)

    states, (outputs, factors) = lax.scan(advance, states, (addends, others, keep))
    return states, outputs, factors


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _recur(step: Step, *given: Any) -> tuple[States, Tensor]:
    return _run(step, *given)[:2]


@_recur.defjvp
def _recur_jvp(step: Step, at: tuple[Any, ...], direction: tuple[Any, ...]) -> tuple[Any, Any]:
    addends, others, keep, states, weights = at
    to_addends, to_others, _, to_states, to_weights = direction
    (states, outputs, factors), slope = jax.linearize(
        lambda addends, others, states: _run(step, addends, others, keep, states, weights),
        addends, others, states,
    )  # fmt: skip
    to_addends = [
        change + dense(x, to_kernel)
        for change, x, to_kernel in zip(to_addends, factors, to_weights, strict=True)
    ]
    return (states, outputs), slope(to_addends, to_others, to_states)[:2]


def _over_time(
    step: Step,
    inputs: tuple[list[Tensor], Tensor | None],
    mask: Tensor | None,
    go_backwards: bool,
    states: States,
    weights: list[Tensor],
    activations: tuple[Activation, ...],
) -> tuple[Tensor, States]:
    """Outputs, the batch first, and last states; of inputs that have the times first."""
    keep = None if mask is None else jnp.swapaxes(mask, 0, 1)[:, :, None]
    given = (*inputs, keep)
    if go_backwards:
        given = jax.tree.map(jnp.flipud, given)
    given = (*given, states, weights)
    # Activations of others may have weights of their own, of which the rule knows nothing.
    run: Any = _run if any(activations) else _recur
    states, outputs, *_ = run(step, *given)
    return jnp.swapaxes(outputs, 0, 1), states


def _lstm(
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
) -> tuple[Tensor, Tensor, Tensor]:
    inner = activation or jnp.tanh
    gate = recurrent_activation or jax.nn.sigmoid

    def step(sums: Sums, _: None, states: States) -> States:
        h, c = states
        i, f, g, o = jnp.split(sums(h), 4, -1)
        c = gate(f) * c + gate(i) * inner(g)
        return gate(o) * inner(c), c

    inputs = [dense(jnp.swapaxes(x, 0, 1), kernel, bias)], None
    activations = (activation, recurrent_activation)
    y, (h, c) = _over_time(
        step, inputs, mask, go_backwards, (h, c), [recurrent_kernel], activations
    )
    return y, h, c


# A loop is compiled anew at each eager call unless the function around it is compiled and kept.
_compiled_lstm = together("go_backwards")(_lstm)


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
) -> tuple[Tensor, Tensor, Tensor]:
    if activation is None and recurrent_activation is None:
        return _compiled_lstm(x, h, c, kernel, recurrent_kernel, bias, mask, go_backwards)
    return _lstm(
        x, h, c, kernel, recurrent_kernel, bias, mask, go_backwards,
        activation, recurrent_activation,
    )  # fmt: skip


def _gru(
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
) -> tuple[Tensor, Tensor]:
    inner = activation or jnp.tanh
    gate = recurrent_activation or jax.nn.sigmoid
    units = h.shape[1]
    of_inputs, of_states = (bias, None) if bias is None or not reset_after else (bias[0], bias[1])
    zs, gs = jnp.split(dense(jnp.swapaxes(x, 0, 1), kernel, of_inputs), [2 * units], -1)

    def after(sums: Sums, g: Tensor, states: States) -> States:
        (h,) = states
        z, r, of_state = jnp.split(sums(h), 3, -1)
        z = gate(z)
        return (z * h + (1 - z) * inner(g + gate(r) * of_state),)

    def before(sums: Sums, _: None, states: States) -> States:
        (h,) = states
        z, r = jnp.split(gate(sums(h)), 2, -1)
        return (z * h + (1 - z) * inner(sums(r * h)),)

    if reset_after:
        rest = jnp.zeros_like(gs)
        if of_states is not None:
            zs, rest = zs + of_states[: 2 * units], rest + of_states[2 * units :]
        step, inputs, weights = after, ([jnp.concatenate([zs, rest], -1)], gs), [recurrent_kernel]
    else:
        step, inputs, weights = (
            before,
            ([zs, gs], None),
            jnp.split(recurrent_kernel, [2 * units], 1),
        )
    activations = (activation, recurrent_activation)
    y, (h,) = _over_time(step, inputs, mask, go_backwards, (h,), weights, activations)
    return y, h


_compiled_gru = together("go_backwards", "reset_after")(_gru)


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
) -> tuple[Tensor, Tensor]:
    arguments = (x, h, kernel, recurrent_kernel, bias, mask)
    if activation is None and recurrent_activation is None:
        return _compiled_gru(*arguments, go_backwards=go_backwards, reset_after=reset_after)
    return _gru(*arguments, go_backwards, activation, recurrent_activation, reset_after)


def _simple_rnn(
    x: Tensor,
    h: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    activation: Activation = None,
) -> tuple[Tensor, Tensor]:
    inner = activation or jnp.tanh

    def step(sums: Sums, _: None, states: States) -> States:
        return (inner(sums(states[0])),)

    inputs = [dense(jnp.swapaxes(x, 0, 1), kernel, bias)], None
    y, (h,) = _over_time(step, inputs, mask, go_backwards, (h,), [recurrent_kernel], (activation,))
    return y, h


_compiled_simple_rnn = together("go_backwards")(_simple_rnn)


def simple_rnn(
    x: Tensor,
    h: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    activation: Activation = None,
) -> tuple[Tensor, Tensor]:
    run = _simple_rnn if activation else _compiled_simple_rnn
    arguments = (x, h, kernel, recurrent_kernel, bias, mask, go_backwards)
    return run(*arguments, activation) if activation else run(*arguments)

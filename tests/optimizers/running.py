"""Runs an optimizer of mlapi over given gradients, in the ways that a user can."""

import numpy as np

import mlapi
from mlapi import ops


def make_variables(start):
    return [mlapi.Variable(p, name=f"w{i}") for i, p in enumerate(start)]


def run(optimizer, start, grads, compiled=False, saved=None):
    """Values of the variables after each step; `saved` is the optimizer's state before them."""
    variables = make_variables(start)
    optimizer.build(variables)
    if saved is not None:
        optimizer.load_own_variables(saved)

    def step(*step_grads):
        optimizer.apply(step_grads, variables)

    if compiled:
        step = mlapi.jit(step, [variables, optimizer])
    history = []
    for step_grads in grads:
        step(*[ops.convert_to_tensor(g) for g in step_grads])
        history.append([v.numpy() for v in variables])
    return history


def assert_same(actual, expected, tolerance=1e-6):
    """Compares histories of values, with the step and the variable in the message."""
    assert len(actual) == len(expected)
    for t, (got, wanted) in enumerate(zip(actual, expected, strict=True), start=1):
        for i, (a, b) in enumerate(zip(got, wanted, strict=True)):
            np.testing.assert_allclose(
                a, b, rtol=tolerance, atol=tolerance, err_msg=f"step {t}, variable {i}"
            )

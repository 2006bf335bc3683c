"""What `compile` sets in the layers and in the optimizer: precision, accumulation, rates."""

from collections.abc import Mapping
from typing import Any

from mlapi import dtype_policies, dtypes
from mlapi.errors import ArgumentError
from mlapi.optimizers import LossScaleOptimizer, MultiOptimizer, Optimizer
from mlapi.validation import positive_int


def set_precision(model: Any, precision: Any) -> None:
    """Gives the model and all layers in it a dtype policy.

    Layers that are built keep their variables, so the policy must have the same dtype for them.

    Args:
        model: the model.
        precision: a policy or its name; a `DTypePolicyMap` decides by the layers' paths.

    Raises:
        ArgumentError: the policy has another dtype for variables that exist.
    """
    policy = dtype_policies.get(precision)
    layers = [layer for layer in model._flatten_layers() if dtypes.is_float(layer.variable_dtype)]
    before = [(layer, layer._policy, layer.variable_dtype) for layer in layers]
    for layer, _, dtype in before:
        layer.dtype_policy = policy
        if layer.variable_dtype != dtype and layer._own_weights():
            wanted = layer.variable_dtype
            for changed, old, _ in before:
                changed.dtype_policy = old
            raise ArgumentError(
                f"compile: precision={precision!r} keeps variables in {wanted}, but those of "
                f'"{layer.path}" are there already, in {dtype}. Choose a mixed policy, '
                "'mixed_bfloat16' for instance, which only computes in fewer bits, or compile "
                "before the model is built."
            )


def set_accumulation(optimizer: Any, steps: int) -> None:
    """Has an optimizer average the gradients of so many batches for one update.

    Raises:
        ArgumentError: there is no optimizer, or it was built or made for another number.
    """
    steps = positive_int("compile", "accumulate", steps)
    if optimizer is None:
        raise ArgumentError(f"compile: accumulate={steps} needs an optimizer, received None.")
    if isinstance(optimizer, LossScaleOptimizer):
        return set_accumulation(optimizer.inner_optimizer, steps)
    if isinstance(optimizer, MultiOptimizer):
        if not optimizer.optimizers:
            raise ArgumentError(
                "compile: the optimizers of a MultiOptimizer made of a function are not known "
                f"yet: give them gradient_accumulation_steps={steps} instead of accumulate."
            )
        for each in optimizer.optimizers:
            set_accumulation(each, steps)
        return None
    now = optimizer.gradient_accumulation_steps
    if (now in (None, 1) and steps == 1) or now == steps:
        return None
    if now is not None or optimizer.built:
        was = "was built without it" if now is None else f"has gradient_accumulation_steps={now}"
        raise ArgumentError(
            f'compile: accumulate={steps}, but the optimizer "{optimizer.name}" {was}. Pass a new '
            "optimizer, or leave accumulate out."
        )
    optimizer.gradient_accumulation_steps = steps
    return None


def set_multipliers(optimizer: Optimizer | None, multipliers: Mapping[str, float]) -> None:
    """Gives variables learning rates of their own; see `Optimizer.lr_multipliers`.

    Raises:
        ArgumentError: there is no optimizer, or the patterns are wrong.
    """
    if optimizer is None:
        raise ArgumentError("compile: lr_multipliers needs an optimizer, received None.")
    optimizer.lr_multipliers = multipliers

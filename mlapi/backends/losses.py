"""What the cross-entropies of all adapters check and agree on."""

from collections.abc import Sequence

from mlapi import config
from mlapi.errors import ShapeError

# Distance from 1 to the number below it.
_NEAR_ONE = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}


def probability_range(dtype: str) -> tuple[float, float]:
    """Where probabilities are kept, so that neither `log(p)` nor `log(1 - p)` is infinite."""
    epsilon = config.epsilon()
    return epsilon, 1.0 - max(epsilon, _NEAR_ONE[dtype])


def check_same_shape(op: str, target: Sequence[int | None], output: Sequence[int | None]) -> None:
    """Broadcasting a target is a mistake that nobody would notice: the loss stays a number."""
    if len(target) != len(output) or any(
        a != b for a, b in zip(target, output, strict=True) if a is not None and b is not None
    ):
        raise ShapeError(
            f"{op}: target and output must have the same shape; received "
            f"{tuple(target)} and {tuple(output)}."
        )


def check_class_shape(
    op: str, target: Sequence[int | None], output: Sequence[int | None], axis: int
) -> bool:
    """Returns whether the target has an axis of size 1 in the place of the classes."""
    keeps = len(target) == len(output) and target[axis] == 1
    expected = list(output)
    expected[axis] = 1
    if not keeps:
        del expected[axis]
    check_same_shape(op, target, expected)
    return keeps

"""Constructor arguments that all optimizers share, and those of older programs."""

import inspect
import sys
import warnings
from typing import Any, TypedDict

from mlapi.errors import ArgumentTypeError, nearest
from mlapi.optimizers.schedules import InverseTimeDecay
from mlapi.validation import Check, fraction, non_negative


def _below_one(value: Any) -> float:
    if fraction.convert(value) == 1:
        raise ValueError
    return value


share = Check("a number from 0 up to, but not including, 1", _below_one, 1.0)
"""For what remains of an average: at 1 nothing would ever come in."""


class Common(TypedDict, total=False):
    """The arguments that all optimizers have; `Optimizer` explains them."""

    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None
    name: str | None


def full_signature(cls: type, base: type) -> inspect.Signature:
    """The signature of a constructor, its `**kwargs` spelled out as arguments of the base class."""
    own = list(inspect.signature(cls.__init__).parameters.values())[1:]
    if own and own[-1].kind is inspect.Parameter.VAR_KEYWORD:
        names = {parameter.name for parameter in own}
        common = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in list(inspect.signature(base.__init__).parameters.values())[1:]
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD and parameter.name not in names
        ]
        own[-1:] = [*common, own[-1]]
    return inspect.Signature(own)


def settle(owner: object, learning_rate: Any, others: dict[str, Any]) -> Any:
    """Returns the learning rate, older spellings of it considered.

    Args:
        owner: the optimizer.
        learning_rate: as given.
        others: arguments that no constructor knew: `lr` and `decay` of programs written for older
            versions of Keras, entries of their configs that mean nothing any more, or mistakes.

    Raises:
        ArgumentTypeError: an unknown argument; the message has the nearest one.
    """
    others = dict(others)
    for meaningless in ("is_legacy_optimizer", "jit_compile"):
        others.pop(meaningless, None)
    if "lr" in others:
        deprecated("lr=", "learning_rate=")
        learning_rate = others.pop("lr")
    decay = others.pop("decay", None)
    if others:
        name, known = next(iter(others)), inspect.signature(type(owner)).parameters
        raise ArgumentTypeError(
            f"{type(owner).__name__}: unknown argument {name!r}.{nearest(name, known)}"
        )
    if not decay:
        return learning_rate
    deprecated("decay=", "a schedule: learning_rate=InverseTimeDecay(…)")
    if callable(learning_rate):
        raise ArgumentTypeError(
            f"{type(owner).__name__}: decay={decay!r} goes with a number as learning rate, "
            f"received {learning_rate!r}."
        )
    return InverseTimeDecay(learning_rate, 1, non_negative(owner, "decay", decay))


def deprecated(old: str, new: str) -> None:
    """Warns at the line of the program that used the older spelling."""
    level = 2  # the caller
    frame = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("mlapi."):
        frame = frame.f_back
        level += 1
    warnings.warn(f"{old} is an older spelling; write {new}", DeprecationWarning, stacklevel=level)

"""One line of a table: an op, its arguments, and what NumPy makes of them.

The NumPy arrays among the arguments (also in a list) are its tensors, everything else is static.
References get the arrays in float64 and the same static arguments.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mlapi import dtypes

FLOATS = ("float16", "bfloat16", "float32")
INTEGERS = ("int8", "uint8", "int16", "int32")
NUMBERS = (*FLOATS, *INTEGERS)
ALL = (*NUMBERS, "bool")


Arguments = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass
class Case:
    """`op(*args, **kwargs)` is `reference(*args, **kwargs)`, in value, shape, dtype and slope.

    Args:
        op: name of the op.
        args: its arguments; NumPy arrays, also in a list, are tensors, the rest is static.
        reference: gets the same, with floating-point arrays in float64.
        kwargs: further arguments.
        label: tells the cases of an op apart; the main one has none.
        dtypes: of the inputs, under which it is tried besides.
        result: the dtype that comes out: `"same"` as the lattice says, `"float"`, `"sum"`, a name,
            or None where it is another argument's affair.
        grad: whether a gradient exists and is compared with finite differences.
        tolerance: absolute and relative, in float32.
        unknown: False where static arguments depend on the first size, which can then not be
            unknown in a symbolic call.
        special: whether NaN, infinities, zeros of both signs, and the extremes of integers are
            drawn among its inputs.
        rounds: whether whole results are the reference's to the nearest, either if between two;
            the reference does not round.
        eager: whether the result's shape depends on values, so that it cannot be compiled.
        slopes: through how many of the results a gradient flows; None for all.
        draw: makes other arguments for random examples, out of a function that draws from a
            Hypothesis strategy (see `mlapi.testing.strategies`), and the dtype of the tensors. By
            default the elements of the case are drawn again, in the same shapes.
    """

    op: str
    args: tuple[Any, ...]
    reference: Callable[..., Any]
    kwargs: dict[str, Any] = field(default_factory=dict)
    label: str = ""
    dtypes: tuple[str, ...] = ()
    result: str | None = "same"
    grad: bool = True
    tolerance: float = 1e-5
    unknown: bool = True
    special: bool = False
    rounds: bool = False
    slopes: int | None = None
    eager: bool = False
    draw: Callable[[Any, str], Arguments] | None = None

    def __str__(self) -> str:
        return f"{self.op}-{self.label}" if self.label else self.op

    def expected_dtype(self, kind: str) -> str | None:
        """Dtype of the first result for inputs of dtype `kind`."""
        if self.result == "same":
            return kind
        if self.result == "float":
            return dtypes.to_float(kind)
        if self.result == "sum":
            return "int32" if kind in ("bool", "int8", "int16", "uint8", "uint16") else kind
        return self.result


def real(*shape: int, seed: int = 0) -> np.ndarray:
    """Numbers in (-2, 2), none of them close to a whole or half one, where functions bend."""
    rng = np.random.default_rng([seed, *shape])
    steps = rng.integers(-8, 8, size=shape)
    return np.array((steps + 0.5 + rng.uniform(-0.2, 0.2, size=shape)) / 4, "float32")


def positive(*shape: int, seed: int = 0) -> np.ndarray:
    """Numbers in (0.25, 2.25)."""
    return np.array(np.abs(real(*shape, seed=seed)) + 0.25, "float32")


def distinct(*shape: int, seed: int = 0) -> np.ndarray:
    """Numbers no two of which are close, for what depends on their order."""
    size = int(np.prod(shape))
    steps = np.random.default_rng([seed, *shape]).permutation(size)
    return np.array((steps - size // 2 + 0.25) / 4, "float32").reshape(shape)


def whole(*shape: int, low: int = -5, high: int = 6, seed: int = 0) -> np.ndarray:
    """Whole numbers in [low, high)."""
    return np.array(np.random.default_rng([seed, *shape]).integers(low, high, shape), "int32")


def truth(*shape: int, seed: int = 0) -> np.ndarray:
    """Truth values."""
    return np.array(np.random.default_rng([seed, *shape]).random(shape) < 0.5)


def scalar(x: float) -> np.ndarray:
    """One number as a tensor."""
    return np.array(x, "int32" if isinstance(x, int) else "float32")


def is_array(x: Any) -> bool:
    """Whether an argument is a tensor."""
    return isinstance(x, np.ndarray)


def is_real(x: Any) -> bool:
    """Whether it is one of floating-point numbers."""
    return is_array(x) and x.dtype.name in ("float16", "bfloat16", "float32", "float64")


def map_arrays(fn: Callable[[np.ndarray], Any], value: Any) -> Any:
    """`fn` of the arrays in arguments; lists, tuples and dicts are walked through."""
    if is_array(value):
        return fn(value)
    if isinstance(value, dict):
        return {key: map_arrays(fn, one) for key, one in value.items()}
    if isinstance(value, list | tuple) and any(map(is_array, value)):
        return type(value)(map_arrays(fn, one) for one in value)
    return value


def arrays_of(case: Case) -> list[np.ndarray]:
    """The tensors among the arguments, in order."""
    found: list[np.ndarray] = []
    for value in (*case.args, *case.kwargs.values()):
        map_arrays(found.append, value)
    return found


def with_arrays(case: Case, arrays: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with other things in the places of the arrays."""
    rest = iter(arrays)
    args = tuple(map_arrays(lambda _: next(rest), value) for value in case.args)
    return args, {key: map_arrays(lambda _: next(rest), one) for key, one in case.kwargs.items()}


def wanted(case: Case, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """The reference's results for these arrays."""
    # Whole numbers are rounded as their float type would have them.
    near = [
        x.astype("float32") if case.result == "float" and x.dtype.kind in "biu" else x
        for x in arrays
    ]
    wide = [x.astype("float64") if is_real(x) else x for x in near]
    args, kwargs = with_arrays(case, wide)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        out = case.reference(*args, **kwargs)
    return [np.asarray(x) for x in (out if isinstance(out, list | tuple) else [out])]


def converted(case: Case, kind: str) -> list[np.ndarray]:
    """The tensors in another dtype, as nearly as it has the numbers; indices and masks stay."""
    arrays = arrays_of(case)
    main = next((x for x in arrays if is_real(x)), None)
    if main is None:
        main = next((x for x in arrays if x.dtype != bool), arrays[0])
    return [to_kind(x, kind) if x.dtype == main.dtype else x for x in arrays]


def to_kind(x: np.ndarray, kind: str) -> np.ndarray:
    """The array in another dtype; for unsigned ones without signs rather than wrapped around."""
    if kind == "bool":
        return np.asarray(x > 0)
    with np.errstate(all="ignore"):
        x = np.asarray(np.abs(x)) if kind.startswith("u") else x
        return x.astype(dtypes.numpy_dtype(kind))


SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0])


def redraw(case: Case, draw: Callable[[Any], Any], kind: str | None) -> Case:
    """The case with random tensors of dtype `kind`, or of its own for None; see `Case.draw`."""
    from hypothesis import strategies

    if case.draw is not None:
        args, kwargs = case.draw(draw, kind or "float32")
        args = tuple(np.asarray(x) if isinstance(x, np.generic) else x for x in args)
        case = replace(case, args=args, kwargs=kwargs)
        arrays = arrays_of(case)
    else:
        rng = np.random.default_rng(draw(strategies.integers(0, 2**32 - 1)))
        arrays = arrays_of(case) if kind is None else converted(case, kind)
        arrays = [rng.permutation(x.ravel()).reshape(x.shape) for x in arrays]
    if case.special and draw(strategies.booleans()):
        rng = np.random.default_rng(draw(strategies.integers(0, 2**32 - 1)))
        arrays = [_with_special(x, rng) for x in arrays]
    args, kwargs = with_arrays(case, arrays)
    return replace(case, args=args, kwargs=kwargs)


def _with_special(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if x.dtype.kind in "iu":
        extremes = np.array([np.iinfo(x.dtype).min, 0, np.iinfo(x.dtype).max], x.dtype)
    elif x.dtype == bool:
        return x
    else:
        extremes = SPECIAL.astype(x.dtype)
    return np.where(rng.random(x.shape) < 0.4, rng.choice(extremes, x.shape), x)

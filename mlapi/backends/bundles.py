"""Arithmetic on many tensors at once: what the rules of optimizers are written in.

A bundle is a list of tensors, one for each variable that an optimizer updates; in a rule all
bundles have the same shapes leaf by leaf, or shapes that broadcast to them. Methods whose names end
in an underscore change the bundle itself; operators and the other methods leave it alone and return
a new one. Operators take bundles and Python numbers. The underscored methods also take tensors
without axes, which learning rates and step counts are where the host does not know the number;
`mul_` a list of one scalar for each leaf.

`Leaves` is the bundle of adapters whose compiler fuses: a plain loop over the leaves. The torch
adapter has its own, of kernels that work on whole lists and in place.
"""

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any, Self

# So many numbers are worked on together at most when leaves of one shape are stacked: beyond that
# stacking saves no time, and costs memory.
STACKED = 2**22


def map_stacked(
    function: Callable[..., Any],
    columns: Sequence[Sequence[Any]],
    stack: Callable[[Any], Any],
    unstack: Callable[[Any], Sequence[Any]],
    limit: int = STACKED,
) -> list[Any]:
    """`function` of the leaves of some bundles, those of one shape stacked for a common call."""
    kinds = [[x.shape for x in column] for column in columns]
    kinds += [[x.dtype for x in column] for column in columns]
    alike: dict[Any, list[int]] = {}
    for i, kind in enumerate(zip(*kinds, strict=True)):
        alike.setdefault(kind, []).append(i)
    result: list[Any] = [None] * len(columns[0])
    for kind, indices in alike.items():
        largest = max(math.prod(shape) for shape in kind[: len(columns)])
        count = max(1, limit // max(1, largest))
        for start in range(0, len(indices), count):
            part = indices[start : start + count]
            if len(part) == 1:  # no copy
                result[part[0]] = function(*[column[part[0]][None] for column in columns])[0]
                continue
            values = function(*[stack([column[i] for i in part]) for column in columns])
            for i, value in zip(part, unstack(values), strict=True):
                result[i] = value
    return result


class Leaves:
    """A bundle as a loop over its leaves; variables are read when needed and written at the end.

    Args:
        tensors: the leaves; None to read them from `variables`.
        variables: where `store` writes what the methods with an underscore have changed.
    """

    __slots__ = ("_tensors", "_written", "variables")

    # Whether a bundle shares the variables' memory, so that it can be kept from step to step.
    in_place = False

    # What an adapter supplies: functions of leaves.
    read: Callable[[Any], Any]
    assign: Callable[[Any, Any], None]
    cast: Callable[[Any, Any], Any]
    sqrt_leaf: Callable[[Any], Any]
    sign_leaf: Callable[[Any], Any]
    norm_leaf: Callable[[Any], Any]
    mean_leaf: Callable[[Any, int | None], Any]
    finite_leaf: Callable[[Any], Any]
    all_leaf: Callable[[Any], Any]
    zeros_like: Callable[[Any], Any]
    maximum_leaf: Callable[[Any, Any], Any]
    minimum_leaf: Callable[[Any, Any], Any]
    where: Callable[[Any, Any, Any], Any]
    stack: Callable[[Any], Any]
    unstack: Callable[[Any], Sequence[Any]]

    def __init__(self, tensors: list[Any] | None = None, variables: Sequence[Any] = ()) -> None:
        self._tensors = tensors
        self._written = False
        self.variables = variables

    @classmethod
    def of(cls, variables: Sequence[Any]) -> Self:
        """The bundle of the variables' values."""
        return cls(None, variables)

    @property
    def tensors(self) -> list[Any]:
        """The leaves."""
        if self._tensors is None:
            self._tensors = [self.read(variable) for variable in self.variables]
        return self._tensors

    def store(self) -> None:
        """Write changed leaves to the variables, from where they are read again if needed."""
        if self._written:
            self._written = False
            for variable, tensor in zip(self.variables, self.tensors, strict=True):
                self.assign(variable, tensor)
        self._tensors = None

    def take(self, indices: Sequence[int]) -> Self:
        """The bundle of some of the leaves, not to be changed."""
        tensors = self.tensors
        return type(self)([tensors[i] for i in indices])

    def _each(self, function: Callable[..., Any], *others: Any) -> Self:
        columns = (self._column(other) for other in others)
        return type(self)([function(*leaves) for leaves in zip(self.tensors, *columns)])

    def _column(self, other: Any) -> Iterable[Any]:
        if isinstance(other, Leaves):
            return other.tensors
        if isinstance(other, (int, float)):
            return repeat(other)
        scalars = other if isinstance(other, list) else repeat(other)
        return [self.cast(s, leaf.dtype) for s, leaf in zip(scalars, self.tensors)]

    def _become(self, other: Self) -> None:
        self._tensors = other.tensors
        self._written = True

    def __add__(self, other: Any) -> Self:
        return self._each(operator.add, other)

    def __sub__(self, other: Any) -> Self:
        return self._each(operator.sub, other)

    def __mul__(self, other: Any) -> Self:
        return self._each(operator.mul, other)

    def __truediv__(self, other: Any) -> Self:
        return self._each(operator.truediv, other)

    def scaled(self, by: Any) -> Self:
        """All leaves times a number, or a tensor without axes."""
        return self * by

    def sqrt(self) -> Self:
        """Square roots."""
        return self._each(self.sqrt_leaf)

    def abs(self) -> Self:
        """Absolute values."""
        return self._each(abs)

    def sign(self) -> Self:
        """Signs: -1, 0 or 1."""
        return self._each(self.sign_leaf)

    def pow(self, exponent: float) -> Self:
        """Powers."""
        return self._each(lambda x: x**exponent)

    def mean(self, axis: int) -> Self:
        """Means of each leaf along an axis, which is counted from the end."""
        return self._each(lambda x: self.mean_leaf(x, axis))

    def rms(self) -> Self:
        """The root of each leaf's mean square: a bundle of leaves without axes."""
        return self._each(lambda x: self.sqrt_leaf(self.mean_leaf(x * x, None)))

    def map(self, function: Callable[..., Any], *others: Self) -> Self:
        """`function` of each leaf, and of the leaves of other bundles.

        It gets tensors with one axis more in front, along which leaves of one shape are stacked,
        and returns a tensor of that kind. It is written with `mlapi.ops`.
        """
        columns = [self.tensors, *(other.tensors for other in others)]
        return type(self)(map_stacked(function, columns, self.stack, self.unstack))

    def all_finite(self) -> Any:
        """Whether no leaf holds an infinity or NaN, a scalar tensor."""
        return self.all_leaf(self.stack([self.finite_leaf(x) for x in self.tensors]))

    def clip(self, low: float, high: float) -> Self:
        """Values brought into `[low, high]`."""
        return self._each(lambda x: self.minimum_leaf(self.maximum_leaf(x, low), high))

    def clip_norms(self, limit: float) -> Self:
        """Each leaf scaled down to an L2 norm of at most `limit`."""
        norms = [self.norm_leaf(x) for x in self.tensors]
        scales = [limit / self.maximum_leaf(n, limit) for n in norms]
        return self._each(operator.mul, type(self)(scales))

    def clip_global_norm(self, limit: float) -> Self:
        """All leaves scaled alike, down to an L2 norm of at most `limit` over all of them."""
        squares = [self.cast(self.norm_leaf(x), "float32") ** 2 for x in self.tensors]
        norm = self.sqrt_leaf(sum(squares[1:], squares[0]))
        # The difference is zero, or NaN if the norm is not finite: then all leaves become NaN.
        return self * (limit / self.maximum_leaf(norm, limit) + (norm - norm))

    def lerp(self, other: Any, weight: Any) -> Self:
        """`self + weight (other - self)`."""
        return self + (other - self) * weight

    def add_(self, other: Any, scale: Any = None) -> None:
        """`self ← self + scale other`."""
        self._become(self + (other if scale is None else other * scale))

    def sqrt_(self) -> None:
        """`self ← √self`."""
        self._become(self.sqrt())

    def mul_(self, other: Any) -> None:
        """`self ← self other`."""
        self._become(self * other)

    def lerp_(self, other: Any, weight: Any) -> None:
        """`self ← self + weight (other - self)`."""
        self._become(self.lerp(other, weight))

    def addcmul_(self, a: Self, b: Self, scale: Any = None) -> None:
        """`self ← self + scale a b`."""
        self.add_(a * b, scale)

    def addcdiv_(self, a: Self, b: Self, scale: Any = None) -> None:
        """`self ← self + scale a / b`."""
        self.add_(a / b, scale)

    def maximum_(self, other: Self) -> None:
        """`self ← max(self, other)`."""
        self._become(self._each(self.maximum_leaf, other))

    def copy_(self, other: Self) -> None:
        """`self ← other`."""
        self._become(other)

    def choose_(self, when: Any, other: Self) -> None:
        """`self ← other` where the scalar `when` is true."""
        self._become(self._each(lambda x, y: self.where(when, y, x), other))

    def zero_(self) -> None:
        """`self ← 0`."""
        self._become(self._each(self.zeros_like))

"""Shapes by patterns of names."""

import math
import re
from collections.abc import Mapping
from typing import Any

from mlapi.errors import ArgumentError, ShapeError
from mlapi.op import op
from mlapi.ops.shape import reshape, shape, transpose
from mlapi.types import Tensor, TensorLike

_WORD = re.compile(r"\.\.\.|\w+|[()]")


def rearrange(tensor: TensorLike, pattern: str, **axes_lengths: int) -> Tensor:
    """Moves, splits and joins axes as a pattern says.

    The notation is that of Rogozhnikov, "Einops: clear and reliable tensor manipulations with
    Einstein-like notation", 2022.

    Args:
        tensor: any shape.
        pattern: names of the axes before `->` and after it. Parentheses are around axes that are
            one axis of the tensor, `1` is an axis of that size, `...` any number of axes.
        **axes_lengths: sizes of axes by name; one in each pair of parentheses may be left out.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.rearrange(ops.ones((2, 6, 4)), "b (h d) c -> b c h d", h=3))
        (2, 4, 3, 2)
    """
    return rearrange_by(tensor, pattern, axes_lengths)


@op
def rearrange_by(
    tensor: TensorLike, pattern: str, axes_lengths: Mapping[str, int] | None = None
) -> Tensor:
    """As `rearrange`, the sizes in a dict.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.rearrange_by(ops.ones((6, 4)), "(h d) c -> c h d", {"h": 3}))
        (4, 3, 2)
    """
    before, arrow, after = pattern.partition("->")
    sizes = shape(tensor)
    source, target = _groups(pattern, before), _groups(pattern, after)
    extra = len(sizes) - (len(source) - (["..."] in source))
    if not arrow or ("..." not in before and extra) or extra < 0:
        raise _refused(pattern, f"it does not fit a tensor with {len(sizes)} axes")
    rest = [[f"...{i}"] for i in range(extra)]
    source, target = _with_rest(source, rest), _with_rest(target, rest)
    names, wanted = ([name for group in groups for name in group] for groups in (source, target))
    if sorted(names) != sorted(wanted) or len(set(names)) < len(names):
        raise _refused(pattern, "both sides must have the same names, each once")
    known = dict(axes_lengths or {})
    if unknown := known.keys() - set(names):
        raise _refused(pattern, f"it has no axis {', '.join(sorted(unknown))}")
    for group, size in zip(source, sizes, strict=True):
        _fill(pattern, group, size, known)
    y = reshape(tensor, [known[name] for name in names])
    y = transpose(y, [names.index(name) for name in wanted]) if names != wanted else y
    return reshape(y, [math.prod(known[name] for name in group) for group in target])


def _groups(pattern: str, side: str) -> list[list[str]]:
    """The names of each axis: none for `1`, several for what is in parentheses."""
    groups: list[list[str]] = []
    inside = False
    if _WORD.sub("", side).strip():
        raise _refused(pattern, "it may have names, `1`, `...` and parentheses only")
    for word in _WORD.findall(side):
        if word in "()":
            if inside is (word == "("):
                raise _refused(pattern, "parentheses must be closed and not nested")
            inside = word == "("
            if inside:
                groups.append([])
        elif inside:
            groups[-1] += [] if word == "1" else [word]
        else:
            groups.append([] if word == "1" else [word])
    if inside or any("..." in group and len(group) > 1 for group in groups):
        raise _refused(pattern, "parentheses must be closed, and `...` outside of them")
    return groups


def _with_rest(groups: list[list[str]], rest: list[list[str]]) -> list[list[str]]:
    """The axes that `...` stands for, in its place."""
    place = groups.index(["..."]) if ["..."] in groups else None
    return groups if place is None else [*groups[:place], *rest, *groups[place + 1 :]]


def _fill(pattern: str, group: list[str], size: Any, known: dict[str, Any]) -> None:
    """Sizes of the names of one axis: the one that is missing is what the others leave."""
    missing = [name for name in group if name not in known]
    if len(missing) > 1:
        raise _refused(pattern, f"pass the size of {missing[0]!r} or {missing[1]!r}")
    given = math.prod(known[name] for name in group if name in known)
    if missing:
        known[missing[0]] = size // given if given else 0
        given = given * known[missing[0]]
    if isinstance(size, int) and given != size:
        raise ShapeError(
            f"rearrange: an axis of size {size} is not {' x '.join(group) or '1'} with "
            f"{ {name: known[name] for name in group} } in {pattern!r}."
        )


def _refused(pattern: str, reason: str) -> ArgumentError:
    return ArgumentError(f"rearrange: pattern {pattern!r} cannot be used: {reason}.")

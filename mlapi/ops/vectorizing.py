"""Functions of single elements as functions of tensors."""

import math
import re
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from mlapi import tree
from mlapi.errors import ArgumentError, ShapeError
from mlapi.ops.conversion import convert_to_tensor
from mlapi.ops.shape import broadcast_to, reshape, shape
from mlapi.ops.transformations import vectorized_map

_CORE = r"\((?:\w+(?:,\w+)*)?\)"
_SIGNATURE = re.compile(rf"({_CORE}(?:,{_CORE})*)->{_CORE}(?:,{_CORE})*")


def vectorize(
    pyfunc: Callable[..., Any],
    *,
    excluded: Collection[int | str] | None = None,
    signature: str | None = None,
) -> Callable[..., Any]:
    """A function that applies `pyfunc` to all elements of tensors, broadcast together, at once.

    Args:
        pyfunc: takes scalars, or what `signature` says, and returns a tensor or a nest of them.
        excluded: positions and names of arguments that are passed on as they are.
        signature: the last axes that `pyfunc` takes and returns, as in `"(m,n),(n)->(m)"`.

    Example:
        >>> from mlapi import ops
        >>> larger = ops.vectorize(lambda a, b: ops.where(a > b, a, b))
        >>> ops.convert_to_numpy(larger([1, 5], [[2], [9]]))
        array([[2, 5],
               [9, 9]], dtype=int32)
    """
    apart = frozenset(excluded or ())
    match = _SIGNATURE.fullmatch(re.sub(r"\s", "", signature or "()->()"))
    if match is None:
        raise ArgumentError(f"vectorize: signature {signature!r} is not like '(m,n),(n)->(m)'.")
    ranks = [len(re.findall(r"\w+", one)) for one in re.findall(_CORE, match[1])]

    def call(*args: Any, **kwargs: Any) -> Any:
        given = {**dict(enumerate(args)), **kwargs}
        tensors = {k: convert_to_tensor(v) for k, v in given.items() if k not in apart}
        inner = dict(zip(tensors, ranks if signature else [0] * len(tensors)))
        if signature and len(ranks) != len(tensors):
            raise ArgumentError(f"vectorize: {len(tensors)} arguments for {signature!r}.")
        sizes = {k: shape(x) for k, x in tensors.items()}
        outer = {k: sizes[k][: len(sizes[k]) - inner[k]] for k in tensors}
        try:
            loop = np.broadcast_shapes(*outer.values())
        except ValueError as error:
            raise ShapeError(f"vectorize: shapes {[*sizes.values()]} do not fit.") from error
        rows = {}
        for k, x in tensors.items():
            core = sizes[k][len(outer[k]) :]
            rows[k] = reshape(broadcast_to(x, (*loop, *core)), (math.prod(loop), *core))

        def apply(row: dict[Any, Any]) -> Any:
            filled = {**given, **row}
            return pyfunc(*(filled[i] for i in range(len(args))), **{k: filled[k] for k in kwargs})

        found = vectorized_map(apply, rows)
        return tree.map_structure(lambda y: reshape(y, (*loop, *shape(y)[1:])), found)

    return call

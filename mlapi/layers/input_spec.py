"""What a layer accepts: rank, shape, dtype of an input, checked with one clear error."""

from collections.abc import Mapping
from typing import Any

from mlapi import dtypes, tree
from mlapi.errors import DTypeError, ShapeError
from mlapi.types import DTypeLike, Shape

_RANK = "Add or remove axes: the first one is the batch; Flatten, Reshape or ops.expand_dims help."
_SIZE = "The weights were made for that size: give inputs of it, or build a new layer for these."


class InputSpec:
    """Constraints on one input.

    Args:
        dtype: exact dtype, or None for any.
        shape: exact shape, None entries for any size.
        ndim, max_ndim, min_ndim: rank, or bounds on it.
        axes: axis → size that it must have.
        name: key of the input where inputs are a dict.

    Example:
        >>> import mlapi
        >>> mlapi.layers.InputSpec(min_ndim=2, axes={-1: 8})
        InputSpec(min_ndim=2, axes={-1: 8})
    """

    def __init__(
        self,
        dtype: DTypeLike | None = None,
        shape: Shape | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = None if dtype is None else dtypes.standardize(dtype)
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def get_config(self) -> dict[str, Any]:
        return {k: v for k, v in vars(self).items() if v not in (None, {}, False)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "InputSpec":
        return cls(**config)

    def __repr__(self) -> str:
        return f"InputSpec({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"

    def violation(self, shape: Shape, dtype: str) -> tuple[str, str] | None:
        """What is wrong with a tensor of this shape and dtype, and the mend; or None."""
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim and not self.allow_last_axis_squeeze:
            return f"expected an input of rank {self.ndim}, received rank {rank}", _RANK
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"expected an input of rank {self.min_ndim} or more, received rank {rank}", _RANK
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"expected an input of rank {self.max_ndim} or less, received rank {rank}", _RANK
        if self.dtype is not None and dtype != self.dtype:
            return f"expected dtype {self.dtype}, received {dtype}", "Use ops.cast."
        for axis, size in self.axes.items():
            if size is not None and shape[axis] not in (size, None):
                return f"expected size {size} on axis {axis}, received {shape[axis]}", _SIZE
        if self.shape is not None and not self.allow_last_axis_squeeze:
            for axis, (want, got) in enumerate(zip(self.shape, shape)):
                if want is not None and got not in (want, None):
                    return f"expected size {want} on axis {axis}, received {got}", _SIZE
        return None


def check(spec: Any, inputs: Any, where: str) -> None:
    """Raise unless every input fits; `inputs` holds objects with `shape` and `dtype` names."""
    if spec is None:
        return
    specs, found = tree.flatten(spec), tree.flatten(inputs)
    if isinstance(spec, dict) and isinstance(inputs, dict):
        missing = [name for name in spec if name not in inputs]
        if missing:
            raise ShapeError(
                f"{where}: inputs {', '.join(map(repr, missing))} are missing; "
                f"received {', '.join(map(repr, inputs))}."
            )
        found = tree.flatten([inputs[name] for name in spec])
    if len(specs) != len(found):
        raise ShapeError(f"{where}: expected {len(specs)} inputs, received {len(found)}.")
    for one, tensor in zip(specs, found, strict=True):
        if one is None or tensor is None:
            continue
        wrong = one.violation(tensor.shape, tensor.dtype)
        if wrong:
            what, mend = wrong
            error = DTypeError if "dtype" in what else ShapeError
            shape = tuple(tensor.shape)
            raise error(f"{where}: {what} (the input has shape {shape}). {mend}")

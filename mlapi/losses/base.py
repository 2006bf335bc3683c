"""What all losses share: conversion, alignment, weights, masks and the reduction to one number."""

import inspect
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Self

import numpy as np

from mlapi import dtypes, naming, ops, serialization, tree
from mlapi.backends import adapter
from mlapi.errors import DTypeError, ShapeError, one_of
from mlapi.types import DTypeLike, Tensor, TensorLike

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)
_PLAIN_MEANS = frozenset({"sum_over_batch_size", "mean", "mean_with_sample_weight"})

FLOATS = frozenset(name for name in dtypes.NAMES if dtypes.is_float(name))
INTEGERS = frozenset(name for name in dtypes.NAMES if dtypes.is_integer(name))

_core = adapter.core
_native_types = _core.native_types
_dtype_of = _core.dtype_of


class Configurable(serialization.Configurable):
    """As its base; arguments that a constructor passes on through `**kwargs` belong to it too."""

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments, with which `from_config` makes an equal object."""
        return {name: getattr(self, name) for name in _arguments(type(self)) if hasattr(self, name)}


@cache
def _arguments(cls: type) -> tuple[str, ...]:
    """Names that the constructor takes, those it passes on through `**kwargs` included."""
    names: dict[str, None] = {}
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        parameters = list(inspect.signature(base.__init__).parameters.values())[1:]
        named = (p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL))
        names.update(dict.fromkeys(named))
        if all(p.kind is not p.VAR_KEYWORD for p in parameters):
            break
    return tuple(names)


class Loss(Configurable):
    """Base class of all losses.

    A subclass implements `call(y_true, y_pred)`, which returns one value per sample (or per
    sample and time step, …); calling the object weights these and reduces them to one number.

    Args:
        name: for logs; by default the class name in snake case.
        reduction: how values become one number:
            `"sum_over_batch_size"` and `"mean"`: their mean (with a mask, over what is valid);
            `"sum"`: their sum;
            `"mean_with_sample_weight"`: the sum of weighted values over the sum of weights;
            `"none"` or `None`: not at all.
        dtype: float type to compute in, by default `config.floatx()`.

    Raises:
        ArgumentError: `reduction` is none of these.
        DTypeError: `dtype` is no float type.

    Example:
        >>> from mlapi import losses, ops
        >>> class Quartic(losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return ops.mean((y_pred - y_true) ** 4, axis=-1)
        >>> float(Quartic()([[0.0, 0.0]], [[1.0, 1.0]]))
        1.0
    """

    integer_targets = False
    """Whether `y_true` holds class numbers or labels, which stay integers."""

    selective = False
    """Whether `valid` leaves some samples out, whatever masks and weights say."""

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: DTypeLike | None = None,
    ) -> None:
        self.name = name or naming.auto_name(type(self).__name__)
        self.reduction = one_of("reduction", reduction, REDUCTIONS)
        self._dtype = dtypes.standardize(getattr(dtype, "compute_dtype", dtype))
        if self._dtype not in FLOATS:
            raise DTypeError(
                f"{type(self).__name__}: dtype must be a float type, received {dtype!r}."
            )

    @property
    def dtype(self) -> str:
        """The float type that the loss is computed in."""
        return self._dtype

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """Returns the loss of every sample, neither weighted nor reduced."""
        raise NotImplementedError(f"{type(self).__name__} must implement call(y_true, y_pred).")

    def __call__(
        self,
        y_true: Any,
        y_pred: Any,
        sample_weight: TensorLike | None = None,
        *,
        mask: TensorLike | None = None,
    ) -> Tensor:
        """Returns the weighted and reduced loss.

        Args:
            y_true: targets, a tensor or a structure of them.
            y_pred: predictions, likewise.
            sample_weight: one weight per sample, or of the shape of the values of `call`.
            mask: booleans in the shape of those values, false for what does not count.

        Raises:
            ShapeError: targets, predictions, weights or mask do not fit one another.
        """
        dtype = self._dtype
        if type(y_pred) not in _native_types or _dtype_of(y_pred) != dtype:
            y_pred = to_tensors(y_pred, dtype)
        if type(y_true) not in _native_types or (
            not self.integer_targets and _dtype_of(y_true) != dtype
        ):
            y_true = to_tensors(y_true, None if self.integer_targets else dtype)
        if sample_weight is None and mask is None and self.reduction in _PLAIN_MEANS:
            return self._mean(y_true, y_pred)
        values = self.call(y_true, y_pred)
        if self.selective:
            valid = self.valid(y_true, y_pred, values)
            mask = valid if mask is None else ops.logical_and(valid, mask)
        return reduce(values, sample_weight, mask, self.reduction, self.name)

    def valid(self, y_true: Any, y_pred: Any, values: Tensor) -> Tensor:
        """Returns which values count, for a loss that is `selective`."""
        raise NotImplementedError

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Sequence[int | None]) -> None:
        """Checks on the host what only the targets' values can tell.

        Raises:
            DataError: class numbers are out of range.
        """

    def _mean(self, y_true: Any, y_pred: Any) -> Tensor:
        """The mean of what counts, for losses that have a shorter way to it."""
        values = self.call(y_true, y_pred)
        if self.selective:
            return reduce(values, None, self.valid(y_true, y_pred, values), "mean", self.name)
        return ops.mean(values)


class ElementwiseLoss(Loss):
    """A loss whose value for a sample is the mean of `error` over `axis`.

    Predictions of shape `(batch,)` have no such axis: each is a sample of its own.
    """

    axis: int = -1

    def error(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the error of every element."""
        raise NotImplementedError

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the mean error of every sample."""
        error = self.error(y_true, y_pred)
        return ops.mean(error, axis=self.axis) if len(error.shape) > 1 else error

    def _mean(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return ops.mean(self.error(y_true, y_pred))


class LossFunctionWrapper(Loss):
    """A plain function `fn(y_true, y_pred, **kwargs)` as a loss.

    Args:
        fn: returns one value per sample.
        reduction: as for `Loss`.
        name: by default that of the function.
        dtype: as for `Loss`.
        **kwargs: passed on to `fn`.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name or function_name(fn), reduction, dtype)
        self.fn = fn
        self.fn_kwargs = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """Returns what the function returns, its arguments brought to equal rank."""
        if _core.is_tensor(y_true) and _core.is_tensor(y_pred):
            y_true, y_pred = equal_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self.fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), **self.fn_kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Returns a new object from what `get_config` returned, plain data included."""
        return cls(**(with_function(config, "losses") if "fn" in config else config))


def with_function(config: dict[str, Any], family: str) -> dict[str, Any]:
    """Returns a config with a function in the place of its name or record, and read arguments."""
    config = serialization.deserialize(config)
    return {**config, "fn": serialization.get(family, config["fn"], "function")}


def function_name(fn: Callable[..., Any]) -> str:
    """Returns a name for logs of a function, a partial or a callable object."""
    fn = getattr(fn, "func", fn)
    return getattr(fn, "__name__", None) or naming.to_snake_case(type(fn).__name__)


def to_tensors(structure: Any, dtype: str | None) -> Any:
    """Returns a structure of tensors, of `dtype` if given; nested numbers are one tensor."""

    def tensor(x: Any) -> Tensor:
        return ops.convert_to_tensor(x) if dtype is None else ops.cast(x, dtype)

    if isinstance(structure, list | tuple) and all(
        isinstance(x, int | float | np.generic) for x in tree.flatten(structure)
    ):
        return tensor(structure)  # the rows of one array
    return tree.map_structure(tensor, structure)


def dtype_name(x: Tensor) -> str:
    """Returns the dtype of a native or symbolic tensor."""
    return dtypes.standardize(x.dtype)


def float_tensor(x: TensorLike) -> Tensor:
    """Returns `x` as a tensor of a float type, its own where it has one."""
    tensor = ops.convert_to_tensor(x)
    dtype = dtypes.to_float(dtype_name(tensor))
    return tensor if dtype_name(tensor) == dtype else ops.cast(tensor, dtype)


def matched(y_true: Any, y_pred: Any, where: str) -> tuple[Tensor, Tensor]:
    """Returns both as tensors of the float type of `y_pred` and of equal shape.

    Raises:
        ShapeError: they differ in more than a last axis of size 1.
    """
    if not (
        type(y_pred) in _native_types
        and type(y_true) in _native_types
        and y_true.dtype == y_pred.dtype
        and _dtype_of(y_pred) in FLOATS
    ):
        y_pred = float_tensor(y_pred)
        y_true = ops.cast(y_true, dtype_name(y_pred))
    if y_true.shape != y_pred.shape:
        received = tuple(y_true.shape), tuple(y_pred.shape)
        y_true, y_pred = equal_rank(y_true, y_pred)
        if not same_shape(y_true.shape, y_pred.shape):
            raise ShapeError(
                f"{where}: y_true has shape {received[0]} but y_pred {received[1]}. "
                f"Targets must have the shape of the model's output.{_advice(*received)}"
            )
    return y_true, y_pred


def _advice(y_true: tuple[int | None, ...], y_pred: tuple[int | None, ...]) -> str:
    if y_true in (y_pred[:-1], (*y_pred[:-1], 1)):
        return (
            " If the targets are class numbers, use a sparse loss or metric "
            "('sparse_categorical_crossentropy') or one-hot encode them (utils.to_categorical)."
        )
    return ""


def same_shape(a: Any, b: Any) -> bool:
    """Whether two shapes can be the same, unknown sizes fitting any."""
    return len(a) == len(b) and all(
        m == n or m is None or n is None for m, n in zip(a, b, strict=True)
    )


def equal_rank(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Adds or removes a last axis of size 1 where the ranks differ by that one axis."""
    rank_true, rank_pred = len(y_true.shape), len(y_pred.shape)
    if rank_true == rank_pred + 1 and y_true.shape[-1] == 1:
        if rank_pred == 1:
            return y_true, ops.expand_dims(y_pred, -1)
        return ops.squeeze(y_true, -1), y_pred
    if rank_pred == rank_true + 1 and y_pred.shape[-1] == 1:
        if rank_true == 1:
            return ops.expand_dims(y_true, -1), y_pred
        return y_true, ops.squeeze(y_pred, -1)
    return y_true, y_pred


def fit_weights(weights: Any, values: Tensor, where: str) -> Tensor:
    """Returns weights in the dtype of `values` and of a shape that broadcasts to theirs.

    Weights of lower rank belong to the leading axes: one per sample, or per sample and step.

    Raises:
        ShapeError: the shapes do not fit.
    """
    weights = ops.cast(weights, dtype_name(values))
    received = tuple(weights.shape)
    target = tuple(values.shape)
    if len(received) == len(target) + 1 and received[-1:] == (1,):
        weights = ops.squeeze(weights, -1)
    if received:
        for _ in range(len(target) - len(received)):
            weights = ops.expand_dims(weights, -1)
    if target and not all(
        m == n or m == 1 or m is None or n is None
        for m, n in zip(weights.shape, target, strict=len(received) > 0)
    ):
        raise ShapeError(
            f"{where}: weights or mask of shape {received} do not fit values of shape {target}. "
            "Give one weight per sample, or one per value."
        )
    return weights


def ratio(a: Tensor, b: Tensor) -> Tensor:
    """Returns `a / b`, and 0 where `b` is 0."""
    empty = ops.cast(b == 0.0, dtype_name(b))
    return a * (1.0 - empty) / (b + empty)


def spread(weights: Tensor, values: Tensor) -> Tensor:
    """Returns weights that broadcast to `values` in the very shape of `values`."""
    if tuple(weights.shape) == tuple(values.shape):
        return weights
    return weights + ops.zeros_like(values)


def reduce(
    values: Any,
    sample_weight: Any,
    mask: Any,
    reduction: str | None,
    where: str,
) -> Tensor:
    """Weights and reduces the values of a loss: see `Loss` for the meaning of each reduction."""
    values = float_tensor(values)
    valid = None if mask is None else fit_weights(mask, values, where)
    weights = valid
    if sample_weight is not None:
        sample_weight = fit_weights(sample_weight, values, where)
        weights = sample_weight if valid is None else sample_weight * valid
    if weights is not None:
        values = values * weights
    if reduction is None or reduction == "none":
        return values
    if reduction == "sum":
        return ops.sum(values)
    if reduction == "mean_with_sample_weight" and weights is not None:
        return ratio(ops.sum(values), ops.sum(spread(weights, values)))
    if valid is not None:
        count = ops.sum(spread(valid, values))
        return ops.sum(values) / ops.maximum(count, 1.0)
    return ops.mean(values)


def differs(numbers: Any, number: int) -> Tensor:
    """Where integers differ from one, which need not be one of their dtype."""
    if _dtype_of(numbers) not in ("int32", "int64"):
        numbers = ops.cast(numbers, "int32")
    return numbers != number

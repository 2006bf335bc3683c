"""What all metrics share: state in Variables, and names."""

from collections.abc import Sequence
from typing import Any

from mlapi import dtypes, initializers, naming, ops
from mlapi.errors import ShapeError
from mlapi.losses.base import Configurable
from mlapi.state import Stateful, Variable, collect
from mlapi.types import DTypeLike, Shape, Tensor


class Metric(Stateful, Configurable):
    """Base class of all metrics: numbers accumulated over batches.

    A subclass makes its state with `add_variable`, changes it in `update_state(y_true, y_pred,
    sample_weight=None)` and computes `result()` from it. Both run on the device, compiled or
    not, and never wait for it.

    Args:
        dtype: float type of the state, by default `config.floatx()`.
        name: for logs; by default the class name in snake case.

    Example:
        >>> from mlapi import metrics, ops
        >>> class Largest(metrics.Metric):
        ...     def __init__(self, name="largest", **kwargs):
        ...         super().__init__(name=name, **kwargs)
        ...         self.value = self.add_variable((), "zeros", name="value")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.value.assign(ops.maximum(self.value, ops.max(y_pred)))
        ...     def result(self):
        ...         return self.value.value
        >>> float(Largest()([0.0, 0.0], [3.0, 2.0]))
        3.0
    """

    def __init__(self, dtype: DTypeLike | None = None, name: str | None = None) -> None:
        self.name = name or naming.auto_name(type(self).__name__)
        self._dtype = dtypes.standardize(getattr(dtype, "compute_dtype", dtype))

    @property
    def dtype(self) -> str:
        """The dtype of the state, unless a variable has one of its own."""
        return self._dtype

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: DTypeLike | None = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Returns a new Variable for the state; keep it in an attribute.

        Args:
            shape: of the variable.
            initializer: name, object or function; `reset_state` sets zeros, whatever it was.
            dtype: by default the metric's.
            aggregation: how replicas combine theirs: `"sum"`, `"mean"` or `"only_first_replica"`.
            name: of the variable.
        """
        return Variable(
            initializers.get(initializer),
            shape=tuple(shape),
            dtype=dtype or self._dtype,
            trainable=False,
            name=name or "variable",
            path=f"{self.name}/{name or 'variable'}",
        )

    def add_weight(
        self,
        shape: Sequence[int] = (),
        initializer: Any = None,
        dtype: DTypeLike | None = None,
        name: str | None = None,
    ) -> Variable:
        """As `add_variable`, a scalar of zero by default."""
        return self.add_variable(shape, initializer or "zeros", dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """All state, that of metrics in the attributes included."""
        return collect(self)

    def build(self, y_true_shape: Shape, y_pred_shape: Shape) -> None:
        """Makes state whose shape depends on the data's, once; called with the first batch's."""

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Adds a batch."""
        raise NotImplementedError(f"{type(self).__name__} must implement update_state().")

    def result(self) -> Any:
        """Returns the value over all batches so far: a scalar tensor, or a dict of them."""
        raise NotImplementedError(f"{type(self).__name__} must implement result().")

    def reset_state(self) -> None:
        """Forgets all batches."""
        for variable in self.variables:
            variable.assign_zero()

    def stateless_update_state(
        self, metric_variables: Sequence[Tensor], *args: Any, **kwargs: Any
    ) -> list[Tensor]:
        """Returns the state after `update_state(*args, **kwargs)` from a given state."""
        return self._with_state(metric_variables, lambda: self.update_state(*args, **kwargs))[1]

    def stateless_result(self, metric_variables: Sequence[Tensor]) -> Any:
        """Returns the result for a given state."""
        return self._with_state(metric_variables, self.result)[0]

    def stateless_reset_state(self) -> list[Tensor]:
        """Returns the state without any batch."""
        return self._with_state([v.value for v in self.variables], self.reset_state)[1]

    def _with_state(self, values: Sequence[Tensor], fn: Any) -> tuple[Any, list[Tensor]]:
        """What `fn` returns, and the state after it, when the state before it is `values`."""
        variables = self.variables
        if len(values) != len(variables):
            raise ShapeError(
                f'Metric "{self.name}" has {len(variables)} variables, received {len(values)}.'
            )
        before = [ops.copy(v.value) for v in variables]
        try:
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
            result = fn()
            return result, [ops.copy(v.value) for v in variables]
        finally:
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Adds a batch and returns the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

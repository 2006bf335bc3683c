"""The Variables of a layer and of the layers inside it: made, listed, frozen, copied out and in."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

from mlapi import constraints, dtypes, initializers, regularizers
from mlapi.errors import LoadError, NotBuiltError, ShapeError
from mlapi.metrics import Metric
from mlapi.state import Stateful, StatelessScope, Variable, collect, in_order
from mlapi.types import DTypeLike, Shape, Tensor


class LayerVariables(Stateful):
    """What a layer keeps; mixed into every Layer."""

    name: str
    path: Any
    built: bool
    variable_dtype: Any
    _trainable: bool
    _call_losses: list[Any]

    def add_weight(
        self,
        shape: Shape | int | None = None,
        initializer: Any = None,
        dtype: DTypeLike | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """A new Variable of this layer; store it in an attribute.

        Args:
            shape: tuple of ints; None for a scalar.
            initializer: name, Initializer or callable; Glorot uniform for floats, else zeros.
            dtype: by default that of the layer's variables.
            trainable: whether gradients change it.
            autocast: whether it is read cast to the dtype that the layer computes in.
            regularizer, constraint: name, object, or None.
            aggregation: how replicas combine theirs, see `Variable`.
            overwrite_with_gradient: whether an optimizer is to replace it by its gradient.
            layout: how it is spread over devices, or None.
            name: last part of its path.

        Raises:
            ShapeError: a size is unknown.
        """
        dtype = dtypes.standardize(dtype or self.variable_dtype)
        shape = (shape,) if isinstance(shape, int) else tuple(shape or ())
        if any(n is None for n in shape):
            raise ShapeError(
                f'{self._where()}: weight "{name}" would have the shape {shape}: a size that the '
                "weights depend on is unknown. Give it in Input(shape=…)."
            )
        if initializer is None:
            initializer = "glorot_uniform" if dtypes.is_float(dtype) else "zeros"
        name = name or "variable"
        variable = Variable(
            initializers.get(initializer),
            shape,
            dtype,
            trainable,
            autocast,
            aggregation,
            name=name,
            layout=layout,
            path=f"{self.path}/{name}",
            regularizer=regularizers.get(regularizer),
            constraint=constraints.get(constraint),
        )
        variable.overwrite_with_gradient = overwrite_with_gradient
        if trainable and not self._trainable:  # frozen for now
            variable.trainable = False
        return variable

    def add_variable(
        self,
        shape: Shape,
        initializer: Any,
        dtype: DTypeLike | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """As `add_weight`, by the name that older programs use."""
        return self.add_weight(
            shape, initializer, dtype, trainable, autocast, regularizer, constraint, name=name
        )

    # --- lists --------------------------------------------------------------------------------

    @property
    def variables(self) -> list[Variable]:
        """All Variables of this layer and those inside it, seeds and metrics included."""
        return collect(self)

    @property
    def weights(self) -> list[Variable]:
        """The Variables that are saved and loaded: all but seeds and metrics."""
        return _once(v for layer in self._flatten_layers() for v in layer._own_weights())

    @property
    def trainable_variables(self) -> list[Variable]:
        """What training changes."""
        if not self._trainable:
            return []
        return _once(
            v
            for layer in self._flatten_layers()
            if layer._trainable
            for v in layer._own_weights()
            if v.trainable
        )

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """All others: moving averages, what is frozen, seeds and metrics."""
        trainable = {id(v) for v in self.trainable_variables}
        return [v for v in self.variables if id(v) not in trainable]

    @property
    def trainable_weights(self) -> list[Variable]:
        """What training changes."""
        return self.trainable_variables

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The other Variables that are saved and loaded."""
        trainable = {id(v) for v in self.trainable_variables}
        return [v for v in self.weights if id(v) not in trainable]

    @property
    def metrics(self) -> list[Metric]:
        """Metrics kept in attributes of this layer and of those inside it."""
        found = [m for layer in self._flatten_layers() for _, m in layer._named_children_of(Metric)]
        return list({id(metric): metric for metric in found}.values())

    @property
    def metrics_variables(self) -> list[Variable]:
        """The Variables of all metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    def _own_weights(self) -> list[Variable]:
        own = [v for _, v in self._own_named_variables()]
        return sorted(own, key=in_order)

    def _sublayers(self) -> list[Any]:
        return [layer for _, layer in self._named_children_of(LayerVariables)]

    def _flatten_layers(self) -> Iterator[Any]:
        """This layer and all inside it, each once, parents first."""
        seen: set[int] = set()
        stack: list[LayerVariables] = [self]
        while stack:
            layer = stack.pop()
            if id(layer) not in seen:
                seen.add(id(layer))
                yield layer
                stack.extend(reversed(layer._sublayers()))

    @property
    def trainable(self) -> bool:
        """Whether training changes this layer; setting it sets it for the layers inside too."""
        return self._trainable

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        for layer in self._flatten_layers():
            layer._trainable = bool(trainable)
            for variable in layer._own_weights():
                if variable.is_parameter:
                    variable.trainable = trainable

    # --- values -------------------------------------------------------------------------------

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights on the host, in the order of `weights`."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Assign all weights, in the order of `weights`; nothing changes if one does not fit."""
        mine = self.weights
        if len(weights) != len(mine):
            hint = "" if self.built else " The layer is not built yet: call it once first."
            raise ShapeError(
                f"{self._where()} has {len(mine)} weights, received {len(weights)}.{hint}"
            )
        for variable, value in zip(mine, weights, strict=True):
            if tuple(np.shape(value)) != variable.shape:
                raise ShapeError(
                    f'{self._where()}: weight "{variable.path}" has shape {variable.shape}, '
                    f"received {tuple(np.shape(value))}."
                )
        for variable, value in zip(mine, weights, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """How many numbers the weights hold."""
        if not self.built:
            raise NotBuiltError(
                f"{self._where()} has no weights yet: call it once, or build it with an input "
                "shape, before counting."
            )
        return sum(int(np.prod(v.shape)) for v in self.weights)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Writes the layer's own weights, not those of layers inside it, under their numbers.

        A layer that overrides this and `load_own_variables` decides itself what is saved.
        """
        for i, variable in enumerate(self._own_weights()):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Reads what `save_own_variables` wrote.

        Raises:
            LoadError: there are more or fewer arrays than weights, or one has another shape; then
                nothing is assigned.
        """
        own = self._own_weights()
        if len(store) != len(own):
            hint = "" if self.built else " It is not built yet."
            raise LoadError(
                f"{self._where()} has {len(own)} weights of its own, received {len(store)}.{hint}"
            )
        arrays = [store[str(i)] for i in range(len(own))]
        for variable, array in zip(own, arrays, strict=True):
            if tuple(np.shape(array)) != variable.shape:
                raise LoadError(
                    f'{self._where()}: weight "{variable.path}" has shape {variable.shape}, '
                    f"received {tuple(np.shape(array))}."
                )
        for variable, array in zip(own, arrays, strict=True):
            variable.assign(array)

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """The call as a pure function of the values of all Variables.

        Args:
            trainable_variables: tensors, in the order of `trainable_variables`.
            non_trainable_variables: tensors, in the order of `non_trainable_variables`.
            *args: arguments of the call.
            return_losses: whether to return the losses that layers add, too.
            **kwargs: further arguments of the call.

        Returns:
            The outputs, and the new values of the non-trainable Variables; then the list of losses
            if asked for. No Variable changes.

        Raises:
            NotBuiltError: the layer has no Variables yet.
            ShapeError: more or fewer tensors than Variables.
        """
        if not self.built:
            raise NotBuiltError(f"{self._where()}: call it once, or build it, before this.")
        mine = self.trainable_variables, self.non_trainable_variables
        for what, variables, values in zip(
            ("trainable", "non-trainable"),
            mine,
            (trainable_variables, non_trainable_variables),
            strict=True,
        ):
            if len(variables) != len(values):
                raise ShapeError(
                    f"{self._where()} has {len(variables)} {what} Variables, received "
                    f"{len(values)} tensors."
                )
        values = [*trainable_variables, *non_trainable_variables]
        with StatelessScope(
            zip([*mine[0], *mine[1]], values, strict=True), collect_losses=True
        ) as scope:
            outputs = self(*args, **kwargs)  # type: ignore[operator]
            if return_losses:
                penalties = [v.regularizer(v.value) for v in mine[0] if v.regularizer]
                scope.losses.extend(penalties)
        new: list[Tensor] = [scope.get_current_value(v) for v in mine[1]]
        return (outputs, new, scope.losses) if return_losses else (outputs, new)

    def _where(self) -> str:
        return f'{type(self).__name__} "{self.path}"'


def _once(variables: Iterable[Variable]) -> list[Variable]:
    """Without those that an earlier layer has, too."""
    return list({id(v): v for v in variables}.values())

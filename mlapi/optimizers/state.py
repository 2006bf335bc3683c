"""What an optimizer holds: its learning rate, the count of steps, and slots for each variable."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, TypeAlias

import numpy as np

from mlapi import dtypes, initializers, serialization
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, ArgumentTypeError, LoadError
from mlapi.optimizers.arguments import deprecated
from mlapi.optimizers.multipliers import Multipliers
from mlapi.optimizers.scalar import Scalar
from mlapi.optimizers.schedules import LearningRateSchedule
from mlapi.serialization import Configurable
from mlapi.state import Variable
from mlapi.types import DTypeLike, Shape
from mlapi.validation import number

_native = adapter.optimizers

LearningRate: TypeAlias = float | LearningRateSchedule | Callable[[], Any]
# What a slot holds at first: one number everywhere, or what a function makes of the variable, None
# if that variable has no such slot.
Start: TypeAlias = float | Callable[[Variable], np.ndarray | None]


_ACCUMULATOR = "gradient_accumulator"


class Unused:
    """Stands in files for a variable that Keras has and never reads."""

    def __init__(self, path: str, shape: tuple[int, ...], dtype: str) -> None:
        self.path = path
        self.shape = shape
        self.dtype = dtype

    def numpy(self) -> np.ndarray:
        """Zeros, as files must hold something."""
        return np.zeros(self.shape, dtypes.numpy_dtype(self.dtype))

    def assign(self, value: Any) -> None:
        """Does nothing."""


class OptimizerState(Configurable):
    """The variables of an optimizer, and how they are made, found, saved and loaded."""

    name: str
    use_ema: bool
    gradient_accumulation_steps: int | None
    _multipliers: Multipliers | None

    def __init__(self, learning_rate: Any) -> None:
        self.built = False
        self._trainable_variables: list[Variable] = []
        self._positions: dict[int, int] = {}  # of the trainable variables, by identity
        self._variables: list[Variable] = []
        self._slots: dict[str, list[Variable | None]] = {}
        self._accumulators: list[Variable] = []
        self._shared: dict[str, list[Variable]] = {}  # slots that belong to no variable
        self._iterations = self._add_number("iteration", 0, "int32")
        if not callable(learning_rate):
            if _is_scalar(learning_rate):
                learning_rate = float(learning_rate)
            value = number(self, "learning_rate", learning_rate)
            learning_rate = self._add_number("learning_rate", value, "float32")
        self._learning_rate: Any = learning_rate

    # Learning rate and count of steps

    @property
    def learning_rate(self) -> Any:
        """The Variable that holds the learning rate, or the present value of a schedule."""
        if isinstance(self._learning_rate, Variable):
            return self._learning_rate
        count = self.iterations
        return self._rate(_native.number(count.value if isinstance(count, Variable) else count))

    @learning_rate.setter
    def learning_rate(self, learning_rate: LearningRate) -> None:
        fixed = isinstance(self._learning_rate, Variable)
        if fixed and not callable(learning_rate):
            if not _is_scalar(learning_rate):
                learning_rate = number(self, "learning_rate", learning_rate)
            self._learning_rate.assign(learning_rate)
        elif callable(learning_rate) and not (fixed and self.built):
            self._variables = [v for v in self._variables if v is not self._learning_rate]
            self._learning_rate = learning_rate
        else:
            raise ArgumentTypeError(
                f'Optimizer "{self.name}": a schedule and a fixed learning rate cannot replace '
                f"one another once training has begun, received {learning_rate!r}. Make a new "
                "optimizer, or let the schedule do it."
            )

    @property
    def lr(self) -> Any:
        """The learning rate, by the name that older programs use."""
        deprecated("optimizer.lr", "optimizer.learning_rate")
        return self.learning_rate

    @lr.setter
    def lr(self, learning_rate: LearningRate) -> None:
        deprecated("optimizer.lr", "optimizer.learning_rate")
        self.learning_rate = learning_rate

    @property
    def iterations(self) -> Any:
        """How many updates were made, a Variable; where gradients accumulate, a scalar tensor."""
        if self.gradient_accumulation_steps:
            return self._iterations.value // self.gradient_accumulation_steps
        return self._iterations

    def _rate(self, count: Scalar) -> Scalar:
        rate = self._learning_rate
        if isinstance(rate, Variable):
            return _native.number(rate.value)
        return _native.number(rate(count) if isinstance(rate, LearningRateSchedule) else rate())

    # State

    @property
    def variables(self) -> list[Variable]:
        """The count of steps, the learning rate if it is a number, and all slots."""
        return list(self._variables)

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the slots for these variables, which are all that can be updated later.

        Raises:
            ArgumentError: there are none.
            ArgumentTypeError: one is no Variable.
        """
        if self.built:
            return
        variables = list(variables)
        if not variables:
            raise ArgumentError(
                f'Optimizer "{self.name}": there are no trainable variables to update. Build the '
                "model first (call it on data, or give it an Input), and check `trainable`."
            )
        for variable in variables:
            if not isinstance(variable, Variable):
                raise ArgumentTypeError(
                    f'Optimizer "{self.name}" updates mlapi Variables, for instance '
                    f"`model.trainable_variables`; received {type(variable).__name__}."
                )
        if self._multipliers is not None:
            self._multipliers.check(variables)
        self._trainable_variables = variables
        self._positions = {id(v): i for i, v in enumerate(variables)}
        slot_groups = self.slot_groups()
        if self.gradient_accumulation_steps:
            slot_groups = [{_ACCUMULATOR: 0.0}, *slot_groups]
        if self.use_ema:
            slot_groups = [{"average": Variable.numpy}, *slot_groups]
        with adapter.core.at_once():  # slots may start as the variables are
            for group in slot_groups:
                self._slots.update({name: [] for name in group})
                for variable in variables:
                    for name, start in group.items():
                        self._slots[name].append(self._add_slot(variable, name, start))
        self._accumulators = self._slots.pop(_ACCUMULATOR, [])
        self.built = True

    def slot_groups(self) -> Sequence[Mapping[str, Start]]:
        """Names and first values of the slots; those of one mapping lie variable by variable."""
        return []

    def _add_slot(self, variable: Variable, name: str, start: Start) -> Variable | None:
        if callable(start):
            array = start(variable)
            if array is None:
                return None
        else:
            array = np.full(variable.shape, start, dtypes.numpy_dtype(variable.dtype))
        path = f"{variable.path.replace('/', '_')}_{name}"
        return self.add_variable(array.shape, array, variable.dtype, path)

    def add_variable(
        self,
        shape: Shape,
        initializer: Any = "zeros",
        dtype: DTypeLike | None = None,
        name: str | None = None,
    ) -> Variable:
        """Adds a Variable to the optimizer's state.

        Args:
            shape: its shape.
            initializer: an initializer, its name, or an array.
            dtype: by default `config.floatx()`.
            name: last part of its path.
        """
        if not isinstance(initializer, np.ndarray):
            initializer = initializers.get(initializer)
        name = name or "variable"
        path = f"{self.name}/{name}"
        variable = Variable(initializer, shape, dtype, trainable=False, name=name, path=path)
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str = "slot", initializer: Any = "zeros"
    ) -> Variable:
        """Adds a Variable with the shape and dtype of another one, whose path its name carries."""
        name = f"{reference_variable.path.replace('/', '_')}_{name}"
        return self.add_variable(
            reference_variable.shape, initializer, reference_variable.dtype, name
        )

    def add_optimizer_variables(
        self,
        trainable_variables: Sequence[Variable],
        name: str | Sequence[str],
        initializer: Any = "zeros",
    ) -> Any:
        """Adds one slot for each variable, or several if there are several names.

        Returns:
            The list of slots, or a tuple of such lists, one for each name.
        """
        names = [name] if isinstance(name, str) else list(name)
        rows = [
            [self.add_variable_from_reference(v, each, initializer) for each in names]
            for v in trainable_variables
        ]
        columns = tuple(list(column) for column in zip(*rows, strict=True))
        return columns[0] if isinstance(name, str) else columns

    def _add_number(self, name: str, value: float, dtype: str) -> Variable:
        variable = self.add_variable((), np.asarray(value), dtype, name)
        _native.keep_on_host(variable)
        return variable

    def _get_variable_index(self, variable: Variable) -> int:
        try:
            return self._positions[id(variable)]
        except KeyError:
            raise self._unknown(variable) from None

    def _unknown(self, variable: Variable) -> ArgumentError:
        return ArgumentError(
            f'Optimizer "{self.name}" does not know {variable!r}: it was built for '
            f"{len(self._trainable_variables)} other variables. Make a new optimizer, or build "
            "this one with all variables that it is to update."
        )

    # Saving

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, the learning rate as a number or record."""
        names = inspect.signature(type(self)).parameters
        config = {name: getattr(self, name) for name in names if hasattr(self, name)}
        rate = self._learning_rate
        if isinstance(rate, Variable):
            # The shortest decimal number of this float32: 0.001, not 0.0010000000474974513.
            config["learning_rate"] = float(str(rate.numpy()))
        else:
            config["learning_rate"] = serialization.serialize(rate)
        return config

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Returns a new optimizer from what `get_config` returned."""
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = serialization.deserialize(
                config["learning_rate"], custom_objects
            )
        return cls(**config)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Assigns arrays to `variables`, in their order.

        Raises:
            LoadError: there are more or fewer than variables, or one has another shape; then
                nothing is assigned.
        """
        weights = [np.asarray(weight) for weight in weights]
        self._assign_all(self.variables, weights)

    def _assign_all(self, places: Sequence[Any], weights: Sequence[np.ndarray]) -> None:
        if len(weights) != len(places):
            hint = "" if self.built else " It is not built yet: call `build` first."
            raise LoadError(
                f'Optimizer "{self.name}" has {len(places)} variables, received '
                f"{len(weights)} arrays.{hint}"
            )
        for place, weight in zip(places, weights, strict=True):
            if place.shape != weight.shape:
                raise LoadError(
                    f"The optimizer's variable {place.path!r} has shape {place.shape}, "
                    f"received an array of shape {weight.shape}."
                )
        for place, weight in zip(places, weights, strict=True):
            place.assign(weight)

    def save_own_variables(self, store: Any) -> None:
        """Writes `variables` into a mapping, under the numbers that they have in files."""
        for i, place in enumerate(self.places_in_files()):
            store[str(i)] = place.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Reads what `save_own_variables` wrote.

        Raises:
            LoadError: other variables were written; then nothing is assigned.
        """
        arrays = [np.asarray(store[str(i)]) for i in range(len(store))]
        self._assign_all(self.places_in_files(), arrays)

    def places_in_files(self) -> list[Any]:
        """What is written to files and read from them: `variables`, and what stands for others."""
        return self.variables


def _is_scalar(x: Any) -> bool:
    return isinstance(x, Variable) or adapter.core.is_tensor(x)

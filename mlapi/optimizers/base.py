"""How all optimizers update: clipping, decay, the rule, averages, accumulation.

An optimizer states its slots and one rule:

    class Momentum(Optimizer):
        def slot_groups(self):
            return [{"momentum": 0.0}]

        def rule(self, p, g, slots, lr, t):
            m = slots["momentum"]
            m.mul_(0.9)
            m.add_(g, -lr)
            p.add_(m)

`p`, `g` and the slots are bundles (`mlapi.backends.bundles`): all variables at once, their
gradients, their slots. Classes written for Keras, with `build` and an `update_step` over one
variable at a time, work as well.
"""

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from types import NoneType
from typing import Any

from mlapi.backends import adapter
from mlapi.errors import ArgumentError, NotBuiltError
from mlapi.naming import auto_name
from mlapi.optimizers import scalar
from mlapi.optimizers.arguments import full_signature, settle
from mlapi.optimizers.multipliers import Multipliers
from mlapi.optimizers.scalar import Scalar
from mlapi.optimizers.state import LearningRate, OptimizerState
from mlapi.state import Variable
from mlapi.types import Tensor, TensorLike
from mlapi.validation import fraction, non_negative, optional, positive, positive_int

_native = adapter.optimizers
_Bundle = _native.Bundle


class _Part:
    """Variables that have the same slots and learning rate: the rule updates them in one go."""

    def __init__(
        self,
        optimizer: "Optimizer",
        variables: list[Variable],
        indices: list[int] | None,
        factor: float,
    ) -> None:
        self.variables = variables
        self.factor = factor  # of the learning rate
        self.indices = indices  # in the group; None for all of it
        positions = [optimizer._get_variable_index(v) for v in variables]
        self.slots: dict[str, list[Any]] = {}
        for name, slots in optimizer._slots.items():
            own = [slots[i] for i in positions]
            if own[0] is not None:
                self.slots[name] = own
        self.slots.update(optimizer._shared)
        shares = [float(optimizer._use_weight_decay(v)) for v in variables]
        self.decay_shares = shares if 0.0 in shares else None
        self._bundles: tuple[Any, dict[str, Any]] | None = None

    def bundles(self) -> tuple[Any, dict[str, Any]]:
        """The variables and the slots, kept from step to step where they stay in place."""
        if self._bundles is None or not _Bundle.in_place:
            slots = {name: _Bundle.of(slot) for name, slot in self.slots.items()}
            self._bundles = _Bundle.of(self.variables), slots
        return self._bundles


class _Group:
    """Variables that are given to `apply` together, and what belongs to them."""

    def __init__(self, optimizer: "Optimizer", variables: list[Variable]) -> None:
        self.variables = variables
        positions = [optimizer._get_variable_index(v) for v in variables]
        accumulators = optimizer._accumulators
        self.accumulators = [accumulators[i] for i in positions] if accumulators else []
        self.constraints = [(v, v.constraint) for v in variables if v.constraint is not None]
        alike: dict[tuple[float, ...], list[int]] = {}
        factors = optimizer._multipliers
        for index, i in enumerate(positions):
            has = (slots[i] is not None for slots in optimizer._slots.values())
            factor = 1.0 if factors is None else factors.of(variables[index].path)
            alike.setdefault((factor, *has), []).append(index)
        several = len(alike) > 1
        self.parts = [
            _Part(optimizer, [variables[i] for i in own], own if several else None, factor)
            for (factor, *_), own in alike.items()
        ]
        # What the variables share changes once a step, though the rule runs for each part.
        self.shared = [v for slot in optimizer._shared.values() for v in slot] if several else []


class Optimizer(OptimizerState):
    """Base of all optimizers.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function without arguments.
        weight_decay: before each update every variable shrinks by this times the learning rate.
        clipnorm: largest L2 norm of each variable's gradient.
        clipvalue: largest absolute value of the gradients' elements.
        global_clipnorm: largest L2 norm of all gradients together.
        use_ema: whether to keep an exponential moving average of the variables.
        ema_momentum: how much of the old average stays at each update.
        ema_overwrite_frequency: after so many updates the variables become their averages; None
            for the end of training only (`finalize_variable_values`).
        loss_scale_factor: `scale_loss` multiplies by it, `apply` divides gradients by it.
        gradient_accumulation_steps: gradients are averaged over so many calls for one update.
        name: first part of the paths of the optimizer's variables.

    At most one of the three ways of clipping can be used.
    """

    # Names the adapters' kernel that computes `rule`; a class with another rule has none.
    kernel: str | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "update_step" in cls.__dict__ and "rule" not in cls.__dict__:
            cls.rule = Optimizer.rule
        if "rule" in cls.__dict__ and "kernel" not in cls.__dict__:
            cls.kernel = None
        cls.__signature__ = full_signature(cls, Optimizer)

    def __init__(
        self,
        learning_rate: LearningRate,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.name = name or auto_name(type(self).__name__)
        learning_rate = settle(self, learning_rate, kwargs)
        self.weight_decay = optional(non_negative)(self, "weight_decay", weight_decay)
        self.clipnorm = optional(positive)(self, "clipnorm", clipnorm)
        self.clipvalue = optional(positive)(self, "clipvalue", clipvalue)
        self.global_clipnorm = optional(positive)(self, "global_clipnorm", global_clipnorm)
        if sum(limit is not None for limit in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ArgumentError(
                f"{type(self).__name__}: only one of clipnorm, clipvalue and global_clipnorm can "
                f"be set, received {clipnorm=}, {clipvalue=}, {global_clipnorm=}."
            )
        self.use_ema = bool(use_ema)
        self.ema_momentum = fraction(self, "ema_momentum", ema_momentum)
        self.ema_overwrite_frequency = optional(positive_int)(
            self, "ema_overwrite_frequency", ema_overwrite_frequency
        )
        self.loss_scale_factor = optional(positive)(self, "loss_scale_factor", loss_scale_factor)
        self.gradient_accumulation_steps = optional(positive_int)(
            self, "gradient_accumulation_steps", gradient_accumulation_steps
        )
        self._groups: dict[tuple[int, ...], _Group] = {}  # by identities of the variables
        self._last: _Group | None = None
        self._multipliers: Multipliers | None = None
        self._excluded: set[int] = set()
        self._excluded_names: re.Pattern[str] | None = None
        self._warned: set[str] = set()
        super().__init__(learning_rate)

    # The update

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """Updates variables, given as pairs `(gradient, variable)`."""
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self.iterations

    def apply(
        self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None
    ) -> None:
        """Updates variables by their gradients; on the first call `build` comes first.

        Args:
            grads: one tensor for each variable, of its shape. A variable whose gradient is None
                is left alone, with a warning.
            trainable_variables: some or all of those the optimizer was built for; all by default.

        Raises:
            ArgumentError: all gradients are None, there are more or fewer than variables, or a
                variable is unknown.
            ShapeError: a gradient has another shape than its variable.

        Example:
            >>> import mlapi
            >>> w = mlapi.Variable(1.0)
            >>> mlapi.optimizers.SGD(0.25).apply([2.0], [w])
            >>> float(w)
            0.5
        """
        if not self.built:
            if trainable_variables is None:
                raise NotBuiltError(
                    f'Optimizer "{self.name}" does not know what to update: pass '
                    "`trainable_variables`, or call `build` first."
                )
            self.build(trainable_variables)
        variables = list(trainable_variables or self._trainable_variables)
        grads = list(grads)
        if len(grads) != len(variables):
            raise ArgumentError(
                f'Optimizer "{self.name}": {len(grads)} gradients for {len(variables)} variables.'
            )
        if NoneType in map(type, grads):
            grads, variables = self._present(grads, variables)
        _native.unrecorded(self._update, variables, _native.accept(grads, variables))

    def _group(self, variables: list[Variable]) -> _Group:
        if adapter.transforms.is_tracing():
            return _Group(self, variables)  # nothing kept: a change would mean compiling again
        group = self._last
        if group is None or group.variables != variables:
            key = tuple(map(id, variables))
            group = self._groups.get(key)
            if group is None:
                group = self._groups[key] = _Group(self, variables)
            self._last = group
        return group

    def _present(
        self, grads: list[Any], variables: list[Variable]
    ) -> tuple[list[Any], list[Variable]]:
        """Drops variables without gradient, and says so once."""
        missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
        pairs = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        if not pairs:
            raise ArgumentError(
                f'Optimizer "{self.name}": no variable has a gradient, {", ".join(missing)} '
                "included. Does the loss depend on them?"
            )
        if not self._warned.issuperset(missing):
            self._warned.update(missing)
            warnings.warn(
                f"No gradient for {', '.join(missing)}: these variables are not updated. "
                "Does the loss depend on them?",
                stacklevel=3,
            )
        return [g for g, _ in pairs], [v for _, v in pairs]

    def _update(self, variables: list[Variable], grads: list[Any]) -> None:
        group = self._group(variables)
        count = _native.number(self._iterations.value)
        every = self.gradient_accumulation_steps
        lr = self._rate(count // every if every else count)
        g = _Bundle(grads)
        if self.loss_scale_factor:
            g = g * (1 / self.loss_scale_factor)
        if every:
            total = _Bundle.of(group.accumulators)
            total.add_(g)
            total.store()

            def step() -> None:
                total.mul_(1 / every)
                self._step(group, total, lr, count // every)
                total.zero_()
                total.store()

            state = [*self._variables, *variables]
            _native.when((count + 1) % every == 0, step, state)
        else:
            self._step(group, g, lr, count)
        _native.set_number(self._iterations, count + 1)

    def _step(self, group: _Group, g: Any, lr: Scalar, count: Any) -> None:
        """One update of the variables; `count` updates were made before."""
        if self.clipnorm:
            g = g.clip_norms(self.clipnorm)
        elif self.global_clipnorm:
            g = g.clip_global_norm(self.global_clipnorm)
        elif self.clipvalue:
            g = g.clip(-self.clipvalue, self.clipvalue)
        t = scalar.to_float(count) + 1
        kernel = _native.kernels.get(self.kernel)
        shared = [(variable, _native.snapshot(variable)) for variable in group.shared]
        common = lr
        for part in group.parts:
            for variable, value in shared:
                variable.assign(value)
            lr = common if part.factor == 1 else common * part.factor
            p, slots = part.bundles()
            own = g if part.indices is None else g.take(part.indices)
            decay = self._decay_of(slots) or 0.0
            if decay and part.decay_shares:
                p.mul_([1 - lr * decay * share for share in part.decay_shares])
                p.store()
                decay = 0.0
            if kernel is None or not kernel(self, p, own, slots, lr, t, decay):
                if decay:
                    p.mul_(1 - lr * decay)
                self.rule(p, own, slots, lr, t)
            if self.use_ema:
                self._average(p, slots["average"], count)
            p.store()
            for bundle in slots.values():
                bundle.store()
        for variable, constraint in group.constraints:
            variable.assign(constraint(variable.value))

    def _decay_of(self, slots: Mapping[str, Any]) -> float | None:
        """The weight decay of variables that have these slots."""
        return self.weight_decay

    def _average(self, p: Any, average: Any, count: Any) -> None:
        average.lerp_(p, scalar.where(count == 0, 1.0, 1 - self.ema_momentum))
        if self.ema_overwrite_frequency:
            p.choose_((count + 1) % self.ema_overwrite_frequency == 0, average)

    def rule(self, p: Any, g: Any, slots: Mapping[str, Any], lr: Scalar, t: Scalar) -> None:
        """Updates the bundle `p` of all variables, and the slots, in place.

        It is called for all variables that have the same slots.

        Args:
            p: variables.
            g: their gradients, which must not be changed.
            slots: the bundles of `slot_groups` by name.
            lr: learning rate.
            t: number of this update, the first being 1.
        """
        p.store()
        for gradient, variable in zip(g.tensors, p.variables, strict=True):
            self.update_step(gradient, variable, lr)

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        """Updates one variable; what a class written for Keras overrides instead of `rule`."""
        raise NotImplementedError(
            f"{type(self).__name__} must override `rule`, or `update_step` without calling super's."
        )

    def assign(self, variable: Variable, value: TensorLike) -> None:
        """Sets a variable from within `update_step`."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: TensorLike) -> None:
        """Adds to a variable from within `update_step`."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: TensorLike) -> None:
        """Subtracts from a variable from within `update_step`."""
        variable.assign_sub(value)

    def stateless_apply(
        self,
        optimizer_variables: Sequence[TensorLike],
        grads: Sequence[TensorLike],
        trainable_variables: Sequence[TensorLike],
    ) -> tuple[list[Tensor], list[Tensor]]:
        """An update as a pure function of values, in the order of `variables` and of `build`.

        Returns:
            The new values of the trainable variables, and those of the optimizer's.
        """
        if not self.built:
            raise NotBuiltError(f'Optimizer "{self.name}": call `build` before `stateless_apply`.')
        targets = [*self._trainable_variables, *self.variables]
        values = [*trainable_variables, *optimizer_variables]
        before = [_native.snapshot(v) for v in targets]
        try:
            for variable, value in zip(targets, values, strict=True):
                variable.assign(value)
            self.apply(grads)
            after = [_native.snapshot(v) for v in targets]
        finally:
            for variable, value in zip(targets, before, strict=True):
                variable.assign(value)
        count = len(self._trainable_variables)
        return after[:count], after[count:]

    def scale_loss(self, loss: Tensor) -> Tensor:
        """Returns the loss times `loss_scale_factor`."""
        return loss * self.loss_scale_factor if self.loss_scale_factor else loss

    def unscale_loss(self, loss: Tensor) -> Tensor:
        """Returns what `scale_loss` was given, from its result; to be called before `apply`."""
        return loss / self.loss_scale_factor if self.loss_scale_factor else loss

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Gives the variables their averages, if averages are kept; `fit` does so at its end."""
        if self.use_ema:
            for variable in var_list:
                average = self._slots["average"][self._get_variable_index(variable)]
                assert average is not None
                variable.assign(average.value)

    # Variables apart from others

    @property
    def lr_multipliers(self) -> dict[str, float] | None:
        """Pattern → factor of the learning rate, for the variables whose paths it matches.

        A pattern is a regular expression that matches the whole path; None is for one rate for
        all. Weight decay, which goes with the learning rate, is multiplied too. It is to be set
        before training; `Model.compile` has an argument for it.
        """
        return None if self._multipliers is None else dict(self._multipliers.given)

    @lr_multipliers.setter
    def lr_multipliers(self, multipliers: Mapping[str, float] | None) -> None:
        self._use_multipliers(None if multipliers is None else Multipliers(multipliers))

    def _use_multipliers(self, multipliers: Multipliers | None) -> None:
        if self.built and multipliers is not None:
            multipliers.check(self._trainable_variables)
        self._multipliers = multipliers
        self._groups.clear()
        self._last = None

    def exclude_from_weight_decay(
        self,
        var_list: Sequence[Variable] | None = None,
        var_names: Sequence[str] | None = None,
    ) -> None:
        """Keeps variables from being decayed; to be called before the first update.

        Args:
            var_list: variables.
            var_names: parts of paths, `"bias"` for instance, as regular expressions.

        Raises:
            ArgumentError: the optimizer is built.
        """
        if self.built:
            raise ArgumentError(
                f'Optimizer "{self.name}": exclude_from_weight_decay comes before the first '
                "update, and before `build`."
            )
        self._excluded = {id(variable) for variable in var_list or ()}
        self._excluded_names = re.compile("|".join(var_names)) if var_names else None

    def _use_weight_decay(self, variable: Variable) -> bool:
        if id(variable) in self._excluded:
            return False
        return not (self._excluded_names and self._excluded_names.search(variable.path))

"""The loss as a pure function of the values of all Variables, for loops of one's own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlapi.layers.base import Layer
from mlapi.state import StatelessScope, Variable

_Base = Layer if TYPE_CHECKING else object


class StatelessSteps(_Base):
    """The part of the trainer that is for `jax.grad` and its like; mixed into every Model."""

    optimizer: Any

    def stateless_compute_loss(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple[Any, tuple[list[Any], list[Any], list[Any]]]:
        """`compute_loss` for given values of the Variables.

        Args:
            trainable_variables: tensors, in the order of `trainable_variables`.
            non_trainable_variables: likewise.
            metrics_variables: likewise.
            x, y, y_pred, sample_weight, training: as for `compute_loss`.

        Returns:
            The loss, and the new values of the three lists of Variables.
        """
        lists = self._lists()
        with self._holding(trainable_variables, non_trainable_variables, metrics_variables) as held:
            loss = self.compute_loss(x, y, y_pred, sample_weight, training)
        trainable, others, metrics = ([held.get_current_value(v) for v in vs] for vs in lists)
        return loss, (trainable, others, metrics)

    def compute_loss_and_updates(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any,
        y: Any,
        sample_weight: Any,
        training: bool = False,
        optimizer_variables: Sequence[Any] | None = None,
    ) -> tuple[Any, tuple[Any, Any, list[Any], list[Any]]]:
        """Call and loss for given values of the Variables, to be differentiated.

        Returns:
            The loss as it is to be minimised, scaled where the optimizer scales it; then the loss
            itself, the outputs, and the new values of the other two lists of Variables.
        """
        _, others, metrics = self._lists()
        with self._holding(trainable_variables, non_trainable_variables, metrics_variables) as held:
            y_pred = self(x, training=training)
            loss = self.compute_loss(x, y, y_pred, sample_weight, training)
            scaled = loss
            if training and self.optimizer is not None:
                if optimizer_variables is not None:
                    for update in zip(self.optimizer.variables, optimizer_variables, strict=True):
                        held.add_update(update)
                scaled = self.optimizer.scale_loss(loss)
        new, counts = ([held.get_current_value(v) for v in vs] for vs in (others, metrics))
        return scaled, (loss, y_pred, new, counts)

    def _lists(self) -> tuple[list[Variable], list[Variable], list[Variable]]:
        metrics = self.metrics_variables
        counted = {id(v) for v in metrics}
        others = [v for v in self.non_trainable_variables if id(v) not in counted]
        return self.trainable_variables, others, metrics

    def _holding(self, *values: Sequence[Any]) -> StatelessScope:
        variables = [v for each in self._lists() for v in each]
        flat = [value for each in values for value in each]
        return StatelessScope(zip(variables, flat, strict=True))

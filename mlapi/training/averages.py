"""Evaluates and saves a model with the averages of its weights."""

from typing import Any

from mlapi._lazy import LazyModule
from mlapi.errors import ArgumentError
from mlapi.training.callback import Closing, Values
from mlapi.validation import boolean

# Callbacks can be made before a backend is loaded.
ops: Any = LazyModule("mlapi.ops")


class SwapEMAWeights(Closing):
    """Gives the model the moving averages of its weights while it is evaluated or predicts.

    The optimizer keeps the averages (`use_ema=True`). Training goes on with the weights
    themselves, which are put back after every evaluation and prediction, those that end in an
    error included. After `fit` the model has the averages, as always with `use_ema`.

    Args:
        swap_on_epoch: whether the averages are in the model from the end of an epoch to the start
            of the next, too. What callbacks that come later in the list do at the end of an epoch,
            such as `ModelCheckpoint`, is then done with them.

    Raises:
        ArgumentError: the optimizer keeps no averages.

    Example:
        >>> import mlapi
        >>> from mlapi.callbacks import ModelCheckpoint, SwapEMAWeights
        >>> optimizer = mlapi.optimizers.Adam(use_ema=True, ema_momentum=0.999)
        >>> listeners = [SwapEMAWeights(swap_on_epoch=True), ModelCheckpoint("averaged.keras")]
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = boolean(self, "swap_on_epoch", swap_on_epoch)
        # The weights themselves, while the model has the averages.
        self._weights: list[tuple[Any, Any]] = []
        self._until_next_epoch = False

    def on_epoch_begin(self, epoch: int, logs: Values | None = None) -> None:
        """Puts the weights back, to train on."""
        self._put_back()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Swaps until the next epoch, if that was asked for."""
        if self.swap_on_epoch:
            self._swap()
            self._until_next_epoch = True

    def on_train_end(self, logs: Values | None = None) -> None:
        """Leaves the averages in the model after a last epoch."""
        if self._until_next_epoch:
            self._weights = []
        self._put_back()

    def on_test_begin(self, logs: Values | None = None) -> None:
        """Swaps for the evaluation."""
        self._swap()

    def on_test_end(self, logs: Values | None = None) -> None:
        """Puts the weights back."""
        self._end_of_run()

    def on_predict_begin(self, logs: Values | None = None) -> None:
        """Swaps for the prediction."""
        self._swap()

    def on_predict_end(self, logs: Values | None = None) -> None:
        """Puts the weights back."""
        self._end_of_run()

    def get_state(self) -> dict[str, Any] | None:
        """Returns the weights themselves, where the model has the averages."""
        return {"weights": [value for _, value in self._weights]} if self._weights else None

    def set_state(self, state: Any) -> None:
        """Keeps the weights until the next epoch, where `get_state` was called between two."""
        variables = self.model.trainable_variables
        self._weights = list(zip(variables, state["weights"], strict=True))
        self._until_next_epoch = True

    def close(self) -> None:
        """Puts the weights back, where an error has kept that from being done."""
        self._put_back()

    def _swap(self) -> None:
        optimizer = self.model.optimizer
        if not _keeps_averages(optimizer):
            raise ArgumentError(
                "SwapEMAWeights needs an optimizer that keeps averages of the weights: pass "
                "use_ema=True to the optimizer."
            )
        if not self._weights and optimizer.built:  # before training there are no averages
            variables = self.model.trainable_variables
            # Copies, since a compiled step may take the memory of what it is given.
            self._weights = [(variable, ops.copy(variable.value)) for variable in variables]
            optimizer.finalize_variable_values(variables)

    def _end_of_run(self) -> None:
        if not self._until_next_epoch:
            self._put_back()

    def _put_back(self) -> None:
        kept, self._weights = self._weights, []
        self._until_next_epoch = False
        for variable, value in kept:
            variable.assign(value)


def _keeps_averages(optimizer: Any) -> bool:
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return any(getattr(each, "use_ema", False) for each in getattr(inner, "optimizers", [inner]))

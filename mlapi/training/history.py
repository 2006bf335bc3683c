"""The record of a training run."""

from typing import Any

from mlapi.training.callback import Callback, Values


class History(Callback):
    """The numbers of every epoch; `fit` returns one.

    Attributes:
        history: dict from names, such as `"loss"` and `"val_accuracy"`, to lists of floats, one
            for every epoch that had that number.
        epoch: list of the numbers of the epochs, from `initial_epoch`.
        epochs_of: dict from names to the epochs that had that number, for those that, like
            `validation_freq=2`, leave some out.

    Example:
        >>> from mlapi.callbacks import History
        >>> history = History()
        >>> history.on_epoch_end(0, {"loss": 0.5})
        >>> history.history
        {'loss': [0.5]}
    """

    _state_names = ("history", "epoch", "epochs_of")

    def __init__(self) -> None:
        self.on_train_begin()

    def on_train_begin(self, logs: Values | None = None) -> None:
        """Forgets an earlier run."""
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []
        self.epochs_of: dict[str, list[int]] = {}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Appends the numbers of the epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            self.epochs_of.setdefault(name, []).append(epoch)

    def __repr__(self) -> str:
        names = ", ".join(self.history) or "nothing"
        return f"<History of {len(self.epoch)} epochs: {names}>"

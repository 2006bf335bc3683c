"""The record of a training run."""

from typing import Any

from mlapi.training.callback import Callback, Values


class History(Callback):
    """The numbers of every epoch; `fit` returns one.

    Attributes:
        history: dict from names, such as `"loss"` and `"val_accuracy"`, to lists of floats, one
            for every epoch that had that number.
        epoch: list of the numbers of the epochs, from `initial_epoch`.

    Example:
        >>> from mlapi.callbacks import History
        >>> history = History()
        >>> history.on_epoch_end(0, {"loss": 0.5})
        >>> history.history
        {'loss': [0.5]}
    """

    def __init__(self) -> None:
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Values | None = None) -> None:
        """Forgets an earlier run."""
        self.history = {}
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Appends the numbers of the epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def __repr__(self) -> str:
        names = ", ".join(self.history) or "nothing"
        return f"<History of {len(self.epoch)} epochs: {names}>"

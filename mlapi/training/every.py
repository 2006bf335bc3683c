"""When so many steps have passed."""


class Every:
    """Counts the batches of a run over its epochs, and tells when so many have passed.

    Args:
        steps: how many, or None for never.

    Attributes:
        count: batches since the run began.
        last: number of the last batch in its epoch, -1 before the first.

    Example:
        >>> from mlapi.training.every import Every
        >>> every = Every(2)
        >>> [every.passes(batch) for batch in (0, 1, 2)]
        [False, True, False]
        >>> every.begin_epoch()
        >>> every.passes(0), every.count
        (True, 4)
    """

    def __init__(self, steps: int | None) -> None:
        self.steps = steps
        self.count = 0
        self.last = -1

    def begin_epoch(self) -> None:
        """Notes that the batches are numbered from 0 again."""
        self.last = -1

    def passes(self, batch: int) -> bool:
        """Counts up to batch number `batch`, and says whether that completes another so many.

        With `steps_per_execution` several batches pass between two calls.
        """
        before = self.count
        self.count += batch - self.last
        self.last = batch
        return self.steps is not None and self.count // self.steps > before // self.steps

"""The results of metrics, computed when somebody asks."""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any


class Results(MutableMapping[str, Any]):
    """Name → result; `compute` runs at the first look.

    An eager step would spend a quarter of its time on the quotients that nobody reads. Read
    before the next batch is added, since metrics go on counting.
    """

    __slots__ = ("_compute", "_values")

    def __init__(self, compute: Callable[[], dict[str, Any]]) -> None:
        self._compute: Callable[[], dict[str, Any]] | None = compute
        self._values: dict[str, Any] = {}

    def _all(self) -> dict[str, Any]:
        if self._compute is not None:
            compute, self._compute = self._compute, None
            self._values = {**compute(), **self._values}
        return self._values

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._all()[name] = value

    def __delitem__(self, name: str) -> None:
        del self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return repr(self._all())

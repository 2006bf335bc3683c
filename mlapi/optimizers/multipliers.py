"""Factors of the learning rate for some of the variables, by their paths."""

import re
from collections.abc import Mapping, Sequence

from mlapi.errors import ArgumentError, ArgumentTypeError, nearest
from mlapi.state import Variable
from mlapi.validation import non_negative


class Multipliers:
    """What the learning rate is multiplied by, for the variables whose paths patterns match.

    Args:
        given: regular expression that matches the whole of a path → factor.

    Raises:
        ArgumentError: a pattern is no regular expression, or a factor below zero.
        ArgumentTypeError: it is no dict, or a factor no number.

    Example:
        >>> factors = Multipliers({"encoder/.*": 0.1})
        >>> factors.of("encoder/dense/kernel"), factors.of("head/kernel")
        (0.1, 1.0)
    """

    def __init__(self, given: Mapping[str, float]) -> None:
        if not isinstance(given, Mapping):
            raise ArgumentTypeError(
                "lr_multipliers must be a dict of patterns and factors, for instance "
                f"{{'encoder/.*': 0.1}}, received {given!r}."
            )
        self.given = {p: non_negative("lr_multipliers", repr(p), f) for p, f in given.items()}
        try:
            self._patterns = [(re.compile(p), factor) for p, factor in self.given.items()]
        except re.error as error:
            raise ArgumentError(
                f"lr_multipliers: {error.pattern!r} is no regular expression: {error}."
            ) from None
        self._checked = False

    def of(self, path: str) -> float:
        """Returns the factor for a variable.

        Raises:
            ArgumentError: several patterns match its path.
        """
        found = [(p.pattern, factor) for p, factor in self._patterns if p.fullmatch(path)]
        if len(found) > 1:
            raise ArgumentError(
                f"lr_multipliers: {path!r} is matched by several patterns: "
                f"{', '.join(repr(p) for p, _ in found)}. Make them narrower."
            )
        return found[0][1] if found else 1.0

    def check(self, variables: Sequence[Variable]) -> None:
        """Refuses patterns that match no variable; asks once, for all variables there are.

        Raises:
            ArgumentError: there is such a pattern; the message has the nearest path.
        """
        if self._checked:
            return
        paths = [variable.path for variable in variables]
        for pattern, _ in self._patterns:
            if not any(map(pattern.fullmatch, paths)):
                raise ArgumentError(
                    f"lr_multipliers: {pattern.pattern!r} matches none of the {len(paths)} "
                    f"variables.{nearest(pattern.pattern, paths)} A pattern must match the whole "
                    f"path, such as {paths[0]!r}."
                )
        self._checked = True

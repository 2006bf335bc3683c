"""Errors are catchable by what users know, and name the nearest choice."""

import pytest

from mlapi import errors


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.ArgumentError, ValueError),
        (errors.ShapeError, ValueError),
        (errors.ArgumentTypeError, TypeError),
        (errors.DTypeError, TypeError),
        (errors.NotBuiltError, ValueError),
        (errors.DataError, ValueError),
        (errors.DivergedError, ValueError),
        (errors.LoadError, ValueError),
        (errors.BackendError, ImportError),
    ],
)
def test_kinds(error: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(error, builtin)
    assert issubclass(error, errors.MlapiError)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("adm", " Did you mean 'adam'?"),
        ("AdamW", " Did you mean 'adam_w'?"),
        ("quicksort", ""),
    ],
)
def test_nearest(name: str, hint: str) -> None:
    assert errors.nearest(name, ["adam", "sgd", "adam_w"]) == hint


def test_choose() -> None:
    assert errors.choose("padding", "same", {"same": 1, "valid": 2}) == 1
    with pytest.raises(errors.ArgumentError) as caught:
        errors.choose("padding", "sane", {"same": 1, "valid": 2})
    assert str(caught.value) == (
        "Unknown padding 'sane'. Did you mean 'same'? Choose one of 'same', 'valid'."
    )
    with pytest.raises(errors.ArgumentError, match="Unknown padding 3"):
        errors.choose("padding", 3, {"same": 1})


def test_one_of() -> None:
    assert errors.one_of("axis", 1, (0, 1)) == 1
    with pytest.raises(errors.ArgumentError, match=r"Unknown axis 2\. Choose one of 0, 1\."):
        errors.one_of("axis", 2, (0, 1))

"""Automatic names."""

import pytest

from mlapi import naming


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Dense", "dense"),
        ("BatchNormalization", "batch_normalization"),
        ("Conv2D", "conv2d"),
        ("Conv2DTranspose", "conv2d_transpose"),
        ("GlobalAveragePooling2D", "global_average_pooling2d"),
        ("LSTM", "lstm"),
        ("LSTMCell", "lstm_cell"),
        ("ReLU", "re_lu"),
        ("_Private", "private"),
        ("already_snake", "already_snake"),
    ],
)
def test_snake_case(given: str, expected: str) -> None:
    assert naming.to_snake_case(given) == expected


def test_names_count_up_each_for_itself() -> None:
    naming.reset()
    names = [naming.auto_name(prefix) for prefix in ("Dense", "dense", "Flatten", "Dense")]
    assert names == ["dense", "dense_1", "flatten", "dense_2"]
    naming.reset()
    assert naming.auto_name("Dense") == "dense"


def test_unique_name() -> None:
    assert naming.unique_name("a", []) == "a"
    assert naming.unique_name("a", {"a", "a_1", "a_3"}) == "a_2"

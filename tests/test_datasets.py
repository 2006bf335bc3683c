"""The data that come with the package."""

from importlib.resources import files

import numpy as np

from mlapi.datasets import digits

# Class counts of optdigits.tes, from the description of the UCI data set.
UCI_CLASS_COUNTS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
# The first line of optdigits.tes: a zero.
UCI_FIRST_IMAGE = """
    0 0 5 13 9 1 0 0   0 0 13 15 10 15 5 0   0 3 15 2 0 11 8 0   0 4 12 0 0 8 8 0
    0 5 8 0 0 9 8 0   0 4 11 0 1 12 7 0   0 2 14 5 10 12 0 0   0 0 6 13 10 0 0 0
"""


def test_digits_have_the_documented_form():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert (x_train.shape, y_train.shape) == ((1437, 8, 8), (1437,))
    assert (x_test.shape, y_test.shape) == ((360, 8, 8), (360,))
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}
    assert (x_train.min(), x_train.max()) == (0, 16)


def test_digits_are_those_of_uci():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    x, y = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    assert np.bincount(y).tolist() == UCI_CLASS_COUNTS
    first = np.array(UCI_FIRST_IMAGE.split(), "uint8").reshape(8, 8)
    (found,) = np.flatnonzero((x == first).all(axis=(1, 2)))
    assert y[found] == 0


def test_digits_in_training_and_test_part_differ():
    (x_train, _), (x_test, _) = digits.load_data()
    seen = {image.tobytes() for image in x_train}
    assert not any(image.tobytes() in seen for image in x_test)


def test_digits_may_be_changed_without_harm():
    (x, _), _ = digits.load_data()
    x[:] = 0
    assert digits.load_data()[0][0].max() == 16


def test_digits_are_small_and_say_where_they_come_from():
    folder = files("mlapi.datasets")
    assert len((folder / "digits.npz").read_bytes()) < 100_000
    source = (folder / "digits.txt").read_text(encoding="utf-8")
    assert "CC BY 4.0" in source
    assert "10.24432/C50P49" in source

"""1,797 real handwritten digits, 8×8 pixels each.

The images are the writer-independent test part of "Optical Recognition of Handwritten Digits"
(E. Alpaydin and C. Kaynak, 1998; UCI Machine Learning Repository, CC BY 4.0), written by 13
people; `digits.txt` beside this file gives source and licence.
"""

from importlib.resources import files

import numpy as np

TRAIN_COUNT = 1437  # 80 % of 1797


def load_data() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Returns the handwritten digits, split into training and test part.

    A pixel counts the inked points in a 4×4 block of the scanned digit: 0 is paper, 16 is full
    ink. The split is always the same: the images were shuffled once, and the first 1,437 are for
    training. The same 13 people wrote both parts, so expect a few percent less on the writing of
    others.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, all uint8: images of shape (1437, 8, 8) and
        (360, 8, 8) with values from 0 to 16, and the digits 0 to 9 that they show, of shapes
        (1437,) and (360,). The arrays are yours to change.

    Example:
        >>> from mlapi.datasets import digits
        >>> (x_train, y_train), (x_test, y_test) = digits.load_data()
        >>> x_train.shape, y_test.shape, int(x_train.max())
        ((1437, 8, 8), (360,), 16)
    """
    with (files("mlapi.datasets") / "digits.npz").open("rb") as file:
        archive = np.load(file, allow_pickle=False)
        x, y = archive["x"], archive["y"]
    train, test = slice(TRAIN_COUNT), slice(TRAIN_COUNT, None)
    return (x[train], y[train]), (x[test], y[test])

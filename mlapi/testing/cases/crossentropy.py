"""Cases of `mlapi.ops.crossentropy`."""

import numpy as np
from hypothesis import strategies as st

from mlapi.testing import strategies
from mlapi.testing.case import FLOATS, Case, positive, real, truth, whole
from mlapi.testing.cases import references


def loss(name, label, target, output, **kwargs):
    return Case(name, (target, output), getattr(references, name), kwargs, label,
                draw=None if label else scored(name))  # fmt: skip


SHARES = positive(4, 3) / positive(4, 3).sum(1, keepdims=True)


def scored(name):
    """Random shapes, axes of classes, logits or probabilities."""

    def arguments(draw, kind):
        sizes = strategies.shape(draw, least=1, smallest=1)
        axis = strategies.axis(draw, len(sizes))
        kwargs = {"from_logits": draw(st.booleans())}
        make = real if kwargs["from_logits"] else positive
        output = strategies.array(draw, kind, sizes, make)
        if name == "binary_crossentropy":
            output = output if make is real else output / np.asarray(3, kind)
            return (strategies.array(draw, "bool", sizes).astype(kind), output), kwargs
        kwargs["axis"] = axis
        if name == "categorical_crossentropy":
            return (strategies.array(draw, kind, sizes, positive), output), kwargs
        rest = sizes[: axis % len(sizes)] + sizes[axis % len(sizes) + 1 :]
        return (strategies.integers(draw, rest, 0, sizes[axis]), output), kwargs

    return arguments


CASES = [
    loss("binary_crossentropy", "", truth(3, 2).astype("float32"), positive(3, 2) / 3),
    loss("binary_crossentropy", "logits", truth(3, 2).astype("int32"), 4 * real(3, 2),
         from_logits=True),
    Case("binary_crossentropy", (np.float32([0, 1, 0, 1]), np.float32([0, 0, 1, 1])),
         references.binary_crossentropy, {}, "certain", grad=False, tolerance=0.02),
    loss("categorical_crossentropy", "", SHARES, positive(4, 3, seed=1)),
    loss("categorical_crossentropy", "logits", SHARES, real(4, 3), from_logits=True),
    loss("categorical_crossentropy", "axis", positive(2, 3, 4) / 4, real(2, 3, 4),
         from_logits=True, axis=1),
    loss("categorical_crossentropy", "rank4", positive(2, 2, 3, 4) / 4, real(2, 2, 3, 4),
         from_logits=True),
    loss("categorical_crossentropy", "one_sample", positive(3) / 4, real(3), from_logits=True),
    loss("sparse_categorical_crossentropy", "", whole(4, low=0, high=3), positive(4, 3)),
    loss("sparse_categorical_crossentropy", "logits", whole(4, low=0, high=3), real(4, 3),
         from_logits=True),
    loss("sparse_categorical_crossentropy", "column", whole(4, 1, low=0, high=3), real(4, 3),
         from_logits=True),
    loss("sparse_categorical_crossentropy", "axis", whole(2, 4, low=0, high=3), real(2, 3, 4),
         from_logits=True, axis=1),
    loss("sparse_categorical_crossentropy", "rank4", whole(2, 3, 2, low=0, high=4),
         positive(2, 3, 2, 4)),
    loss("sparse_categorical_crossentropy", "rank3_logits", whole(2, 3, low=0, high=4),
         real(2, 3, 4), from_logits=True),
    Case("psnr", (real(3, 4), real(3, 4, seed=1), 2.0), references.psnr, dtypes=FLOATS),
    Case("psnr", (whole(5), whole(5, seed=1)), references.psnr, {"max_val": 255}, "whole",
         result="float32"),
]  # fmt: skip

"""Cases of `mlapi.ops.normalization`."""

import numpy as np
from hypothesis import strategies as st

from mlapi.testing import strategies
from mlapi.testing.case import FLOATS, Case, positive, real, whole
from mlapi.testing.cases import references


def batch_norm(label, shape, axis, **kwargs):
    channels = shape[axis]
    more = {"offset": real(channels), "scale": positive(channels), **kwargs}
    x = real(*shape)
    return [
        Case("batch_normalization", (x, real(channels, seed=2), positive(channels), axis),
             references.batch_normalization, more, label, unknown=axis != 0),
        Case("batch_normalization_training", (x, axis), references.batch_normalization_training,
             more, label, unknown=axis != 0, slopes=1),
    ]  # fmt: skip


def over_axes():
    """A tensor without empty axes, and which of them; half the time with a scale."""

    def arguments(draw, kind):
        sizes = strategies.shape(draw, least=1, smallest=1)
        axis = strategies.axes(draw, len(sizes))
        axis = -1 if axis is None or axis == () or axis == [] else axis
        axes = [axis] if isinstance(axis, int) else axis
        kwargs = {"axis": axis, "epsilon": 0.01}
        if draw(st.booleans()):
            kwargs["scale"] = strategies.array(draw, kind, [sizes[one] for one in axes])
        return (strategies.array(draw, kind, sizes),), kwargs

    return arguments


def one_axis(draw, kind):
    sizes = strategies.shape(draw, least=1, smallest=1)
    kwargs = {"axis": strategies.axis(draw, len(sizes)), "order": draw(st.integers(1, 3))}
    return (strategies.array(draw, kind, sizes),), kwargs


CASES = [
    Case("moments", (real(2, 3, 4), 1), references.moments, dtypes=FLOATS),
    Case("moments", (real(2, 3, 4), [0, -1]), references.moments, {"keepdims": True}, "axes"),
    *batch_norm("", (4, 3), -1),
    *batch_norm("image", (2, 3, 4, 5), -1),
    *batch_norm("first", (2, 3, 4, 5), 1),
    *batch_norm("sequence", (2, 5, 3), 2, offset=None),
    *batch_norm("batch_axis", (3, 4), 0, scale=None),
    *batch_norm("plain", (3, 2, 3, 2, 2), 4, offset=None, scale=None, epsilon=0.1),
    Case("layer_normalization", (real(3, 4), positive(4), real(4)),
         references.layer_normalization, dtypes=FLOATS),
    Case("layer_normalization", (real(3, 4),), references.layer_normalization, {"epsilon": 0.1},
         "plain"),
    Case("layer_normalization", (real(2, 3, 4), positive(3, 4), real(3, 4)),
         references.layer_normalization, {"axis": [1, 2]}, "axes"),
    Case("layer_normalization", (real(2, 3, 4), positive(4, 3), real(4, 3)),
         references.layer_normalization, {"axis": (-1, 1)}, "swapped"),
    Case("layer_normalization", (real(2, 3, 4), positive(3)), references.layer_normalization,
         {"axis": 1}, "middle"),
    Case("rms_normalization", (real(3, 4), positive(4)), references.rms_normalization,
         dtypes=FLOATS, draw=over_axes()),
    Case("rms_normalization", (real(2, 3, 4),), references.rms_normalization,
         {"axis": 1, "epsilon": 0.1}, "middle"),
    Case("rms_normalization", (real(2, 3, 4), positive(4, 3)), references.rms_normalization,
         {"axis": (-1, 1)}, "swapped"),
    Case("rms_normalization", (whole(2, 3), positive(3)), references.rms_normalization,
         label="whole", result="float32"),
    Case("normalize", (real(3, 4),), references.normalize, dtypes=FLOATS, draw=one_axis),
    Case("normalize", (real(2, 3, 4),), references.normalize, {"axis": (0, -1)}, "axes"),
    Case("normalize", (real(2, 3, 4),), references.normalize, {"axis": 1, "order": 1}, "one"),
    Case("normalize", (real(2, 3, 4),), references.normalize, {"axis": (1, 2), "order": 1},
         "matrix"),
    Case("normalize", (np.zeros((2, 3), "float32"),), references.normalize, label="zero",
         grad=False),
    Case("normalize", (real(2, 1, 2, 1, 3, 4),), references.normalize,
         {"order": 3, "axis": -2, "epsilon": 3.0}, "rank6"),
]  # fmt: skip

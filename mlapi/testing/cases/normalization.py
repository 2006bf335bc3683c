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


def group_norm(label, shape, groups, axis=-1, **kwargs):
    channels = shape[axis]
    more = {"offset": real(channels), "scale": positive(channels), **kwargs}
    return Case("group_normalization", (real(*shape), groups, axis),
                references.group_normalization, more, label,
                dtypes=() if label else FLOATS)  # fmt: skip


def narrow(name, *rest, **kwargs):
    """Numbers of 16 bits whose squares are beyond those, with scales of 32."""
    x = (300 * real(3, 4)).astype("float16")
    return Case(name, (x, *rest), getattr(references, name), kwargs, "narrow", result="float16",
                grad=False, tolerance=2e-3)  # fmt: skip


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
    group_norm("", (4, 6), 3),
    group_norm("image", (2, 3, 4, 6), 2),
    group_norm("first", (2, 6, 3, 4), 2, 1, offset=None),
    group_norm("sequence", (2, 5, 4), 1, scale=None),
    group_norm("each", (2, 3, 2, 3, 2, 4), 4, offset=None, scale=None, epsilon=0.1),
    narrow("batch_normalization", real(4), 3e4 * positive(4), -1, offset=real(4)),
    narrow("batch_normalization_training", -1, scale=positive(4)),
    narrow("layer_normalization", positive(4), real(4)),
    narrow("rms_normalization", positive(4)),
    narrow("group_normalization", 2, scale=positive(4)),
    narrow("normalize", epsilon=1e-12),
    Case("normalize", (np.zeros((2, 3), "float16"),), references.normalize, {"epsilon": 1e-12},
         "narrow_zero", grad=False),
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

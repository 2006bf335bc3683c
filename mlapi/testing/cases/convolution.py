"""Cases of `mlapi.ops.convolution` and `mlapi.ops.blocks`."""

import numpy as np
from hypothesis import strategies as st

from mlapi.testing import strategies
from mlapi.testing.case import FLOATS, NUMBERS, Case, distinct, real, whole
from mlapi.testing.cases import references

# label: shape of inputs, shape of kernel, arguments
CONVOLUTIONS = {
    "": ((2, 5, 6, 3), (3, 2, 3, 4), {}),
    "same": ((2, 5, 6, 3), (3, 3, 3, 4), {"padding": "same"}),
    "same_even": ((1, 5, 6, 2), (2, 4, 2, 3), {"padding": "same"}),
    "strides": ((1, 7, 6, 2), (3, 3, 2, 3), {"strides": 2}),
    "same_strides": ((1, 7, 6, 2), (3, 3, 2, 3), {"strides": (2, 3), "padding": "same"}),
    "same_odd": ((1, 4, 4, 1), (3, 3, 1, 2), {"strides": 2, "padding": "same"}),
    "dilation": ((1, 7, 8, 2), (3, 2, 2, 3), {"dilation_rate": (2, 3)}),
    "same_dilation": ((1, 6, 7, 2), (3, 3, 2, 3), {"dilation_rate": 2, "padding": "same"}),
    "groups": ((1, 5, 5, 4), (3, 3, 2, 6), {}),
    "channels_first": ((1, 2, 5, 6), (3, 2, 2, 3), {"data_format": "channels_first"}),
    "first_groups": (
        (1, 4, 5, 6), (3, 3, 2, 4),
        {"data_format": "channels_first", "padding": "same", "strides": [2, 2]},
    ),
    "rank1": ((2, 7, 3), (3, 3, 4), {"strides": 2, "padding": "same"}),
    "rank1_dilation": ((2, 9, 4), (3, 2, 4), {"dilation_rate": 2}),
    "rank3": ((1, 4, 5, 4, 2), (2, 3, 2, 2, 3), {"padding": "same"}),
    "rank3_strides": ((1, 4, 5, 4, 4), (2, 2, 2, 2, 2), {"strides": (2, 1, 2)}),
}  # fmt: skip
DEPTHWISE = {
    "": ((2, 5, 6, 3), (3, 2, 3, 2), {}),
    "same": ((1, 5, 6, 3), (3, 3, 3, 1), {"padding": "same", "strides": 2}),
    "strides": ((1, 6, 7, 2), (3, 3, 2, 2), {"strides": (2, 1), "padding": "same"}),
    "dilation": ((1, 7, 7, 2), (3, 3, 2, 1), {"dilation_rate": 2}),
    "channels_first": ((1, 3, 5, 6), (2, 3, 3, 2), {"data_format": "channels_first"}),
    "rank1": ((2, 7, 3), (3, 3, 2), {"strides": 2, "padding": "same"}),
}
POOLS = {
    "": ((2, 4, 6, 3), (2,), {}),
    "rest": ((1, 5, 7, 2), ((2, 3),), {}),
    "overlap": ((1, 5, 7, 2), (3,), {"strides": 2}),
    "same": ((1, 5, 6, 2), (3,), {"strides": 2, "padding": "same"}),
    "same_even": ((1, 5, 5, 2), ((2, 4),), {"strides": 1, "padding": "same"}),
    "same_default": ((1, 5, 5, 2), (2,), {"padding": "same"}),
    "same_large": ((1, 2, 3, 1), (4,), {"strides": 3, "padding": "same"}),
    "channels_first": ((1, 2, 4, 6), (2,), {"data_format": "channels_first", "padding": "same"}),
    "rank1": ((2, 7, 3), (2,), {"padding": "same"}),
    "rank3": ((1, 4, 5, 4, 2), (2,), {}),
}
TRANSPOSED = {
    "": ((2, 4, 5, 3), (3, 2, 4, 3), {}),
    "same": ((1, 4, 5, 2), (3, 3, 3, 2), {"padding": "same"}),
    "strides": ((1, 4, 3, 2), (3, 3, 3, 2), {"strides": 2}),
    "same_strides": ((1, 4, 3, 2), (3, 4, 3, 2), {"strides": (2, 3), "padding": "same"}),
    "gaps": ((1, 4, 3, 2), (2, 1, 3, 2), {"strides": 3}),
    "same_gaps": ((1, 4, 3, 2), (2, 1, 3, 2), {"strides": 3, "padding": "same"}),
    "dilation": ((1, 4, 5, 2), (3, 2, 3, 2), {"dilation_rate": (2, 3)}),
    "same_dilation": ((1, 4, 5, 2), (3, 2, 3, 2), {"dilation_rate": 2, "padding": "same"}),
    "more": ((1, 4, 3, 2), (3, 3, 3, 2), {"strides": 2, "output_padding": 1}),
    "same_more": ((1, 4, 3, 2), (3, 2, 3, 2),
                  {"strides": (2, 3), "output_padding": (0, 2), "padding": "same"}),
    "channels_first": (
        (1, 2, 4, 5), (3, 2, 3, 2), {"data_format": "channels_first", "strides": 2}),
    "rank1": ((2, 5, 3), (3, 4, 3), {"strides": 2, "padding": "same"}),
    "rank1_more": ((2, 5, 3), (4, 4, 3), {"strides": 3, "padding": "same", "output_padding": 1}),
    "rank3": ((1, 3, 2, 3, 2), (2, 3, 2, 3, 2), {"strides": 2, "padding": "same"}),
}  # fmt: skip


def convolutions(name, reference, table):
    for label, (shape, kernel, kwargs) in table.items():
        yield Case(name, (real(*shape), real(*kernel)), reference, kwargs, label,
                   dtypes=() if label else FLOATS, draw=windows_of(name))  # fmt: skip
    shape, kernel, kwargs = table[""]
    filters = {
        "conv": kernel[-1], "depthwise_conv": kernel[-1] * kernel[-2], "conv_transpose": kernel[-2]
    }[name]  # fmt: skip
    for data_format in ("channels_last", "channels_first"):
        x = real(*shape) if data_format == "channels_last" else np.moveaxis(real(*shape), -1, 1)
        more = {"data_format": data_format, "bias": real(filters)}
        yield Case(name, (x, real(*kernel)), reference, more, f"bias_{data_format}")


def windows_of(name):
    """Random arguments of a convolution."""

    def arguments(draw, kind):
        rank = draw(st.integers(1, 2))
        sizes = draw(st.lists(st.integers(3, 7), min_size=rank, max_size=rank))
        window = draw(st.lists(st.integers(1, 3), min_size=rank, max_size=rank))
        channels, filters, groups = (draw(st.integers(1, 3)) for _ in range(3))
        groups = groups if name == "conv" else 1
        kernel = {
            "conv": (channels, filters * groups),
            "depthwise_conv": (channels, filters),
            "conv_transpose": (filters, channels),
        }[name]
        kwargs = {"padding": draw(st.sampled_from(("valid", "same")))}
        if draw(st.booleans()):
            kwargs["strides"] = draw(st.integers(1, 3))
        elif min(sizes) > 4:
            kwargs["dilation_rate"] = draw(st.integers(1, 2))
        shape = [draw(st.integers(1, 2)), *sizes, channels * groups]
        if draw(st.booleans()):
            kwargs["data_format"] = "channels_first"
            shape.insert(1, shape.pop())
        inputs = (
            strategies.array(draw, kind, shape),
            strategies.array(draw, kind, (*window, *kernel)),
        )
        return inputs, kwargs

    return arguments


def pooled(adaptive):
    """Random arguments of a pooling."""

    def arguments(draw, kind):
        rank = draw(st.integers(1, 3))
        sizes = draw(st.lists(st.integers(2, 6), min_size=rank, max_size=rank))
        window = draw(st.lists(st.integers(1, 2 + adaptive), min_size=rank, max_size=rank))
        shape, kwargs = [draw(st.integers(1, 2)), *sizes, draw(st.integers(1, 2))], {}
        if not adaptive:
            kwargs["padding"] = draw(st.sampled_from(("valid", "same")))
            kwargs["strides"] = draw(st.none() | st.integers(1, 3))
        if draw(st.booleans()):
            kwargs["data_format"] = "channels_first"
            shape.insert(1, shape.pop())
        return (strategies.array(draw, kind, shape), window), kwargs

    return arguments


ADAPTIVE = {
    "": ((2, 5, 7, 3), (3,), {}),
    "each": ((1, 5, 7, 2), ((2, 7),), {}),
    "larger": ((1, 2, 3, 2), ((3, 5),), {}),
    "channels_first": ((1, 2, 5, 4), (2,), {"data_format": "channels_first"}),
    "rank1": ((2, 7, 3), (3,), {}),
    "rank3": ((1, 4, 5, 3, 2), (2,), {}),
}


def adaptive_pools(name, reference):
    return [
        Case(name, (distinct(*shape), *size), reference, kwargs, label,
             dtypes=() if label else FLOATS, draw=pooled(True))
        for label, (shape, size, kwargs) in ADAPTIVE.items()
    ]  # fmt: skip


def blocks(draw, kind):
    """A height and width of blocks, a size of them, and a layout."""
    size, rows, columns, channels = (draw(st.integers(1, 3)) for _ in range(4))
    data_format = draw(st.sampled_from(("channels_last", "channels_first")))
    last = data_format == "channels_last"
    shape = (
        (1, rows, columns, channels * size**2) if last else (1, channels * size**2, rows, columns)
    )
    return (strategies.array(draw, kind, shape), size), {"data_format": data_format}


def unblocked(draw, kind):
    (x, size), kwargs = blocks(draw, kind)
    return (references.depth_to_space(x, size, **kwargs), size), kwargs


def unfolded(draw, kind):
    kwargs = {name: draw(st.integers(1, 2)) for name in ("kernel_size", "dilation", "stride")}
    kwargs["padding"] = draw(st.integers(0, 2))
    sizes = [draw(st.integers(1, 2)) for _ in range(2)] + [
        draw(st.integers(3, 5)) for _ in range(2)
    ]
    return (strategies.array(draw, kind, sizes),), kwargs


def folded(draw, kind):
    (x,), kwargs = unfolded(draw, kind)
    return (references.unfold(x, **kwargs),), {"output_size": x.shape[2:], **kwargs}


def pools(name, reference):
    return [
        Case(name, (distinct(*shape), *size), reference, kwargs, label,
             dtypes=() if label else FLOATS, draw=pooled(False))
        for label, (shape, size, kwargs) in POOLS.items()
    ]  # fmt: skip


CASES = [
    *convolutions("conv", references.conv, CONVOLUTIONS),
    *convolutions("depthwise_conv", references.depthwise_conv, DEPTHWISE),
    *pools("max_pool", references.max_pool),
    *pools("average_pool", references.average_pool),
    *convolutions("conv_transpose", references.conv_transpose, TRANSPOSED),
    Case("separable_conv", (real(2, 5, 6, 3), real(3, 2, 3, 2), real(1, 1, 6, 4)),
         references.separable_conv, {"strides": 2, "padding": "same"}, dtypes=FLOATS),
    Case("separable_conv", (real(2, 3, 7), real(3, 3, 2), real(1, 6, 4)), references.separable_conv,
         {"dilation_rate": 2, "data_format": "channels_first"}, "channels_first"),
    Case("separable_conv", (real(5, 4, 4, 2), real(2, 2, 2, 2), real(1, 1, 4, 3)),
         references.separable_conv, {"bias": real(3)}, "bias"),
    *adaptive_pools("adaptive_average_pool", references.adaptive_average_pool),
    *adaptive_pools("adaptive_max_pool", references.adaptive_max_pool),
    Case("depth_to_space", (real(2, 3, 2, 12), 2), references.depth_to_space, dtypes=NUMBERS,
         draw=blocks),
    Case("depth_to_space", (real(2, 18, 2, 3), 3), references.depth_to_space,
         {"data_format": "channels_first"}, "channels_first"),
    Case("space_to_depth", (real(2, 4, 6, 3), 2), references.space_to_depth, dtypes=NUMBERS,
         draw=unblocked),
    Case("space_to_depth", (real(2, 2, 3, 6), 3), references.space_to_depth,
         {"data_format": "channels_first"}, "channels_first"),
    Case("unfold", (real(2, 3, 5, 6), 2), references.unfold, dtypes=FLOATS, draw=unfolded),
    Case("unfold", (real(1, 2, 6, 7), (3, 2)), references.unfold,
         {"dilation": (2, 1), "padding": (1, 2), "stride": (1, 2)}, "all"),
    Case("unfold", (whole(1, 2, 4, 4), 2), references.unfold, {"stride": 2}, "whole"),
    Case("fold", (real(2, 12, 20), (5, 6), 2), references.fold, dtypes=FLOATS, draw=folded),
    Case("fold", (real(1, 12, 20), (6, 7), (3, 2)), references.fold,
         {"dilation": (2, 1), "padding": (1, 2), "stride": (1, 2)}, "all"),
    Case("fold", (whole(1, 8, 4), 4, 2), references.fold, {"stride": 2}, "whole"),
]  # fmt: skip

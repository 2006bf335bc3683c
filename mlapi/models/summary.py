"""The table that `model.summary()` prints."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mlapi import dtypes, tree
from mlapi.layers import Layer


def show(
    model: Any,
    line_length: int | None,
    print_fn: Callable[[str], Any] | None,
    expand_nested: bool,
    show_trainable: bool,
) -> None:
    """Print the layers of a model, their output shapes and numbers of parameters."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f'Model: "{model.name}"', title_justify="left", title_style="bold")
    table.add_column("Layer (type)", overflow="fold")
    table.add_column("Output shape", overflow="fold")
    table.add_column("Params", justify="right")
    if show_trainable:
        table.add_column("Trainable", justify="center")
    for depth, layer in _rows(model, expand_nested):
        row = [
            "  " * depth + f"{layer.name} ({type(layer).__name__})",
            _output_shape(layer),
            f"{_size(layer.weights):,}" if layer.built else "0 (unbuilt)",
        ]
        table.add_row(*row, *(["yes" if layer.trainable else "no"] if show_trainable else []))
    trainable, others = _size(model.trainable_weights), _size(model.non_trainable_weights)
    totals = [
        f"Total params: {trainable + others:,} ({_bytes(model.weights)})",
        f"Trainable params: {trainable:,} ({_bytes(model.trainable_weights)})",
        f"Non-trainable params: {others:,} ({_bytes(model.non_trainable_weights)})",
    ]
    console = Console(width=line_length, highlight=False, markup=False)
    with console.capture() as capture:
        console.print(table)
        for line in totals:
            console.print(line)
    text = capture.get()
    if print_fn is None:
        print(text, end="")
    else:
        print_fn(text)


def _rows(model: Any, expand: bool, depth: int = 0) -> list[tuple[int, Layer]]:
    rows = []
    for layer in model.layers:
        rows.append((depth, layer))
        if expand and getattr(layer, "layers", None):
            rows.extend(_rows(layer, expand, depth + 1))
    return rows


def _output_shape(layer: Layer) -> str:
    if not layer._nodes:
        return "?"
    shapes = [t.shape for t in tree.flatten(layer._nodes[-1].structure)]
    return ", ".join(map(str, shapes))


def _size(variables: list[Any]) -> int:
    return sum(int(np.prod(v.shape)) for v in variables)


def _bytes(variables: list[Any]) -> str:
    size = float(
        sum(int(np.prod(v.shape)) * dtypes.numpy_dtype(v.dtype).itemsize for v in variables)
    )
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            break
        size /= 1024
    return f"{size:.2f} {unit}"

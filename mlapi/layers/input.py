"""The entrance of a functional model."""

from typing import Any

from mlapi import config, dtypes
from mlapi.backends.contract import Spec
from mlapi.errors import ArgumentError
from mlapi.graph import Node, SymbolicTensor
from mlapi.layers.base import Layer
from mlapi.types import DTypeLike, Shape


class InputLayer(Layer):
    """Holds one input of a model: its shape, dtype and name.

    Args:
        shape: without the batch axis.
        batch_size: size of the batch axis, or None.
        dtype: of the values, `config.floatx()` by default.
        batch_shape: shape with the batch axis, instead of `shape`.
        input_tensor: a symbolic tensor that becomes the layer's output, instead of a shape.
        name: the key by which dicts of inputs are matched.
    """

    batch_shape: tuple[int | None, ...] = ()

    def __init__(
        self,
        shape: Shape | None = None,
        batch_size: int | None = None,
        dtype: DTypeLike | None = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Shape | None = None,
        input_tensor: SymbolicTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if sparse or ragged:
            raise ArgumentError("InputLayer: sparse and ragged inputs are not supported.")
        if input_tensor is not None:
            batch_shape, dtype = input_tensor.shape, input_tensor.dtype
        if (shape is None) == (batch_shape is None):
            raise ArgumentError(
                "Input needs either `shape` (without the batch axis) or `batch_shape`; "
                f"received shape={shape!r}, batch_shape={batch_shape!r}."
            )
        if batch_shape is None:
            batch_shape = (batch_size, *_checked(shape))
        self.batch_shape = _checked(batch_shape)
        self.dtype_policy = dtypes.standardize(dtype or config.floatx())
        self.optional = optional
        self.built = True
        node = Node(self, (), {}, Spec(self.batch_shape, self._dtype))
        self._nodes.append(node)
        node.outputs[0].name = self.name
        if input_tensor is not None:
            node.structure = input_tensor

    def call(self) -> None:
        raise ArgumentError(f'InputLayer "{self.name}" is fed by the model and never called.')

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": list(self.batch_shape),
            "dtype": self._dtype,
            "name": self.name,
            "optional": self.optional,
        }


def _checked(shape: Any) -> tuple[int | None, ...]:
    if isinstance(shape, int):
        raise ArgumentError(f"shape must be a tuple, received {shape}; write ({shape},).")
    for size in shape:
        if size is not None and (isinstance(size, bool) or not hasattr(size, "__index__")):
            raise ArgumentError(f"shape must hold ints and None, received {tuple(shape)!r}.")
    return tuple(None if n is None else int(n) for n in shape)


def Input(
    shape: Shape | None = None,
    batch_size: int | None = None,
    dtype: DTypeLike | None = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Shape | None = None,
    name: str | None = None,
    tensor: SymbolicTensor | None = None,
    optional: bool = False,
) -> SymbolicTensor:
    """A symbolic tensor that stands for an input of a functional model.

    Args:
        shape: without the batch axis; None entries are unknown sizes.
        batch_size: size of the batch axis, or None.
        dtype: of the values, `config.floatx()` by default.
        batch_shape: shape with the batch axis, instead of `shape`.
        name: the key by which dicts of inputs are matched.

    Example:
        >>> import mlapi
        >>> mlapi.Input((32,)).shape
        (None, 32)
    """
    if tensor is not None:
        return tensor
    layer = InputLayer(
        shape=shape, batch_size=batch_size, dtype=dtype, sparse=sparse, ragged=ragged,
        batch_shape=batch_shape, optional=optional, name=name,
    )  # fmt: skip
    return layer.output

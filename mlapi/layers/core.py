"""Layers that most models are made of: Dense, Activation, Embedding, Masking, Identity."""

from typing import Any

from mlapi import activations, constraints, initializers, ops, regularizers
from mlapi.dtypes import is_float
from mlapi.layers.base import Layer
from mlapi.layers.input_spec import InputSpec
from mlapi.layers.weights import weight
from mlapi.state import Variable
from mlapi.types import Shape, Tensor
from mlapi.validation import boolean, number, positive_int


class Dense(Layer):
    """Fully connected layer: `activation(x @ kernel + bias)`.

    Weights: `kernel` of shape `(inputs, units)`, then `bias` of shape `(units,)`.

    Args:
        units: size of the output's last axis.
        activation: name or function; None leaves the values as they are.
        use_bias: whether a bias is added.
        kernel_initializer: first values of the kernel.
        bias_initializer: first values of the bias.
        kernel_regularizer: penalty on the kernel, added to the loss.
        bias_regularizer: penalty on the bias, added to the loss.
        activity_regularizer: penalty on the output, added to the loss.
        kernel_constraint: function applied to the kernel after each update.
        bias_constraint: function applied to the bias after each update.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, …, inputs)` → `(batch, …, units)`.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.Dense(4, activation="relu")(ops.ones((2, 3))))
        (2, 4)
    """

    supports_masking = True
    kernel: Variable = weight()

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive_int(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = boolean(self, "use_bias", use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.bias = None
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Shape) -> None:
        """Creates the weights for inputs with a last axis of `input_shape[-1]`."""
        inputs = input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(inputs, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: inputs})

    def call(self, x: Tensor) -> Tensor:
        """Returns `activation(x @ kernel + bias)`."""
        y = ops.dense(x, self.kernel, self.bias)
        return y if self.activation is activations.linear else self.activation(y)


class Activation(Layer):
    """Applies an activation function.

    Args:
        activation: name of a function of `mlapi.activations`, or any function of a tensor.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: the output has the shape of the input.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.convert_to_numpy(layers.Activation("relu")([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """

    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, x: Tensor) -> Tensor:
        """Returns `activation(x)`."""
        return self.activation(x)


class Embedding(Layer):
    """Looks up a vector for each integer, in a table that is learnt.

    Weights: `embeddings` of shape `(input_dim, output_dim)`.

    Args:
        input_dim: size of the vocabulary; inputs are integers from 0 to `input_dim - 1`.
        output_dim: size of the vectors.
        embeddings_initializer: first values of the table.
        embeddings_regularizer: penalty on the table, added to the loss.
        embeddings_constraint: function applied to the table after each update.
        mask_zero: whether 0 marks padding, which later layers then leave out. The index 0 is
            not to be a word then, and `input_dim` is one more than the number of words.
        **kwargs: `name`, `trainable`, `dtype`, `activity_regularizer`; `weights`, the table's
            first values as an array or a list of one array.

    Shapes: integers `(batch, …)` → `(batch, …, output_dim)`.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.Embedding(1000, 16)([[4, 7, 1]]))
        (1, 3, 16)
    """

    embeddings: Variable = weight()

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        **kwargs: Any,
    ) -> None:
        # Not an argument by name: `weights` is a property of every layer, and no part of a config.
        table = kwargs.pop("weights", None)
        super().__init__(**kwargs)
        self.input_dim = positive_int(self, "input_dim", input_dim)
        self.output_dim = positive_int(self, "output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = boolean(self, "mask_zero", mask_zero)
        self._table = table[0] if isinstance(table, (list, tuple)) else table

    def build(self, input_shape: Shape | None = None) -> None:
        """Creates the table; the shape of the input does not matter."""
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
            autocast=False,  # the rows that are looked up are cast instead of the whole table
        )
        if self._table is not None:
            self.embeddings.assign(self._table)

    def call(self, x: Tensor) -> Tensor:
        """Returns the rows of the table that the numbers in `x` name."""
        if is_float(ops.dtype(x)):
            x = ops.cast(x, "int32")
        return ops.cast(ops.embedding(x, self.embeddings), self.compute_dtype)

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor | None = None) -> Tensor | None:
        """Returns True where `inputs` is not padding, or None without `mask_zero`."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None


class Masking(Layer):
    """Marks time steps to be left out: those where all features equal `mask_value`.

    Such steps become 0, and later layers that know about masks pass over them.

    Args:
        mask_value: the value that marks padding.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, …)`; the output has the shape of the input.
    """

    supports_masking = True
    makes_mask = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = number(self, "mask_value", mask_value)

    def call(self, x: Tensor) -> Tensor:
        """Returns `x` with the marked steps set to zero."""
        kept = ops.any(ops.not_equal(x, self.mask_value), axis=-1, keepdims=True)
        return x * ops.cast(kept, x.dtype)

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor | None = None) -> Tensor:
        """Returns True for the steps that are kept."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)


class Identity(Layer):
    """Returns its input as it is."""

    supports_masking = True

    def call(self, x: Any) -> Any:
        """Returns `x`."""
        return x

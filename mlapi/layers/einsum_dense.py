"""`EinsumDense`: a fully connected layer along axes that an equation names."""

import math
import re
from collections.abc import Sequence
from typing import Any

from mlapi import activations, constraints, initializers, ops, regularizers
from mlapi.errors import ShapeError
from mlapi.layers.base import Layer
from mlapi.layers.input_spec import InputSpec
from mlapi.layers.weights import weight
from mlapi.state import Variable
from mlapi.types import Shape, Tensor
from mlapi.validation import Check, as_integer, optional

_FORM = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


def _terms(equation: str) -> tuple[str, str, str, str]:
    """The letters of input, kernel and output; and at which end of the first and last "..." is."""
    match = _FORM.fullmatch(equation.replace(" ", ""))
    if match is None:
        raise ValueError
    before, inputs, behind, kernel, before_too, outputs, behind_too = match.groups()
    if (before, behind) != (before_too, behind_too) or (before and behind):
        raise ValueError
    if any(len(set(term)) < len(term) for term in (inputs, kernel, outputs)):
        raise ValueError
    if not before and inputs[:1] != outputs[:1]:
        raise ValueError
    if not (set(outputs) <= {*inputs, *kernel} and set(kernel) <= {*inputs, *outputs}):
        raise ValueError
    return inputs, kernel, outputs, "left" if before else "right" if behind else ""


def _checked_equation(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    _terms(value)
    return value


def _sizes(value: Any) -> tuple[int | None, ...]:
    values = value if isinstance(value, (list, tuple)) else (value,)
    return tuple(None if size is None else as_integer(size, 1) for size in values)


_equation = Check(
    "of the form 'ab,bc->ac', with '...' at the same end of input and output or nowhere. Each "
    "letter is there once a term; those of the output are in the input or the kernel, those of "
    "the kernel in the input or the output; without '...' in front, the first letter of input and "
    "output is the same, the batch",
    _checked_equation,
    "ab,cd",
)
_output_shape = Check(
    "an integer of at least 1, or a list of them with None for sizes that the input gives",
    _sizes,
    0,
)


class EinsumDense(Layer):
    """Fully connected layer along any axes: `activation(einsum(equation, x, kernel) + bias)`.

    The equation has a letter for each axis of the input, the kernel and the output.
    `"abc,cd->abd"` is `Dense` on a sequence, `"abc,cde->abde"` projects to several heads,
    `"...x,xy->...y"` leaves open how many axes come first.

    Weights: `kernel`, its axes in the order of the equation; with `bias_axes` also `bias`.

    Args:
        equation: for `einsum`, of two terms. `...` may stand for any number of axes, at the
            beginning or at the end of both input and output.
        output_shape: sizes of the output's axes, without the batch and those of `...`; None for
            a size that is the input's.
        activation: name or function; None leaves the values as they are.
        bias_axes: letters of the output's axes along which the bias differs; None for no bias.
        kernel_initializer: first values of the kernel.
        bias_initializer: first values of the bias.
        kernel_regularizer: penalty on the kernel, added to the loss.
        bias_regularizer: penalty on the bias, added to the loss.
        kernel_constraint: function applied to the kernel after each update.
        bias_constraint: function applied to the bias after each update.
        **kwargs: `name`, `trainable`, `dtype`, `activity_regularizer`.

    Shapes: those of the equation.

    Raises:
        ArgumentError: the equation is none, or `bias_axes` has a letter that is not the output's.
        ShapeError: the input or `output_shape` does not fit the equation.

    Example:
        >>> from mlapi import layers, ops
        >>> heads = layers.EinsumDense("abc,cde->abde", (None, 4, 8), bias_axes="de")
        >>> ops.shape(heads(ops.ones((2, 10, 32))))
        (2, 10, 4, 8)
    """

    kernel: Variable = weight()

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None] | None,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.equation = _equation(self, "equation", equation)
        self._letters = _terms(self.equation)
        self.output_shape = _output_shape(self, "output_shape", output_shape)
        self.activation = activations.get(activation)
        outputs = self._letters[2]
        self.bias_axes = optional(_letters_of(outputs))(self, "bias_axes", bias_axes)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.bias = None

    def build(self, input_shape: Shape) -> None:
        """Creates the weights for inputs with the sizes of `input_shape`."""
        inputs, kernel, outputs, dots = self._letters
        more = len(input_shape) - len(inputs)  # axes that `...` stands for
        if more < 0 or (more and not dots):
            raise self._misfit(input_shape, f"its input has {len(inputs)} axes")
        first = more if dots == "left" else 0
        of_input = dict(zip(inputs, input_shape[first:], strict=False))
        sizes = self._output_sizes(tuple(input_shape), of_input, outputs, first)
        sizes |= {letter: size for letter, size in of_input.items() if size is not None}
        summed = [axis for axis, letter in enumerate(kernel) if letter not in outputs]
        others = [axis for axis, letter in enumerate(kernel) if letter in outputs]
        self.kernel = self.add_weight(
            name="kernel",
            shape=[sizes.get(letter) for letter in kernel],
            initializer=initializers.along(self.kernel_initializer, summed, others),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.bias_axes:
            start = min(map(outputs.index, self.bias_axes))
            along = [sizes[n] if n in self.bias_axes else 1 for n in outputs[start:]]
            self.bias = self.add_weight(
                name="bias",
                shape=along + [1] * (more if dots == "right" else 0),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        fixed = {axis: of_input[n] for axis, n in enumerate(inputs, first) if n in kernel}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=fixed)
        self._product = self._as_product(sizes, dots == "right" and more > 0)

    def _output_sizes(
        self, input_shape: Shape, of_input: dict[str, int | None], outputs: str, first: int
    ) -> dict[str, int | None]:
        given = self.output_shape
        if not first:  # the batch is a letter
            given = (None, *given)
        if len(given) != len(outputs):
            counted = len(outputs) if first else len(outputs) - 1
            raise self._misfit(input_shape, f"output_shape should have {counted} sizes")
        sizes: dict[str, int | None] = {}
        for letter, size in zip(outputs, given, strict=True):
            own = of_input.get(letter)
            if None not in (size, own) and size != own:
                raise self._misfit(input_shape, f"{letter!r} is {own} there and {size} here")
            sizes[letter] = own if size is None else size
            if sizes[letter] is None and letter not in of_input:
                raise self._misfit(input_shape, f"the size of {letter!r} must be given")
        return sizes

    def _misfit(self, input_shape: Shape, why: str) -> ShapeError:
        return ShapeError(
            f'EinsumDense "{self.path}": an input of shape {tuple(input_shape)} and '
            f"output_shape={self.output_shape} do not go with {self.equation!r}: {why}."
        )

    def _as_product(self, sizes: dict[str, Any], open_end: bool) -> tuple[Any, ...] | None:
        """How the equation is a product of two matrices, or None where it is not.

        It is where the last axes of the input meet the first ones of the kernel, and the others
        of the kernel take their place.
        """
        inputs, kernel, outputs, _ = self._letters
        summed = "".join(letter for letter in kernel if letter not in outputs)
        kept = inputs.removesuffix(summed)
        new = kernel.removeprefix(summed)
        if not summed or not new or open_end or kept + summed != inputs or summed + new != kernel:
            return None
        if kept + new != outputs or set(kept) & set(new):
            return None
        rows, columns = (tuple(sizes[n] for n in term) for term in (summed, new))
        whole_bias = set(self.bias_axes or "") == set(new)
        return len(summed), math.prod(rows), columns, math.prod(columns), whole_bias

    def call(self, x: Tensor) -> Tensor:
        """Returns `activation(einsum(equation, x, kernel) + bias)`."""
        bias = self.bias
        if self._product is None:
            y = ops.einsum(self.equation, x, self.kernel)
        else:
            summed, rows, new, columns, whole_bias = self._product
            kernel, leading = self.kernel, ops.shape(x)[:-summed]
            if summed > 1:
                x = ops.reshape(x, (*leading, rows))
            if summed > 1 or len(new) > 1:
                kernel = ops.reshape(kernel, (rows, columns))
            fused = None
            if whole_bias:
                fused, bias = ops.reshape(bias, (columns,)) if len(new) > 1 else bias, None
            y = ops.dense(x, kernel, fused)
            if len(new) > 1:
                y = ops.reshape(y, (*leading, *new))
        if bias is not None:
            y = ops.add(y, bias)
        return y if self.activation is activations.linear else self.activation(y)


def _letters_of(outputs: str) -> Check:
    def convert(value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError
        if not set(value) <= set(outputs):
            raise ValueError
        return value

    return Check(f"letters of the output, {outputs!r}", convert, "?")

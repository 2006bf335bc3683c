"""`Layer`: what every layer and model is.

A layer's constructor stores its arguments under their own names; `build` makes Variables once
the input's shape is known; `call` computes. Around these three this class does the rest, and
does it once: after the first call, plain tensors go straight to `call`.
"""

import functools
import inspect
import sys
import weakref
from collections.abc import Callable
from typing import Any, NoReturn, Self

import numpy as np

from mlapi import dtype_policies, dtypes, regularizers, serialization, tree
from mlapi.backends import adapter
from mlapi.dtype_policies import DTypePolicy, DTypePolicyMap
from mlapi.errors import ArgumentError, nearest
from mlapi.graph import Node, SymbolicTensor, infer, is_inferring, symbols_in
from mlapi.layers import remat
from mlapi.layers.arguments import (
    Signature,
    accepted,
    are_numbers,
    as_shape,
    checked_name,
    legacy_shape,
    shapes_of,
    signature,
    specs_of,
)
from mlapi.layers.call_context import context, get_mask, masking, set_mask
from mlapi.layers.input_spec import check as check_inputs
from mlapi.layers.variables import LayerVariables
from mlapi.state import Variable, scope
from mlapi.types import DTypeLike

_core = adapter.core
_native = _core.native_types

# Layers that recorded a loss of their own, so that nobody else is asked.
with_losses: "weakref.WeakSet[Layer]" = weakref.WeakSet()


class Layer(LayerVariables, _core.Host):
    """Base of all layers.

    Args:
        name: unique within a model; made from the class's name by default.
        trainable: whether the variables are changed by training.
        dtype: of the variables and of the computation, or a dtype policy or its name for one dtype
            each (see `mlapi.dtype_policies`); the global policy by default.
        autocast: whether inputs of other float types are cast to that of the computation, and so
            are variables that are read while the layer runs.
        activity_regularizer: function of the output whose value is added to the loss.
        **kwargs: `input_shape`, `input_dim` or `batch_input_shape` as older programs give them.

    Example:
        >>> import mlapi
        >>> class Scale(mlapi.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(name="factor", shape=(), initializer="ones")
        ...     def call(self, x):
        ...         return x * self.factor
        >>> Scale()(mlapi.ops.ones((2, 3))).shape == (2, 3)
        True
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _noted(cls.__dict__["build"])

    input_spec: Any = None
    autocast = True
    supports_masking = False
    _rematerializes = True
    activity_regularizer: Any = None
    declared_shape: tuple | None
    _fast: bool | None
    _call_losses: list[Any]
    _nodes: list[Node]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        _core.Host.__init__(self)
        self._init_args = (args, kwargs)
        self.built = False
        self._trainable = True
        self._fast = False
        self._makes_masks = self._takes_training = self._building = False
        self._ndim = -1
        self._call_losses = []
        self._path = ""
        self._nodes = []
        self.name = ""
        self.declared_shape = None
        self.dtype_policy = None
        return self

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: DTypeLike | None = None,
        activity_regularizer: Any = None,
        autocast: bool = True,
        **kwargs: Any,
    ) -> None:
        self.name = checked_name(name, type(self))
        self._trainable = bool(trainable)
        self.autocast = autocast
        if dtype is not None:
            self.dtype_policy = dtype
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.declared_shape = legacy_shape(kwargs)
        scope_of_remat = remat.current()
        if scope_of_remat is not None and self._rematerializes:
            self.call = remat.rematerialized(self, self.call, scope_of_remat)
        if kwargs:
            known = {*inspect.signature(type(self)).parameters, "name", "trainable", "dtype"}
            wrong = next(iter(kwargs))
            raise ArgumentError(
                f"{type(self).__name__} has no argument {wrong!r}.{nearest(wrong, known)}"
            )

    # --- to be overridden ---------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the variables for inputs of this shape (a nest of shapes for a nest of inputs)."""

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs."""
        raise NotImplementedError(f"{type(self).__name__} does not define `call`.")

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the output; the input's own where `supports_masking` is set."""
        return previous_mask if self.supports_masking else None

    # --- dtypes -------------------------------------------------------------------------------

    @property
    def dtype_policy(self) -> DTypePolicy:
        """In which dtype the variables are kept, and in which is computed."""
        if isinstance(self._policy, DTypePolicyMap) and self._path:
            return self._policy[self._path]
        return self._policy

    @dtype_policy.setter
    def dtype_policy(self, policy: Any) -> None:
        self._policy = dtype_policies.get(policy)
        self._settle_dtypes()

    def _settle_dtypes(self) -> None:
        """Look the policy up once: with a map of policies it depends on the path."""
        policy = self.dtype_policy
        self._variable_dtype, self._dtype = policy.variable_dtype, policy.compute_dtype
        mixed = self.autocast and self._dtype != self._variable_dtype
        self._autocast_to = sys.intern(self._dtype) if mixed else None
        self._accepts = accepted(self._dtype)

    @property
    def dtype(self) -> str:
        """Dtype of the variables."""
        return self._variable_dtype

    @property
    def variable_dtype(self) -> str:
        """Dtype of the variables."""
        return self._variable_dtype

    @property
    def compute_dtype(self) -> str:
        """Dtype of the computation and of the outputs."""
        return self._dtype

    @property
    def input_dtype(self) -> str:
        """Dtype to which inputs of floats are cast."""
        return self._dtype

    @property
    def path(self) -> str:
        """Names of the layers around this one when it was built, and its own, with slashes."""
        return self._path or "/".join((*scope.path, self.name))

    # --- losses -------------------------------------------------------------------------------

    def add_loss(self, loss: Any) -> None:
        """Add a scalar to the loss that is minimised; to be called from `call`."""
        self._fast = False
        losses = loss if isinstance(loss, (list, tuple)) else [loss]
        if scope.stateless is not None and scope.stateless.collect_losses:
            scope.stateless.losses.extend(losses)
            return
        with_losses.add(self)
        self._call_losses.extend(losses)

    @property
    def losses(self) -> list[Any]:
        """Regularisation of the weights, and what `add_loss` recorded in the last call."""
        found = [loss for layer in self._flatten_layers() for loss in layer._call_losses]
        found += [v.regularizer(v.value) for v in self.trainable_variables if v.regularizer]
        return found

    def add_metric(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuses: metrics belong to `compile`, or into attributes.

        Raises:
            ArgumentError: always; the message says what to do instead.
        """
        raise ArgumentError(
            f"{self._where()}: there is no add_metric any more. Pass metrics to compile(), or keep "
            "a Metric in an attribute and call its update_state()."
        )

    def _clear_losses(self) -> None:
        if with_losses:
            for layer in self._flatten_layers():
                layer._call_losses = []

    # --- the call -----------------------------------------------------------------------------

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What calling the layer does: convert, build, fill in `training` and masks, `call`."""
        if (
            self._fast
            and len(args) == 1
            and type(args[0]) in _native
            and context.masks is None
            and args[0].dtype in self._accepts
            and args[0].ndim == self._ndim
            and scope.autocast is self._autocast_to
        ):
            try:
                if not kwargs:
                    if context.training is None or not self._takes_training:
                        return self.call(args[0])
                    return self.call(args[0], training=context.training)
                if len(kwargs) == 1 and "training" in kwargs:
                    outer, context.training = context.training, kwargs["training"]
                    try:
                        return (
                            self.call(args[0], **kwargs)
                            if self._takes_training
                            else (self.call(args[0]))
                        )
                    finally:
                        context.training = outer
            except Exception as error:
                self._explain(error, args[0])
                raise
        if self._fast and context.masks is None and self._are_plain(args, kwargs):
            return self._plain_call(args, kwargs)
        return self._full_call(args, kwargs)

    def _are_plain(self, args: tuple, kwargs: dict[str, Any]) -> bool:
        """Whether the arguments are several tensors, or one list of them, and switches."""
        if not args or any(type(value) is not bool for value in kwargs.values()):
            return False
        tensors = args[0] if len(args) == 1 and type(args[0]) in (list, tuple) else args
        for x in tensors:
            if type(x) not in _native or x.dtype not in self._accepts:
                return False
        return tensors is not args or args[0].ndim == self._ndim

    def _plain_call(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """The rest of a call whose arguments are as they should be."""
        outer = context.training
        training = kwargs.pop("training", outer)
        if self._takes_training and training is not None:
            kwargs["training"] = training
        try:
            return self._call_with(training, args, kwargs)
        except Exception as error:
            self._explain(error, args[0])
            raise

    def _call_with(self, training: bool | None, args: tuple, kwargs: dict[str, Any]) -> Any:
        """`call`, for which `training` and how Variables are read are set."""
        outer, cast = context.training, scope.autocast
        context.training = training
        if cast is not self._autocast_to:
            scope.autocast = self._autocast_to
            scope.settle()
        try:
            return self.call(*args, **kwargs)
        finally:
            context.training = outer
            if cast is not self._autocast_to:
                scope.autocast = cast
                scope.settle()

    def _full_call(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Every call that is not of the plainest kind."""
        info = signature(type(self))
        args, kwargs = self._prepared(args, kwargs)
        symbolic = bool(symbols_in((args, kwargs)))
        first = args[0] if args else next(iter(kwargs.values()), None)
        check_inputs(self.input_spec, specs_of(first), self._where())
        first_call = not self.built
        self._ensure_built(args, kwargs)
        if symbolic:
            return self._symbolic_call(args, kwargs)
        outer = context.training
        training = kwargs.pop("training", None)
        if training is None:
            training = outer
        if info.takes_training and training is not None:
            kwargs["training"] = training
        undecided = self._fast is None
        if undecided:
            self._decide()
        path, outermost = scope.path, not context.inside
        if outermost:
            self._clear_losses()
            context.inside = True
        if first_call:  # layers inside are built now, and named after this one
            scope.path = tuple(self._path.split("/"))
        try:
            if self._makes_masks and context.masks is None:
                with masking():
                    return self._run(args, kwargs, training, first, info)
            return self._run(args, kwargs, training, first, info)
        finally:
            scope.path = path
            if outermost:
                context.inside = False
            if undecided and self._fast:  # a fast call would leave the losses of the last one
                self._fast = not any(layer in with_losses for layer in self._flatten_layers())

    def _run(
        self, args: tuple, kwargs: dict, training: bool | None, first: Any, info: Signature
    ) -> Any:
        masked = context.masks is not None
        mask = None
        if masked:
            mask = kwargs.get("mask")
            if mask is None:
                mask = tree.map_structure(get_mask, first)
                if all(m is None for m in tree.flatten(mask)):
                    mask = None
                if info.takes_mask and mask is not None:
                    kwargs["mask"] = mask
        try:
            out = self._call_with(training, args, kwargs)
        except Exception as error:
            self._explain(error, first)
            raise
        if masked:
            out_mask = self.compute_mask(first, mask)
            if out_mask is not None:
                for x, m in zip(tree.flatten(out), tree.flatten(out_mask)):
                    set_mask(x, m)
        if self.activity_regularizer is not None:
            for x in tree.flatten(out):
                size = x.shape[0] if len(x.shape) else None
                self.add_loss(self.activity_regularizer(x) / (1 if size is None else size))
        return out

    def rematerialized_call(self, layer_call: Callable, *args: Any, **kwargs: Any) -> Callable:
        """Returns `layer_call` as the `RematScope` around has it; see there."""
        scope_of_remat = remat.current()
        if scope_of_remat is None:
            return layer_call
        return remat.rematerialized(self, layer_call, scope_of_remat)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Records a call on symbolic tensors, and returns symbolic outputs."""
        self._ensure_built(args, kwargs)
        return self._symbolic_call(args, kwargs)

    def _symbolic_call(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        specs = self._infer(args, kwargs)
        node = Node(self, args, kwargs, specs)
        self._nodes.append(node)
        return node.structure

    def _infer(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        path, scope.path = scope.path, tuple(self._path.split("/"))
        try:
            return infer(self.forward, args, kwargs, self.variables)
        except Exception as error:
            self._explain(error, args[0] if args else next(iter(kwargs.values()), None))
            raise
        finally:
            scope.path = path
            self._clear_losses()  # of tensors that never were

    def _prepared(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """Arrays and Variables become tensors, floats get the layer's dtype."""
        if args and isinstance(args[0], (list, tuple)) and args[0] and are_numbers(args[0]):
            args = (np.asarray(args[0]), *args[1:])
        args, kwargs = tree.map_structure(lambda x: self._to_tensor(x, self._dtype), (args, kwargs))
        return args, dict(kwargs)

    def _to_tensor(self, x: Any, dtype: str) -> Any:
        kind = type(x)
        if kind is Variable:
            x = x.value
        elif kind in _native:
            if x.dtype in self._accepts:
                return x
        elif isinstance(x, np.ndarray):
            if x.dtype.kind == "f":
                return _core.convert(x, dtype if self.autocast else None)
            return _core.convert(x, dtypes.standardize(x.dtype)) if x.dtype.kind in "biu" else x
        elif kind is SymbolicTensor or not _core.is_tensor(x):
            return x
        else:
            _native.add(kind)
        if self.autocast and dtypes.is_float(_core.dtype_of(x)):
            return _core.cast(x, dtype)
        return x

    def _ensure_built(self, args: tuple, kwargs: dict[str, Any]) -> None:
        if self.built:
            return
        if not self.name:
            raise ArgumentError(
                f"{type(self).__name__}.__init__ did not call super().__init__(): add it as the "
                "first line, so that the layer gets its name and dtype."
            )
        info = signature(type(self))
        bound = dict(zip(info.names, args)) | kwargs
        missing = [name for name in info.required if name not in bound]
        if missing:
            raise ArgumentError(
                f"{self._where()} was called without {', '.join(missing)}. "
                f"Its arguments are {', '.join(info.names)}."
            )
        if len(info.build_names) > 1:
            shapes = {}
            for name in info.build_names:
                value = bound.get(name.removesuffix("_shape"))
                shapes[name] = None if value is None else shapes_of(value)
            self._build_in_call(**shapes)
        else:
            first = args[0] if args else next(iter(kwargs.values()), None)
            self._build_in_call(shapes_of(first))

    def _build_in_call(self, *shapes: Any, **named: Any) -> None:
        self.build(*shapes, **named)
        if not self.built:  # the empty build of the base class
            self._note_built(shapes, named)

    def _note_built(self, shapes: tuple, named: dict[str, Any]) -> None:
        self._path = self.path
        self._built_from = (shapes, named)
        first = shapes[0] if shapes else next(iter(named.values()), ())
        self._ndim = len(first) if tree.is_shape(first) else -1
        self.built = True
        self._fast = None

    def _decide(self) -> None:
        """Whether plain calls may skip everything but `call`; asked once, at the first call."""
        self._takes_training = signature(type(self)).takes_training
        self._makes_masks = any(
            type(layer).compute_mask is not Layer.compute_mask and layer.compute_mask_is_source
            for layer in self._flatten_layers()
        )
        self._fast = self.activity_regularizer is None and not self._makes_masks

    @property
    def compute_mask_is_source(self) -> bool:
        """Whether this layer makes masks of its own, as an Embedding with `mask_zero` does.

        A layer from outside the library may, if it supports masking and has a `compute_mask`.
        """
        if getattr(self, "mask_zero", False) or getattr(self, "makes_mask", False):
            return True
        foreign = not type(self).compute_mask.__module__.startswith("mlapi.")
        return foreign and self.supports_masking

    def _explain(self, error: Exception, first: Any) -> None:
        """Say which layer failed, for which input; raise ours where the input's shape is wrong."""
        if is_inferring() or getattr(error, "_mlapi_explained", False):
            return  # the shape is one that is being tried out, or it has been said
        found = specs_of(first)
        check_inputs(self.input_spec, found, self._where())
        shapes = tree.map_structure(lambda s: getattr(s, "shape", s), found)
        try:
            error._mlapi_explained = True  # type: ignore[attr-defined]
            error.add_note(f"while calling {self._where()} on an input of shape {shapes}")
        except AttributeError:
            pass

    # --- shapes -------------------------------------------------------------------------------

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs for symbolic inputs, recording nothing."""
        self._ensure_built(args, kwargs)
        specs = self._infer(args, kwargs)
        return tree.map_structure(lambda s: SymbolicTensor(s.shape, s.dtype), specs)

    def compute_output_shape(self, input_shape: Any, *args: Any, **kwargs: Any) -> Any:
        """Shape of the output for an input of this shape, None for unknown sizes."""
        inputs = tree.map_shape_structure(lambda s: SymbolicTensor(s, self._dtype), input_shape)
        outputs = self.compute_output_spec(inputs, *args, **kwargs)
        return tree.map_structure(lambda t: t.shape, outputs)

    @property
    def input(self) -> Any:
        return self._node().args[0]

    @property
    def output(self) -> Any:
        return self._node().structure

    def _node(self) -> Node:
        if len(self._nodes) != 1:
            raise ArgumentError(
                f"{self._where()} was called {len(self._nodes)} times on symbolic tensors, so it "
                "has no single `input` or `output`; use the tensors themselves."
            )
        return self._nodes[0]

    # --- config -------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as plain data: what `from_config` takes."""
        found: dict[str, Any] = {"name": self.name, "trainable": self._trainable}
        found["dtype"] = (
            self._policy.name
            if type(self._policy) is DTypePolicy
            else serialization.serialize(self._policy)
        )
        args, kwargs = self._init_args
        parameters = inspect.signature(type(self).__init__).parameters
        bound = inspect.signature(type(self).__init__).bind_partial(self, *args, **kwargs)
        own = type(self).__init__ is not Layer.__init__  # whose arguments are above and below
        for parameter in list(parameters.values())[1:] if own else ():
            name = parameter.name
            if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                continue
            if name in self.__dict__ or hasattr(type(self), name):
                value = getattr(self, name)
            else:
                value = bound.arguments.get(name, parameter.default)
            found[name] = serialization.serialize(value)
        if self.activity_regularizer is not None:
            found["activity_regularizer"] = serialization.serialize(self.activity_regularizer)
        return found

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Layer":
        """A new layer with the arguments of `get_config`."""
        arguments = serialization.read_arguments(config)
        parameters = inspect.signature(cls.__init__).parameters
        others = {}
        if all(p.kind is not p.VAR_KEYWORD for p in parameters.values()):
            others = {k: arguments.pop(k) for k in _BASE & arguments.keys() - parameters.keys()}
        layer = cls(**arguments)
        if others:  # what a constructor that takes only its own arguments cannot pass on
            Layer.__init__(layer, **others)
        return layer

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that the layer was built for, or None."""
        if not self.built or not hasattr(self, "_built_from"):
            return None
        shapes, named = self._built_from
        every = dict(zip(signature(type(self)).build_names, shapes)) | named
        every = {name: shape for name, shape in every.items() if shape is not None}
        if len(every) == 1:
            return {"input_shape": next(iter(every.values()))}
        return {"shapes_dict": every}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build for the shapes that `get_build_config` returned."""
        if self.built or not config:
            return
        shapes: tuple = ()
        named: dict[str, Any] = {}
        if "input_shape" in config:
            shapes = (as_shape(config["input_shape"]),)
        else:
            named = {k: as_shape(v) for k, v in config.get("shapes_dict", config).items()}
        self.build(*shapes, **named)
        if not self.built:  # the empty build of the base class
            self._note_built(shapes, named)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


_BASE = frozenset({"name", "trainable", "dtype", "activity_regularizer"})


def _noted(build: Callable[..., None]) -> Callable[..., None]:
    """A `build` that keeps the books, whoever calls it: the layer itself or a user."""

    @functools.wraps(build)
    def run(self: Layer, *shapes: Any, **named: Any) -> None:
        if self._building:  # a subclass called super().build()
            return build(self, *shapes, **named)
        outer, scope.path = scope.path, (*scope.path, self.name)
        self._path = "/".join(scope.path)
        self._settle_dtypes()
        self._building = True
        try:
            build(self, *shapes, **named)
        finally:
            scope.path = outer
            self._building = False
        return self._note_built(shapes, named)

    return run

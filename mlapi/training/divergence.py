"""Where the first number comes from that is not finite: `fit(detect_nan=True)`.

After each step one flag tells whether the loss and all Variables are finite. If they are not,
everything is put back to where it was before the step, and the batch runs once more, uncompiled,
with a look at what every layer and operation returns.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NoReturn

import numpy as np

from mlapi import dtypes, ops, tree
from mlapi.backends import adapter
from mlapi.errors import DivergedError
from mlapi.op import watched
from mlapi.optimizers import LossScaleOptimizer
from mlapi.state import Variable, collect
from mlapi.transforms import jit

_core = adapter.core
_UNKNOWN = (AttributeError, TypeError, ValueError, NotImplementedError, RuntimeError)


class Found(Exception):
    """The first number that is not finite."""

    def __init__(
        self, phase: str, text: str, layer: str | None = None, op: str | None = None
    ) -> None:
        super().__init__(text)
        self.phase, self.layer, self.op = phase, layer, op


class Detector:
    """Runs steps of training, and explains the one after which something is not finite.

    Args:
        model: the model that is trained.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._variables: list[Variable] = []
        self._runs = 0
        self._copies: Callable[[], list[Any]]
        self._finite: Callable[[list[Any]], Any]

    def run(self, function: Callable, batch: Any, epoch: int, number: int) -> Any:
        """Returns what `function(batch)` does.

        Raises:
            DivergedError: the loss or a Variable is not finite afterwards.
        """
        if self._runs < 2:  # the first step may make Variables
            self._runs += 1
            self._prepare()
        before = list(zip(self._variables, self._copies(), strict=True))
        logs = function(batch)
        losses = [v for name, v in logs.items() if name == "loss" or name.endswith("_loss")]
        if bool(_core.to_numpy(self._finite([ops.convert_to_tensor(v) for v in losses]))):
            return logs
        _restore(before)
        try:
            for i, one in enumerate(batch if isinstance(batch, list) else [batch]):
                self._replay(one, epoch, number + i)
        finally:
            _restore(before)
        raise self._error(
            Found("unknown", "run again without compilation, the step shows none"), epoch, number
        )

    def _prepare(self) -> None:
        """What is needed in each step, in one compiled function each."""
        state = self._model._state()
        if len(state) == len(self._variables):
            return
        held = [v for v in _held(self._model) if dtypes.is_float(v.dtype)]
        self._variables = state
        self._copies = jit(lambda: [ops.copy(v.value) for v in state], state)
        self._finite = jit(lambda losses: _all_finite([*losses, *(v.value for v in held)]), held)

    def _replay(self, batch: Any, epoch: int, number: int) -> None:
        model = self._model
        functions, eagerly = model._functions, model.run_eagerly
        model._functions, model.run_eagerly = None, True
        try:
            _check_given(model, batch)
            with _Watch(model).installed():
                model._function("train", batch)(batch)
            _check_held(model)
        except Found as found:
            raise self._error(found, epoch, number) from None
        finally:
            model._functions, model.run_eagerly = functions, eagerly

    def _error(self, found: Found, epoch: int, number: int) -> DivergedError:
        error = DivergedError(
            f'Model "{self._model.name}": batch {number} of epoch {epoch + 1} makes the loss or '
            f"the weights NaN or infinite. The first number that is not finite: {found}. The "
            "model is as it was before this batch."
        )
        error.phase, error.layer, error.op = found.phase, found.layer, found.op
        error.batch = number
        return error


def _held(model: Any) -> list[Variable]:
    return collect([model, *model._optimizers()])


def _snapshot(model: Any) -> list[tuple[Variable, Any]]:
    """Copies, since a compiled step may take the memory of what it is given."""
    return [(v, ops.copy(v.value)) for v in model._state()]


def _restore(values: Sequence[tuple[Variable, Any]]) -> None:
    for variable, value in values:
        variable.assign(ops.copy(value))


def _all_finite(tensors: list[Any]) -> Any:
    return adapter.optimizers.Bundle(tensors).all_finite()


def _is_finite(value: Any) -> bool:
    """Whether all floats in a nest are finite, as far as they have values now."""
    for x in tree.flatten(value):
        if not _core.is_tensor(x) and not isinstance(x, np.ndarray):
            continue
        try:
            array = np.asarray(_core.to_numpy(x) if _core.is_tensor(x) else x)
            if array.dtype.kind not in "biuSUO" and not np.isfinite(array).all():
                return False
        except _UNKNOWN:  # of a function that is being traced
            continue
    return True


def _check_given(model: Any, batch: Any) -> None:
    for what, part in zip(("x", "y", "sample_weight"), batch, strict=False):
        if not _is_finite(part):
            raise Found("data", f"it is in the data, in {what}; numpy.isfinite finds where")
    _check_held(model, "weights", "it was there before this batch, in {}")


def _check_held(
    model: Any, phase: str = "update", text: str = "it comes from the update of {}"
) -> None:
    bad = [v.path for v in _held(model) if not _is_finite(v.value)]
    if bad:
        raise Found(phase, text.format(f"the variable {bad[0]!r}"), bad[0].rpartition("/")[0])


class _Call:
    """What is known of one call of a layer."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.op: str | None = None  # the first in it whose result is not finite
        self.output: Any = None
        self.inputs: tuple[int, ...] = ()


class _Watch:
    """Looks at layers and operations while a step runs uncompiled."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._open: list[_Call] = []
        self._calls: list[_Call] = []
        self._looks = False
        self._taps: list[Variable | None] | None = None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """The stretch of code in which it looks."""
        transforms = adapter.transforms
        plain = transforms.value_and_grad
        with ExitStack() as stack:
            for layer in self._model._flatten_layers():
                if layer is not self._model:
                    stack.callback(_set_call, layer, layer.__dict__.get("call"))
                    layer.call = self._around(layer, layer.call)
            stack.callback(setattr, transforms, "value_and_grad", plain)
            transforms.value_and_grad = self._in_two_runs(plain)
            with watched(self._see):
                yield

    def _see(self, name: str, result: Any) -> None:
        if self._looks and self._open and self._open[-1].op is None and not _is_finite(result):
            self._open[-1].op = name

    def _around(self, layer: Any, call: Callable) -> Callable:
        def run(*args: Any, **kwargs: Any) -> Any:
            if not self._looks and self._taps is None:
                return call(*args, **kwargs)
            now = _Call(layer)
            now.inputs = tuple(map(id, tree.flatten((args, kwargs))))
            self._open.append(now)
            try:
                out = call(*args, **kwargs)
            finally:
                self._open.pop()
            if self._looks and not _is_finite(out):
                _fail_forward(now, args, kwargs)
            if self._taps is not None and len(self._calls) < len(self._taps):
                tap = self._taps[len(self._calls)]
                out = out if tap is None else out + tap.value
            now.output = out
            self._calls.append(now)
            return out

        return run

    def _in_two_runs(self, plain: Callable) -> Callable:
        """`value_and_grad` that runs the function once by itself, to look at it, before."""

        def value_and_grad(
            fn: Callable, variables: Sequence[Variable] | None, has_aux: bool
        ) -> Callable:
            def run(*args: Any, **kwargs: Any) -> Any:
                if self._looks or self._taps is not None or variables is None:
                    return plain(fn, variables, has_aux)(*args, **kwargs)
                before = _snapshot(self._model)
                self._look_at(fn, has_aux, args, kwargs)
                _restore(before)
                self._taps = [_tap(call.output) for call in self._calls]
                self._calls = []
                taps = [tap for tap in self._taps if tap is not None]
                try:
                    value, grads = plain(fn, [*variables, *taps], has_aux)(*args, **kwargs)
                finally:
                    tapped, self._taps = self._taps, None
                own, rest = grads[: len(variables)], iter(grads[len(variables) :])
                if not isinstance(self._model.optimizer, LossScaleOptimizer):  # which may skip it
                    slopes = [None if tap is None else next(rest) for tap in tapped]
                    self._check_gradients(variables, own, slopes)
                return value, own

            return run

        return value_and_grad

    def _look_at(self, fn: Callable, has_aux: bool, args: tuple, kwargs: dict[str, Any]) -> None:
        outside = _Call(None)
        self._open, self._calls, self._looks = [outside], [], True
        try:
            out = fn(*args, **kwargs)
        finally:
            self._open, self._looks = [], False
        if not _is_finite(out[0] if has_aux else out):
            op = outside.op
            by = f", from the operation {op}" if op else ""
            raise Found(
                "loss", f"it is in the loss{by}; what all layers return is finite", None, op
            )

    def _check_gradients(
        self, variables: Sequence[Variable], grads: Sequence[Any], slopes: Sequence[Any]
    ) -> None:
        """Gradients go from the loss backwards: the last call that has a bad one comes first."""
        bad = [i for i, slope in enumerate(slopes) if slope is not None and not _is_finite(slope)]
        wrong = [v for v, g in zip(variables, grads, strict=True) if not _is_finite(g)]
        if not bad and not wrong:
            return
        calls = self._calls
        last = bad[-1] if bad else -1
        # Behind it, a layer whose own variables have one, or else the layer that uses its output.
        owner = None
        for call in calls[last + 1 :]:
            own = {id(v) for v in call.layer._own_weights()}
            if any(id(v) in own for v in wrong):
                owner = call.layer
        if owner is None and bad:
            made = id(calls[last].output)
            owner = next((c.layer for c in calls[last + 1 :] if made in c.inputs), None)
        if owner is None:
            raise Found("gradient", f"it is in the gradient of the loss{_of(wrong)}")
        where = f"it is in the gradient of {_described(owner)}{_of(wrong)}"
        raise Found("gradient", f"{where}; what it returns is finite", owner.path)


def _set_call(layer: Any, call: Callable | None) -> None:
    if call is None:
        del layer.__dict__["call"]
    else:
        layer.call = call


def _tap(output: Any) -> Variable | None:
    """A zero to be added to what a layer returned, for the gradient there."""
    if not _core.is_tensor(output) or not dtypes.is_float(_core.dtype_of(output)):
        return None
    shape, dtype = _core.shape_of(output), _core.dtype_of(output)
    return Variable(np.zeros(shape), dtype=dtype, autocast=False, name="tap")


def _of(wrong: Sequence[Variable]) -> str:
    return f", with respect to {', '.join(repr(v.path) for v in wrong[:3])}" if wrong else ""


def _described(layer: Any) -> str:
    return f'the layer "{layer.path}" ({type(layer).__name__})'


def _fail_forward(call: _Call, args: tuple, kwargs: dict[str, Any]) -> NoReturn:
    by = f", in the operation {call.op}" if call.op else ""
    given = (
        "its inputs are finite" if _is_finite((args, kwargs)) else "an input of it is not finite"
    )
    text = f"{_described(call.layer)} returns it{by}; {given}"
    raise Found("forward", text, call.layer.path, call.op)

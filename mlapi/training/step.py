"""One step of training, evaluation and prediction, and how it is compiled.

`train_step` is written once, in plain Python over Variables; `mlapi.jit` makes of it one
compiled function of the whole state where the backend compiles. A subclass overrides it the
same way on every backend.
"""

from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from mlapi import tree
from mlapi.backends import adapter
from mlapi.backends.contract import Spec
from mlapi.data import pack, unpack
from mlapi.errors import DataError, NotBuiltError
from mlapi.graph import infer
from mlapi.layers.base import Layer, with_losses
from mlapi.layers.call_context import context, get_mask, masking
from mlapi.metrics import Metric
from mlapi.optimizers import Optimizer
from mlapi.state import collect
from mlapi.training.results import Results
from mlapi.transforms import value_and_grad

_core = adapter.core
_Base = Layer if TYPE_CHECKING else object


class Steps(_Base):
    """The part of the trainer that computes; mixed into every Model, which is a Layer."""

    optimizer: Any
    run_eagerly: bool
    jit_compile: bool | None
    _compiled_loss: Any
    _compiled_metrics: Any
    _loss_tracker: Any
    _frozen_metrics: list[Metric] | None
    _step_metrics: list[Metric] | None
    _frozen_variables: list[Any] | None

    def train_step(self, data: Any) -> MutableMapping[str, Any]:
        """Train on one batch; override it for another way of training.

        Args:
            data: `x`, `(x, y)` or `(x, y, sample_weight)` of tensors.

        Returns:
            Name → scalar tensor, for the progress bar and the history.
        """
        x, y, sample_weight = unpack(data)

        def loss_fn() -> tuple[Any, Any]:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight, training=True)
            return self.optimizer.scale_loss(loss), y_pred

        variables = self.trainable_variables
        (loss, y_pred), gradients = value_and_grad(loss_fn, variables, has_aux=True)()
        loss = self.optimizer.unscale_loss(loss)
        self.optimizer.apply(gradients, variables)
        self._track_loss(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> MutableMapping[str, Any]:
        """Evaluate one batch; the arguments and results are those of `train_step`."""
        x, y, sample_weight = unpack(data)
        y_pred = self(x, training=False)
        self._track_loss(self.compute_loss(x, y, y_pred, sample_weight, training=False), x)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """The outputs for one batch."""
        return self(unpack(data)[0], training=False)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The scalar to minimise: the compiled loss plus what layers add to it."""
        loss = None
        if self._compiled_loss is not None:
            if context.masks:
                mask = _masks_of(y_pred)
                loss = self._compiled_loss(y, y_pred, sample_weight, mask)
            else:
                loss = self._compiled_loss(y, y_pred, sample_weight)
        for extra in self._extra_losses():
            loss = extra if loss is None else loss + extra
        if loss is None:
            raise NotBuiltError(
                f'Model "{self.name}" has nothing to minimise: pass a loss to compile(), add one '
                "with add_loss(), or override compute_loss or train_step."
            )
        return loss

    def _extra_losses(self) -> list[Any]:
        extra = [v.regularizer(v.value) for v in self.trainable_variables if v.regularizer]
        if with_losses:
            extra += [loss for layer in self._flatten_layers() for loss in layer._call_losses]
            self._clear_losses()
        return extra

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> MutableMapping[str, Any]:
        """Update the compiled metrics with one batch; the results of all metrics so far."""
        if self._compiled_metrics is not None:
            mask = _masks_of(y_pred) if context.masks else None
            self._compiled_metrics.update_state(y, y_pred, sample_weight, mask)
        return self.get_metrics_result()

    def get_metrics_result(self) -> MutableMapping[str, Any]:
        """Name → scalar tensor of every metric, over the batches since the last reset."""
        return self._results() if adapter.transforms.is_tracing() else Results(self._results)

    def _results(self) -> dict[str, Any]:
        results: dict[str, Any] = {}
        compiled = self._compiled_metrics
        named = set() if compiled is None else {id(m) for m in compiled.metrics}
        for metric in self._step_metrics or self.metrics:
            if id(metric) not in named:
                value = metric.result()
                results.update(value if isinstance(value, dict) else {metric.name: value})
        if compiled is not None:
            results.update(compiled.result())
        return results

    def _track_loss(self, loss: Any, x: Any) -> None:
        """Count the batch's loss as often as the batch has rows, so that epochs average right."""
        self._loss_tracker.update_state(loss, sample_weight=tree.flatten(x)[0].shape[0])

    @property
    def metrics(self) -> list[Metric]:
        """The loss's mean, the compiled metrics, and metrics kept in attributes."""
        if self._frozen_metrics is not None:
            return self._frozen_metrics
        found = [self._loss_tracker] if self._loss_tracker is not None else []
        if self._compiled_loss is not None:
            found += self._compiled_loss.metrics
        if self._compiled_metrics is not None:
            found += self._compiled_metrics.metrics
        for layer in self._flatten_layers():
            found += [m for _, m in layer._named_children_of(Metric)]
        return list({id(m): m for m in found}.values())

    def reset_metrics(self) -> None:
        for metric in self._step_metrics or self.metrics:
            metric.reset_state()

    # --- compiled functions -------------------------------------------------------------------

    def _function(
        self, kind: str, batch: Any, several: bool = False, at_once: bool = False
    ) -> Callable[[Any], Any]:
        """The compiled step of a kind ("train", "test", "predict"), made at its first batch.

        The one of `several` batches takes a list of them. Results are computed when they are
        read, or `at_once` inside the step, which is for those who read them after every step.
        """
        key = kind, several, at_once
        made = (self._functions or {}).get(key)
        if made is None:
            step = getattr(self, f"{kind}_step")
            step = self._with_masks(step)
            if kind != "train":
                step = _without_gradients(step)
            state = self._ready(kind, step, batch)
            step = self._with_frozen_lists(self._on_its_own(step, kind) if at_once else step)
            how = False if self.run_eagerly else self.jit_compile
            lazily = how is not False and not at_once and self._only_counts(kind)
            if lazily:
                step = _without_results(step)
            if how and not adapter.transforms.LIFTS_STATE and not self._is_plain(kind):
                made = self._compiled_after_one(step, how)
                made = _in_turn(made) if several else made
            elif several and how is not False:
                made = adapter.transforms.steps(step, state, how)
            else:
                made = adapter.transforms.step(step, state, how)
                made = _in_turn(made) if several else made
            if lazily:
                made = self._with_results(made)
            # Building a model in `_ready` forgets what was compiled before.
            self._functions = {**(self._functions or {}), key: made}
        return made

    def _on_its_own(self, step: Callable, kind: str) -> Callable:
        """`step` of a batch that is none of an epoch: metrics forget what was before it."""
        metrics = self.metrics
        own = [m for m in metrics if type(m).reset_state is not Metric.reset_state]
        if not self._is_plain(kind):  # the step may make more Variables
            own = metrics
        variables = collect([m for m in metrics if m not in own])

        def run(data: Any) -> Any:
            for variable in variables:
                variable.assign_zero()
            for metric in own:
                metric.reset_state()
            return step(data)

        return run

    def _only_counts(self, kind: str) -> bool:
        """Whether a step gives nothing but what metrics have counted, which can wait."""
        own = ("compute_metrics", "get_metrics_result")
        changed = any(getattr(type(self), name) is not getattr(Steps, name) for name in own)
        return kind != "predict" and self._is_plain(kind) and not changed

    def _with_results(self, step: Callable) -> Callable:
        """`step`, with results that one more compiled function computes when they are read."""
        read = adapter.transforms.jit(self._results, collect(self.metrics), None)

        def call(batch: Any) -> Results:
            step(batch)
            return Results(read)

        return call

    def _compiled_after_one(self, step: Callable, how: bool) -> Callable:
        """A step of the user's own: its first run, which is not compiled, may make Variables."""
        run: Callable | None = None

        def call(batch: Any) -> Any:
            nonlocal run
            if run is not None:
                return run(batch)
            out = adapter.transforms.step(step, (), False)(batch)
            run = adapter.transforms.step(step, self._state(), how)
            return out

        return call

    def _state(self) -> list[Any]:
        return collect([self, *self.metrics, *self._optimizers()])

    def _is_plain(self, kind: str) -> bool:
        return getattr(type(self), f"{kind}_step") is getattr(Steps, f"{kind}_step")

    def _with_frozen_lists(self, step: Callable) -> Callable:
        """Lists that are searched once, here, and not in every step."""
        metrics, variables = self.metrics, self.trainable_variables
        self._step_metrics = metrics  # for what goes before and after a step

        def run(data: Any) -> Any:
            self._frozen_metrics, self._frozen_variables = metrics, variables
            try:
                return step(pack(*data))
            finally:
                self._frozen_metrics = self._frozen_variables = None
                self._clear_losses()  # of tensors that end with the compiled function

        return run

    def _with_masks(self, step: Callable) -> Callable:
        if not any(layer.compute_mask_is_source for layer in self._flatten_layers()):
            return step

        def masked(data: Any) -> Any:
            with masking():
                return step(data)

        return masked

    def _ready(self, kind: str, step: Callable, batch: Any) -> list[Any]:
        """Every Variable that the step reads or assigns; those that are missing are made."""
        symbols = tree.map_structure(_spec, batch)
        x, y, _ = unpack(symbols)
        self._check_targets(kind, y)
        plain = self._is_plain(kind)
        unmatched = plain and kind != "predict" and not self._matched_to_outputs()
        if unmatched or not self._has_all_variables(plain):
            y_pred = self._output_specs = infer(self.forward, (x,), {}, self.variables)
            if plain and kind != "predict":
                for part in (self._compiled_loss, self._compiled_metrics):
                    if part is not None and not part.built:
                        part.build(y, y_pred)
        if kind == "train" and plain and self.optimizer is None:
            raise NotBuiltError(
                f'Model "{self.name}" was compiled without an optimizer: pass one to compile(), or '
                "override train_step."
            )
        if kind == "train" and plain and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)
        if adapter.transforms.LIFTS_STATE and not plain:
            # A step of the user's own may make Variables at its first use.
            infer(step, (pack(*symbols),), {}, self.variables)
        return self._state()

    def _has_all_variables(self, plain: bool) -> bool:
        """Whether a call of the model on the batch would make no Variable."""
        if self.built or plain:
            return self.built
        # The batch of a user's own step need not be the model's input: built parts will do.
        parts = [layer for layer in self._flatten_layers() if layer is not self]
        return bool(parts) and all(layer.built for layer in parts)

    def _check_targets(self, kind: str, y: Any) -> None:
        compares = self._compiled_loss is not None
        if y is None and compares and kind != "predict":
            if type(self).compute_loss is not Steps.compute_loss:
                return  # of the user's own, which may do without
            raise DataError(
                f'Model "{self.name}" was compiled with a loss, which compares outputs with '
                "targets, but the data have none: y is missing."
            )

    def _check_labels(self, data: Any) -> None:
        """Class numbers that are out of range are found here, not in a kernel that may not say."""
        _, y, _ = getattr(data, "parts", (None, None, None))
        loss = self._compiled_loss
        if y is not None and loss is not None and loss.built and self._output_specs is not None:
            loss.check_labels(y, self._output_specs)

    def _matched_to_outputs(self) -> bool:
        parts = (self._compiled_loss, self._compiled_metrics)
        return all(part is None or part.built for part in parts)

    def _optimizers(self) -> list[Optimizer]:
        """The compiled optimizer, and others in attributes, as models with several keep them."""
        return [v for v in vars(self).values() if isinstance(v, Optimizer)]


def _masks_of(y_pred: Any) -> Any:
    masks = tree.map_structure(get_mask, y_pred)
    return None if all(m is None for m in tree.flatten(masks)) else masks


def _in_turn(step: Callable) -> Callable:
    return lambda batches: [step(batch) for batch in batches][-1]


def _without_results(step: Callable) -> Callable:
    def run(data: Any) -> None:
        step(data)

    return run


def _without_gradients(step: Callable) -> Callable:
    def run(data: Any) -> Any:
        with _core.inference():
            return step(data)

    return run


def _spec(x: Any) -> Any:
    if x is None:
        return None
    if _core.is_tensor(x):
        return Spec(_core.shape_of(x), _core.dtype_of(x))
    return Spec(tuple(x.shape), x.dtype.name)

"""What `compile(loss=…, metrics=…)` was given, matched to the outputs of the model.

Outputs, targets, losses and metrics meet by name: the keys of a dict, or the model's output
names in order for a list. What does not meet is an error that lists what was expected and what
was received.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from mlapi import losses, metrics, ops, tree
from mlapi.errors import ArgumentError, DataError, nearest
from mlapi.losses import Loss
from mlapi.metrics import Metric
from mlapi.state import Variable
from mlapi.types import Tensor

_NESTED = (dict, list, tuple)
# Names that stand for one of three, depending on the shapes of the first batch.
_ACCURACY = frozenset({"accuracy", "acc"})
_CROSSENTROPY = frozenset({"crossentropy", "ce"})


class CompiledLoss:
    """The total loss of a model.

    Args:
        loss: a name, a `Loss`, a function `(y_true, y_pred) -> values`, or a list or dict of
            these (or None) by output. One alone is used for every output. `"crossentropy"`
            becomes the binary, categorical or sparse one by the shapes of the first batch.
        loss_weights: a number, or a list or dict of numbers by output.
        output_names: of the model, in order; None where they are only seen from what it returns.

    Raises:
        ArgumentError: a name is unknown.
    """

    def __init__(
        self, loss: Any, loss_weights: Any = None, output_names: Sequence[str] | None = None
    ) -> None:
        self.loss = _resolve(loss, losses.as_loss, _CROSSENTROPY)
        self.loss_weights = loss_weights
        self.output_names = list(output_names) if output_names else None
        self.metrics: list[metrics.Mean] = []
        """The running mean of each output's loss, where there are several."""
        self.built = False
        self._single: Loss | None = None
        self._by_output: dict[str, tuple[Loss, float | None]] = {}

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Matches losses to outputs, given a batch or anything with the shapes of one.

        Raises:
            ArgumentError: losses or weights name outputs that the model does not have.
            DataError: targets and outputs do not match.
        """
        outputs = _by_name(y_pred, self.output_names, "The model's output")
        names = list(outputs)
        chosen = _spread(self.loss, names, "loss")
        weights = _spread(self.loss_weights, names, "loss_weights")
        for name in names:
            if chosen.get(name) is not None and isinstance(chosen[name], str):
                target = self._targets(y_true, names, chosen)[name]
                chosen[name] = _crossentropy(
                    losses, chosen[name], target.shape, outputs[name].shape
                )
        self._by_output = {
            name: (chosen[name], weights.get(name))
            for name in names
            if chosen.get(name) is not None
        }
        if len(self._by_output) > 1:
            self.metrics = [metrics.Mean(name=f"{name}_loss") for name in self._by_output]
        if len(names) == 1 and not isinstance(y_pred, _NESTED) and self._by_output:
            loss, weight = next(iter(self._by_output.values()))
            self._single = loss if weight is None else None
        self.built = True

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> Tensor | None:
        """Returns the weighted sum of the losses of all outputs, or None where there is none.

        Args:
            y_true: targets, in the structure of the outputs.
            y_pred: outputs.
            sample_weight: one tensor for all outputs, or one for each.
            mask: likewise; false where predictions do not count.

        Raises:
            DataError: targets, weights and outputs do not match.
            ShapeError: their shapes do not fit one another.
        """
        single = self._single
        if (
            single is not None
            and type(y_pred) not in _NESTED
            and type(y_true) not in _NESTED
            and type(sample_weight) not in _NESTED
        ):
            if mask is None:
                return single(y_true, y_pred, sample_weight)
            return single(y_true, y_pred, sample_weight, mask=mask)
        if not self.built:
            self.build(y_true, y_pred)
        return self._total(y_true, y_pred, sample_weight, mask)

    def _total(self, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any) -> Tensor | None:
        outputs = _by_name(y_pred, self.output_names, "The model's output")
        names = list(outputs)
        targets = self._targets(y_true, names, self._by_output)
        weights = _shared(sample_weight, names, "sample_weight")
        masks = _shared(mask, names, "mask")
        total = None
        trackers = iter(self.metrics)
        for name, (loss, factor) in self._by_output.items():
            value = loss(targets[name], outputs[name], weights.get(name), mask=masks.get(name))
            if self.metrics:
                next(trackers).update_state(value, _batch_size(outputs[name]))
            if factor is not None:
                value = value * factor
            total = value if total is None else total + value
        return total

    def _targets(self, y_true: Any, names: list[str], chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Targets by output; outputs without a loss may lack theirs."""
        needed = [name for name in names if chosen.get(name) is not None]
        if isinstance(y_true, list | tuple) and len(tree.flatten(y_true)) == len(needed):
            names = needed
        elif not isinstance(y_true, _NESTED) and len(needed) == 1:
            return {needed[0]: y_true}
        targets = _by_name(y_true, names, "The targets")
        missing = [name for name in needed if targets.get(name) is None]
        if missing:
            raise DataError(
                f"There are no targets for the outputs {missing}. Expected targets for {needed}, "
                f"received them for {list(targets)}."
            )
        return targets

    def check_labels(self, y_true: Any, y_pred: Any) -> None:
        """Checks class numbers that are NumPy arrays, given anything with the outputs' shapes.

        Raises:
            DataError: some are out of range.
        """
        outputs = _by_name(y_pred, self.output_names, "The model's output")
        targets = self._targets(y_true, list(outputs), self._by_output)
        for name, (loss, _) in self._by_output.items():
            target = targets[name]
            if isinstance(target, np.ndarray):
                loss.check_targets(target, outputs[name].shape)


class CompiledMetrics:
    """All metrics of a model.

    Args:
        metrics: for a model of one output a list of metrics: names, `Metric` objects or
            functions. For several, a dict or list with a metric, or a list of them, for each.
            `"accuracy"` (`"acc"`) becomes the binary, categorical or sparse one by the shapes
            of the first batch, `"crossentropy"` (`"ce"`) too.
        weighted_metrics: likewise; these see sample weights.
        output_names: of the model, in order; None where they are only seen from what it returns.

    Raises:
        ArgumentError: a name is unknown.
    """

    def __init__(
        self,
        metrics: Any = None,
        weighted_metrics: Any = None,
        output_names: Sequence[str] | None = None,
    ) -> None:
        self._given = [
            (_resolve(metrics, _as_metric, _ACCURACY | _CROSSENTROPY), False, "metrics"),
            (
                _resolve(weighted_metrics, _as_metric, _ACCURACY | _CROSSENTROPY),
                True,
                "weighted_metrics",
            ),
        ]
        self.output_names = list(output_names) if output_names else None
        self.built = False
        # One entry per metric: output, metric, whether it sees weights, name in logs.
        self._plan: list[tuple[str, Metric, bool, str]] = []
        self._single: list[Callable[..., None]] | None = None

    @property
    def metrics(self) -> list[Metric]:
        """All metrics; before the first batch, those that did not have to wait for it."""
        if self.built:
            return [metric for _, metric, _, _ in self._plan]
        given = [spec for spec, _, _ in self._given]
        return [metric for metric in tree.flatten(given) if isinstance(metric, Metric)]

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Matches metrics to outputs, given a batch or anything with the shapes of one.

        Raises:
            ArgumentError: metrics name outputs that the model does not have.
            DataError: targets and outputs do not match.
        """
        outputs = _by_name(y_pred, self.output_names, "The model's output")
        names = list(outputs)
        taken: set[str] = set()
        plan = []
        for spec, weighted, argument in self._given:
            for output, members in _lists(spec, names, argument).items():
                target = _target(y_true, names, output)
                for member in members:
                    metric = _made(member, target.shape, outputs[output].shape)
                    metric.build(target.shape, outputs[output].shape)
                    prefix = f"{output}_" if len(names) > 1 else ""
                    name = _free(prefix, metric.name, weighted, taken)
                    plan.append((output, metric, weighted, name))
        self._plan = plan
        if len(names) == 1 and not isinstance(y_pred, _NESTED):
            self._single = [metric.update_state for _, metric, _, _ in plan]
        self.built = True

    def update_state(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> None:
        """Adds a batch to every metric; the arguments are those of `CompiledLoss`."""
        if (
            self._single is not None
            and sample_weight is None
            and mask is None
            and type(y_pred) not in _NESTED
            and type(y_true) not in _NESTED
        ):
            for update in self._single:
                update(y_true, y_pred)
            return
        if not self.built:
            self.build(y_true, y_pred)
        outputs = _by_name(y_pred, self.output_names, "The model's output")
        names = list(outputs)
        weights = _shared(sample_weight, names, "sample_weight")
        masks = _shared(mask, names, "mask")
        for output, metric, weighted, _ in self._plan:
            weight = weights.get(output) if weighted else None
            if masks.get(output) is not None:
                weight = metrics.masked_weights(weight, masks[output], metric)
            target = _target(y_true, names, output)
            if weight is None:
                metric.update_state(target, outputs[output])
            else:
                metric.update_state(target, outputs[output], sample_weight=weight)

    def result(self) -> dict[str, Any]:
        """Returns the results by name in logs; a metric's dict of results is laid out in it."""
        results: dict[str, Any] = {}
        for output, metric, _, name in self._plan:
            value = metric.result()
            if isinstance(value, dict):
                prefix = name.removesuffix(metric.name) if name.startswith(f"{output}_") else ""
                results.update({f"{prefix}{key}": _read(item) for key, item in value.items()})
            else:
                results[name] = _read(value)
        return results

    def reset_state(self) -> None:
        """Forgets all batches."""
        for metric in self.metrics:
            metric.reset_state()


# --- structures by output name ---------------------------------------------------------------


def _by_name(structure: Any, names: Sequence[str] | None, what: str) -> dict[str, Any]:
    """The leaves of a structure by output name; nested dicts and lists give `outer/inner`.

    Raises:
        DataError: it has more or fewer leaves than there are names.
    """
    if isinstance(structure, dict):
        return {"/".join(map(str, path)): x for path, x in tree.flatten_with_path(structure)}
    leaves = tree.flatten(structure) if isinstance(structure, list | tuple) else [structure]
    if names is None:
        names = ["output"] if len(leaves) == 1 else [f"output_{i + 1}" for i in range(len(leaves))]
    if len(leaves) != len(names):
        raise DataError(
            f"{what}: expected {len(names)} ({', '.join(names)}), received {len(leaves)}. "
            "Give a list in this order, or a dict with these names as keys."
        )
    return dict(zip(names, leaves, strict=True))


def _shared(value: Any, names: list[str], what: str) -> dict[str, Any]:
    """One value for every output, or the one for each."""
    if isinstance(value, _NESTED):
        return _by_name(value, names, what)
    return dict.fromkeys(names, value)


def _target(y_true: Any, names: list[str], output: str) -> Any:
    targets = _by_name(y_true, names, "The targets")
    if output not in targets:
        raise DataError(
            f"There are no targets for the output {output!r}, which has a metric. "
            f"Expected targets for {names}, received them for {list(targets)}."
        )
    return targets[output]


def _spread(given: Any, names: list[str], argument: str) -> dict[str, Any]:
    """What an argument of `compile` says for each output; one thing alone holds for all."""
    if given is None:
        return {}
    if not isinstance(given, _NESTED):
        return dict.fromkeys(names, given)
    if isinstance(given, dict):
        given = _by_name(given, None, argument)
        _check_names(given, names, argument)
        return given
    leaves = tree.flatten(given)
    if len(leaves) != len(names):
        raise ArgumentError(
            f"compile(): {argument} has {len(leaves)} entries, but the model has {len(names)} "
            f"outputs: {', '.join(names)}."
        )
    return dict(zip(names, leaves, strict=True))


def _lists(given: Any, names: list[str], argument: str) -> dict[str, list[Any]]:
    """The metrics of each output that has any."""
    if isinstance(given, dict):
        _check_names(given, names, argument)
        lists = {name: tree.flatten(given[name]) for name in names if name in given}
    elif len(names) == 1 or given is None:
        lists = {names[0]: tree.flatten(given)}
    elif isinstance(given, list | tuple) and len(given) == len(names):
        lists = {name: tree.flatten(item) for name, item in zip(names, given, strict=True)}
    else:
        count = len(given) if isinstance(given, list | tuple) else "one"
        raise ArgumentError(
            f"compile(): {argument} has {count} for {len(names)} outputs. Give a dict with a "
            f"metric or a list of metrics for each of {', '.join(names)}."
        )
    return {name: [m for m in members if m is not None] for name, members in lists.items()}


def _check_names(given: Iterable[str], names: list[str], argument: str) -> None:
    for name in given:
        if name not in names:
            raise ArgumentError(
                f"compile(): {argument} names {name!r}, which is no output of the model."
                f"{nearest(name, names)} Expected {names}, received {list(given)}."
            )


# --- names to objects ------------------------------------------------------------------------


def _resolve(given: Any, make: Callable[[Any], Any], waiting: frozenset[str]) -> Any:
    """Objects in place of names, so that a wrong name fails at `compile`, not in `fit`."""
    if isinstance(given, dict) and "class_name" not in given:
        return {name: _resolve(item, make, waiting) for name, item in given.items()}
    if isinstance(given, list | tuple):
        return [_resolve(item, make, waiting) for item in given]
    if isinstance(given, str) and given.lower() in waiting:
        return given
    return make(given)


def _as_metric(identifier: Any) -> Metric | None:
    return metrics.as_metric(identifier)


def _made(metric: Metric | str, y_true_shape: Any, y_pred_shape: Any) -> Metric:
    if isinstance(metric, Metric):
        return metric
    if metric.lower() in _ACCURACY:
        cls: Any = metrics.resolve_accuracy(y_true_shape, y_pred_shape)
        return cls(name=metric)
    return _crossentropy(metrics, metric, y_true_shape, y_pred_shape)


def _crossentropy(family: Any, name: str, y_true_shape: Any, y_pred_shape: Any) -> Any:
    """The cross-entropy, loss or metric, that the accuracy for these shapes goes with."""
    accuracy = metrics.resolve_accuracy(y_true_shape, y_pred_shape).__name__
    return getattr(family, accuracy.replace("Accuracy", "Crossentropy"))(name=name)


def _free(prefix: str, name: str, weighted: bool, taken: set[str]) -> str:
    """A name that no other metric of the model has in logs."""
    candidates = [f"{prefix}{name}"]
    if weighted:
        candidates.append(f"{prefix}weighted_{name}")
    candidates += [f"{candidates[-1]}_{i}" for i in range(1, len(taken) + 2)]
    free = next(candidate for candidate in candidates if candidate not in taken)
    taken.add(free)
    return free


def _batch_size(output: Tensor) -> Any:
    return ops.shape(output)[0]


def _read(value: Any) -> Any:
    return ops.copy(value.value) if isinstance(value, Variable) else value

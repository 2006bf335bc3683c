"""`compile`, `fit`, `evaluate`, `predict` and their single-batch forms."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any

from mlapi import optimizers as optimizers_module
from mlapi import serialization, tree
from mlapi.backends import adapter
from mlapi.data import ArrayData, adapt_validation
from mlapi.data import adapt as adapt_data
from mlapi.errors import ArgumentError, NotBuiltError
from mlapi.metrics import Mean
from mlapi.optimizers import LossScaleOptimizer
from mlapi.state import Variable
from mlapi.training import loop, options
from mlapi.training.backup import with_backup
from mlapi.training.compile import CompiledLoss, CompiledMetrics
from mlapi.training.history import History
from mlapi.training.interim import check_paces
from mlapi.training.lr_find import LearningRates, lr_find
from mlapi.training.stateless import StatelessSteps
from mlapi.training.step import Steps
from mlapi.training.tools import around_steps
from mlapi.training.trial import check_fast_dev_run, shortened, without_writers

_core = adapter.core


class Trainer(StatelessSteps, Steps):
    """What a Model has beyond a Layer: the means to train it."""

    optimizer: Any = None
    loss: Any = None
    history: History | None = None
    stop_training: bool = False
    run_eagerly: bool = False
    jit_compile: bool | None = None
    steps_per_execution: int = 1
    _compiled_loss: CompiledLoss | None = None
    _compiled_metrics: CompiledMetrics | None = None
    _compile_config: dict[str, Any] | None = None
    _loss_tracker: Any = None
    _output_specs: Any = None
    _frozen_metrics: Any = None
    _step_metrics: Any = None
    _in_epoch: bool = False
    _frozen_variables: list[Variable] | None = None
    _functions: dict[tuple[str, bool, bool], Callable] | None = None

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str | None = "auto",
        auto_scale_loss: bool = True,
        precision: Any = None,
        accumulate: int | None = None,
        lr_multipliers: Mapping[str, float] | None = None,
    ) -> None:
        """Say how the model is to be trained.

        Args:
            optimizer: name, Optimizer, or None for a model with a `train_step` of its own.
            loss: name, Loss, function of `(y_true, y_pred)`, or a list or dict of them by output.
            loss_weights: factors of the outputs' losses, a list or dict.
            metrics: names, Metrics or functions; a list, or a dict by output.
            weighted_metrics: the same, with sample weights taken into account.
            run_eagerly: never compile, for looking into a step with a debugger.
            steps_per_execution: how many batches one call trains on, where steps are compiled as
                one graph; batch-level callbacks are called before the first and after the last.
            jit_compile: "auto" compiles steps on jax and tensorflow, and not on torch; True asks
                for the backend's strongest compiler (on torch a step that cannot be traced runs
                uncompiled, with a warning), False for none.
            auto_scale_loss: whether a model of the dtype policy `mixed_float16` gets its optimizer
                wrapped in a `LossScaleOptimizer`, without which small gradients would vanish.
            precision: dtype policy for all layers, built ones too: `"mixed_bfloat16"`,
                `"mixed_float16"`, `"float32"`, or a `DTypePolicyMap` for some by their paths.
            accumulate: gradients are averaged over so many batches for one update, as
                `gradient_accumulation_steps` of the optimizer says, which this sets.
            lr_multipliers: pattern that matches the whole path of a variable, `".*encoder/.*"` for
                instance → what its learning rate is multiplied by.

        Raises:
            ArgumentError: an argument makes no sense, or contradicts what is built already.
        """
        if precision is not None:
            options.set_precision(self, precision)
        self.optimizer = None if optimizer is None else optimizers_module.get(optimizer)
        if accumulate is not None:
            options.set_accumulation(self.optimizer, accumulate)
        if lr_multipliers is not None:
            options.set_multipliers(self.optimizer, lr_multipliers)
        scaled = isinstance(self.optimizer, LossScaleOptimizer)
        if auto_scale_loss and self.optimizer is not None and not scaled and self._needs_scaling():
            self.optimizer = LossScaleOptimizer(self.optimizer, name="loss_scale_optimizer")
        self.loss = loss
        names = self.output_names if hasattr(self, "output_names") else None
        self._compiled_loss = None if loss is None else CompiledLoss(loss, loss_weights, names)
        self._compiled_metrics = (
            CompiledMetrics(metrics, weighted_metrics, names)
            if metrics or weighted_metrics
            else None
        )
        if not isinstance(steps_per_execution, int) or steps_per_execution < 1:
            raise ArgumentError(
                "steps_per_execution must be an int of 1 or more, "
                f"received {steps_per_execution!r}."
            )
        self.steps_per_execution = steps_per_execution
        self.run_eagerly = bool(run_eagerly)
        self.jit_compile = None if jit_compile == "auto" else jit_compile  # type: ignore[assignment]
        self._loss_tracker = Mean(name="loss")
        self._compile_config = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
            "auto_scale_loss": auto_scale_loss,
        }
        own = {
            "precision": precision,
            "accumulate": accumulate,
            "lr_multipliers": None if lr_multipliers is None else dict(lr_multipliers),
        }
        # Keras reads our files, and knows none of these.
        self._compile_config |= {name: value for name, value in own.items() if value is not None}
        self._forget_functions()

    def _needs_scaling(self) -> bool:
        return any(layer.compute_dtype == "float16" for layer in self._flatten_layers())

    def get_compile_config(self) -> dict[str, Any] | None:
        """What `compile` was told, as plain data, or None."""
        if self._compile_config is None:
            return None
        config = {**self._compile_config, "optimizer": self.optimizer}
        return {name: serialization.serialize(value) for name, value in config.items()}

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Compile with what `get_compile_config` returned; builds the optimizer if it can."""
        self.compile(**{k: serialization.deserialize(v) for k, v in config.items()})
        if self.optimizer is not None and self.built and self.trainable_variables:
            self.optimizer.build(self.trainable_variables)

    @property
    def compiled(self) -> bool:
        return self._compile_config is not None

    @property
    def metrics_names(self) -> list[str]:
        return [metric.name for metric in self.metrics]

    @property
    def trainable_variables(self) -> list[Variable]:
        """What training changes; while `fit` runs, a list that was made at its start."""
        if self._frozen_variables is not None:
            return self._frozen_variables
        return super().trainable_variables

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Sequence[Any] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
        resume: str | bool | None = None,
        checkpoint_dir: str | PathLike[str] | None = None,
        validation_every: int | None = None,
        log_every: int | None = None,
        fast_dev_run: bool | int = False,
        overfit_batches: int | None = None,
        limit_batches: int | float | None = None,
        detect_nan: bool = False,
        profile: str | PathLike[str] | None = None,
    ) -> History:
        """Train for a number of epochs.

        Args:
            x: array, tensor, frame, nest of them, or anything that yields batches
                `(x, y[, sample_weight])` or such rows; docs/data.md lists all kinds.
            y: targets of the same length, unless `x` yields them; the name of the column with
                them, where `x` is a frame, a dict or a table.
            batch_size: rows a batch, 32 by default.
            epochs: number of the last epoch.
            verbose: 0 silent, 1 a bar, 2 a line an epoch; "auto" is 1.
            callbacks: list of Callbacks.
            validation_split: fraction at the end of the arrays to evaluate on, not train.
            validation_data: `(x, y[, sample_weight])`, or anything that `x` may be.
            shuffle: whether rows that are known by number get a new order each epoch; `"batch"`:
                whether batches do, whose rows stay together.
            class_weight: class → factor of its rows' losses.
            sample_weight: factor for each row.
            initial_epoch: number of the first epoch, from 0.
            steps_per_epoch: batches an epoch, for endless iterables or parts of long ones.
            validation_steps: the same for the evaluation.
            validation_batch_size: rows a batch of the evaluation.
            validation_freq: evaluate every so many epochs, or in the epochs listed, from 1.
            resume: "auto" to go on from the last checkpoint in `checkpoint_dir` if there is one,
                True to demand one; the run ends with the same bits as one without interruption.
            checkpoint_dir: folder to write checkpoints to: after each epoch and, in long ones,
                every ten minutes. `callbacks.BackupAndRestore` offers other times.
            validation_every: evaluate every so many steps of the run instead, in the midst of
                epochs; the logs of that step hold the `val_…` numbers, and those of an epoch the
                last ones that it had.
            log_every: every so many steps loggers get the numbers so far, and a file that the
                output goes to gets a line.
            fast_dev_run: True to try everything out on one batch of training and one of
                evaluation, in one epoch; an int for so many. Nothing is written: `resume` and
                `checkpoint_dir` are without effect, and callbacks whose `writes` is true
                (checkpoints, loggers) are not called.
            overfit_batches: train on the first so many batches in every epoch, unshuffled, and
                evaluate on them too unless there are data for that: a model that cannot learn a
                few batches by heart has a mistake in it.
            limit_batches: so many batches of each pass over the data, those of the evaluation
                too; a float is a part of them. `steps_per_epoch` goes on where the last epoch
                stopped instead.
            detect_nan: look after each step whether the loss and all variables are finite. If
                not, the batch runs again, uncompiled, to find the layer and the operation where
                the first NaN or infinity comes up.
            profile: folder to write `trace.json.gz` to, for https://ui.perfetto.dev or
                chrome://tracing: what the third to seventh step spend their time on.

        Returns:
            The History: its `history` maps each name to a list of one float an epoch.

        Raises:
            DataError: the data are empty, of different lengths, or have labels out of range.
            DivergedError: the loss of an epoch is not a number; with `detect_nan`, that of a
                batch, or a weight, and `layer`, `op`, `phase` and `batch` tell where.
            LoadError: no checkpoint in `checkpoint_dir` can be read, or they are of another model.
            SaveError: a checkpoint could not be written; those before it are intact.
        """
        self._check_compiled("fit")
        for name, value in (("epochs", epochs), ("initial_epoch", initial_epoch)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ArgumentError(f"{name} must be an int of 0 or more, received {value!r}.")
        validated = validation_data if validation_data is not None else validation_split or None
        check_paces(validation_every, log_every, validation_freq, validated)
        data = adapt_data(
            x, y, sample_weight, batch_size=batch_size, shuffle=shuffle, class_weight=class_weight
        )
        validation = None
        if validation_data is not None:
            validation = adapt_validation(
                validation_data, y, batch_size=validation_batch_size or batch_size
            )
        elif validation_split:
            data, validation = data.split(validation_split)
            validation.batch_size = validation_batch_size or validation.batch_size
        data, validation = shortened(
            data, validation, check_fast_dev_run(fast_dev_run), overfit_batches, limit_batches
        )
        if fast_dev_run:
            epochs, steps_per_epoch, validation_steps = initial_epoch + 1, None, None
            validation_every, validation_freq = None, 1
            callbacks = without_writers(callbacks)
        else:
            callbacks = with_backup(callbacks, resume, checkpoint_dir)
        with around_steps(self, detect_nan, profile) as around:
            return loop.fit(
                self,
                data,
                epochs=epochs,
                initial_epoch=initial_epoch,
                steps_per_epoch=steps_per_epoch,
                validation=validation,
                validation_steps=validation_steps,
                validation_freq=validation_freq,
                callbacks=callbacks,
                verbose=verbose,
                validation_every=validation_every,
                log_every=log_every,
                around=around,
            )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Loss and metrics over data: a list in the order of `metrics_names`, or a dict.

        A model with nothing but a loss returns the number itself.
        """
        self._check_compiled("evaluate")
        data = adapt_data(x, y, sample_weight, batch_size=batch_size)
        logs = loop.evaluate(self, data, steps=steps, callbacks=callbacks, verbose=verbose)
        return logs if return_dict else _as_list(logs)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
    ) -> Any:
        """The outputs for all rows, as NumPy arrays in the structure of the outputs."""
        data = adapt_data(x, batch_size=batch_size)
        return loop.predict(self, data, steps=steps, callbacks=callbacks, verbose=verbose)

    def lr_find(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        sample_weight: Any = None,
        *,
        min_rate: float = 1e-7,
        max_rate: float = 10.0,
        steps: int = 100,
        smoothing: float = 0.9,
    ) -> LearningRates:
        """Finds the learning rates that this model can be trained with.

        It trains for some steps while the rate grows exponentially, and notes the loss (Smith,
        "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3). The loss is
        smoothed by an exponential moving average, divided by `1 - smoothingᵗ` as it starts at
        zero; where it is four times its smallest value, or not finite, the run ends. The model,
        the optimizer and all generators of random numbers are afterwards as they were, but that
        the model is built.

        Args:
            x, y, batch_size, sample_weight: as for `fit`.
            min_rate: the first rate.
            max_rate: the last one.
            steps: how many rates; each is for one update.
            smoothing: how much of the old average stays at each step.

        Raises:
            ArgumentError: the optimizer has not one learning rate, or the numbers make no sense.
            DataError: the data run out, or the first loss is not finite.

        Example:
            >>> import mlapi, numpy as np
            >>> model = mlapi.Sequential([mlapi.Input((2,)), mlapi.layers.Dense(1)])
            >>> model.compile("sgd", "mse")
            >>> x = np.ones((8, 2), "float32")
            >>> found = model.lr_find(x, x[:, :1] * 5, steps=20)
            >>> 1e-7 < found.suggestion < 10.0
            True
        """
        self._check_compiled("lr_find")
        data = adapt_data(x, y, sample_weight, batch_size=batch_size, shuffle=True)
        return lr_find(self, data, min_rate, max_rate, steps, smoothing)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step on one batch; loss and metrics of this batch."""
        self._check_compiled("train_on_batch")
        return self._on_batch("train", x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Loss and metrics of one batch."""
        self._check_compiled("test_on_batch")
        return self._on_batch("test", x, y, sample_weight, None, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as NumPy arrays."""
        batch = ArrayData(x).whole()
        return tree.map_structure(_core.to_numpy, self._function("predict", batch)(batch))

    def _on_batch(
        self, kind: str, x: Any, y: Any, sample_weight: Any, class_weight: Any, as_dict: bool
    ) -> Any:
        data = ArrayData(x, y, sample_weight, class_weight=class_weight)
        batch = data.whole()
        function = self._function(kind, batch, at_once=True)
        self._check_labels(data)
        logs = loop.fetch(function(batch))
        return logs if as_dict else _as_list(logs)

    def _check_compiled(self, method: str) -> None:
        if not self.compiled:
            raise NotBuiltError(
                f'Model "{self.name}" must be compiled before {method}(): call '
                "model.compile(optimizer=…, loss=…)."
            )

    def _forget_functions(self) -> None:
        self._functions = None
        self._frozen_metrics = self._frozen_variables = self._step_metrics = None


def _as_list(logs: dict[str, Any]) -> Any:
    values = list(logs.values())
    return values[0] if len(values) == 1 else values

"""Writes what TensorBoard shows."""

import io
import json
import warnings
from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from mlapi import config
from mlapi._lazy import LazyModule
from mlapi.errors import ArgumentError, ArgumentTypeError, MlapiError, nearest
from mlapi.training.callback import Values
from mlapi.training.event_files import EventFile
from mlapi.training.recorder import Recorder, learning_rates, scalars, updates_made
from mlapi.validation import boolean, non_negative_int, positive_int

# Callbacks can be made before a backend is loaded.
layers: Any = LazyModule("mlapi.layers")

_MOST_IMAGES = 3


class TensorBoard(Recorder):
    """Writes the course of training for TensorBoard: `tensorboard --logdir logs`.

    Neither TensorFlow nor TensorBoard need be installed where a model is trained. The folders
    `train` and `validation` in `log_dir` are two runs, which TensorBoard shows in one chart:

    - `epoch_loss` and so on by epochs, and `epoch_learning_rate`;
    - `batch_loss` and so on by steps: the means of the epoch so far;
    - `evaluation_loss_vs_iterations` and so on: results of evaluations by steps.

    Steps go on from those that the optimizer has made before this `fit`.

    Args:
        log_dir: the folder.
        histogram_freq: epochs apart at which the distributions of the weights are written, 0 for
            never.
        write_graph: whether to write the layers: the summary of the model as a text, and, of
            Sequential and functional models, the configuration, which TensorBoard draws as a
            conceptual graph. The operations of the compiled step are not written.
        write_images: whether the weights are written as images, too, from least (black) to
            greatest; with `histogram_freq`, and for up to three axes.
        write_steps_per_second: whether to write how fast it goes.
        update_freq: `"epoch"`; `"batch"`, or a number of steps, to write the numbers of batches
            that many steps apart. `fit(log_every=…)` is that number where it says `"epoch"`.
        profile_batch: must be 0; profiles are made by the framework's own profiler around `fit`.
        embeddings_freq: epochs apart at which the vectors of Embedding layers are written for the
            projector, 0 for never.
        embeddings_metadata: file with a line for each row of the embeddings, or a dict from names
            of Embedding layers to such files; paths as seen from `log_dir`.

    Attributes:
        summary: the file that is open for the run `train`, for a callback of your own: it has
            `scalar`, `histogram`, `image` and `text`, all of `(name, data, step)`.

    Raises:
        ArgumentError: an argument is out of range, or names a layer that is not there.

    Example:
        >>> from mlapi.callbacks import TensorBoard
        >>> board = TensorBoard("logs/first", histogram_freq=1, update_freq=100)
    """

    def __init__(
        self,
        log_dir: str | PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int | str | Iterable[int] = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: str | Mapping[str, str] | None = None,
    ) -> None:
        self.log_dir = fspath(log_dir)
        self.histogram_freq = non_negative_int(self, "histogram_freq", histogram_freq)
        self.write_graph = boolean(self, "write_graph", write_graph)
        self.write_images = boolean(self, "write_images", write_images)
        self.write_steps_per_second = boolean(
            self, "write_steps_per_second", write_steps_per_second
        )
        self.update_freq = 1 if update_freq == "batch" else update_freq
        if self.update_freq != "epoch":
            self.update_freq = positive_int(self, "update_freq", self.update_freq)
        if profile_batch not in (0, "0", None):
            raise ArgumentError(
                f"TensorBoard: profile_batch={profile_batch!r} is not supported. Run the profiler "
                "of your framework around fit, which writes for TensorBoard as well."
            )
        self.profile_batch = 0
        self.embeddings_freq = non_negative_int(self, "embeddings_freq", embeddings_freq)
        if not isinstance(embeddings_metadata, (str, Mapping, type(None))):
            raise ArgumentTypeError(
                "TensorBoard: embeddings_metadata must be the name of a file, or a dict from names "
                f"of layers to names of files, received {embeddings_metadata!r}."
            )
        self.embeddings_metadata = embeddings_metadata
        self._train = EventFile(Path(self.log_dir, "train"))
        self._validation = EventFile(Path(self.log_dir, "validation"))
        self._shown_model: Any = None
        self._epoch_began = self._last_write = (0.0, 0)

    @property
    def summary(self) -> EventFile:
        return self._train

    def steps_apart(self) -> int | None:
        """Returns `update_freq`, or else what `fit` was told."""
        if self.update_freq == "epoch":
            return super().steps_apart()
        return int(self.update_freq)

    def on_train_begin(self, logs: Values | None = None) -> None:
        """Writes the layers."""
        super().on_train_begin(logs)
        if self.embeddings_freq:
            self._check_metadata()
        if self.model.built:
            self._write_model()
        self._last_write = (perf_counter(), self.step)

    def on_epoch_begin(self, epoch: int, logs: Values | None = None) -> None:
        """Looks at the clock."""
        super().on_epoch_begin(epoch, logs)
        self._epoch_began = (perf_counter(), self.step)

    def write_batch(self, step: int, logs: Values) -> None:
        """Writes the numbers so far."""
        names = [name for name in logs if not name.startswith("val_")]
        found = scalars(logs, names)
        if self.write_steps_per_second:
            found["steps_per_second"] = self._pace_since(self._last_write)
            self._last_write = (perf_counter(), step)
        self._write(self._train, "batch_{}", found, step)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Writes the numbers of the epoch, and of the weights what it is time for."""
        self._write_model()
        numbers = scalars(logs or {})
        found = {name: value for name, value in numbers.items() if not name.startswith("val_")}
        found.update(learning_rates(self.model))
        if self.write_steps_per_second:
            found["steps_per_second"] = self._pace_since(self._epoch_began)
        self._write(self._train, "epoch_{}", found, epoch)
        found = {name[4:]: value for name, value in numbers.items() if name.startswith("val_")}
        self._write(self._validation, "epoch_{}", found, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings()

    def on_test_end(self, logs: Values | None = None) -> None:
        """Writes the results of an evaluation."""
        if getattr(self.model, "optimizer", None) is None:
            return
        step = updates_made(self.model)
        self._write(self._validation, "evaluation_{}_vs_iterations", scalars(logs or {}), step)

    def close(self) -> None:
        """Closes the files; what comes later goes to others."""
        self._in_fit = False
        self._train.close()
        self._validation.close()

    def _write(self, file: EventFile, tag: str, found: Mapping[str, float], step: int) -> None:
        for name, value in found.items():
            file.scalar(tag.format(name), value, step)
        file.flush()

    def _pace_since(self, before: tuple[float, int]) -> float:
        clock, step = before
        return (self.step - step) / max(perf_counter() - clock, 1e-9)

    def _write_model(self) -> None:
        if not self.write_graph or self._shown_model is self.model or not self.model.built:
            return
        self._shown_model = self.model
        text = io.StringIO()
        self.model.summary(print_fn=lambda line: text.write(line + "\n"))
        # Lines that are indented are code in Markdown: shown as they are.
        indented = "".join(f"    {line}\n" for line in text.getvalue().splitlines())
        self._train.text("model/summary", indented, 0)
        if type(self.model).__name__ in ("Functional", "Sequential"):
            try:
                graph = self.model.to_json()
            except (MlapiError, NotImplementedError, TypeError) as error:
                warnings.warn(f"TensorBoard shows no graph of the model: {error}", stacklevel=2)
            else:
                self._train.string("keras", graph, 0, "graph_keras_model", b"1")
        self._train.flush()

    def _write_weights(self, epoch: int) -> None:
        for variable in self.model.weights:
            values = variable.numpy().astype("float32")
            self._train.histogram(f"{variable.path}/histogram", values, epoch)
            if self.write_images:
                images = _images(values)
                for i, image in enumerate(images):
                    number = f"/{i}" if len(images) > 1 else ""
                    self._train.image(f"{variable.path}/image{number}", image, epoch)
        self._train.flush()

    def _embeddings(self) -> list[Any]:
        return [x for x in self.model._flatten_layers() if isinstance(x, layers.Embedding)]

    def _check_metadata(self) -> None:
        if isinstance(self.embeddings_metadata, Mapping):
            there = [layer.name for layer in self._embeddings()]
            for name in self.embeddings_metadata:
                if name not in there:
                    raise ArgumentError(
                        f"TensorBoard: embeddings_metadata names {name!r}, which is no Embedding "
                        f"layer of the model ({', '.join(there) or 'it has none'})."
                        f"{nearest(name, there)}"
                    )

    def _write_embeddings(self) -> None:
        """Write vectors as lines of numbers, and the file that tells the projector of them."""
        Path(self.log_dir).mkdir(parents=True, exist_ok=True)
        metadata = self.embeddings_metadata
        parts = []
        for layer in self._embeddings():
            file = f"{layer.name}.tsv"
            vectors = layer.embeddings.numpy().astype("float32")
            np.savetxt(Path(self.log_dir, file), vectors, "%.6g", "\t")
            fields = {"tensor_name": layer.name, "tensor_path": file}
            labels = metadata.get(layer.name) if isinstance(metadata, Mapping) else metadata
            if labels is not None:
                fields["metadata_path"] = labels
            lines = [f"  {name}: {json.dumps(value)}\n" for name, value in fields.items()]
            parts.append(f"embeddings {{\n{''.join(lines)}}}\n")
        Path(self.log_dir, "projector_config.pbtxt").write_text("".join(parts), encoding="utf-8")


def _images(values: np.ndarray) -> list[np.ndarray]:
    """Pictures of a weight of up to three axes, not counting those of size 1."""
    values = values.squeeze()
    if not 1 <= values.ndim <= 3 or not values.size:
        return []
    if values.ndim == 1:
        values = values[:, None]
    elif values.ndim == 2 and values.shape[0] > values.shape[1]:
        values = values.T
    elif values.ndim == 3 and config.image_data_format() == "channels_last":
        values = values.transpose(2, 0, 1)
    low, high = values.min(), values.max()
    values = (values - low) / (high - low) if high > low else np.zeros_like(values)
    return list(values[:_MOST_IMAGES]) if values.ndim == 3 else [values]

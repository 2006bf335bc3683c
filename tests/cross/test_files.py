"""Every file format, written on each backend and read on each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mlapi.datasets import digits

FILES = ["model.keras", "model.h5", "weights.weights.h5", "weights.safetensors", "weights.h5"]
STEPS = 3


def build_model() -> Any:
    import mlapi
    from mlapi import layers

    return mlapi.Sequential(
        [
            mlapi.Input((8, 8, 1)),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def load_images() -> tuple[np.ndarray, np.ndarray]:
    (x, y), _ = digits.load_data()
    return x[:640, ..., None].astype("float32") / 16, y[:640]


def write(folder: str) -> dict[str, Any]:
    """Train a little, write the files; the predictions, and how training goes on."""
    from mlapi.config import backend

    x, y = load_images()
    model = build_model()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, verbose=0)
    target = Path(folder, backend())
    target.mkdir(parents=True)
    for name in FILES:
        save = model.save if name.startswith("model") else model.save_weights
        save(target / name)
    predictions = model.predict(x, verbose=0)
    losses = [model.train_on_batch(x[:32], y[:32]) for _ in range(STEPS)]
    return {"predictions": predictions, "losses": np.ravel(losses)}


def read(folder: str) -> dict[str, Any]:
    """The predictions of each file, and how training goes on with each whole model."""
    from mlapi.models import load_model

    x, y = load_images()
    results = {}
    for source in Path(folder).iterdir():
        for name in FILES:
            key = f"{source.name} {name}"
            if name.startswith("model"):
                model = load_model(source / name)
            else:
                model = build_model()
                model.load_weights(source / name)
            results[key] = model.predict(x, verbose=0)
            if name.startswith("model"):
                losses = [model.train_on_batch(x[:32], y[:32]) for _ in range(STEPS)]
                results[f"{key} losses"] = np.ravel(losses)
    return results


def test_files_of_every_backend_load_on_every_backend(
    run_everywhere: Callable, tmp_path: Path
) -> None:
    written = run_everywhere(write, str(tmp_path / "files"))
    loaded = run_everywhere(read, str(tmp_path / "files"))
    for writer, run in written.items():
        for reader, found in loaded.items():
            for name in FILES:
                key, message = f"{writer} {name}", f"{name} written on {writer}, read on {reader}"
                np.testing.assert_allclose(
                    found[key], run["predictions"], 1e-4, 1e-5, True, message
                )
                if name.startswith("model"):  # the optimizer's state travels along
                    losses = found[f"{key} losses"]
                    np.testing.assert_allclose(losses, run["losses"], 1e-3, 0, True, message)

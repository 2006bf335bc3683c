"""A program to interrupt: everything that has state, and what two equal runs have in common.

    python -m tests.training.program FOLDER [--freq N] [--epochs N] [--patience N]

goes on from the checkpoints in FOLDER, and writes what it came to into FOLDER/result.json.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import mlapi
from mlapi import host_random, layers, optimizers
from mlapi.callbacks import BackupAndRestore, Callback, CSVLogger, EarlyStopping
from mlapi.state import collect

BATCH, STEPS = 8, 5
SIZE = BATCH * STEPS


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(SIZE + BATCH, 5)).astype("float32")
    return x, (x.sum(1) > 0).astype("int32")


def model_of() -> mlapi.Model:
    """Built at its first batch only, so that nothing can rely on its weights being there."""
    model = mlapi.Sequential(
        [
            layers.Dense(7, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.4),
            layers.GaussianNoise(0.1),
            layers.Dense(2),
        ]
    )
    optimizer = optimizers.Adam(
        optimizers.schedules.ExponentialDecay(0.05, 3, 0.9),
        use_ema=True,
        ema_momentum=0.9,
        gradient_accumulation_steps=2,
        clipnorm=1.0,
    )
    loss = mlapi.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def outcome(model: mlapi.Model) -> dict[str, Any]:
    """Weights and the optimizer's state as a digest of their bytes, and the rest as it is."""
    variables = collect([model, model.optimizer])
    digest = hashlib.sha256()
    for variable in variables:
        digest.update(f"{variable.shape}{variable.dtype}".encode() + variable.numpy().tobytes())
    return {
        "variables": digest.hexdigest(),
        "count": len(variables),
        "history": model.history.history,
        "epochs": model.history.epoch,
        "draws": host_random.state(),
        "noise": mlapi.ops.convert_to_numpy(mlapi.random.normal((2,))).tolist(),
    }


def run(
    folder: Path,
    freq: str | int = "epoch",
    callbacks: Sequence[Callback] = (),
    epochs: int = 6,
    patience: int = 3,
) -> dict[str, Any]:
    """The program as a process would run it from its beginning."""
    mlapi.utils.set_random_seed(5)
    x, y = data()
    model = model_of()
    log = folder / "log.csv"
    standing = [
        EarlyStopping(patience=patience, restore_best_weights=True),
        BackupAndRestore(folder / "backup", save_freq=freq, delete_checkpoint=False),
        CSVLogger(log),
    ]
    everything = [*standing, *callbacks]
    model.fit(
        x[:SIZE],
        y[:SIZE],
        batch_size=BATCH,
        epochs=epochs,
        validation_data=(x[SIZE:], y[SIZE:]),
        callbacks=everything,
        verbose=0,
    )
    return outcome(model) | {"log": log.read_text(encoding="utf-8")}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--freq", default="epoch")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--patience", type=int, default=3)
    options = parser.parse_args()
    freq = options.freq if options.freq == "epoch" else int(options.freq)
    result = run(options.folder, freq, (), options.epochs, options.patience)
    (options.folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()

"""A program to interrupt: everything that has state, and a digest of where it ended.

Run as `python -m tests.training.program FOLDER [--freq N] [--epochs N] [--patience N]`; it goes on from the
checkpoints in FOLDER, and writes what it came to into FOLDER/result.json.
"""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

import mlapi
from mlapi import host_random, layers, optimizers
from mlapi.state import collect

SIZE, BATCH = 44, 8  # five batches of eight and one of four
STEPS = -(-SIZE // BATCH)


def data():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(SIZE, 5)).astype("float32")
    return x, (x.sum(1) > 0).astype("int32")


def model_of(optimizer: Any = None) -> mlapi.Model:
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
    if optimizer is None:
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
    """Everything that two equal runs have in common, arrays as digests of their bytes."""
    variables = collect([model, model.optimizer])
    digest = hashlib.sha256()
    for variable in variables:
        digest.update(f"{variable.shape}{variable.dtype}".encode() + variable.numpy().tobytes())
    history = model.history
    return {
        "variables": digest.hexdigest(),
        "count": len(variables),
        "history": history.history,
        "epochs": history.epoch,
        "draws": host_random.state(),
        "noise": mlapi.ops.convert_to_numpy(mlapi.random.normal((2,))).tolist(),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--freq", default="epoch")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--patience", type=int, default=3)
    options = parser.parse_args()
    mlapi.utils.set_random_seed(5)
    x, y = data()
    model = model_of()
    freq = options.freq if options.freq == "epoch" else int(options.freq)
    callbacks = [
        mlapi.callbacks.EarlyStopping(patience=options.patience, restore_best_weights=True),
        mlapi.callbacks.BackupAndRestore(
            options.folder / "backup", save_freq=freq, delete_checkpoint=False
        ),
        mlapi.callbacks.CSVLogger(options.folder / "log.csv"),
    ]
    model.fit(
        x,
        y,
        batch_size=BATCH,
        epochs=options.epochs,
        validation_split=0.25,
        callbacks=callbacks,
        verbose=0,
    )
    result = outcome(model) | {"log": (options.folder / "log.csv").read_text()}
    (options.folder / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()

"""`mlapi quickstart`: a small network learns to read handwritten digits, in a few seconds.

This file is also an example of a program that uses mlapi. It names no framework: the same code
runs on every backend.
"""

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import mlapi
from mlapi.datasets import digits
from mlapi.visualization import plot_history

if TYPE_CHECKING:
    from mlapi import Model

FRAMEWORKS = ("jax", "torch", "tensorflow")
BATCH_SIZE = 32
# Whole batches only: compilers compile once for every size of a batch.
LEARNT_FROM = 40 * BATCH_SIZE


def build_model() -> "Model":
    """Returns a CNN for images of shape (8, 8) with values from 0 to 16."""
    layers = mlapi.layers
    return mlapi.Sequential(
        [
            mlapi.Input((8, 8)),
            layers.Reshape((8, 8, 1)),
            layers.Rescaling(1 / 16),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.25),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.25),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )


def run(epochs: int, seed: int, out: Path) -> float:
    """Trains, evaluates, and writes `digits.keras` and `history.png` into the folder `out`.

    Returns:
        The accuracy on the test images, from 0 to 1.
    """
    start = perf_counter()
    mlapi.utils.set_random_seed(seed)
    out.mkdir(parents=True, exist_ok=True)
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    x, y, validation = x_train[:LEARNT_FROM], y_train[:LEARNT_FROM], x_train[LEARNT_FROM:]
    say(f"mlapi {mlapi.__version__}, computing with {mlapi.config.backend()}")
    say(
        f"Handwritten digits of 8×8 pixels: {len(x):,} to learn from, {len(validation)} to watch "
        f"the progress on, {len(x_test)} for the test.\n"
    )

    model = build_model()
    steps = epochs * len(x) // BATCH_SIZE
    model.compile(
        optimizer=mlapi.optimizers.Adam(mlapi.optimizers.schedules.CosineDecay(0.003, steps)),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        x,
        y,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        validation_data=(validation, y_train[LEARNT_FROM:]),
        validation_batch_size=len(validation),
    )
    results = model.evaluate(x_test, y_test, batch_size=len(x_test), verbose=0, return_dict=True)
    accuracy = results["accuracy"]

    model_file, picture = out / "digits.keras", out / "history.png"
    model.save(model_file)
    plot_history(history, picture)
    right = round(accuracy * len(y_test))
    say(f"\nTest accuracy: {accuracy:.1%} ({right} of {len(y_test)} digits never seen before)")
    say(f"Model:         {model_file}")
    say(f"Loss curve:    {picture}")
    say(f"Time:          {perf_counter() - start:.0f} s\n")
    say("Try next:")
    for purpose, command in next_commands(model_file, seed):
        say(f"  # {purpose}\n  {command}")
    return accuracy


def next_commands(model_file: Path, seed: int) -> list[tuple[str, str]]:
    """Returns three shell commands that go on from here, each with what it is for."""
    path = f'"{model_file.as_posix()}"'
    summary = f"import mlapi; mlapi.models.load_model({path}).summary()"
    predict = (
        "import mlapi; _, (x, y) = mlapi.datasets.digits.load_data(); "
        f"print(mlapi.models.load_model({path}).predict(x[:9], verbose=0).argmax(1), y[:9])"
    )
    here = mlapi.config.backend()
    others = [name for name in FRAMEWORKS if name != here and importlib.util.find_spec(name)]
    if others:
        again = "train the same model with another framework"
        options = ["--backend", others[0]]
    else:
        again = "start from other weights, and train for longer"
        options = ["--seed", str(seed + 1), "--epochs", "20"]
    return [
        ("look at the layers", _command("python", "-c", summary)),
        ("read nine test digits: answers, then the truth", _command("python", "-c", predict)),
        (again, _command("mlapi", "quickstart", *options)),
    ]


def _command(program: str, *arguments: str) -> str:
    """A line for the shell of this system; `program` is that of the running environment."""
    folder = Path(sys.executable).parent
    found = shutil.which(program)
    words = [program if found and Path(found).parent == folder else str(folder / program)]
    words += arguments
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def say(text: str) -> None:
    """Writes a line at once, also into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()

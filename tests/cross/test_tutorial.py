"""A program as tutorials have it, and what its checkpoints are worth on the other backends."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mlapi.callbacks import EarlyStopping, ModelCheckpoint
from mlapi.datasets import digits

EPOCHS = 3


def load_digits() -> tuple:
    from mlapi.utils import to_categorical

    (x, y), (x_test, y_test) = digits.load_data()
    x, x_test = (a.reshape(-1, 64).astype("float32") / 16 for a in (x, x_test))
    return (x, to_categorical(y)), (x_test, to_categorical(y_test))


def train(folder: str) -> dict[str, Any]:
    """Train as in 2017; the history, and the predictions at the end."""
    from mlapi.config import backend
    from mlapi.layers import Activation, Dense, Dropout
    from mlapi.layers.normalization import BatchNormalization
    from mlapi.models import Sequential
    from mlapi.optimizers import SGD
    from mlapi.utils import set_random_seed

    set_random_seed(3)
    training, test = load_digits()
    model = Sequential()
    model.add(Dense(32, input_dim=64))
    model.add(BatchNormalization())
    model.add(Activation("relu"))
    model.add(Dropout(0.2))
    model.add(Dense(10))
    model.add(Activation("softmax"))
    model.compile(
        optimizer=SGD(lr=0.01, momentum=0.9, nesterov=True),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    checkpoint = ModelCheckpoint(
        f"{folder}/{backend()}/" + "weights.{epoch:02d}-{val_acc:.2f}.hdf5",
        monitor="val_acc",
        save_best_only=False,
        mode="auto",
        period=1,
    )
    history = model.fit(
        *training,
        epochs=EPOCHS,
        verbose=0,
        validation_data=test,
        callbacks=[checkpoint, EarlyStopping(monitor="val_loss", min_delta=0, patience=10)],
    )
    return {**history.history, "predictions": model.predict(test[0], verbose=0)}


def load(folder: str) -> dict[str, Any]:
    """Predictions of every backend's last checkpoint, and the loss when training goes on."""
    from mlapi.models import load_model

    training, (x_test, _) = load_digits()
    results = {}
    for written in Path(folder).iterdir():
        model = load_model(max(map(str, written.iterdir())))
        results[written.name] = model.predict(x_test, verbose=0)
        results[f"{written.name} loss"] = model.fit(*training, verbose=0).history["loss"][0]
    return results


def test_checkpoints_of_a_tutorial_load_on_every_backend(
    run_everywhere: Callable, tmp_path: Path
) -> None:
    trained = run_everywhere(train, str(tmp_path / "runs"))
    loaded = run_everywhere(load, str(tmp_path / "runs"))
    for writer, run in trained.items():
        names = [f"weights.{i + 1:02d}-{v:.2f}.hdf5" for i, v in enumerate(run["val_accuracy"])]
        assert sorted(path.name for path in (tmp_path / "runs" / writer).iterdir()) == names
        assert len(names) == EPOCHS
        assert run["val_accuracy"][-1] > 0.85
        for reader, found in loaded.items():
            message = f"written on {writer}, read on {reader}"
            np.testing.assert_allclose(
                found[writer], run["predictions"], rtol=1e-4, atol=1e-6, err_msg=message
            )
            assert found[f"{writer} loss"] < run["loss"][-1], message

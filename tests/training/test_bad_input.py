"""Bad input to training: one error that says what, where, what was received, and the mend."""

import numpy as np
import pytest

import mlapi
from mlapi import layers
from mlapi.errors import ArgumentError, DataError, DivergedError, NotBuiltError, ShapeError

X = np.random.default_rng(0).uniform(size=(12, 4)).astype("float32")
LABELS = np.arange(12) % 3


def classifier(activation="relu", **compiled) -> mlapi.Sequential:
    model = mlapi.Sequential(
        [
            mlapi.Input((4,)),
            layers.Dense(5, activation, name="hidden"),
            layers.Dense(3, "softmax", name="scores"),
        ],
        name="net",
    )
    model.compile(**{"optimizer": "adam", "loss": "sparse_categorical_crossentropy"} | compiled)
    return model


def fit(x=X, y=LABELS, model=None, **kwargs):
    return (model or classifier()).fit(x, y, verbose=0, **kwargs)


@pytest.mark.parametrize(
    ("call", "error", "parts"),
    [
        (lambda: fit(X[:, :3]), ShapeError, ["net", "expected size 4", "received 3", "(12, 3)"]),
        (lambda: fit(X[:, None]), ShapeError, ["net", "rank 2", "rank 3"]),
        (lambda: classifier().predict(X[:, :3], verbose=0), ShapeError, ["net", "received 3"]),
        (lambda: fit(y=LABELS + 1), DataError, ["3", "0 to 2", "classes"]),
        (lambda: fit(y=LABELS - 1), DataError, ["-1", "0 to 2"]),
        (lambda: classifier().evaluate(X, LABELS + 1, verbose=0), DataError, ["0 to 2"]),
        (lambda: classifier().train_on_batch(X, LABELS + 1), DataError, ["0 to 2"]),
        (lambda: fit(y=np.eye(3)[LABELS]), ShapeError, ["(12, 3)", "one-hot"]),
        (
            lambda: fit(model=classifier(loss="categorical_crossentropy")),
            ShapeError,
            ["(12,)", "(12, 3)", "sparse"],
        ),
        (lambda: fit(y=LABELS[:7]), DataError, ["same length", "(12, 4)", "(7,)"]),
        (lambda: fit(X[:0], LABELS[:0]), DataError, ["empty", "(0, 4)"]),
        (lambda: fit(iter([]), None), DataError, ["empty", "not one batch"]),
        (lambda: fit(y=None), DataError, ["y is missing", "net"]),
        (lambda: fit(None, LABELS), DataError, ["x is None"]),
        (lambda: fit([["a"] * 4] * 12), DataError, ["no number"]),
        (lambda: fit(np.array([[object()] * 4] * 12)), DataError, ["no number"]),
        (
            # There are relu kernels that make zeros of NaN.
            lambda: fit(np.full_like(X, np.nan), model=classifier("linear")),
            DivergedError,
            ["NaN", "data contain NaN"],
        ),
        (
            lambda: fit(model=classifier(optimizer=mlapi.optimizers.SGD(1e30)), epochs=3),
            DivergedError,
            ["NaN", "learning rate"],
        ),
        (lambda: fit(batch_size=0), ArgumentError, ["batch_size", "0"]),
        (lambda: fit(epochs="3"), ArgumentError, ["epochs", "'3'"]),
        (lambda: fit(validation_split=1.5), ArgumentError, ["validation_split", "1.5"]),
        (lambda: fit(validation_split=0.99), DataError, ["validation_split", "12 rows"]),
        (lambda: classifier(loss="categorical_crossentrop"), ArgumentError, ["Did you mean"]),
        (lambda: classifier(optimizer="adamm"), ArgumentError, ["Did you mean 'adam"]),
        (lambda: classifier(metrics=["acuracy"]), ArgumentError, ["Did you mean 'accuracy'"]),
        (
            lambda: mlapi.Sequential([mlapi.Input((4,)), layers.Dense(1)]).fit(X, LABELS),
            NotBuiltError,
            ["compile", "fit"],
        ),
    ],
)  # fmt: skip
def test_message(call, error, parts: list[str]) -> None:
    with pytest.raises(error) as caught:
        call()
    for part in parts:
        assert part in str(caught.value)


def test_failed_call_leaves_the_model_usable() -> None:
    model = classifier()
    before = model.get_weights()
    with pytest.raises(DataError):
        fit(y=LABELS + 7, model=model)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert np.isfinite(fit(model=model).history["loss"]).all()


def test_history_is_there_after_divergence() -> None:
    model = classifier(optimizer=mlapi.optimizers.SGD(1e30))
    with pytest.raises(DivergedError):
        fit(model=model, epochs=3)
    assert np.isnan(model.history.history["loss"][-1])


def test_terminate_on_nan_takes_the_place_of_the_error() -> None:
    model = classifier(optimizer=mlapi.optimizers.SGD(1e30))
    history = fit(model=model, epochs=9, callbacks=[mlapi.callbacks.TerminateOnNaN()])
    assert len(history.epoch) < 9

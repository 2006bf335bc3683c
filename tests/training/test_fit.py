"""`fit`, `evaluate`, `predict` and their single-batch forms, against NumPy and closed forms."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, losses, metrics, ops, optimizers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 3)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + 0.3).astype("float32")


def linear(optimizer=None, **compiled) -> mlapi.Sequential:
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile(optimizer or optimizers.SGD(0.0), compiled.pop("loss", "mse"), **compiled)
    return model


def squared_errors(model: mlapi.Model, x: np.ndarray = X, y: np.ndarray = Y) -> np.ndarray:
    kernel, bias = model.get_weights()
    return ((x @ kernel + bias - y) ** 2)[:, 0]


def test_full_batch_training_is_gradient_descent() -> None:
    model = linear(optimizers.SGD(0.1))
    model.fit(X, Y, batch_size=20, epochs=15, verbose=0)
    kernel, bias = np.ones((3, 1)), np.zeros(1)
    for _ in range(15):
        error = X @ kernel + bias - Y
        kernel, bias = kernel - 0.2 * X.T @ error / 20, bias - 0.2 * error.mean(0)
    found = model.get_weights()
    np.testing.assert_allclose(found[0], kernel, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[1], bias, rtol=1e-5, atol=1e-6)


def test_logs_average_over_rows_not_batches() -> None:
    """The last batch has 6 of 20 rows; nothing is learnt, so the epoch's loss is that of all."""
    model = linear(metrics=["mae"])
    history = model.fit(X, Y, batch_size=7, epochs=2, verbose=0).history
    expected = squared_errors(model).mean()
    np.testing.assert_allclose(history["loss"], [expected, expected], rtol=1e-5)
    np.testing.assert_allclose(history["mae"], np.sqrt(squared_errors(model)).mean(), rtol=1e-5)
    np.testing.assert_allclose(
        model.evaluate(X, Y, batch_size=7, verbose=0),
        [expected, np.sqrt(squared_errors(model)).mean()],
        rtol=1e-5,
    )


def test_sample_weights_multiply_each_row() -> None:
    model = linear()
    weights = RNG.uniform(size=20).astype("float32")
    found = model.evaluate(X, Y, sample_weight=weights, batch_size=20, verbose=0)
    assert found == pytest.approx((squared_errors(model) * weights).mean(), rel=1e-5)


def test_class_weights_are_weights_of_rows() -> None:
    labels = (Y[:, 0] > 0).astype("int32")
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(2)])
    model.compile(optimizers.SGD(0.0), losses.SparseCategoricalCrossentropy(from_logits=True))
    weights = np.where(labels == 1, 5.0, 0.5).astype("float32")
    history = model.fit(X, labels, class_weight={0: 0.5, 1: 5.0}, batch_size=20, verbose=0)
    expected = model.evaluate(X, labels, sample_weight=weights, batch_size=20, verbose=0)
    assert history.history["loss"][0] == pytest.approx(expected, rel=1e-5)


def test_validation_split_is_the_end_of_the_data() -> None:
    model = linear()
    history = model.fit(X, Y, validation_split=0.25, verbose=0).history
    errors = squared_errors(model)
    assert history["loss"][0] == pytest.approx(errors[:15].mean(), rel=1e-5)
    assert history["val_loss"][0] == pytest.approx(errors[15:].mean(), rel=1e-5)


def test_validation_data_and_frequency() -> None:
    history = (
        linear().fit(X, Y, epochs=5, validation_data=(X, Y), validation_freq=2, verbose=0).history
    )
    assert len(history["loss"]) == 5
    assert len(history["val_loss"]) == 2


def test_initial_epoch() -> None:
    history = linear().fit(X, Y, epochs=7, initial_epoch=4, verbose=0)
    assert history.epoch == [4, 5, 6]


def test_steps_per_epoch_goes_on_in_the_data() -> None:
    seen: list[float] = []

    def stream():
        for i in range(9):
            seen.append(i)
            yield X[i : i + 1], Y[i : i + 1]

    model = linear()
    history = model.fit(stream(), steps_per_epoch=3, epochs=3, verbose=0).history
    errors = squared_errors(model)[:9].reshape(3, 3).mean(1)
    np.testing.assert_allclose(history["loss"], errors, rtol=1e-5)


def test_steps_per_epoch_starts_the_data_again() -> None:
    """Four batches of five rows, epochs of one: after the fourth comes the first."""
    model = linear()
    history = model.fit(X, Y, batch_size=5, steps_per_epoch=1, epochs=9, shuffle=False, verbose=0)
    errors = squared_errors(model).reshape(4, 5).mean(1)
    np.testing.assert_allclose(history.history["loss"], [*errors, *errors, errors[0]], rtol=1e-5)


class Indexed:
    """Batches by index, with neither `__iter__` nor a length of arrays."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        return X[i * 5 : i * 5 + 5], Y[i * 5 : i * 5 + 5]


@pytest.mark.parametrize(
    "make",
    [
        lambda: {"x": X, "y": Y, "batch_size": 5},
        lambda: {"x": X.tolist(), "y": Y.tolist(), "batch_size": 5},
        lambda: {"x": ops.convert_to_tensor(X), "y": ops.convert_to_tensor(Y), "batch_size": 5},
        lambda: {"x": X.astype("float64"), "y": Y.astype("float64"), "batch_size": 5},
        lambda: {"x": [(X[i : i + 5], Y[i : i + 5]) for i in range(0, 20, 5)][0:4].__iter__()},
        lambda: {"x": Indexed()},
    ],
    ids=["arrays", "lists", "tensors", "float64", "iterator", "indexed"],
)
def test_same_data_in_any_container_trains_the_same(make) -> None:
    expected = linear(optimizers.SGD(0.05))
    expected.fit(X, Y, batch_size=5, shuffle=False, verbose=0)
    model = linear(optimizers.SGD(0.05))
    model.fit(**make(), shuffle=False, verbose=0)
    for found, wanted in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_predict_is_the_model_on_all_rows() -> None:
    model = linear()
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model.predict(X, batch_size=6, verbose=0), X @ kernel + bias, 1e-5)
    np.testing.assert_allclose(model.predict_on_batch(X[:3]), X[:3] @ kernel + bias, 1e-5)


def test_predict_keeps_the_structure_of_outputs() -> None:
    x = mlapi.Input((3,))
    model = mlapi.Model(x, {"twice": x * 2.0, "pair": [x + 1.0, x - 1.0]})
    found = model.predict(X, batch_size=7, verbose=0)
    np.testing.assert_allclose(found["twice"], X * 2, rtol=1e-6)
    np.testing.assert_allclose(found["pair"][1], X - 1, rtol=1e-6)


def test_single_batches() -> None:
    model = linear(optimizers.SGD(0.1), metrics=["mae"])
    before = squared_errors(model)[:4]
    loss, mae = model.train_on_batch(X[:4], Y[:4])
    assert loss == pytest.approx(before.mean(), rel=1e-5)
    assert mae == pytest.approx(np.sqrt(before).mean(), rel=1e-5)
    found = model.test_on_batch(X[4:8], Y[4:8], return_dict=True)
    assert found["loss"] == pytest.approx(squared_errors(model)[4:8].mean(), rel=1e-5)


def test_same_seed_same_run() -> None:
    def run(seed: int) -> list[float]:
        mlapi.utils.set_random_seed(seed)
        model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(8, "relu"), layers.Dense(1)])
        model.compile("adam", "mse")
        return model.fit(X, Y, batch_size=4, epochs=3, verbose=0).history["loss"]

    assert run(5) == run(5)
    assert run(5) != run(6)


def test_several_outputs_by_name() -> None:
    x = mlapi.Input((3,), name="features")
    a, b = layers.Dense(1, name="a")(x), layers.Dense(1, name="b")(x)
    model = mlapi.Model(x, [a, b])
    model.compile(
        optimizers.SGD(0.0), {"a": "mse", "b": "mae"}, loss_weights={"b": 3.0}, metrics={"a": "mae"}
    )
    logs = model.evaluate({"features": X}, {"b": Y, "a": Y}, return_dict=True, verbose=0)
    pa, pb = model.predict(X, verbose=0)
    assert logs["a_loss"] == pytest.approx(((pa - Y) ** 2).mean(), rel=1e-5)
    assert logs["b_loss"] == pytest.approx(np.abs(pb - Y).mean(), rel=1e-5)
    assert logs["loss"] == pytest.approx(logs["a_loss"] + 3 * logs["b_loss"], rel=1e-5)
    assert logs["a_mae"] == pytest.approx(np.abs(pa - Y).mean(), rel=1e-5)


def test_regularizers_add_to_the_loss() -> None:
    x = mlapi.Input((3,))
    model = mlapi.Model(x, layers.Dense(1, kernel_regularizer="l2")(x))
    model.compile(optimizers.SGD(0.0), "mse")
    kernel = model.get_weights()[0]
    expected = squared_errors(model).mean() + 0.01 * (kernel**2).sum()
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_second_fit_uses_the_same_functions() -> None:
    model = linear()
    model.fit(X, Y, verbose=0)
    first = model._function("train", (X, Y, None))
    model.fit(X, Y, verbose=0)
    assert model._function("train", (X, Y, None)) is first


def test_metrics_of_sparse_labels_count_hits() -> None:
    labels = RNG.integers(0, 3, 20)
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(3)])
    model.compile(
        "sgd",
        losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy", metrics.SparseTopKCategoricalAccuracy(2, name="top2")],
    )
    logs = model.evaluate(X, labels, return_dict=True, verbose=0)
    order = np.argsort(-model.predict(X, verbose=0), axis=1)
    assert logs["accuracy"] == pytest.approx((order[:, 0] == labels).mean())
    assert logs["top2"] == pytest.approx((order[:, :2] == labels[:, None]).any(1).mean())

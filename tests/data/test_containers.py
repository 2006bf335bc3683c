"""The same numbers in any container train the same model."""

import sys

import h5py
import numpy as np
import pytest

import mlapi
from mlapi import layers, ops, optimizers
from mlapi.data import adapt
from mlapi.errors import ArgumentError, DataError, ShapeError
from tests.data import sources
from tests.data.sources import SIZE, X, Y


def linear() -> mlapi.Model:
    x = mlapi.Input((3,), name="x")
    model = mlapi.Model(x, layers.Dense(1, kernel_initializer="ones")(x))
    model.compile(optimizers.SGD(0.05), "mse", metrics=["mae"])
    return model


def fit(x, y=None, **kwargs) -> dict:
    options = {"epochs": 2, "batch_size": SIZE, "shuffle": False, "verbose": 0} | kwargs
    return linear().fit(x, y, **options).history


@pytest.fixture(scope="module")
def expected() -> dict:
    history = fit(X, Y, validation_data=(X, Y))
    assert len(set(history["loss"])) == 2
    return history


def in_file(folder, name: str, array: np.ndarray) -> h5py.Dataset:
    file = h5py.File(folder / f"{name}.h5", "w")
    return file.create_dataset(name, data=array)


def on_disk(folder, name: str, array: np.ndarray) -> np.memmap:
    path = folder / f"{name}.npy"
    np.save(path, array)
    return np.load(path, mmap_mode="r")


def frame(kind: type) -> object:
    return kind({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "target": Y[:, 0]})


def endless():
    while True:
        yield from sources.Loader()


CONTAINERS = {
    "lists": lambda _: (X.tolist(), Y.tolist()),
    "tuples": lambda _: (tuple(map(tuple, X.tolist())), Y.tolist()),
    "float64": lambda _: (X.astype("float64"), Y.astype("float64")),
    "not in rows": lambda _: (np.asfortranarray(X), Y[::-1][::-1]),
    "tensors": lambda _: (ops.convert_to_tensor(X), ops.convert_to_tensor(Y)),
    "dict": lambda _: ({"x": X, "id": np.arange(20)}, Y),
    "dict of lists": lambda _: ({"x": X.tolist()}, Y.tolist()),
    "lists of one": lambda _: ([X], [Y]),
    "frame and series": lambda _: (
        sources.without(frame(sources.PandasFrame), "target"),
        sources.Series(Y[:, 0]),
    ),
    "pandas column": lambda _: (frame(sources.PandasFrame), "target"),
    "polars column": lambda _: (frame(sources.PolarsFrame), "target"),
    "column of a dict": lambda _: ({"x": X, "target": Y}, "target"),
    "h5py": lambda folder: (in_file(folder, "x", X), in_file(folder, "y", Y.astype("float64"))),
    "memmap": lambda folder: (on_disk(folder, "x", X), on_disk(folder, "y", Y)),
    "torch rows": lambda _: (sources.Rows(),),
    "torch rows together": lambda _: (sources.RowsTogether(),),
    "torch stream": lambda _: (sources.Stream(),),
    "hub": lambda _: (sources.HubTable(), "label"),
    "hub formatted": lambda _: (sources.HubTable(formatted=True), "label"),
    "hub stream": lambda _: (sources.HubStream(), "label"),
    "loader": lambda _: (sources.Loader(),),
    "list of batches by index": lambda _: (type("Old", (), dict(vars(sources.Batches)))(),),
    "PyDataset": lambda _: (sources.Batches(),),
    "threads": lambda _: (sources.Waiting(workers=3),),
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_same_curve(kind: str, expected: dict, tmp_path) -> None:
    assert fit(*CONTAINERS[kind](tmp_path)) == {k: expected[k] for k in ("loss", "mae")}


def test_same_curve_from_a_generator(expected: dict) -> None:
    history = fit(endless(), steps_per_epoch=4, validation_data=sources.Loader())
    assert history == expected


def test_same_curve_from_batches_of_tensors(expected: dict) -> None:
    batches = [tuple(map(ops.convert_to_tensor, batch)) for batch in sources.Loader()]
    source = type("Tensors", (), {"__iter__": lambda _: iter(batches)})()
    assert fit(source)["loss"] == expected["loss"]


@pytest.mark.parametrize(
    "kind", ["lists", "pandas column", "h5py", "torch rows", "hub", "hub stream", "PyDataset"]
)
def test_any_container_validates_and_predicts(kind: str, expected: dict, tmp_path) -> None:
    x, y = (*CONTAINERS[kind](tmp_path), None)[:2]
    data = x if y is None or isinstance(y, str) else (x, y)
    if isinstance(y, str):
        history = fit({"x": X, y: Y}, y, validation_data=data)
    else:
        history = fit(X, Y, validation_data=data)
    assert history == expected
    model = linear()
    if kind != "pandas column":  # whose targets are among the columns
        kernel, bias = model.get_weights()
        found = model.predict(x, batch_size=SIZE, verbose=0)
        np.testing.assert_allclose(found, X @ kernel + bias, rtol=1e-5)


def test_labels_of_64_bits() -> None:
    """Labels come as int64 from NumPy and from torch; results are those of int32."""

    def run(*data):
        mlapi.utils.set_random_seed(0)
        model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(4)])
        loss = mlapi.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("sgd", loss, metrics=["accuracy"])
        weights = {0: 1.0, 2: 3.0}
        options = {"class_weight": weights, "shuffle": False, "batch_size": SIZE, "verbose": 0}
        return model.fit(*data, **options).history

    labels = np.arange(20) % 4
    batches = [(X[i : i + 5], labels[i : i + 5]) for i in range(0, 20, 5)]
    tensors = [(ops.convert_to_tensor(x), ops.convert_to_tensor(y)) for x, y in batches]
    expected = run(X, labels.astype("int32"))
    assert run(X, labels) == run(X, labels.tolist()) == run(iter(batches)) == expected
    assert run(iter(tensors)) == expected


def test_packages_are_not_imported_to_be_recognised() -> None:
    packages = {"torch", "tensorflow", "jax", "pandas", "polars", "datasets", "grain", "keras"}
    before = packages & sys.modules.keys()
    for make in CONTAINERS.values():
        if make.__code__.co_varnames == ("_",):
            x, y = (*make(None), None)[:2]
            list(adapt(x, y, batch_size=SIZE))
    assert packages & sys.modules.keys() == before


def test_split_of_any_rows() -> None:
    errors = fit(X, Y, validation_split=0.25)
    for x, y in ((sources.Rows(), None), (sources.HubTable(), "label"), (X.tolist(), Y.tolist())):
        assert fit(x, y, validation_split=0.25) == errors
    with pytest.raises(ArgumentError, match="validation_split needs data whose rows"):
        fit(sources.Loader(), validation_split=0.25)


def test_inputs_are_matched_by_name() -> None:
    a, b = mlapi.Input((3,), name="a"), mlapi.Input((3,), name="b")
    flat, named = mlapi.Model([a, b], a - b), mlapi.Model({"p": a, "q": {"r": b}}, a - b)
    data = {"b": X, "other": X[:, :1], "a": 3 * X}
    np.testing.assert_allclose(flat.predict(data, verbose=0), 2 * X, rtol=1e-6)
    np.testing.assert_allclose(named.predict(data, verbose=0), 2 * X, rtol=1e-6)
    nested = {"q": {"other": X, "r": X}, "p": 3 * X, "other": X}
    np.testing.assert_allclose(named.predict(nested, verbose=0), 2 * X, rtol=1e-6)
    with pytest.raises(ShapeError, match="inputs 'a' are missing; received 'b', 'c'"):
        flat.predict({"b": X, "c": X}, verbose=0)
    with pytest.raises(ShapeError, match="inputs 'p' are missing"):
        named.predict({"q": {"r": X}}, verbose=0)
    with pytest.raises(ShapeError, match="inputs 'x' are missing; received 'b', 'c'"):
        linear().predict({"b": X, "c": X}, verbose=0)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ((sources.Loader(), Y), DataError, "Loader, which yields whole batches or rows: y must"),
        ((sources.Loader(), None, Y), DataError, "sample_weight must come out of it"),
        ((sources.HubSplits(train=X, test=X), "y"), DataError, "splits: 'train', 'test'"),
        ((object(), Y), DataError, "object, which neither holds arrays nor yields batches"),
        (({"x": X}, "label"), DataError, "'label' names no column of x, which has 'x'"),
        ((X, "label"), DataError, "x is a ndarray, which has none"),
        ((sources.Loader(), "label"), DataError, "name of a column, but x is a ndarray"),
        (([[1.0, 2.0], [3.0]], Y), DataError, "x is a nest of different lengths"),
        ((sources.PandasFrame({"a": ["p", "q"]}), Y), DataError, "no number; received DataFrame"),
    ],
)
def test_message(data: tuple, error: type, message: str) -> None:
    x, y, weight = (*data, None)[:3]
    with pytest.raises(error, match=message):
        fit(x, y, sample_weight=weight)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shuffle": "rows"}, "True, False or \"batch\", received 'rows'"),
        ({"batch_size": 2.5}, "batch_size must be an int of 1 or more, received 2.5"),
        ({"class_weight": {"cat": 1.0}}, "dict of class number → weight"),
    ],
)
def test_argument_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        fit(X, Y, **arguments)


def test_rows_of_different_shapes_are_refused() -> None:
    class Ragged(sources.Rows):
        def __getitem__(self, index: int):
            return np.zeros(index), 0.0

    with pytest.raises(DataError, match=r"different shapes: \(0,\), \(1,\), \(2,\), \(3,\)"):
        fit(Ragged())

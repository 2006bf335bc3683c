"""The gate between files and objects: what passes, and what hostile configs come to."""

import json
import sys
from typing import Any

import numpy as np
import pytest

import mlapi
from mlapi import catalog, layers, losses, metrics, ops, serialization
from mlapi.errors import ArgumentError, ArgumentTypeError, LoadError
from mlapi.serialization import deserialize, from_json, serialize, to_json

DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}}


class Double(layers.Layer):
    """A layer of a user."""

    def __init__(self, factor: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return x * self.factor


class Dense(layers.Layer):
    """A user's class that is called as one of ours."""


def triple(x):
    return x * 3


@pytest.fixture
def registered():
    """Undoes registrations."""
    before = dict(catalog.get_custom_objects())
    yield
    catalog.get_custom_objects().clear()
    catalog.get_custom_objects().update(before)


# What passes


def test_record_has_the_entries_of_keras() -> None:
    record = serialize(layers.Dense(3, activation="relu", name="d"))
    assert record["module"] == "keras.layers"
    assert record["class_name"] == "Dense"
    assert record["registered_name"] is None
    assert record["config"]["units"] == 3
    assert record["config"]["activation"] == "relu"
    assert record["config"]["kernel_initializer"]["class_name"] == "GlorotUniform"


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Dense(3, activation="tanh", kernel_regularizer="l2", name="a"),
        lambda: layers.Conv2D(4, (3, 5), padding="same", kernel_initializer="he_normal"),
        lambda: layers.BatchNormalization(momentum=0.9),
        lambda: layers.Dropout(0.25, seed=3),
        lambda: losses.Huber(delta=0.5),
        lambda: metrics.AUC(num_thresholds=50),
        lambda: mlapi.optimizers.SGD(0.1, momentum=0.5),
        lambda: mlapi.optimizers.Adam(mlapi.optimizers.schedules.CosineDecay(0.1, 100)),
        lambda: mlapi.regularizers.L1L2(0.1, 0.2),
        lambda: mlapi.constraints.MaxNorm(1.5),
    ],
)
def test_objects_survive_json(make) -> None:
    original = make()
    record = serialize(original)
    restored = deserialize(from_json(to_json(record)))
    assert type(restored) is type(original)
    assert to_json(serialize(restored)) == to_json(record)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        1.5,
        [1, [2, {"a": None}]],
        b"\x00\xff",
        slice(1, None, 2),
        ...,
        float("inf"),
    ],
)
def test_plain_values_survive_json(value: object) -> None:
    assert deserialize(from_json(to_json(serialize(value)))) == value


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "bfloat16"])
def test_arrays_survive_json(dtype: str) -> None:
    array = np.array([[0, 1, 2], [3, 4, 5]]).astype(mlapi.dtypes.numpy_dtype(dtype))
    restored = deserialize(from_json(to_json(serialize({"x": array}))))["x"]
    np.testing.assert_array_equal(restored, array)
    assert restored.dtype == array.dtype


def test_tensors_become_arrays() -> None:
    record = serialize(ops.convert_to_tensor([[1.0, 2.0]]))
    assert record["class_name"] == "__tensor__"
    np.testing.assert_array_equal(deserialize(record), [[1.0, 2.0]])


def test_older_tuples() -> None:
    for record in (
        {"class_name": "__tuple__", "items": [1, 2]},
        {"class_name": "__tuple__", "config": {"value": [1, 2]}},
    ):
        assert deserialize(record) == (1, 2)


def test_objects_inside_structures() -> None:
    restored = deserialize({"a": [serialize(layers.Flatten())], "b": {"c": 1}})
    assert type(restored["a"][0]) is layers.Flatten
    assert restored["b"] == {"c": 1}


@pytest.mark.parametrize(
    "module",
    [
        "keras.layers",
        "mlapi.layers",
        "tf_keras.layers",
        "tensorflow.keras.layers",
        "keras.src.layers.core.dense",
        "keras",
        None,
    ],
)
def test_modules_that_mean_ours(module: str | None) -> None:
    assert type(deserialize({**DENSE, "module": module})) is layers.Dense


def test_records_without_a_module_go_by_the_family_that_is_asked() -> None:
    record = {"class_name": "MeanSquaredError", "config": {}}
    assert type(losses.get(record)) is losses.MeanSquaredError
    assert type(metrics.get(record)) is metrics.MeanSquaredError
    with pytest.raises(LoadError, match="without a module may be any of: losses, metrics"):
        deserialize(record)
    identity = {"class_name": "Identity", "config": {}}
    assert type(deserialize(identity)) is layers.Identity
    assert type(mlapi.initializers.get(identity)) is mlapi.initializers.Identity
    config = {"units": 3, "kernel_initializer": identity}
    dense = deserialize({"class_name": "Dense", "config": config})
    assert type(dense.kernel_initializer) is mlapi.initializers.Identity


def test_arguments_of_other_versions_are_passed_over_while_they_are_none() -> None:
    config = {"units": 3, "name": None, "quantization_config": None}
    dense = deserialize({**DENSE, "config": config})
    assert dense.units == 3
    assert dense.name
    with pytest.raises(LoadError, match="has no argument 'quantization_config'"):
        deserialize({**DENSE, "config": {**config, "quantization_config": "int8"}})


@pytest.mark.parametrize("name", ["DTypePolicy", "FloatDTypePolicy", "mixed_precision>Policy"])
def test_dtype_policies(name: str) -> None:
    module = ".".join(["keras", *name.split(">")[:-1]])
    class_name = name.rsplit(">", maxsplit=1)[-1]
    policy = deserialize({"module": module, "class_name": class_name, "config": {"name": "int8"}})
    assert policy == mlapi.DTypePolicy("int8")
    record = {**DENSE, "config": {"units": 3, "dtype": serialize(policy)}}
    restored = deserialize(record)
    assert restored.dtype == "int8"


# Objects of users


def test_custom_objects() -> None:
    record = serialize(Double(5.0))
    assert record["module"] == Double.__module__
    assert record["registered_name"] == "Double"
    for restored in (
        deserialize(record, {"Double": Double}),
        deserialize(from_json(to_json(record)), {"Double": Double}),
    ):
        assert type(restored) is Double
        assert restored.factor == 5.0
    with catalog.custom_object_scope({"Double": Double}):
        assert type(deserialize(record)) is Double
    with pytest.raises(LoadError, match="unknown class 'Double'"):
        deserialize(record)


def test_scopes_nest_and_end() -> None:
    with catalog.custom_object_scope({"f": triple}):
        with catalog.custom_object_scope({"g": triple}):
            assert catalog.get_registered_object("f") is triple
            assert catalog.get_registered_object("g") is triple
        assert catalog.get_registered_object("g") is None
    assert catalog.get_registered_object("f") is None


@pytest.mark.usefixtures("registered")
def test_registered_objects() -> None:
    cls = catalog.register_serializable("tests")(Double)
    function = mlapi.utils.register_keras_serializable("tests", "three")(triple)
    assert (cls, function) == (Double, triple)
    assert catalog.get_registered_name(Double) == "tests>Double"
    assert catalog.get_registered_object("tests>three") is triple
    record = serialize(Double(5.0))
    assert record["registered_name"] == "tests>Double"
    assert deserialize(record).factor == 5.0
    assert deserialize({"class_name": "tests>Double", "config": {}}).factor == 2.0
    assert deserialize(serialize(triple)) is triple


@pytest.mark.usefixtures("registered")
def test_registering_twice() -> None:
    register = catalog.register_serializable("tests", "one")
    register(triple)
    register(triple)
    with pytest.raises(ArgumentError, match="'tests>one' is in use"):
        register(Double)
    with pytest.raises(ArgumentError, match="no get_config"):
        catalog.register_serializable("tests")(type("Plain", (), {}))


def test_errors_of_a_users_class_stay_as_they_are() -> None:
    class Broken(layers.Layer):
        @classmethod
        def from_config(cls, config):
            raise ZeroDivisionError if config.get("zero") else KeyError("scale")

    record = {"module": "there", "class_name": "Broken", "config": {}}
    with pytest.raises(KeyError, match="scale") as caught:
        deserialize(record, {"Broken": Broken})
    assert caught.value.__notes__ == ["while reading the config of Broken"]
    with pytest.raises(ZeroDivisionError):
        deserialize({**record, "config": {"zero": 1}}, {"Broken": Broken})


def test_what_cannot_be_saved() -> None:
    with pytest.raises(ArgumentError, match="A lambda cannot be saved"):
        serialize(layers.Activation(lambda x: x))
    with pytest.raises(ArgumentError, match="object cannot be saved"):
        serialize(object())


def test_what_an_argument_cannot_mean() -> None:
    with pytest.raises(ArgumentTypeError, match="regularizer must be a name"):
        serialization.get("regularizers", 3)
    with pytest.raises(ArgumentTypeError, match=r"initializer cannot be L2\(l2=0.01\), one of reg"):
        layers.Dense(3, kernel_initializer=mlapi.regularizers.L2())


# Hostile configs


class Tripwire:
    """A class that must never be made."""

    @classmethod
    def from_config(cls, config):
        raise AssertionError("reached")


HOSTILE_MODULES = ["os", "builtins", "subprocess", "mlapi.utils", "keras.utils", "keras.saving"]


@pytest.mark.parametrize("module", HOSTILE_MODULES)
@pytest.mark.parametrize("name", ["system", "eval", "Popen", "get_file", "deserialize", "Dense"])
def test_nothing_is_imported_by_name(module: str, name: str) -> None:
    before = set(sys.modules)
    for config in ({}, "id", {"args": ["id"]}):
        with pytest.raises(LoadError):
            deserialize({"module": module, "class_name": name, "config": config})
    for function in (name, f"{module}.{name}"):
        with pytest.raises(LoadError, match="unknown function"):
            deserialize({"module": module, "class_name": "function", "config": function})
    assert set(sys.modules) == before


@pytest.mark.parametrize("module", [None, "keras.layers", "keras"])
def test_custom_objects_never_replace_ours(module: str | None) -> None:
    record = {**DENSE, "module": module}
    assert type(deserialize(record, {"Dense": Dense, "keras.layers>Dense": Dense})) is layers.Dense
    theirs = {**record, "module": "their.module", "config": {}}
    assert type(deserialize(theirs, {"Dense": Dense})) is Dense


def test_ours_under_another_module_are_not_ours() -> None:
    with pytest.raises(LoadError, match="unknown class 'Dense' of 'their"):
        deserialize({**DENSE, "module": "their.module"})
    with pytest.raises(LoadError, match="unknown class 'Dense' of 'keras"):
        deserialize({**DENSE, "module": "keras.losses"})


def test_only_classes_can_be_constructed() -> None:
    for custom in (triple, Tripwire()):
        record = {"module": "there", "class_name": "f", "config": {}}
        with pytest.raises(LoadError, match="unknown class 'f'"):
            deserialize(record, {"f": custom})


@pytest.mark.parametrize("safe_mode", [True, False])
def test_byte_code_is_never_run(safe_mode: bool) -> None:
    record = {
        "class_name": "__lambda__",
        "config": {"value": "4wAAAAAAAAAA", "defaults": None, "closure": None},
    }
    nested = {**DENSE, "config": {"units": 3, "name": "d", "activation": record}}
    for config in (record, [{"x": record}], nested):
        with pytest.raises(LoadError, match="byte code"):
            deserialize(config, safe_mode=safe_mode)


@pytest.mark.parametrize(
    "record",
    [
        {**DENSE, "config": {"units": "rm -rf"}},
        {**DENSE, "config": {"units": -1}},
        {**DENSE, "config": {"unit": 3}},
        {**DENSE, "config": {}},
        {**DENSE, "config": [3]},
        {**DENSE, "config": {3: 3}},
        {**DENSE, "config": {"units": 3, "name": "../../etc"}},
        {**DENSE, "config": {"units": 3, "activation": "eval"}},
        {**DENSE, "config": {"units": 3, "kernel_initializer": {"class_name": "L2", "config": {}}}},
        {**DENSE, "module": 3},
        {**DENSE, "module": ["keras.layers"]},
        {**DENSE, "class_name": ["Dense"]},
        {**DENSE, "class_name": "__class__"},
        {**DENSE, "class_name": "Layer.__init__"},
        {**DENSE, "class_name": "deserialize"},
        {"class_name": "Dense", "config": {"units": 3}, "registered_name": "Custom>Dense"},
        {"class_name": "function", "config": ["relu"]},
        {"class_name": "__tensor__", "config": {"value": [[1], [2, 3]], "dtype": "float32"}},
        {"class_name": "__tensor__", "config": {"value": [1], "dtype": "object"}},
        {"class_name": "__numpy__", "config": {"value": [300], "dtype": "int8"}},
        {"class_name": "__bytes__", "config": {"value": 3}},
        {"class_name": "__slice__", "config": {"start": 1}},
        {"class_name": "__tuple__", "config": {"value": 3}},
    ],
    ids=str,
)
def test_malformed_records_get_one_clear_error(record: dict[str, Any]) -> None:
    with pytest.raises(LoadError) as caught:
        deserialize(record)
    assert len(str(caught.value)) < 1000


def test_error_says_where() -> None:
    inner = {**DENSE, "config": {"units": 3, "name": "head", "kernel_initializer": {
        "module": "keras.initializers", "class_name": "Zero", "config": {}}}}  # fmt: skip
    model = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "body", "layers": [inner]},
    }
    message = r"In Sequential 'body' / Dense 'head': unknown class 'Zero'.* Did you mean 'Zeros'"
    with pytest.raises(LoadError, match=message):
        deserialize(model)


def test_nothing_remains_of_a_refused_config() -> None:
    with pytest.raises(LoadError):
        deserialize({**DENSE, "config": {"units": -1}})
    with pytest.raises(LoadError, match=r"^unknown class 'Dens'"):
        deserialize({**DENSE, "class_name": "Dens"})


def nested(levels: int) -> Any:
    config: Any = 1
    for _ in range(levels):
        config = [config]
    return config


def test_limits_of_data() -> None:
    assert deserialize(nested(200)) == nested(200)
    for config in (nested(201), from_json_text(nested(201))):
        with pytest.raises(LoadError, match="nested deeper than 200 levels"):
            deserialize(config) if not isinstance(config, str) else from_json(config)
    with pytest.raises(LoadError, match="nested deeper"):
        from_json("[" * 100_000 + "]" * 100_000)
    assert deserialize([2**53, -(2**53)]) == [2**53, -(2**53)]
    for number in (2**53 + 1, -(2**53) - 1, 10**400):
        with pytest.raises(LoadError, match=r"beyond 2\*\*53"):
            from_json(str(number) if number < 10**300 else "1" * 400)
        with pytest.raises(LoadError, match=r"beyond 2\*\*53"):
            deserialize({"units": number})


def from_json_text(config: Any) -> str:
    return json.dumps(config)


@pytest.mark.parametrize("text", ["", "{", "{'a': 1}", b"\xff\xfe", "[1, 2", "1 2"])
def test_broken_json(text: str | bytes) -> None:
    with pytest.raises(LoadError, match="not valid JSON"):
        from_json(text)


def test_large_json_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serialization, "MAX_JSON_BYTES", 10)
    with pytest.raises(LoadError, match="has 11 bytes; at most 10"):
        from_json("[1, 2, 3,4]")


def test_deep_models_are_refused_without_exhausting_the_stack() -> None:
    model: dict[str, Any] = {**DENSE, "config": {"units": 1}}
    for _ in range(66):
        model = {"module": "keras", "class_name": "Sequential", "config": {"layers": [model]}}
    model["config"]["layers"].append({**DENSE, "class_name": "Dens"})
    with pytest.raises(LoadError):
        deserialize(model)


# The public lists


def test_only_modelling_objects_can_be_named() -> None:
    """Nothing in the lists does input or output, or changes settings."""
    for family, names in catalog.CLASSES.items():
        module: Any = mlapi
        for part in family.split("."):
            module = getattr(module, part)
        bases = tuple(getattr(module, name) for name in names)
        for name, cls in catalog.public(family).items():
            if isinstance(cls, type):
                assert issubclass(cls, bases), name
                assert cls.__module__.startswith("mlapi."), name
    forbidden = {"get", "deserialize", "serialize", "load_model", "get_file", "set_floatx"}
    for family in catalog.FUNCTIONS:
        for name, function in catalog.public(family).items():
            assert name not in forbidden
            home = function.__module__.split(".")[1]
            assert home in catalog.FUNCTIONS, f"{name} comes from {function.__module__}"


def test_the_lists_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        catalog.public("layers")["Dense"] = Tripwire

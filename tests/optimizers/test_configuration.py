"""Arguments, names, configs, saved state, and the spellings of older programs."""

import inspect
import json
import warnings

import numpy as np
import pytest

import mlapi
from mlapi import optimizers
from mlapi.errors import ArgumentError, ArgumentTypeError, LoadError
from mlapi.optimizers import schedules
from tests.optimizers.references import RULES, descend, problem
from tests.optimizers.running import assert_same, make_variables, run

NAMES = tuple(RULES)


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    cls = getattr(optimizers, name)
    for identifier in (name, name.lower(), cls, cls(), {"class_name": name, "config": {}}):
        assert type(optimizers.get(identifier)) is cls


@pytest.mark.parametrize(
    ("identifier", "error", "message"),
    [
        ("adamm", ArgumentError, "Did you mean 'adam'"),
        ("RMSprob", ArgumentError, "(?i)did you mean 'rms_?prop'"),
        (3, ArgumentTypeError, "received 3"),
        (None, ArgumentTypeError, "received None"),
    ],
)
def test_what_names_no_optimizer(identifier, error, message):
    with pytest.raises(error, match=message):
        optimizers.get(identifier)


@pytest.mark.parametrize("name", NAMES)
def test_config_round_trip(name):
    optimizer = getattr(optimizers, name)(0.3, weight_decay=0.1, clipnorm=2.0, name="mine")
    record = json.loads(json.dumps(optimizers.serialize(optimizer)))
    assert record["module"] == "keras.optimizers"
    assert record["config"]["learning_rate"] == 0.3
    again = optimizers.deserialize(record)
    assert type(again) is type(optimizer)
    assert again.get_config() == optimizer.get_config()


def test_config_with_a_schedule():
    optimizer = optimizers.Adam(schedules.CosineDecay(0.1, 10))
    again = optimizers.deserialize(json.loads(json.dumps(optimizers.serialize(optimizer))))
    assert again.get_config() == {**optimizer.get_config(), "name": again.name}
    assert float(again.learning_rate) == pytest.approx(0.1)


def test_a_config_written_by_an_older_keras():
    config = {"name": "Adam", "learning_rate": 0.01, "decay": 0.0, "beta_1": 0.8, "beta_2": 0.9}
    config |= {"epsilon": 1e-6, "amsgrad": True, "jit_compile": True, "is_legacy_optimizer": False}
    optimizer = optimizers.deserialize({"class_name": "Adam", "config": config})
    assert (optimizer.beta_1, optimizer.epsilon, optimizer.amsgrad) == (0.8, 1e-6, True)


def test_a_record_written_by_keras_on_torch():
    """It names the class by where it lies, not by where it is public."""
    module = "keras.src.backend.torch.optimizers.torch_adam"
    record = {"module": module, "class_name": "Adam", "config": {}, "registered_name": "Adam"}
    assert type(optimizers.deserialize(record)) is optimizers.Adam


def test_signatures_list_the_common_arguments():
    parameters = inspect.signature(optimizers.Adam).parameters
    assert list(parameters)[:2] == ["learning_rate", "beta_1"]
    assert parameters["clipnorm"].default is None
    assert inspect.signature(optimizers.AdamW).parameters["weight_decay"].default == 0.004


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"momentum": 0.9}),
        ("Adam", {"amsgrad": True, "use_ema": True}),
        ("RMSprop", {"centered": True, "momentum": 0.9}),
        ("Nadam", {"gradient_accumulation_steps": 2}),
        ("Adam", {"learning_rate": schedules.ExponentialDecay(0.1, 2, 0.5)}),
        ("Adafactor", {"learning_rate": 0.1, "gradient_accumulation_steps": 2, "use_ema": True}),
        ("Muon", {"learning_rate": 0.1}),
    ],
    ids=str,
)
def test_training_goes_on_from_saved_state(name, options):
    start, grads = problem(steps=6)
    whole, first, second = (getattr(optimizers, name)(**options) for _ in range(3))
    history = run(whole, start, grads, compiled=True)
    middle = run(first, start, grads[:3], compiled=True)[-1]
    store = {}
    first.save_own_variables(store)
    assert_same(run(second, middle, grads[3:], compiled=True, saved=store), history[3:])


def test_state_of_another_optimizer_is_refused():
    weight = mlapi.Variable([1.0, 1.0, 1.0])
    adam, sgd = optimizers.Adam(), optimizers.SGD()
    for optimizer in (adam, sgd):
        optimizer.build([weight])
    store = {}
    adam.save_own_variables(store)
    with pytest.raises(LoadError, match="has 2 variables, received 4"):
        sgd.load_own_variables(store)
    with pytest.raises(LoadError, match="call `build` first"):
        optimizers.Adam().load_own_variables(store)
    store["3"] = np.ones(4)
    store["0"] = np.array(7)
    with pytest.raises(LoadError, match=r"variable_velocity' has shape \(3,\)"):
        adam.load_own_variables(store)
    assert int(adam.iterations) == 0


def test_adafactor_takes_little_memory_and_has_the_places_of_keras_in_files():
    matrix, vector = (
        mlapi.Variable(np.ones((3, 2), "float32"), name="a"),
        mlapi.Variable([1.0], name="b"),
    )
    optimizer = optimizers.Adafactor(use_ema=True, name="f")
    optimizer.build([matrix, vector])
    shapes = {v.path.removeprefix("f/"): v.shape for v in optimizer.variables}
    assert shapes == {
        "iteration": (),
        "learning_rate": (),
        "a_average": (3, 2),
        "b_average": (1,),
        "a_r": (3,),
        "a_c": (2,),
        "b_velocity": (1,),
    }
    store = {}
    optimizer.save_own_variables(store)
    found = [array.shape for array in store.values()]
    assert found == [(), (), (3, 2), (1,), (3,), (2,), (3, 2), (), (), (1,)]


def test_variables_are_named_and_ordered_as_in_keras():
    a, b = make_variables([[1.0, 1.0], [1.0]])
    optimizer = optimizers.Adam(amsgrad=True, name="adam")
    optimizer.build([a, b])
    assert [v.path for v in optimizer.variables] == [
        "adam/iteration",
        "adam/learning_rate",
        "adam/w0_momentum",
        "adam/w0_velocity",
        "adam/w1_momentum",
        "adam/w1_velocity",
        "adam/w0_velocity_hat",
        "adam/w1_velocity_hat",
    ]


def test_older_spellings():
    with pytest.warns(DeprecationWarning, match="learning_rate=") as caught:
        optimizer = optimizers.SGD(lr=0.5, momentum=0.9)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert float(optimizer.learning_rate) == 0.5
    with pytest.warns(DeprecationWarning, match="optimizer.learning_rate"):
        optimizer.lr = 0.25
    with pytest.warns(DeprecationWarning, match="optimizer.learning_rate"):
        assert float(optimizer.lr) == 0.25


@pytest.mark.parametrize("name", ["Adagrad", "Adam", "Ftrl", "Optimizer", "RMSprop", "SGD"])
def test_legacy_names(name):
    with pytest.warns(DeprecationWarning, match=f"write optimizers.{name}") as caught:
        cls = getattr(optimizers.legacy, name)
    assert cls is getattr(optimizers, name)
    assert [w.filename for w in caught] == [__file__]
    record = {"module": "keras.optimizers.legacy", "class_name": name, "config": {}}
    if name != "Optimizer":
        assert type(optimizers.deserialize(record)) is cls


def test_a_legacy_program():
    with pytest.warns(DeprecationWarning, match="legacy"):
        from mlapi.optimizers.legacy import SGD
    with pytest.warns(DeprecationWarning, match="lr="):
        optimizer = SGD(lr=0.1, momentum=0.9)
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    with pytest.raises(AttributeError, match="'Adamax'"):
        optimizers.legacy.Adamax  # noqa: B018
    assert "RMSprop" in dir(optimizers.legacy)


def test_decay_of_older_programs():
    with pytest.warns(DeprecationWarning, match="InverseTimeDecay"):
        optimizer = optimizers.SGD(0.1, decay=0.5)
    start, grads = problem(steps=4)
    expected = descend("SGD", {}, start, grads, schedule=lambda s: 0.1 / (1 + 0.5 * s))
    assert_same(run(optimizer, start, grads), expected)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizers.SGD(0.1, decay=0.0)


def test_learning_rates_and_schedules_do_not_replace_one_another():
    optimizer = optimizers.Adam(0.1)
    optimizer.learning_rate = schedules.ExponentialDecay(0.5, 10, 0.5)
    assert float(optimizer.learning_rate) == 0.5
    with pytest.raises(ArgumentTypeError, match="cannot replace"):
        optimizer.learning_rate = 0.1
    optimizer = optimizers.Adam(0.1)
    optimizer.build([mlapi.Variable(1.0)])
    with pytest.raises(ArgumentTypeError, match="cannot replace"):
        optimizer.learning_rate = schedules.ExponentialDecay(0.5, 10, 0.5)
    with pytest.raises(ArgumentTypeError, match="learning_rate must be a number"):
        optimizer.learning_rate = "fast"
    assert float(optimizer.learning_rate) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optimizers.Adam(beta1=0.9), ArgumentTypeError, "Did you mean 'beta_1'"),
        (lambda: optimizers.Adam("fast"), ArgumentTypeError, "learning_rate must be a number"),
        (lambda: optimizers.Adam(beta_1=1.0), ArgumentError, "beta_1 must be a number from 0"),
        (lambda: optimizers.Lion(beta_1=0.0), ArgumentError, "beta_1 must be above 0"),
        (lambda: optimizers.ScheduleFreeAdamW(beta_1=0), ArgumentError, "beta_1 must be above 0"),
        (lambda: optimizers.Ftrl(learning_rate_power=1), ArgumentError, "must be at most 0"),
        (lambda: optimizers.Muon(ns_steps=0), ArgumentError, "ns_steps must be an integer"),
        (lambda: optimizers.Adafactor(clip_threshold=0), ArgumentError, "clip_threshold must be"),
        (lambda: optimizers.SGD(momentum=-1), ArgumentError, "momentum must be a number from 0"),
        (lambda: optimizers.SGD(clipnorm=0), ArgumentError, "clipnorm must be a number above 0"),
        (lambda: optimizers.SGD(clipnorm=1, clipvalue=1), ArgumentError, "only one of clipnorm"),
        (lambda: optimizers.SGD(weight_decay=-1), ArgumentError, "weight_decay"),
        (
            lambda: optimizers.SGD(gradient_accumulation_steps=0),
            ArgumentError,
            "gradient_accumulation_steps must be an integer of at least 1",
        ),
    ],
)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_decay_is_configured_before_the_first_update():
    optimizer = optimizers.AdamW()
    optimizer.build([mlapi.Variable(1.0)])
    with pytest.raises(ArgumentError, match="before"):
        optimizer.exclude_from_weight_decay(var_names=["bias"])

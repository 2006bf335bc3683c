"""Every optimizer against Keras's: variables and slots, step by step, for the same gradients."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import mlapi
from mlapi import ops

STEPS = 20
TOLERANCE = 1e-5
SHAPES = {"scale": (), "bias": (3,), "embedding": (4, 3), "kernel": (3, 5), "conv": (2, 2, 3, 2)}

ADAM = {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}
ROWS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("Lion", {}),
    ("Lion", {"beta_1": 0.5, "beta_2": 0.8}),
    ("Adagrad", {}),
    ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.0, "epsilon": 1e-3}),
    ("RMSprop", {}),
    ("RMSprop", {"rho": 0.5, "momentum": 0.9}),
    ("RMSprop", {"centered": True, "epsilon": 1e-3}),
    ("RMSprop", {"centered": True, "momentum": 0.9}),
    ("Adadelta", {}),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3}),
    ("Adam", {}),
    ("Adam", ADAM),
    ("Adam", {**ADAM, "amsgrad": True}),
    ("AdamW", {}),
    ("AdamW", {**ADAM, "weight_decay": 0.5, "amsgrad": True}),
    ("Adamax", {}),
    ("Adamax", ADAM),
    ("Nadam", {}),
    ("Nadam", ADAM),
    ("Adafactor", {}),
    ("Adafactor", {"learning_rate": 0.5, "beta_2_decay": -0.5, "epsilon_2": 0.5}),
    ("Adafactor", {"learning_rate": 0.5, "clip_threshold": 0.5}),
    ("Adafactor", {"relative_step": False, "epsilon_1": 1e-3}),
    ("Adafactor", {"learning_rate": 1.0, "relative_step": False}),
    ("Ftrl", {}),
    ("Ftrl", {"learning_rate": 0.1, "l1_regularization_strength": 0.1}),
    ("Ftrl", {"learning_rate": 0.1, "l2_regularization_strength": 0.5, "beta": 0.3}),
    ("Ftrl", {"learning_rate": 0.1, "l2_shrinkage_regularization_strength": 0.3}),
    ("Ftrl", {"learning_rate_power": -0.3, "initial_accumulator_value": 1.0}),
    ("Ftrl", {"learning_rate_power": 0.0}),
    ("Lamb", {}),
    ("Lamb", {**ADAM, "weight_decay": 0.1}),
    ("Muon", {}),
    ("Muon", {"nesterov": False, "momentum": 0.8, "ns_steps": 3, "rms_rate": None}),
    ("Muon", {"learning_rate": 0.1, "weight_decay": 0.5, "adam_weight_decay": 0.2}),
    ("Muon", {"weight_decay": None, "adam_weight_decay": None, "adam_lr_ratio": 0.5}),
    ("Muon", {"exclude_embeddings": False, "exclude_layers": ["^ker"]}),
    ("Muon", {"muon_a": 3.4, "muon_b": -4.7, "muon_c": 2.0, "adam_beta_1": 0.5}),
    ("ScheduleFreeAdamW", {}),
    ("ScheduleFreeAdamW", {**ADAM, "weight_decay": 0.1}),
    ("ScheduleFreeAdamW", {"warmup_steps": 7}),
    # What all optimizers have.
    ("SGD", {"learning_rate": 0.1, "weight_decay": 0.1}),
    ("SGD", {"learning_rate": 0.1, "clipnorm": 0.5}),
    ("SGD", {"learning_rate": 0.1, "clipvalue": 0.3}),
    ("SGD", {"learning_rate": 0.1, "global_clipnorm": 1.0}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "loss_scale_factor": 8.0}),
    ("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.8}),
    ("Adam", {**ADAM, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3}),
    ("AdamW", {**ADAM, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3}),
    ("Adam", {**ADAM, "gradient_accumulation_steps": 4}),
    ("Adam", {**ADAM, "gradient_accumulation_steps": 4, "loss_scale_factor": 8.0}),
    ("AdamW", {**ADAM, "weight_decay": 0.5, "gradient_accumulation_steps": 4}),
    ("SGD", {"learning_rate": 0.1, "gradient_accumulation_steps": 4, "clipnorm": 0.5}),
    ("SGD", {"learning_rate": 0.1, "gradient_accumulation_steps": 4, "clipvalue": 0.3}),
    ("SGD", {"learning_rate": 0.1, "gradient_accumulation_steps": 4, "global_clipnorm": 0.5}),
    (
        "SGD",
        {
            "learning_rate": 0.1,
            "gradient_accumulation_steps": 3,
            "use_ema": True,
            "ema_momentum": 0.8,
            "ema_overwrite_frequency": 2,
        },
    ),
    ("Muon", {"gradient_accumulation_steps": 4}),
    ("Adafactor", {"learning_rate": 0.5, "gradient_accumulation_steps": 4}),
    ("Nadam", {"gradient_accumulation_steps": 4}),
    ("ScheduleFreeAdamW", {"gradient_accumulation_steps": 4}),
]

Make = Callable[[Any], Any]  # an optimizer, from the module of optimizers of either library


def schedule(module: Any) -> Any:
    return module.schedules.CosineDecay(0.1, 12, warmup_target=0.3, warmup_steps=4)


def mapped(module: Any) -> Any:
    sgd, adam = module.SGD(0.1, momentum=0.9), module.AdamW(0.01, clipnorm=1.0)
    return module.MultiOptimizer(module.OptimizerMap(sgd, {"k.*": adam, "conv": module.Muon()}))


def chosen(module: Any) -> Any:
    sgd, adam = module.SGD(0.1, loss_scale_factor=2.0), module.Adam(0.01)
    choose = lambda variable: sgd if len(variable.shape) > 1 else adam  # noqa: E731
    return module.MultiOptimizer(choose, loss_scale_factor=4.0)


COMPOSED: dict[str, Make] = {
    "schedule": lambda module: module.Adam(schedule(module)),
    "schedule, accumulating": lambda module: module.SGD(
        schedule(module), gradient_accumulation_steps=3
    ),
    "schedule, Adafactor": lambda module: module.Adafactor(schedule(module)),
    "scaled": lambda module: module.LossScaleOptimizer(module.Adam(0.01), 64.0, 3),
    "scaled, decayed": lambda module: module.LossScaleOptimizer(
        module.AdamW(0.01, weight_decay=0.5, clipnorm=1.0), 64.0, 4
    ),
    "scaled, accumulating": lambda module: module.LossScaleOptimizer(
        module.SGD(0.1, momentum=0.9, gradient_accumulation_steps=2), 64.0, 3
    ),
    "mapped": mapped,
    "chosen": chosen,
}


SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    ("ExponentialDecay", {"decay_steps": 7, "decay_rate": 0.5}),
    ("ExponentialDecay", {"decay_steps": 7, "decay_rate": 0.5, "staircase": True}),
    ("InverseTimeDecay", {"decay_steps": 7, "decay_rate": 0.5}),
    ("InverseTimeDecay", {"decay_steps": 7, "decay_rate": 0.5, "staircase": True}),
    ("PolynomialDecay", {"decay_steps": 7, "end_learning_rate": 0.1, "power": 2.0}),
    ("PolynomialDecay", {"decay_steps": 7, "end_learning_rate": 0.1, "cycle": True}),
    ("PiecewiseConstantDecay", {"boundaries": [3, 8], "values": [1.0, 0.5, 0.1]}),
    ("CosineDecay", {"decay_steps": 20, "alpha": 0.2}),
    ("CosineDecay", {"decay_steps": 9, "warmup_target": 2.0, "warmup_steps": 5}),
    ("CosineDecayRestarts", {"first_decay_steps": 5}),
    ("CosineDecayRestarts", {"first_decay_steps": 5, "t_mul": 1.0, "m_mul": 0.9, "alpha": 0.1}),
]


def starts(seed: int = 0) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    return {n: np.asarray(draw.normal(size=s), "float32") for n, s in SHAPES.items()}


def all_gradients(spoiled: tuple[int, ...] = ()) -> list[list[np.ndarray]]:
    steps = [list(starts(seed).values()) for seed in range(1, STEPS + 1)]
    for step in spoiled:
        steps[step][2][0, 0] = np.inf if step % 2 else np.nan
    return steps


Apply = Callable[[list[Any], list[Any]], Any]  # of gradients and variables


def pure_apply(optimizer: Any) -> Apply:
    """Keras's LossScaleOptimizer works on jax as a pure function only."""
    import jax

    pure = jax.jit(optimizer.stateless_apply)

    def apply(grads: list[Any], variables: list[Any]) -> None:
        state = [v.value for v in optimizer.variables]
        after = pure(state, grads, [v.value for v in variables])
        for variable, value in zip([*variables, *optimizer.variables], [*after[0], *after[1]]):
            variable.assign(value)

    return apply


APPLY: dict[str, Callable[[Any], Apply]] = {
    "torch": lambda optimizer: optimizer.apply,
    "tensorflow": lambda optimizer: optimizer.apply,
    "jax": pure_apply,
}


def compare(
    make: Make,
    spoiled: tuple[int, ...] = (),
    prepare: Callable[[Any, list[Any]], None] = lambda optimizer, variables: None,
    compiled: bool = False,
) -> None:
    """Runs both libraries' optimizers side by side."""
    ours = [mlapi.Variable(x, name=name) for name, x in starts().items()]
    theirs = [keras.Variable(x, name=name) for name, x in starts().items()]
    optimizer, other = make(mlapi.optimizers), make(keras.optimizers)
    for one, variables in ((optimizer, ours), (other, theirs)):
        prepare(one, variables)
        one.build(variables)
    apply_of_keras = APPLY[keras.backend.backend()](other)
    apply = lambda *grads: optimizer.apply(grads, ours)  # noqa: E731
    if compiled:
        apply = mlapi.jit(apply, [ours, optimizer])
    for step, grads in enumerate(all_gradients(spoiled), start=1):
        apply(*map(ops.convert_to_tensor, grads))
        grads_of_keras = [keras.ops.convert_to_tensor(g) for g in grads]
        apply_of_keras(grads_of_keras, theirs)
        places = optimizer.places_in_files()
        assert len(places) == len(other.variables)
        pairs = [*zip(ours, theirs, strict=True), *zip(places, other.variables, strict=True)]
        for a, b in pairs:
            if hasattr(a, "value"):  # a Variable
                name = f"{a.path} after step {step}"
                assert_close(a.numpy(), keras.ops.convert_to_numpy(b.value), name)
            assert a.shape == tuple(b.shape)
    for one, variables in ((optimizer, ours), (other, theirs)):
        one.finalize_variable_values(variables)
    for a, b in zip(ours, theirs, strict=True):
        assert_close(a.numpy(), keras.ops.convert_to_numpy(b.value), f"{a.path} at the end")


def assert_close(a: np.ndarray, b: Any, name: str) -> None:
    b = np.array(b)
    scale = max(1.0, float(np.abs(b).max(initial=0)))
    np.testing.assert_allclose(a / scale, b / scale, TOLERANCE, TOLERANCE, err_msg=name)


def identify(value: Any) -> str:
    return value if isinstance(value, str) else ",".join(f"{k}={v}" for k, v in value.items())


@pytest.mark.parametrize(("name", "options"), ROWS, ids=identify)
def test_optimizer(name: str, options: dict[str, Any]) -> None:
    compare(lambda module: getattr(module, name)(**options))


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "jit"])
@pytest.mark.parametrize("case", COMPOSED)
def test_composed(case: str, compiled: bool) -> None:
    spoiled = (3, 4, 8, 14) if "scaled" in case else ()
    compare(COMPOSED[case], spoiled, compiled=compiled)


def test_exclusion_from_weight_decay() -> None:
    def prepare(optimizer: Any, variables: list[Any]) -> None:
        optimizer.exclude_from_weight_decay(variables[:1], ["bias", "^con"])

    compare(lambda module: module.AdamW(0.1, weight_decay=0.5), prepare=prepare)


@pytest.mark.parametrize("every", [None, 4])
def test_constraints(every: int | None) -> None:
    def prepare(optimizer: Any, variables: list[Any]) -> None:
        module = keras if isinstance(variables[0], keras.Variable) else mlapi
        variables[1].constraint = module.constraints.NonNeg()
        variables[3].constraint = module.constraints.MaxNorm(0.5)

    compare(lambda m: m.SGD(0.1, gradient_accumulation_steps=every), prepare=prepare)


@pytest.mark.parametrize(("name", "options"), SCHEDULES, ids=identify)
def test_schedule(name: str, options: dict[str, Any]) -> None:
    if "values" not in options:
        options = {"initial_learning_rate": 0.8, **options}
    ours = getattr(mlapi.optimizers.schedules, name)(**options)
    theirs = getattr(keras.optimizers.schedules, name)(**options)
    for step in range(25):
        assert float(ours(step)) == pytest.approx(float(theirs(step)), rel=1e-5, abs=1e-6)
    record = keras.optimizers.schedules.serialize(theirs)
    again = mlapi.optimizers.schedules.deserialize(record)
    assert again.get_config() == ours.get_config() == theirs.get_config()
    record = mlapi.optimizers.schedules.serialize(ours)
    assert keras.optimizers.schedules.deserialize(record).get_config() == theirs.get_config()


NAMES = sorted({name for name, _ in ROWS})
LAST = dict(ROWS)  # of the rows of each name


@pytest.mark.parametrize("name", NAMES)
def test_config_of_keras(name: str) -> None:
    theirs = getattr(keras.optimizers, name)(**LAST[name])
    ours = mlapi.optimizers.deserialize(keras.optimizers.serialize(theirs))
    config, expected = ours.get_config(), theirs.get_config()
    assert config.pop("learning_rate") == pytest.approx(expected.pop("learning_rate"))
    assert config == expected


@pytest.mark.parametrize("name", NAMES)
def test_config_for_keras(name: str) -> None:
    ours = getattr(mlapi.optimizers, name)(**LAST[name])
    theirs = keras.optimizers.deserialize(mlapi.optimizers.serialize(ours))
    config, expected = theirs.get_config(), ours.get_config()
    assert config.pop("learning_rate") == pytest.approx(expected.pop("learning_rate"))
    assert config == expected


@pytest.mark.parametrize("case", sorted(COMPOSED.keys() - {"chosen"}))
def test_record_of_keras(case: str) -> None:
    theirs = COMPOSED[case](keras.optimizers)
    ours = mlapi.optimizers.deserialize(keras.optimizers.serialize(theirs))
    again = keras.optimizers.deserialize(mlapi.optimizers.serialize(ours))
    assert type(again) is type(theirs)
    assert again.get_config().keys() == theirs.get_config().keys() == ours.get_config().keys()


SAVED: dict[str, Make] = {
    **{name: lambda module, name=name: getattr(module, name)() for name in NAMES},
    "accumulating": lambda module: module.Adafactor(gradient_accumulation_steps=2, use_ema=True),
    "scaled": COMPOSED["scaled"],
    "mapped": COMPOSED["mapped"],
}


def trained(library: Any, optimizer: Any) -> Any:
    layers = library.layers
    model = library.Sequential([library.Input((4,)), layers.Dense(3), layers.Dense(2)])
    model.compile(optimizer, "mse")
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(8, 4)).astype("float32"), draw.normal(size=(8, 2)).astype("float32")
    model.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("case", SAVED)
def test_state_in_a_file_of_keras(case: str, tmp_path: Any) -> None:
    theirs = trained(keras, SAVED[case](keras.optimizers))
    theirs.save(tmp_path / "model.keras")
    ours = mlapi.saving.load_model(tmp_path / "model.keras")
    check_state(ours.optimizer, theirs.optimizer)


@pytest.mark.parametrize("case", SAVED)
def test_state_in_a_file_for_keras(case: str, tmp_path: Any) -> None:
    ours = trained(mlapi, SAVED[case](mlapi.optimizers))
    ours.save(tmp_path / "model.keras")
    theirs = keras.saving.load_model(tmp_path / "model.keras")
    check_state(ours.optimizer, theirs.optimizer)


def check_state(ours: Any, theirs: Any) -> None:
    for a, b in zip(ours.places_in_files(), theirs.variables, strict=True):
        if hasattr(a, "value"):
            assert_close(a.numpy(), keras.ops.convert_to_numpy(b.value), a.path)
    assert any(np.abs(v.numpy()).max() > 0 for v in ours.variables[2:]) or len(ours.variables) == 2

"""Averages of weights are in the model while it is evaluated or saved, and only then."""

import numpy as np
import pytest

import mlapi
from mlapi import layers
from mlapi.callbacks import BackupAndRestore, Callback, ModelCheckpoint, SwapEMAWeights
from mlapi.errors import ArgumentError

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)
MOMENTUM = 0.9


def make_model(wrap=lambda optimizer: optimizer, **options):
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(1, use_bias=False)])
    options = {"use_ema": True, "ema_momentum": MOMENTUM, **options}
    model.compile(wrap(mlapi.optimizers.SGD(0.1, **options)), "mse")
    return model


class Notes(Callback):
    """Keeps the weights after every batch, and those at the ends of evaluations and epochs."""

    def __init__(self):
        self.trained, self.tested, self.at_end = [], [], []

    def weights(self):
        return self.model.get_weights()[0]

    def on_train_batch_end(self, batch, logs=None):
        self.trained.append(self.weights())

    def on_test_batch_end(self, batch, logs=None):
        self.tested.append(self.weights())

    def on_epoch_end(self, epoch, logs=None):
        self.at_end.append(self.weights())


def averages(weights):
    """The moving average after every update, by its definition; it starts at the first value."""
    average, found = weights[0], []
    for value in weights:
        average = MOMENTUM * average + (1 - MOMENTUM) * value
        found.append(average)
    return found


def fit(model, *listeners, epochs=2, **kwargs):
    kwargs = {"validation_data": (X, Y), "batch_size": 4, "verbose": 0, "epochs": epochs, **kwargs}
    return model.fit(X, Y, callbacks=list(listeners), **kwargs)


def plain_weights():
    """What training without any averages makes of the same model."""
    mlapi.utils.set_random_seed(1)
    notes = Notes()
    fit(make_model(use_ema=False), notes, shuffle=False)
    return notes.trained


@pytest.mark.parametrize(
    "wrap", [lambda o: o, mlapi.optimizers.LossScaleOptimizer], ids=["plain", "scaled"]
)
@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_evaluations_and_files_have_the_averages(swap_on_epoch, wrap, tmp_path):
    trained = plain_weights()
    mlapi.utils.set_random_seed(1)
    notes, path = Notes(), tmp_path / "{epoch}.weights.h5"
    swap, keep = SwapEMAWeights(swap_on_epoch), ModelCheckpoint(path)
    model = make_model(wrap)
    fit(model, swap, keep, notes, shuffle=False)
    average = averages(trained)
    # Training is not disturbed, evaluation sees averages, and files do if that is asked for.
    np.testing.assert_allclose(notes.trained, trained, rtol=1e-5)
    np.testing.assert_allclose(notes.tested[::3], [average[2], average[5]], rtol=1e-5)
    saved = [average[2], average[5]] if swap_on_epoch else [trained[2], trained[5]]
    np.testing.assert_allclose(notes.at_end, saved, rtol=1e-5)
    for epoch, expected in enumerate(saved):
        other = make_model()
        other.load_weights(str(path).format(epoch=epoch + 1))
        np.testing.assert_allclose(other.get_weights()[0], expected, rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], average[5], rtol=1e-5)
    fit(model, swap, notes)  # and goes on


class Breaks(Callback):
    """Fails in the second evaluation, or prediction."""

    begun = 0

    def on_test_batch_end(self, batch, logs=None):
        self.begun += batch == 0
        if self.begun == 2:
            raise RuntimeError("broken")

    on_predict_batch_end = on_test_batch_end


@pytest.mark.parametrize(("pace", "steps"), [({}, 6), ({"validation_every": 2}, 4)])
def test_weights_come_back_when_validation_fails(pace, steps):
    trained = plain_weights()
    mlapi.utils.set_random_seed(1)
    model = make_model()
    with pytest.raises(RuntimeError, match="broken"):
        fit(model, SwapEMAWeights(swap_on_epoch=True), Breaks(), shuffle=False, **pace)
    np.testing.assert_allclose(model.get_weights()[0], trained[steps - 1], rtol=1e-5)


def test_a_run_that_goes_on_trains_the_weights_themselves(tmp_path):
    def run(name, *more):
        mlapi.utils.set_random_seed(1)
        model = make_model()
        backup = BackupAndRestore(tmp_path / name)
        fit(model, SwapEMAWeights(swap_on_epoch=True), backup, *more, epochs=3)
        return model.get_weights()[0]

    class Ends(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    expected = run("whole")
    with pytest.raises(KeyboardInterrupt):
        run("parts", Ends())
    np.testing.assert_array_equal(run("parts"), expected)


@pytest.mark.parametrize("run", ["evaluate", "predict"])
def test_single_runs_swap_and_come_back(run):
    model = make_model()
    fit(model, epochs=1)
    average = model.get_weights()[0]
    model.set_weights([average + 1])
    arguments = (X, Y) if run == "evaluate" else (X,)

    def call(*listeners):
        return getattr(model, run)(*arguments, batch_size=4, verbose=0, callbacks=list(listeners))

    shifted = call()
    swapped = call(SwapEMAWeights())
    np.testing.assert_array_equal(model.get_weights()[0], average + 1)
    broken = Breaks()
    broken.begun = 1
    with pytest.raises(RuntimeError, match="broken"):
        call(SwapEMAWeights(), broken)
    np.testing.assert_array_equal(model.get_weights()[0], average + 1)
    model.set_weights([average])
    np.testing.assert_allclose(swapped, call(), rtol=1e-5)
    assert not np.allclose(swapped, shifted)


def test_an_optimizer_without_averages_is_refused():
    with pytest.raises(ArgumentError, match="use_ema=True"):
        fit(make_model(use_ema=False), SwapEMAWeights())


def test_a_model_that_was_never_trained_is_left_alone():
    model = make_model()
    before = model.get_weights()[0]
    model.evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights()])
    np.testing.assert_array_equal(model.get_weights()[0], before)

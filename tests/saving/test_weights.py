"""Weights alone: formats, what fits and what does not, and nothing half done."""

import h5py
import numpy as np
import pytest
import safetensors.numpy

import mlapi
from mlapi import layers
from mlapi.errors import ArgumentError, LoadError, NotBuiltError
from tests.saving.architectures import ALL, convolutional

SUFFIXES = [".weights.h5", ".safetensors", ".h5", ".hdf5"]


def small(units=2, name=None, dtype=None):
    hidden = layers.Dense(3, name="hidden", dtype=dtype)
    out = layers.Dense(units, name="out", dtype=dtype)
    return mlapi.Sequential([mlapi.Input((4,)), hidden, out], name=name)


def filled(model, value=0.0):
    model.set_weights([np.full(v.shape, value, "float32") for v in model.weights])
    return model


def assert_same(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_round_trip(make, suffix, tmp_path):
    model, other = make()[0], make()[0]
    path = tmp_path / f"w{suffix}"
    model.save_weights(path)
    assert any((a != b).any() for a, b in zip(model.get_weights(), other.get_weights()))
    other.load_weights(path)
    assert_same(model, other)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_narrow_dtypes(suffix, dtype, tmp_path):
    model, other = small(dtype=dtype), small(dtype=dtype)
    model.save_weights(tmp_path / f"w{suffix}")
    other.load_weights(tmp_path / f"w{suffix}")
    assert_same(model, other)
    assert other.weights[0].dtype == dtype


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_weights_out_of_whole_models(suffix, tmp_path):
    model, x, y = convolutional()
    model.compile("adam", "mse")
    model.train_on_batch(x, y)
    model.save(tmp_path / f"m{suffix}")
    other = convolutional()[0]
    other.load_weights(tmp_path / f"m{suffix}")
    assert_same(model, other)


def test_other_tools_read_the_files(tmp_path):
    model = small()
    model.save_weights(tmp_path / "w.safetensors")
    arrays = safetensors.numpy.load_file(tmp_path / "w.safetensors")
    assert sorted(arrays) == [
        f"layers.{layer}.{name}" for layer in ("dense", "dense_1") for name in ("bias", "kernel")
    ]
    np.testing.assert_array_equal(arrays["layers.dense.kernel"], model.get_weights()[0])
    model.save_weights(tmp_path / "w.weights.h5")
    with h5py.File(tmp_path / "w.weights.h5") as file:
        np.testing.assert_array_equal(file["layers/dense_1/vars/1"], model.get_weights()[3])
    model.save_weights(tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5") as file:
        assert file.attrs["layer_names"].tolist() == [b"hidden", b"out"]
        np.testing.assert_array_equal(file["hidden"]["hidden/0_kernel"], model.get_weights()[0])


def test_files_of_other_tools_are_read(tmp_path):
    """Without our checksums, in another float type, in another byte order."""
    kernel = np.arange(12.0).reshape(4, 3)
    expected = [kernel, np.ones(3), np.full((3, 2), 2.0), np.zeros(2)]
    names = [f"layers.{n}.{w}" for n in ("dense", "dense_1") for w in ("kernel", "bias")]
    arrays = {n: a.astype("float64") for n, a in zip(names, expected, strict=True)}
    safetensors.numpy.save_file(arrays, tmp_path / "w.safetensors")
    with h5py.File(tmp_path / "w.weights.h5", "w") as file:
        for name, array in zip(("dense", "dense_1"), (expected[:2], expected[2:]), strict=True):
            for i, value in enumerate(array):
                file[f"layers/{name}/vars/{i}"] = value.astype(">f4")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = [b"input_1", b"dense_5", b"dense_6"]
        file.create_group("input_1").attrs["weight_names"] = []
        for name, array in zip(("dense_5", "dense_6"), (expected[:2], expected[2:]), strict=True):
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/kernel:0".encode(), f"{name}/bias:0".encode()]
            for key, value in zip(("kernel:0", "bias:0"), array, strict=True):
                group.create_dataset(
                    f"{name}/{key}", data=value, compression="gzip", shuffle=True, fletcher32=True
                )
    for path in tmp_path.iterdir():
        model = small()
        model.load_weights(path)
        for found, wanted in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


class Private(layers.Layer):
    """Keeps a layer in an attribute of its own, and shows another one by a property."""

    def build(self, input_shape):
        self._inner, self._shown = layers.Dense(1), layers.Dense(2)
        self._inner.build(input_shape)
        self._shown.build(input_shape)

    @property
    def shown(self):
        return self._shown

    def call(self, x):
        return self._inner(x) + self._shown(x)


def test_sublayers_stand_under_their_public_name_or_else_that_of_the_attribute(tmp_path):
    x = np.ones((2, 3), "float32")
    model = mlapi.Sequential([mlapi.Input((3,)), Private(), Private()])
    model.save_weights(tmp_path / "w.weights.h5")
    with h5py.File(tmp_path / "w.weights.h5") as file:  # as Keras has them
        assert file["layers/private/_inner/vars/0"].shape == (3, 1)
        assert file["layers/private_1/shown/vars/0"].shape == (2, 2)
    assert model(x).shape == (2, 2)


def test_many_layers_with_long_names(tmp_path):
    """More names than one HDF5 attribute has room for."""

    class Deep(mlapi.Model):
        def __init__(self):
            super().__init__()
            self.stack = [layers.Dense(1, name=f"{'n' * 200}{i}") for i in range(320)]

        def call(self, x):
            for layer in self.stack:
                x = layer(x)
            return x

    model = Deep()
    model.build((None, 1))
    model.save_weights(tmp_path / "w.h5")
    before = model.get_weights()
    model.set_weights([w * 0 for w in before])
    model.load_weights(tmp_path / "w.h5")
    for found, wanted in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, wanted)


# What does not fit


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_wrong_shapes(suffix, tmp_path):
    small(units=5).save_weights(tmp_path / f"w{suffix}")
    model = filled(small(), 7.0)
    with pytest.raises(LoadError, match=r"(\(3, 5\)|\(5,\)).*model expects"):
        model.load_weights(tmp_path / f"w{suffix}")
    assert_same(model, filled(small(), 7.0))
    model.load_weights(tmp_path / f"w{suffix}", skip_mismatch=True)
    assert np.abs(model.get_weights()[0] - 7).max() > 0
    np.testing.assert_array_equal(model.get_weights()[2], np.full((3, 2), 7.0))


@pytest.mark.parametrize("suffix", [".weights.h5", ".safetensors"])
def test_missing_and_unexpected_weights_are_listed(suffix, tmp_path):
    saved = mlapi.Sequential([mlapi.Input((4,)), layers.Dense(3), layers.LayerNormalization()])
    saved.save_weights(tmp_path / f"w{suffix}")
    model = filled(small(), 7.0)
    with pytest.raises(LoadError) as caught:
        model.load_weights(tmp_path / f"w{suffix}")
    lines = str(caught.value).splitlines()
    separator = "/" if "h5" in suffix else "."
    assert lines[0].endswith("does not fit the model.")
    missing = [line for line in lines if line.startswith("  missing: ")]
    assert len(missing) == 2
    assert separator.join(["layers", "dense_1"]) in missing[0]
    assert any("(3, 2)" in line and "out/kernel" in line for line in missing)
    unexpected = [line for line in lines if line.startswith("  unexpected: ")]
    assert len(unexpected) == 2
    assert "layer_normalization" in unexpected[0]
    assert_same(model, filled(small(), 7.0))
    model.load_weights(tmp_path / f"w{suffix}", skip_mismatch=True)
    np.testing.assert_array_equal(model.get_weights()[0], saved.get_weights()[0])
    np.testing.assert_array_equal(model.get_weights()[2], np.full((3, 2), 7.0))


def test_legacy_files_name_the_layers_that_differ(tmp_path):
    saved = mlapi.Sequential([mlapi.Input((4,)), layers.Dense(3, name="hidden")])
    saved.save_weights(tmp_path / "w.h5")
    model = filled(small(), 7.0)
    with pytest.raises(LoadError, match=r"weights for 1 layers \(hidden\).*has 2.*\(hidden, out\)"):
        model.load_weights(tmp_path / "w.h5")
    no_bias = mlapi.Sequential([mlapi.Input((4,)), layers.Dense(3, name="a", use_bias=False)])
    with pytest.raises(LoadError, match="layer 'a' has 2 weights in the file, 1 in the model"):
        no_bias.load_weights(tmp_path / "w.h5")
    assert_same(model, filled(small(), 7.0))


def test_by_name(tmp_path):
    saved = small()
    saved.save_weights(tmp_path / "w.h5")
    model = mlapi.Sequential(
        [mlapi.Input((4,)), layers.Dense(3, name="new"), layers.Dense(3, name="hidden_"),
         layers.Dense(2, name="out")]
    )  # fmt: skip
    filled(model, 7.0)
    model.load_weights(tmp_path / "w.h5", by_name=True)
    np.testing.assert_array_equal(model.get_layer("out").get_weights()[0], saved.get_weights()[2])
    np.testing.assert_array_equal(model.get_layer("new").get_weights()[0], np.full((4, 3), 7.0))
    saved.save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(LoadError, match="by_name=True is for legacy"):
        saved.load_weights(tmp_path / "w.weights.h5", by_name=True)


def test_numbers_that_the_dtype_cannot_hold(tmp_path):
    saved = filled(small(), 1e30)
    saved.save_weights(tmp_path / "w.weights.h5")
    half = small(dtype="float16")
    before = small(dtype="float16")
    before.set_weights(half.get_weights())
    with pytest.raises(LoadError, match="too large for float16"):
        half.load_weights(tmp_path / "w.weights.h5")
    assert_same(half, before)
    with h5py.File(tmp_path / "w.weights.h5", "r+") as file:
        del file["layers/dense/vars/0"]
        file["layers/dense/vars/0"] = np.ones((4, 3), "int32")
    with pytest.raises(LoadError, match="is float32 in the model, but int32 in the file"):
        small().load_weights(tmp_path / "w.weights.h5")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m, p: m.save_weights(p / "w.npz"), ArgumentError, r"known ending.*\.weights\.h5"),
        (lambda m, p: m.load_weights(p / "w.h5"), LoadError, "no such file"),
        (
            lambda m, p: mlapi.Sequential([layers.Dense(1)]).save_weights(p / "w.h5"),
            NotBuiltError,
            "no weights yet",
        ),
        (
            lambda m, p: (
                m.save_weights(p / "w.h5"),
                mlapi.Sequential([layers.Dense(1)]).load_weights(p / "w.h5"),
            ),
            NotBuiltError,
            "build it with an input",
        ),
        (
            lambda m, p: (m.save_weights(p / "w.h5"), m.save_weights(p / "w.h5", overwrite=False)),
            ArgumentError,
            "exists already",
        ),
        (
            lambda m, p: ((p / "w.pt").write_bytes(b""), m.load_weights(p / "w.pt")),
            LoadError,
            "no known ending for weights",
        ),
    ],
)
def test_mistakes(call, error, message, tmp_path):
    with pytest.raises(error, match=message):
        call(small(), tmp_path)


class Halved(layers.Layer):
    """Saves its weight as two numbers of its own choice."""

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(4,), initializer="ones")

    def call(self, x):
        return x * self.scale

    def save_own_variables(self, store):
        values = self.scale.numpy()
        store["front"], store["back"] = values[:2], values[2:]

    def load_own_variables(self, store):
        self.scale.assign(np.full(4, 7.0))  # to be undone if what follows fails
        self.scale.assign(np.concatenate([store["front"], store["back"]]))


def halved():
    return mlapi.Sequential([mlapi.Input((4,)), layers.Dense(4), Halved(), layers.Dense(1)])


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_layers_that_decide_what_is_saved(suffix, tmp_path):
    model, other = halved(), halved()
    model.set_weights([np.random.default_rng(0).normal(size=v.shape) for v in model.weights])
    path = tmp_path / f"w{suffix}"
    (model.save if suffix == ".keras" else model.save_weights)(path)
    other.load_weights(path)
    assert_same(model, other)
    if suffix == ".keras":
        again = mlapi.saving.load_model(path, custom_objects={"Halved": Halved})
        assert_same(model, again)


def test_a_layer_that_fails_to_load_leaves_all_as_it_was(tmp_path):
    model, other = halved(), halved()
    model.save_weights(tmp_path / "w.weights.h5")
    with h5py.File(tmp_path / "w.weights.h5", "r+") as file:
        del file["layers/halved/vars/back"]
    before = other.get_weights()
    with pytest.raises(LoadError, match=r"Halved\.load_own_variables.*back"):
        other.load_weights(tmp_path / "w.weights.h5")
    for one, then in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, then)

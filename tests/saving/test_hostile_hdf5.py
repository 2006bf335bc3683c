"""HDF5 files that lead elsewhere, claim what is not there, or are damaged."""

import zlib

import h5py
import numpy as np
import pytest

from tests.saving.hostile import KERNEL, refuse, saved, victim

# The kernel's place in each layout.
PLACES = {"w.weights.h5": "layers/dense/vars/0", "w.h5": "d/d/0_kernel"}


@pytest.fixture(params=PLACES)
def target(request, tmp_path):
    """A good file, the place of its kernel, and the secret that is to be stolen."""
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["kernel"] = np.full((3, 2), 42.0, "float32")
        file["group/0_kernel"] = file["group/0"] = file["kernel"][()]
    return saved(tmp_path / request.param), PLACES[request.param], secret


def replace(path, place, make):
    with h5py.File(path, "r+") as file:
        del file[place]
        make(file, place)


def soft_link(file, place, secret):
    file["elsewhere"] = KERNEL
    file[place] = h5py.SoftLink("/elsewhere")


def external_link(file, place, secret):
    file[place] = h5py.ExternalLink(str(secret), "/kernel")


def external_storage(file, place, secret):
    file.create_dataset(place, (3, 2), "float32", external=[(str(secret), 0, 24)])


def virtual_dataset(file, place, secret):
    layout = h5py.VirtualLayout((3, 2), "float32")
    layout[:] = h5py.VirtualSource(str(secret), "kernel", (3, 2))
    file.create_virtual_dataset(place, layout)


@pytest.mark.parametrize("how", [soft_link, external_link, external_storage, virtual_dataset])
def test_what_leads_elsewhere_is_not_followed(target, how):
    path, place, secret = target
    replace(path, place, lambda file, p: how(file, p, secret))
    refuse(path, "not followed|bytes, but the file holds 0")


@pytest.mark.parametrize("link", ["soft", "external"])
def test_links_on_the_way_are_not_followed(target, link):
    path, place, secret = target
    parent = place.rpartition("/")[0]

    def make(file, _):
        file["group/0"] = file["group/0_kernel"] = KERNEL
        file[parent] = (
            h5py.SoftLink("/group") if link == "soft" else h5py.ExternalLink(str(secret), "/group")
        )

    replace(path, parent, make)
    refuse(path, "link to elsewhere")


def test_a_link_at_the_root_is_not_even_opened(tmp_path):
    path = saved(tmp_path / "w.weights.h5")
    with h5py.File(path, "r+") as file:
        file["model_weights"] = h5py.ExternalLink(str(tmp_path / "none.h5"), "/")
    refuse(path, "link to elsewhere")


@pytest.mark.parametrize("shape", [(2**31, 2**20), (3, 2**40), (0, 2), (2, 3), (), (3, 2, 1)])
def test_declared_shapes_must_be_those_of_the_model(target, shape):
    path, place, _ = target
    replace(path, place, lambda f, p: f.create_dataset(p, shape, "float32", chunks=True) if shape
            else f.create_dataset(p, (), "float32"))  # fmt: skip
    refuse(path, "has shape.*expects")


def test_declared_values_must_be_there(target):
    path, place, _ = target
    replace(path, place, lambda f, p: f.create_dataset(p, (3, 2), "float32", chunks=(1, 2)))
    refuse(path, "declares 24 bytes, but the file holds 0")


def test_a_dataset_without_values(target):
    path, place, _ = target
    replace(path, place, lambda f, p: f.create_dataset(p, data=h5py.Empty("float32")))
    refuse(path, "has shape None")


@pytest.mark.parametrize(
    "dtype",
    ["S4", h5py.string_dtype(), "V4", [("a", "f4"), ("b", "f4")], ("f4", (2,))],
    ids=["text", "varying text", "opaque", "compound", "array"],
)
def test_only_numbers_are_read(target, dtype):
    path, place, _ = target
    replace(path, place, lambda file, p: file.create_dataset(p, (3, 2), np.dtype(dtype)))
    refuse(path, "no number|has shape")


def test_numbers_of_another_kind(target):
    path, place, _ = target
    replace(path, place, lambda f, p: f.create_dataset(p, data=KERNEL.astype("complex64")))
    refuse(path, "is float32 in the model, but complex64 in the file")


def test_references_are_not_followed(target):
    path, place, _ = target
    replace(path, place, lambda file, p: file.create_dataset(p, (3, 2), h5py.ref_dtype))
    refuse(path, "no number")


def test_a_group_where_an_array_should_be(target):
    path, place, _ = target
    replace(path, place, lambda file, p: file.create_group(p))
    refuse(path, "is not an array|missing")


def test_groups_that_hold_themselves(target):
    path, _, _ = target
    with h5py.File(path, "r+") as file:
        file["round"] = file["/"]
        file.create_group("a/b")
        file["a/b/c"] = file["a"]
    model = victim()
    model.load_weights(path)
    np.testing.assert_array_equal(model.get_weights()[0], KERNEL)


def test_unknown_filters(target):
    path, place, _ = target
    replace(path, place, lambda f, p: f.create_dataset(p, data=KERNEL, compression="lzf"))
    refuse(path, "unknown filter")


def test_what_is_packed_may_grow_only_so_much(tmp_path):
    """A chunk of zeros far larger than the array that is cut from it."""
    path = saved(tmp_path / "w.weights.h5")
    with h5py.File(path, "r+") as file:
        del file[PLACES[path.name]]
        file.create_dataset(
            PLACES[path.name], (3, 2), "float32", np.zeros((3, 2)), chunks=(2**20, 2),
            maxshape=(None, 2), compression="gzip",
        )  # fmt: skip
    refuse(path, "has chunks of 8388608 bytes")


def test_a_chunk_that_unpacks_to_more_than_it_says(tmp_path):
    path = saved(tmp_path / "w.weights.h5")
    with h5py.File(path, "r+") as file:
        del file[PLACES[path.name]]
        dataset = file.create_dataset(
            PLACES[path.name], (3, 2), "float32", chunks=(3, 2), compression="gzip"
        )
        dataset.id.write_direct_chunk((0, 0), zlib.compress(bytes(10**6)))
    refuse(path, "grows too much when unpacked")


def test_changed_values_are_noticed(target):
    path, place, _ = target
    with h5py.File(path, "r+") as file:
        file[place][0, 0] = 666.0
    refuse(path, "its checksum differs")


@pytest.mark.parametrize("name", ["w.weights.h5", "w.h5", "model.h5", "model.keras"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.95])
def test_truncated_files(name, share, tmp_path):
    path = saved(tmp_path / name)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    refuse(path)


def test_what_is_no_hdf5_at_all(tmp_path):
    for name in ("w.weights.h5", "w.h5", "model.h5", "w.keras"):
        (tmp_path / name).write_bytes(b"import os; os.remove('everything')" * 100)
        refuse(tmp_path / name)


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        ("/", "layer_names", 3),
        ("/", "layer_names", np.ones((2, 2))),
        ("/", "layer_names", "d"),
        ("/", "layer_names", [b"../d", b"d"]),
        ("/", "layer_names", [b""]),
        ("/", "layer_names", [b"\xff\xfe"]),
        ("d", "weight_names", [b"d/0_kernel", b"/secret"]),
        ("d", "weight_names", [b"d", b"d"]),
        ("d", "weight_names", [b"d/0_kernel"] * 50000),
        ("d/d/0_kernel", "sha256", 5),
        ("d/d/0_kernel", "sha256", "0" * 64),
        ("d/d/0_kernel", "dtype", "bfloat16"),
    ],
)
def test_attributes_that_make_no_sense(place, name, value, tmp_path):
    path = saved(tmp_path / "w.h5")
    with h5py.File(path, "r+") as file:
        if isinstance(value, list) and len(value) > 1000:
            del file[place].attrs[name]
            for i in range(10):
                file[place].attrs[f"{name}{i}"] = np.array(value[i::10], "S10")
        else:
            file[place].attrs[name] = value
    refuse(path)


@pytest.mark.parametrize("seed", range(4))
def test_random_damage_is_refused_or_harmless(seed, tmp_path):
    """Bytes that nobody reads may change; weights that are loaded are the saved ones."""
    generator = np.random.default_rng(seed)
    for name in ("w.weights.h5", "w.h5", "w.safetensors"):
        good = saved(tmp_path / name).read_bytes()
        for _ in range(25):
            data = bytearray(good)
            for place in generator.integers(len(data), size=3):
                data[place] = generator.integers(256)
            (tmp_path / name).write_bytes(data)
            model = victim()
            try:
                model.load_weights(tmp_path / name)
            except ValueError as error:
                assert type(error).__name__ == "LoadError"  # noqa: PT017, either is right
            np.testing.assert_array_equal(model.get_weights()[0], KERNEL)

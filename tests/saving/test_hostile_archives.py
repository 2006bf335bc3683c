"""Archives and safetensors files that lie about what they hold."""

import json
import struct
import zipfile

import numpy as np
import pytest
import safetensors.numpy

from mlapi.models import load_model
from mlapi.saving import container
from tests.saving.hostile import KERNEL, members, pack, refuse, saved, victim


@pytest.fixture
def path(tmp_path):
    return saved(tmp_path / "model.keras")


# .keras


def test_what_we_write_is_plain(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert json.loads(archive.read("metadata.json"))["written_by"] == "mlapi"


def test_packed_archives_are_read(path):
    pack(path, members(path), zipfile.ZIP_DEFLATED)
    np.testing.assert_array_equal(load_model(path).get_weights()[0], KERNEL)


@pytest.mark.parametrize("name", ["metadata.json", "config.json", "model.weights.h5"])
def test_members_must_be_there_once(path, name):
    parts = members(path)
    pack(path, {key: value for key, value in parts.items() if key != name})
    refuse(path, f"lacks the member '{name}'")
    with pytest.warns(UserWarning, match="Duplicate name"):
        pack(path, [*parts.items(), (name, b"{}")])
    refuse(path, "a member twice")


@pytest.mark.parametrize(
    "name",
    [
        "extra.py",
        "../escape",
        "/etc/passwd",
        "assets/words",
        "config.json/",
        "Config.json",
        "C:\\x",
    ],
)
def test_unknown_members_are_refused(path, name):
    pack(path, [*members(path).items(), (name, b"x")])
    refuse(path, "which no model has")


def test_bombs_are_not_unpacked(path):
    parts = members(path)
    parts["config.json"] = b" " * 2**24 + parts["config.json"]
    pack(path, parts, zipfile.ZIP_DEFLATED)
    refuse(path, "grows too much when unpacked")


@pytest.mark.parametrize("how", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_rare_packings_are_refused(path, how):
    pack(path, members(path), how)
    refuse(path, "packed in an unknown way")


def edit_directory(path, name, offset, data):
    """Overwrite bytes of a member's entry in the central directory."""
    raw = bytearray(path.read_bytes())
    entry = raw.rindex(b"PK\x01\x02", 0, raw.rindex(name.encode()))
    raw[entry + offset : entry + offset + len(data)] = data
    path.write_bytes(raw)


# Places in an entry of the directory: flags 8, method 10, checksum 16, sizes 20 and 24, start 42.
@pytest.mark.parametrize(
    ("offset", "data"),
    [
        (8, struct.pack("<H", 1)),
        (10, struct.pack("<H", 8)),
        (10, struct.pack("<H", 99)),
        (16, struct.pack("<I", 12345)),
        (24, struct.pack("<I", 10)),
        (20, struct.pack("<II", 2**31, 2**31)),
        (42, struct.pack("<I", 0)),
        (42, struct.pack("<I", 2**31)),
    ],
    ids=["encrypted", "deflated", "unknown", "checksum", "short", "long", "overlap", "beyond"],
)
def test_directories_that_lie(path, offset, data):
    edit_directory(path, "config.json", offset, data)
    refuse(path)


def test_changed_bytes_are_noticed(path):
    raw = bytearray(path.read_bytes())
    raw[raw.index(b'"units": 2') + 9] = ord("3")
    path.write_bytes(raw)
    refuse(path, "damaged archive.*CRC")


def test_random_damage_is_refused_or_harmless(path):
    generator = np.random.default_rng(0)
    pack(path, members(path), zipfile.ZIP_DEFLATED)
    good = path.read_bytes()
    for _ in range(60):
        data = bytearray(good)
        for place in generator.integers(len(data), size=2):
            data[place] = generator.integers(256)
        path.write_bytes(data)
        try:
            found = load_model(path).get_weights()[0]
        except ValueError as error:
            assert type(error).__name__ == "LoadError"  # noqa: PT017, either is right
        else:
            np.testing.assert_array_equal(found, KERNEL)


def test_limits_are_those_of_json(path, monkeypatch):
    monkeypatch.setattr(container, "_MAX_JSON", 100)
    refuse(path, "too large")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"not json",
        b"\xff\xfe\x00",
        b"[1, 2]",
        b'"text"',
        b"null",
        b"3",
        b"[" * 5000 + b"]" * 5000,
        b'{"class_name": "Sequential", "config": {"name": 1' + b"0" * 400 + b"}}",
        b'{"class_name": "Dense", "config": {"units": 2}}',
    ],
)
def test_configs_that_are_none(path, text):
    pack(path, members(path) | {"config.json": text})
    refuse(path)


def test_weights_of_another_model(path):
    other = saved(path.with_name("other.weights.h5"))
    pack(path, members(path) | {"model.weights.h5": other.read_bytes()[:-100]})
    refuse(path, "model.weights.h5")


# safetensors


def safetensors_file(path, header, data=bytes(24 + 8), size=None):
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    path.write_bytes(struct.pack("<Q", len(text) if size is None else size) + text + data)
    return path


def entry(shape=(3, 2), offsets=(0, 24), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


BIAS = {"layers.dense.bias": entry((2,), (24, 32))}


@pytest.mark.parametrize(
    "header",
    [
        {"layers.dense.kernel": entry(offsets=(0, 2**40)), **BIAS},
        {"layers.dense.kernel": entry(offsets=(24, 0)), **BIAS},
        {"layers.dense.kernel": entry(offsets=(-24, 0)), **BIAS},
        {"layers.dense.kernel": entry(offsets=(8, 32)), **BIAS},
        {"layers.dense.kernel": entry((2**40, 2**40)), **BIAS},
        {"layers.dense.kernel": entry((3, 3)), **BIAS},
        {"layers.dense.kernel": entry((6,)), **BIAS},
        {"layers.dense.kernel": entry(dtype="F64"), **BIAS},
        {"layers.dense.kernel": entry(dtype="I32"), **BIAS},
        {"layers.dense.kernel": entry(dtype="F8_E4M3"), **BIAS},
        {"layers.dense.kernel": entry(dtype="pickle"), **BIAS},
        {"layers.dense.kernel": {"dtype": "F32"}, **BIAS},
        {"layers.dense.kernel": 3, **BIAS},
        {"__metadata__": {"mlapi": "not json"}, "layers.dense.kernel": entry(), **BIAS},
        {"__metadata__": {"mlapi": "[]"}, "layers.dense.kernel": entry(), **BIAS},
        {"__metadata__": {"mlapi": '{"sha256": {"x": 1}}'}, "layers.dense.kernel": entry(), **BIAS},
        [],
        b"{",
        b"\xff" * 50,
        b'{"a": ' * 5000,
    ],
)
def test_headers_that_lie(header, tmp_path):
    refuse(safetensors_file(tmp_path / "w.safetensors", header))


@pytest.mark.parametrize("size", [0, 1, 2**20, 2**63, 2**64 - 1])
def test_header_sizes_that_lie(size, tmp_path):
    header = {"layers.dense.kernel": entry(), **BIAS}
    refuse(safetensors_file(tmp_path / "w.safetensors", header, size=size))


def test_truncated_and_changed_safetensors(tmp_path):
    path = saved(tmp_path / "w.safetensors")
    good = path.read_bytes()
    for length in (0, 4, 8, 60, len(good) - 1):
        path.write_bytes(good[:length])
        refuse(path)
    path.write_bytes(good + b"more")
    refuse(path)
    path.write_bytes(good[:-1] + b"\x00")
    refuse(path, "checksum differs")


def test_tensors_without_checksums_are_read(tmp_path):
    arrays = {"layers.dense.kernel": KERNEL * 2, "layers.dense.bias": np.zeros(2, "float32")}
    safetensors.numpy.save_file(arrays, tmp_path / "w.safetensors", {"format": "np"})
    model = victim()
    model.load_weights(tmp_path / "w.safetensors")
    np.testing.assert_array_equal(model.get_weights()[0], KERNEL * 2)

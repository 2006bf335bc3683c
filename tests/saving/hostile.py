"""What the tests of hostile files share: a victim, and the one way in which it must refuse."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mlapi
from mlapi import layers
from mlapi.errors import LoadError
from mlapi.models import load_model

KERNEL = np.arange(6.0, dtype="float32").reshape(3, 2)


def victim() -> Any:
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(2, name="d")], name="victim")
    model.set_weights([KERNEL, [1.0, 2.0]])
    return model


def saved(path: Path, compiled: bool = False) -> Path:
    """A good file, of the kind that its name asks for."""
    model = victim()
    if compiled:
        model.compile("adam", "mse")
        model.train_on_batch(np.ones((2, 3), "float32"), np.ones((2, 2), "float32"))
    whole = path.name.startswith("model")
    (model.save if whole else model.save_weights)(path)
    return path


def refuse(path: Path, message: str = ".") -> str:
    """Load a file, whole or into a model: a LoadError, and the model is as it was."""
    model = victim()
    with pytest.raises(LoadError, match=message) as caught:
        load_model(path) if path.name.startswith("model") else model.load_weights(path)
    assert type(caught.value) is LoadError
    for found, wanted in zip(model.get_weights(), [KERNEL, [1.0, 2.0]], strict=True):
        np.testing.assert_array_equal(found, wanted)
    text = str(caught.value) + "".join(getattr(caught.value, "__notes__", ()))
    assert path.name in text
    return text


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path: Path, parts: Any, how: int = zipfile.ZIP_STORED) -> Path:
    """An archive of `(name, bytes)` pairs, repeated names included."""
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, data in parts.items() if isinstance(parts, dict) else parts:
            archive.writestr(name, data)
    return path


def with_config(path: Path, change: Any) -> Path:
    """A saved model whose config `change` edits in place, or replaces by what it returns."""
    parts = members(saved(path, compiled=True))
    config = json.loads(parts["config.json"])
    changed = change(config)
    parts["config.json"] = json.dumps(config if changed is None else changed).encode()
    return pack(path, parts)

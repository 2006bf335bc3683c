"""Does memory stay flat? `MLAPI_BACKEND=jax python -m tests.benchmarks.leaks`

Megabytes that the process holds after 100 and after 1,100 steps of training, and after 20, 40 and
80 models that were made, trained and deleted.
"""

import argparse
import gc
from pathlib import Path

import numpy as np

import mlapi
from mlapi import layers


def resident() -> float:
    """Megabytes of this process, as Linux counts them."""
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def make_model(**options: bool) -> mlapi.Model:
    model = mlapi.Sequential(
        [
            mlapi.Input((32,)),
            layers.Dense(64, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.1),
            layers.Dense(10),
        ]
    )
    loss = mlapi.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"], **options)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.leaks", description=__doc__)
    parser.add_argument("--jit", action="store_true", help="jit_compile=True")
    options = {"jit_compile": True} if parser.parse_args().jit else {}
    random = np.random.default_rng(0)
    x, y = random.random((3200, 32), dtype="float32"), random.integers(0, 10, 3200)
    model = make_model(**options)
    model.fit(x, y, verbose=0)
    before = resident()
    model.fit(x, y, epochs=10, verbose=0)
    print(f"100 steps {before:.1f} MB, 1,100 steps {resident():.1f} MB")
    del model
    for cycle in range(1, 81):
        model = make_model(**options)
        model.fit(x[:320], y[:320], validation_split=0.1, verbose=0)
        model.predict(x[:64], verbose=0)
        del model
        if cycle in (20, 40, 80):
            print(f"{cycle} models {resident():.1f} MB")


if __name__ == "__main__":
    main()

"""What training needs beyond its data: `python -m tests.benchmarks.memory [--rows ROWS]`.

The table of all benchmarks has 500 MB of float32 only, with Keras and a loop by hand; this command
tries mlapi on all kinds of data, each in a process of its own. The figure is how far the process's
largest resident size rose while `fit` ran, after a first `fit` on a few rows has loaded everything.
"""

import argparse
import importlib
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.benchmarks import keras_side
from tests.benchmarks.measure import Row, rows_of
from tests.benchmarks.workloads import CLASSES, Workload

COLUMNS = 1000
LARGE = Workload("500 MB of float32", (COLUMNS,), 250, 500, (("dense", CLASSES),))
KINDS = ("float32", "float64", "int64", "memmap", "h5py", "torch rows")
ORDERS = {"in order": False, "shuffled": True, "batches shuffled": "batch"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000, help="of 1000 numbers")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(measure_side(options.side))
        return
    if options.worker:
        print(measure(options.rows, *options.worker))
        return
    print(f"{'MB beyond the data':20}" + "".join(f"{order:>20}" for order in ORDERS))
    for kind in KINDS:
        row = [run(options.rows, kind, order) for order in ORDERS]
        print(f"{kind:20}" + "".join(f"{growth:20.1f}" for growth in row))


def run(rows: int, kind: str, order: str) -> float:
    command = [sys.executable, "-m", "tests.benchmarks.memory", "--rows", str(rows)]
    done = subprocess.run(
        [*command, "--worker", kind, order], stdout=subprocess.PIPE, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def measure(rows: int, kind: str, order: str) -> float:
    import mlapi
    from mlapi import layers

    model = mlapi.Sequential([mlapi.Input((COLUMNS,)), layers.Dense(1)])
    model.compile(mlapi.optimizers.SGD(0.0), "mse")
    with tempfile.TemporaryDirectory() as folder:
        data = make(kind, rows, Path(folder))
        y = None if kind == "torch rows" else np.zeros((rows, 1), "float32")
        few = np.zeros((64, COLUMNS), "float32")
        for shuffle in (False, True):
            model.fit(few, np.zeros((64, 1), "float32"), shuffle=shuffle, verbose=0)
        before = peak()
        model.fit(data, y, batch_size=256, shuffle=ORDERS[order], verbose=0)
        return (peak() - before) / 1e6


def rows(backend: str, rounds: int) -> list[Row]:
    """Megabytes that an epoch over 500 MB needs beyond them."""
    sides = {"mlapi": "mlapi_side", "loop by hand": f"native_{backend}"}
    if keras_side.installed():
        sides[f"Keras on {backend}"] = "keras_side"
    growths: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, module in sides.items():
            command = [sys.executable, "-m", "tests.benchmarks.memory", "--side", module]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            growths[name].append(float(done.stdout.split()[-1]))
    return rows_of(growths, title=LARGE.title, kind="memory", backend=backend, unit="MB")


def measure_side(module: str) -> float:
    """Growth in MB while a program of one of the benchmarks' sides learns from a large array."""
    program = importlib.import_module(f"tests.benchmarks.{module}").Program
    size = LARGE.batch * LARGE.steps
    labels = np.zeros(size, "int64")
    trained = program(LARGE, make("float32", size, Path()), labels)
    trained.epoch(2 * LARGE.batch)
    before = peak()
    trained.epoch()
    return (peak() - before) / 1e6


def peak() -> int:
    """The largest resident size so far, without the pages of files, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # resident memory counts what is mapped of a file, which can be dropped
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        # Not `ru_maxrss`: in a child it starts from the size of the process that started it.
        highest, mapped = (int(fields[name].split()[0]) for name in ("VmHWM", "RssFile"))
        return (highest - mapped) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def make(kind: str, rows: int, folder: Path) -> object:
    if kind in ("float32", "float64", "int64"):
        array = np.empty((rows, COLUMNS), kind)
        array.fill(1)  # so that it is resident
        return array
    if kind == "torch rows":
        return rows_of_torch(rows)
    path = folder / "data"
    return (write_hdf5 if kind == "h5py" else write_memmap)(path, rows)


def write_memmap(path: Path, rows: int) -> np.ndarray:
    file = np.memmap(path, "float32", "w+", shape=(rows, COLUMNS))
    del file
    return np.memmap(path, "float32", "r", shape=(rows, COLUMNS))


def write_hdf5(path: Path, rows: int) -> object:
    import h5py

    return h5py.File(path, "w").create_dataset("x", (rows, COLUMNS), "float32", fillvalue=1.0)


def rows_of_torch(rows: int) -> object:
    import torch

    class Rows(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return rows

        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            return np.ones(COLUMNS, "float32"), np.zeros(1, "float32")

    return Rows()


if __name__ == "__main__":
    main()

"""Kills a training program again and again: `python -m tests.benchmarks.kill`.

After N kills at random instants the weights, the optimizer's state, the history, the random
generators and the log file must be, bit for bit, those of a run that nobody disturbed.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
BACKENDS = ("torch", "jax", "tensorflow")


def start(backend: str, folder: Path, arguments: list[str]) -> subprocess.Popen:
    environment = {
        **os.environ,
        "MLAPI_BACKEND": backend,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "JAX_PLATFORMS": "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    program = [sys.executable, "-m", "tests.training.program", str(folder), *arguments]
    return subprocess.Popen(program, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> None:
    _, errors = process.communicate(timeout=600)
    if process.returncode:
        raise SystemExit(f"the program failed:\n{errors}")


def wait_for_checkpoint(process: subprocess.Popen, folder: Path, before: set[str]) -> bool:
    """Until there is a checkpoint that was not there before; False if the program ends first."""
    while process.poll() is None:
        if {path.name for path in folder.glob("backup/checkpoint-*")} - before:
            return True
        time.sleep(0.0005)
    return False


def trial(
    backend: str, kills: int, arguments: list[str], seed: int = 0, anywhere: float = 0.2
) -> dict[str, object]:
    """One whole run, and one that is killed `kills` times, mostly where checkpoints are written.

    `anywhere` is the share of kills at any instant, imports and the end included.
    """
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        whole, killed = Path(name) / "whole", Path(name) / "killed"
        whole.mkdir()
        killed.mkdir()
        started = time.perf_counter()
        finish(start(backend, whole, arguments))
        length = time.perf_counter() - started
        done, in_writing, early = 0, 0, 0
        while done < kills:
            before = {path.name for path in killed.glob("backup/checkpoint-*")}
            process = start(backend, killed, arguments)
            if draw.random() < anywhere:
                time.sleep(draw.uniform(0, length / 2))
                early += not {p.name for p in killed.glob("backup/checkpoint-*")} - before
            elif wait_for_checkpoint(process, killed, before):
                time.sleep(draw.uniform(0, 0.02))
            if process.poll() is not None:
                finish(process)
                break
            process.kill()
            process.communicate()
            done += 1
            in_writing += bool(list(killed.glob("backup/.checkpoint-*.tmp")))
        finish(start(backend, killed, arguments))
        results = [json.loads((folder / "result.json").read_text()) for folder in (whole, killed)]
        left = sorted(path.name for path in killed.glob("backup/*"))
        shutil.rmtree(killed)
    differing = [key for key in results[0] if results[0][key] != results[1][key]]
    return {
        "backend": backend,
        "kills": done,
        "while a file was written": in_writing,
        "before a new checkpoint": early,
        "seconds of a whole run": round(length, 1),
        "differing": differing,
        "files left": left,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", action="append", choices=BACKENDS, help="default: all")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--freq", default="1", help="'epoch', or batches between checkpoints")
    parser.add_argument("--epochs", default="40")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    arguments = ["--freq", options.freq, "--epochs", options.epochs, "--patience", options.epochs]
    results = [
        trial(backend, options.kills, arguments, options.seed)
        for backend in options.backend or BACKENDS
    ]
    for result in results:
        print(json.dumps(result))
    if any(result["differing"] for result in results):
        raise SystemExit("the runs differ")


if __name__ == "__main__":
    main()

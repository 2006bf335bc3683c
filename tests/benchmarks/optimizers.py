"""One update of many small variables: `python -m tests.benchmarks.optimizers`.

mlapi's optimizers against torch's own of the same name, and on jax and tensorflow against rules
written out by hand in one compiled function. Every backend runs in a process of its own; programs
take turns, and a ratio is the median over the rounds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks import keras_side, measure

ROOT = Path(__file__).parents[2]
BACKENDS = ("torch", "jax", "tensorflow")
COUNT, SHAPE = 200, (8, 8)
STEPS = 20  # timed together

# Name of the row → class of mlapi and its arguments.
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD": ("SGD", {}),
    "SGD, momentum": ("SGD", {"momentum": 0.9}),
    "Lion": ("Lion", {}),
    "Adagrad": ("Adagrad", {}),
    "RMSprop": ("RMSprop", {}),
    "Adadelta": ("Adadelta", {}),
    "Adam": ("Adam", {}),
    "Adam, amsgrad": ("Adam", {"amsgrad": True}),
    "AdamW": ("AdamW", {}),
    "Adamax": ("Adamax", {}),
    "Nadam": ("Nadam", {}),
    "Lamb": ("Lamb", {}),
    "Adafactor": ("Adafactor", {}),
    "Ftrl": ("Ftrl", {}),
    "Muon": ("Muon", {}),
    "ScheduleFreeAdamW": ("ScheduleFreeAdamW", {}),
    "Adam, global_clipnorm": ("Adam", {"global_clipnorm": 1.0}),
    "Adam, accumulating": ("Adam", {"gradient_accumulation_steps": 2}),
    "Adam, averaging": ("Adam", {"use_ema": True}),
    "Adam, loss scaling": ("Adam", {}),
    "Adam and SGD": ("Adam", {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.optimizers")
    parser.add_argument("--backend", action="append", choices=BACKENDS, help="default: all")
    parser.add_argument("--row", action="append", choices=list(ROWS), help="default: all")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.backend[0], options.row or list(ROWS), options.rounds)
        return
    for backend in options.backend or BACKENDS:
        environment = {
            **os.environ,
            "MLAPI_BACKEND": backend,
            "OMP_NUM_THREADS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "JAX_PLATFORMS": "cpu",
            "CUDA_VISIBLE_DEVICES": "",
        }
        command = [sys.executable, "-m", "tests.benchmarks.optimizers", "--worker"]
        command += ["--backend", backend, "--rounds", str(options.rounds)]
        for row in options.row or []:
            command += ["--row", row]
        found = subprocess.run(
            command, check=True, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        print(report(backend, json.loads(found.stdout.splitlines()[-1])))


def report(backend: str, rows: list[dict[str, Any]]) -> str:
    lines = [f"{backend}, {COUNT} variables of {SHAPE}, one thread", ""]
    lines += ["| optimizer | mlapi, µs | against | µs | ratio |", "|---|--:|---|--:|--:|"]
    for row in rows:
        peers = row["peers"] or {"": None}
        for peer, times in peers.items():
            other, ratio = (f"{times[0]:,.0f}", f"{times[1]:.2f}") if times else ("", "")
            lines.append(f"| {row['name']} | {row['mlapi']:,.0f} | {peer} | {other} | {ratio} |")
    return "\n".join([*lines, ""])


def work(backend: str, names: list[str], rounds: int) -> None:
    """Inside the process of one backend: prints rows as JSON."""
    if hasattr(os, "sched_setaffinity"):  # the only limit that jax knows
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    measure.native_module(backend).limit_threads(1)
    rows = []
    for name in names:
        print(f"{backend}: {name}", file=sys.stderr, flush=True)
        start, grads = draw()
        programs = {"mlapi": of_mlapi(name, start, grads), **PEERS[backend](name, start, grads)}
        seconds = measure.race({k: measure.repeated(p, STEPS) for k, p in programs.items()}, rounds)
        own = seconds.pop("mlapi")
        peers = {
            peer: (
                statistics.median(times) / STEPS * 1e6,
                statistics.median(a / b for a, b in zip(own, times, strict=True)),
            )
            for peer, times in seconds.items()
        }
        rows.append({"name": name, "mlapi": statistics.median(own) / STEPS * 1e6, "peers": peers})
    print(json.dumps(rows))


def rows_of_adam(backend: str, rounds: int, clock: measure.Clock) -> list[measure.Row]:
    """Adam in the table of all benchmarks, Keras's among its peers."""
    start, grads = draw()
    programs = {"mlapi": of_mlapi("Adam", start, grads), **PEERS[backend]("Adam", start, grads)}
    if keras_side.installed():
        programs[f"Keras on {backend}"] = keras_side.adam(start, grads)
    timed = {name: measure.repeated(step, STEPS) for name, step in programs.items()}
    seconds = measure.race(timed, rounds, clock)
    title = f"Adam, {COUNT} variables of 8×8"
    return measure.rows_of(seconds, title=title, kind="update", backend=backend, per=STEPS)


def draw() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """First values of the variables, and gradients."""
    random = np.random.default_rng(0)
    start = [random.normal(size=SHAPE).astype("float32") for _ in range(COUNT)]
    return start, [random.normal(size=SHAPE).astype("float32") for _ in range(COUNT)]


Step = Callable[[], Any]


def of_mlapi(name: str, start: list[np.ndarray], grads: list[np.ndarray]) -> Step:
    import mlapi
    from mlapi import ops, optimizers

    cls, options = ROWS[name]
    optimizer = getattr(optimizers, cls)(**options)
    if name == "Adam, loss scaling":
        optimizer = optimizers.LossScaleOptimizer(optimizer)
    if name == "Adam and SGD":
        patterns = {"w.*[02468]": optimizers.SGD(momentum=0.9)}
        optimizer = optimizers.MultiOptimizer(optimizers.OptimizerMap(optimizer, patterns))
    variables = [mlapi.Variable(x, name=f"w{i}") for i, x in enumerate(start)]
    optimizer.build(variables)
    tensors = [ops.convert_to_tensor(g) for g in grads]
    update = mlapi.jit(lambda *g: optimizer.apply(g, variables), [variables, optimizer])

    def step() -> Any:
        update(*tensors)
        return variables[-1].value

    return step


# --- torch ---------------------------------------------------------------------------------------


def of_torch(name: str, start: list[np.ndarray], grads: list[np.ndarray]) -> dict[str, Step]:
    import torch

    known = {
        "SGD": ("SGD", {}, ("foreach", "fused")),
        "SGD, momentum": ("SGD", {"momentum": 0.9}, ("foreach", "fused")),
        "Adagrad": ("Adagrad", {}, ("foreach", "fused")),
        "RMSprop": ("RMSprop", {}, ("foreach",)),
        "Adadelta": ("Adadelta", {}, ("foreach",)),
        "Adam": ("Adam", {}, ("foreach", "fused")),
        "Adam, amsgrad": ("Adam", {"amsgrad": True}, ("foreach", "fused")),
        "AdamW": ("AdamW", {}, ("foreach", "fused")),
        "Adamax": ("Adamax", {}, ("foreach",)),
        "Nadam": ("NAdam", {}, ("foreach",)),
        "Adafactor": ("Adafactor", {}, ("foreach",)),
        "Muon": ("Muon", {}, ("",)),
    }
    cls, options, kinds = known.get(name, ("Adam", {}, ("foreach",)))
    peers = {}
    for kind in kinds:
        parameters = [torch.nn.Parameter(torch.tensor(x)) for x in start]
        for parameter, gradient in zip(parameters, grads, strict=True):
            parameter.grad = torch.tensor(gradient)
        how = {kind: True} if kind else {}
        optimizer = getattr(torch.optim, cls)(parameters, **options, **how)
        peers[f"torch.optim.{cls} {kind}".strip()] = optimizer.step
    return peers


# --- jax and tensorflow --------------------------------------------------------------------------


def handwritten(name: str, xp: Any) -> tuple[Callable[..., Any], int]:
    """A rule `(t, p, g, *slots) -> (p, *slots)` and its number of slots, in jax.numpy or tf."""
    lr, b1, b2, eps = 0.001, 0.9, 0.999, 1e-7
    sqrt = xp.sqrt

    def moments(g: Any, m: Any, v: Any) -> Any:
        return m + (g - m) * (1 - b1), v + (g * g - v) * (1 - b2)

    def adam(t: Any, p: Any, g: Any, m: Any, v: Any) -> Any:
        m, v = moments(g, m, v)
        return p - lr * sqrt(1 - b2**t) / (1 - b1**t) * m / (sqrt(v) + eps), m, v

    def amsgrad(t: Any, p: Any, g: Any, m: Any, v: Any, top: Any) -> Any:
        m, v = moments(g, m, v)
        top = xp.maximum(top, v)
        return p - lr * sqrt(1 - b2**t) / (1 - b1**t) * m / (sqrt(top) + eps), m, v, top

    def momentum(t: Any, p: Any, g: Any, m: Any) -> Any:
        m = 0.9 * m - lr * g
        return p + m, m

    def lion(t: Any, p: Any, g: Any, m: Any) -> Any:
        return p - lr * xp.sign(m + (g - m) * (1 - b1)), m + (g - m) * 0.01

    def adagrad(t: Any, p: Any, g: Any, a: Any) -> Any:
        a = a + g * g
        return p - lr * g / sqrt(a + eps), a

    def rmsprop(t: Any, p: Any, g: Any, v: Any) -> Any:
        v = b1 * v + (1 - b1) * g * g
        return p - lr * g / sqrt(v + eps), v

    def adadelta(t: Any, p: Any, g: Any, a: Any, b: Any) -> Any:
        a = 0.95 * a + 0.05 * g * g
        step = sqrt(b + eps) / sqrt(a + eps) * g
        return p - lr * step, a, 0.95 * b + 0.05 * step * step

    def adamax(t: Any, p: Any, g: Any, m: Any, u: Any) -> Any:
        m, u = m + (g - m) * (1 - b1), xp.maximum(b2 * u, xp.abs(g))
        return p - lr / (1 - b1**t) * m / (u + eps), m, u

    def nadam(t: Any, p: Any, g: Any, m: Any, v: Any) -> Any:
        m, v = moments(g, m, v)
        step = b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / (1 - b1**t)
        return p - lr * step / (sqrt(v / (1 - b2**t)) + eps), m, v

    def schedule_free(t: Any, p: Any, g: Any, z: Any, v: Any) -> Any:
        x, v = (p - (1 - b1) * z) / b1, v + (g * g - v) * (1 - b2)
        z = z - lr * g / (sqrt(v / (1 - b2**t)) + eps)
        return (1 - b1) * z + b1 * (x + (z - x) / t), z, v

    rules = {
        "SGD": (lambda t, p, g: (p - lr * g,), 0),
        "SGD, momentum": (momentum, 1),
        "Lion": (lion, 1),
        "Adagrad": (adagrad, 1),
        "RMSprop": (rmsprop, 1),
        "Adadelta": (adadelta, 2),
        "Adam, amsgrad": (amsgrad, 3),
        "AdamW": (lambda t, p, g, m, v: adam(t, p * (1 - lr * 0.004), g, m, v), 2),
        "Adamax": (adamax, 2),
        "Nadam": (nadam, 2),
        "ScheduleFreeAdamW": (schedule_free, 2),
    }
    return rules.get(name, (adam, 2))


def label(name: str) -> str:
    others = ("Adam, g", "Adam, a", "Adam, l", "Adam and", "Lamb", "Adafactor", "Ftrl", "Muon")
    if name.startswith(others) and name != "Adam, amsgrad":
        return "Adam by hand"
    return "by hand"


def of_jax(name: str, start: list[np.ndarray], grads: list[np.ndarray]) -> dict[str, Step]:
    import jax
    import jax.numpy as jnp

    rule, slots = handwritten(name, jnp)

    def update(state: Any, gradients: list[Any]) -> Any:
        t, rows = state
        t = t + 1
        return t, [rule(t, row[0], g, *row[1:]) for row, g in zip(rows, gradients, strict=True)]

    compiled = jax.jit(update, donate_argnums=0)
    rows = [(jnp.array(x), *(jnp.zeros(SHAPE) for _ in range(slots))) for x in start]
    state = [(jnp.zeros(()), rows)]
    tensors = [jnp.array(g) for g in grads]

    def step() -> Any:
        state[0] = compiled(state[0], tensors)
        return state[0][0]

    return {label(name): step}


def of_tensorflow(name: str, start: list[np.ndarray], grads: list[np.ndarray]) -> dict[str, Step]:
    import tensorflow as tf

    rule, slots = handwritten(name, tf)
    rows = [[tf.Variable(x), *(tf.Variable(tf.zeros(SHAPE)) for _ in range(slots))] for x in start]
    tensors = [tf.constant(g) for g in grads]
    t = tf.Variable(0.0)

    @tf.function(autograph=False)
    def update(gradients: list[Any]) -> None:
        now = t.assign_add(1.0)
        for row, g in zip(rows, gradients, strict=True):
            p, *state = [variable.read_value() for variable in row]
            for variable, value in zip(row, rule(now, p, g, *state), strict=True):
                variable.assign(value, read_value=False)

    peers: dict[str, Step] = {label(name): lambda: update(tensors)}
    if name in ("SGD", "Adam"):
        peers["kernels by hand"] = kernels_by_hand(name, start, tensors)
    return peers


def kernels_by_hand(name: str, start: list[np.ndarray], tensors: list[Any]) -> Step:
    import tensorflow as tf

    rows = [[tf.Variable(x), *(tf.Variable(tf.zeros(SHAPE)) for _ in range(2))] for x in start]
    powers = tf.Variable(1.0), tf.Variable(1.0)

    @tf.function(autograph=False)
    def update(gradients: list[Any]) -> None:
        one, two = (p.assign(p * b) for p, b in zip(powers, (0.9, 0.999), strict=True))
        for (p, m, v), g in zip(rows, gradients, strict=True):
            if name == "SGD":
                tf.raw_ops.ResourceApplyGradientDescent(var=p.handle, alpha=0.01, delta=g)
            else:
                tf.raw_ops.ResourceApplyAdam(
                    var=p.handle,
                    m=m.handle,
                    v=v.handle,
                    beta1_power=one,
                    beta2_power=two,
                    lr=0.001,
                    beta1=0.9,
                    beta2=0.999,
                    epsilon=1e-7,
                    grad=g,
                )

    return lambda: update(tensors)


PEERS = {"torch": of_torch, "jax": of_jax, "tensorflow": of_tensorflow}


if __name__ == "__main__":
    main()

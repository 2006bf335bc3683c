"""Statistics of batches that are spread over processes, or over replicas of a strategy."""

import multiprocessing
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

_random = np.random.default_rng(0)
WHOLE = _random.standard_normal((8, 3)).astype("float32")
FACTORS = _random.standard_normal((8, 3)).astype("float32")
PARTS = [slice(0, 4), slice(4, 8)]
UNEVEN = [slice(0, 3), slice(3, 8)]


def normalized(x: Any, factors: Any) -> list[Any]:
    """Output, mean, variance, and the gradient of a weighted sum of the output."""
    import mlapi
    from mlapi import ops

    def loss(x: Any) -> Any:
        found = ops.batch_normalization_training(x, -1, synchronized=True)
        return ops.sum(found[0] * factors), found

    slope, found = mlapi.grad(loss, has_aux=True)(x)
    return [*found, slope]


def part_of_torch(rank: int, folder: str, results: Any) -> None:
    import torch

    store = f"file://{folder}/store"
    torch.distributed.init_process_group("gloo", store, rank=rank, world_size=2)
    x, factors = (torch.from_numpy(array[UNEVEN[rank]]) for array in (WHOLE, FACTORS))
    results.put((rank, [tensor.detach().numpy() for tensor in normalized(x, factors)]))
    torch.distributed.destroy_process_group()


def processes_of_torch(folder: str) -> dict[str, np.ndarray]:
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    workers = [
        context.Process(target=part_of_torch, args=(rank, folder, results)) for rank in range(2)
    ]
    for worker in workers:
        worker.start()
    found = dict(results.get(timeout=120) for _ in workers)
    for worker in workers:
        worker.join()
    return joined([found[0], found[1]])


def replicas_of_tensorflow(folder: str) -> dict[str, np.ndarray]:
    import tensorflow as tf

    device = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(device, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

    def distributed(array: np.ndarray) -> Any:
        return strategy.experimental_distribute_values_from_function(
            lambda replica: tf.constant(array[PARTS[replica.replica_id_in_sync_group]])
        )

    run = tf.function(lambda x, factors: strategy.run(normalized, (x, factors)))
    found = run(distributed(WHOLE), distributed(FACTORS))
    parts = [strategy.experimental_local_results(each) for each in found]
    return joined([[each[i].numpy() for each in parts] for i in range(2)])


def joined(parts: list[list[np.ndarray]]) -> dict[str, np.ndarray]:
    (y, mean, variance, slope), other = parts
    np.testing.assert_allclose((mean, variance), other[1:3], 1e-6)
    both = np.concatenate([y, other[0]]), np.concatenate([slope, other[3]])
    return {"y": both[0], "slope": both[1], "mean": mean, "variance": variance}


def alone() -> dict[str, Any]:
    from mlapi import ops

    arrays = [ops.convert_to_tensor(array) for array in (WHOLE, FACTORS)]
    names = ("y", "mean", "variance", "slope")
    found = [ops.convert_to_numpy(ops.stop_gradient(x)) for x in normalized(*arrays)]
    return dict(zip(names, found, strict=True))


@pytest.mark.parametrize(
    ("backend", "together"), [("torch", processes_of_torch), ("tensorflow", replicas_of_tensorflow)]
)
def test_statistics_are_those_of_all_parts(
    run_on: Callable, tmp_path: Any, backend: str, together: Callable
) -> None:
    found, expected = run_on(backend, together, str(tmp_path)), run_on("jax", alone)
    np.testing.assert_allclose(found["mean"], WHOLE.mean(0), 1e-5, 1e-6)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, 1e-4, 1e-5, err_msg=name)

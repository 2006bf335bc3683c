"""Data of each framework, trained on by every backend, as arrays are."""

import numpy as np
import pytest

BACKENDS = ("torch", "jax", "tensorflow")


def curves() -> dict[str, np.ndarray]:
    """Container → losses of two epochs."""
    import jax.numpy as jnp
    import tensorflow as tf
    import torch

    import mlapi
    from mlapi import layers

    tf.config.set_visible_devices([], "GPU")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(22, 3)).astype("float32")
    y = (np.arange(22) % 4).astype("int64")
    rows = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    dicts = tf.data.Dataset.from_tensor_slices(({"x": x, "other": x[:, 0]}, y))
    halves = jnp.asarray(x, "bfloat16"), torch.tensor(x, dtype=torch.bfloat16)
    containers = {
        "arrays": (x, y),
        "jax arrays": (jnp.asarray(x), jnp.asarray(y)),
        "torch tensors": (torch.from_numpy(x).requires_grad_(), torch.from_numpy(y)),
        "tensorflow tensors": (tf.constant(x), tf.constant(y)),
        "TensorDataset": (rows,),
        "Subset": (torch.utils.data.Subset(rows, range(22)),),
        "DataLoader": (torch.utils.data.DataLoader(rows, batch_size=5),),
        "tf.data": (tf.data.Dataset.from_tensor_slices((x, y)).batch(5),),
        "tf.data of dicts": (dicts.batch(5),),
        "tf.data of float64": (
            tf.data.Dataset.from_tensor_slices((x.astype("float64"), y)).batch(5),
        ),
        "halves of arrays": (np.asarray(halves[0]), y),
        "halves of jax": (halves[0], y),
        "halves of torch": (halves[1], y),
    }
    found = {}
    for name, data in containers.items():
        mlapi.utils.set_random_seed(3)
        inputs = mlapi.Input((3,), name="x")
        model = mlapi.Model(inputs, layers.Dense(4)(inputs))
        loss = mlapi.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("sgd", loss)
        options = {"class_weight": {1: 2.0}, "shuffle": False, "epochs": 2, "verbose": 0}
        options["validation_data"] = data[0] if len(data) == 1 else data
        history = model.fit(*data, batch_size=5, **options).history
        found[name] = np.array([history["loss"], history["val_loss"]])
    return found


@pytest.mark.parametrize("backend", BACKENDS)
def test_same_curve(backend: str, run_on) -> None:
    found = run_on(backend, curves)
    for name, losses in found.items():
        expected = found["halves of arrays" if "halves" in name else "arrays"]
        np.testing.assert_array_equal(losses, expected, err_msg=name)
    assert len(set(found["arrays"].ravel())) == 4

"""One seed, one loss curve: the same model learns the same on every backend."""

from collections.abc import Callable

import numpy as np


def train() -> dict[str, np.ndarray]:
    """A CNN without dropout, 100 steps: its first weights, and the loss of every batch."""
    import mlapi
    from mlapi import layers

    mlapi.utils.set_random_seed(7)
    (x, y), _ = mlapi.datasets.digits.load_data()
    model = mlapi.Sequential(
        [
            mlapi.Input((8, 8, 1)),
            layers.Rescaling(1 / 16),
            # No bias before a normalization: its slope is noise, which Adam would follow.
            layers.Conv2D(8, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    model.compile("adam", mlapi.losses.SparseCategoricalCrossentropy(from_logits=True))
    first = {f"weight {i}": weight for i, weight in enumerate(model.get_weights())}
    # `logs` hold the mean of the epoch so far, so every epoch here has one batch.
    history = model.fit(
        x[:1280, ..., None], y[:1280], batch_size=32, steps_per_epoch=1, epochs=100, verbose=0
    )
    return {**first, "loss": np.array(history.history["loss"])}


def test_a_hundred_steps_agree(run_everywhere: Callable) -> None:
    results = run_everywhere(train)
    expected = results.pop("torch")
    assert expected["loss"].shape == (100,)
    assert expected["loss"][-1] < 0.5 * expected["loss"][0]
    for backend, found in results.items():
        np.testing.assert_allclose(found.pop("loss"), expected["loss"], rtol=1e-5, err_msg=backend)
        for name, weight in found.items():
            np.testing.assert_array_equal(weight, expected[name], err_msg=f"{backend}: {name}")

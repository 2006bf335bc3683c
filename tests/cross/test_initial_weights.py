"""Initial weights are the same bits on every backend."""

from collections.abc import Callable

import numpy as np


def draw_weights() -> dict[str, np.ndarray]:
    import mlapi

    mlapi.utils.set_random_seed(5)
    names = ("glorot_uniform", "he_normal", "orthogonal", "random_normal", "truncated_normal")
    weights = {
        f"{name} {dtype}": mlapi.Variable(mlapi.initializers.get(name), (9, 7), dtype).numpy()
        for name in names
        for dtype in ("float32", "float16")
    }
    model = mlapi.Sequential(
        [
            mlapi.Input((8, 8, 1)),
            mlapi.layers.Conv2D(4, 3),
            mlapi.layers.Flatten(),
            mlapi.layers.Dense(3, kernel_initializer="lecun_uniform"),
        ]
    )
    return weights | {f"weight {i}": weight for i, weight in enumerate(model.get_weights())}


def test_weights_are_bit_identical(run_everywhere: Callable) -> None:
    results = run_everywhere(draw_weights)
    expected = results.pop("torch")
    assert len(expected) == 14
    for backend, weights in results.items():
        for name, weight in weights.items():
            np.testing.assert_array_equal(weight, expected[name], err_msg=f"{backend}: {name}")
            assert weight.dtype == expected[name].dtype

"""Every layer of the table with the same weights: outputs and gradients agree between backends."""

from collections.abc import Callable

import numpy as np

TOLERANCE = 1e-5


def run_layers() -> dict[str, np.ndarray]:
    import mlapi
    from mlapi import ops, tree
    from tests.layers.cases import ROWS

    found = {}
    for i, row in enumerate(ROWS):
        mlapi.utils.set_random_seed(i)
        rng = np.random.default_rng(i)
        layer = row.layer(**row.arguments)
        layer(row.inputs, **row.call)
        for variable in layer.trainable_variables:  # or biases would be 0, and tell nothing
            noise = rng.normal(scale=0.3, size=variable.shape)
            variable.assign(variable.numpy() + noise.astype("float32"))
        weights, variables = layer.get_weights(), layer.trainable_variables
        given = tree.flatten(row.inputs)
        slots = [mlapi.Variable(x) for x in given] if given[0].dtype.kind == "f" else []

        def outputs(layer=layer, row=row, slots=slots):
            inputs = tree.pack_sequence_as(row.inputs, [x.value for x in slots]) if slots else None
            return tree.flatten(layer(row.inputs if inputs is None else inputs, **row.call))

        def loss(outputs=outputs, rng=rng):
            total, factors = 0.0, np.random.default_rng(0)
            for y in outputs():
                factor = factors.normal(size=y.shape).astype("float32")
                total = total + ops.sum(ops.multiply(y, factor))
            return total

        arrays = [ops.stop_gradient(y) for y in mlapi.jit(outputs, [layer, slots])()]
        layer.set_weights(weights)
        if row.options.get("gradients", True) and (slots or variables):
            arrays += mlapi.jit(mlapi.grad(loss, [*slots, *variables]), [layer, slots])()
        for j, array in enumerate(arrays):
            found[f"{i} {row.layer.__name__} {j}"] = np.array(ops.convert_to_numpy(array))
    return found


def test_layers_agree(run_everywhere: Callable) -> None:
    results = run_everywhere(run_layers)
    reference = results.pop("torch")
    assert len(reference) > 300
    wrong = []
    for backend, arrays in results.items():
        assert arrays.keys() == reference.keys()
        for name, array in arrays.items():
            scale = max(1.0, float(np.abs(reference[name]).max(initial=0)))
            difference = float(np.abs(array - reference[name].astype(array.dtype)).max(initial=0))
            if difference > TOLERANCE * scale:
                wrong.append(f"{backend}: {name}: {difference / scale:.1e}")
    assert not wrong, "\n".join(wrong)

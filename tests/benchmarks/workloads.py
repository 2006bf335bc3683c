"""What is timed: networks as lists of layers, their first weights and their data, in NumPy only."""

from dataclasses import dataclass

import numpy as np

LEARNING_RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7
BN_MOMENTUM, BN_EPSILON = 0.99, 1e-3
LN_EPSILON = 1e-3
CLASSES = 10


@dataclass(frozen=True)
class Workload:
    """A classifier and how it is trained.

    Layers are `("dense", units)`, `("conv", filters)` (3×3, no padding, channels last),
    `("batch_norm",)`, `("max_pool",)` (2×2), `("relu",)`, `("flatten",)`, and `("lstm", units)` and
    `("gru", units)`, of which only the last output goes on; for sequences also
    `("transformer", heads)`, which is `x = x + attention(norm(x))` and then
    `x = x + dense(gelu(dense(norm(x))))` with four times as many units inside, and `("mean",)`
    over the steps.
    """

    title: str
    shape: tuple[int, ...]
    batch: int
    steps: int  # of one timed epoch
    layers: tuple[tuple, ...]

    @property
    def recurrence(self) -> str | None:
        """The kind of its recurrent layer."""
        return next((kind for kind, *_ in self.layers if kind in GATES), None)


GATES = {"lstm": 4, "gru": 3}
_CONVOLUTIONS = (
    *(("conv", 32), ("batch_norm",), ("relu",), ("conv", 64), ("relu",)),
    *(("max_pool",), ("flatten",), ("dense", 128), ("relu",), ("dense", CLASSES)),
)
_BLOCKS = (("transformer", 4), ("transformer", 4), ("mean",), ("dense", CLASSES))
_TWO_HIDDEN = (("dense", 512), ("relu",), ("dense", 512), ("relu",), ("dense", CLASSES))

WORKLOADS = {
    "tiny": Workload(
        "MLP 64-64-10, batch 32", (64,), 32, 200, (("dense", 64), ("relu",), ("dense", CLASSES))
    ),
    "medium": Workload("MLP 784-512-512-10, batch 128", (784,), 128, 24, _TWO_HIDDEN),
    "cnn": Workload("CNN 28×28, batch 64", (28, 28, 1), 64, 4, _CONVOLUTIONS),
    "lstm": Workload(
        "LSTM 64, 64 steps of 32, batch 32", (64, 32), 32, 20, (("lstm", 64), ("dense", CLASSES))
    ),
    "gru": Workload(
        "GRU 64, 64 steps of 32, batch 32", (64, 32), 32, 20, (("gru", 64), ("dense", CLASSES))
    ),
    "transformer": Workload("transformer, 2 blocks, 64×128, batch 16", (64, 128), 16, 4, _BLOCKS),
}


def data(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """One epoch: inputs `(N, *shape)` float32 and labels `(N,)` int64."""
    random = np.random.default_rng(0)
    n = workload.batch * workload.steps
    inputs = random.random((n, *workload.shape), dtype="float32")
    return inputs, random.integers(0, CLASSES, n)


def weights(workload: Workload) -> list[np.ndarray]:
    """First weights, layer by layer: dense (in, out) and conv (3, 3, in, out) kernels, biases;
    gamma, beta, moving mean and moving variance of a batch normalization; kernel (in, gates *
    units), recurrent kernel (units, gates * units) and bias of an LSTM, whose gates are input,
    forget, memory, output, or a GRU: update, reset, new, with a bias (2, 3 * units).
    A transformer's block is gamma and beta, kernel and bias of query, key, value and output, gamma
    and beta, and the two dense layers.
    """
    random = np.random.default_rng(1)

    def kernel(*shape: int) -> np.ndarray:
        limit = np.sqrt(3.0 / np.prod(shape[:-1]))  # LeCun's uniform initialization
        return random.uniform(-limit, limit, shape).astype("float32")

    arrays: list[np.ndarray] = []
    shape = workload.shape
    for kind, *size in workload.layers:
        if kind == "dense":
            arrays += [kernel(*shape, *size), np.zeros(size, "float32")]
            shape = tuple(size)
        elif kind == "conv":
            arrays += [kernel(3, 3, shape[-1], *size), np.zeros(size, "float32")]
            shape = (shape[0] - 2, shape[1] - 2, *size)
        elif kind == "transformer":
            heads, width = size[0], shape[-1]
            into = (width, heads, width // heads)
            norm = [np.ones(width, "float32"), np.zeros(width, "float32")]
            arrays += norm
            for form in (into, into, into, (*into[1:], width)):
                bias = form[1:] if form is into else form[2:]
                flat = kernel(width, width)
                arrays += [flat.reshape(form), np.zeros(bias, "float32")]
            arrays += norm
            for form in ((width, 4 * width), (4 * width, width)):
                arrays += [kernel(*form), np.zeros(form[1:], "float32")]
        elif kind == "batch_norm":
            arrays += [np.full(shape[-1:], start, "float32") for start in (1, 0, 0, 1)]
        elif kind == "max_pool":
            shape = (shape[0] // 2, shape[1] // 2, shape[2])
        elif kind == "flatten":
            shape = (int(np.prod(shape)),)
        elif kind in GATES:
            width = GATES[kind] * size[0]
            arrays += [kernel(shape[-1], width), kernel(size[0], width)]
            arrays.append(np.zeros((2, width) if kind == "gru" else width, "float32"))
            shape = tuple(size)
        elif kind == "mean":
            shape = shape[1:]
    return arrays

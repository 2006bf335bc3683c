"""The loop as it is written by hand in PyTorch."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.benchmarks import workloads
from tests.benchmarks.workloads import Workload


def build(workload: Workload, arrays: list[np.ndarray]) -> nn.Sequential:
    """An `nn.Sequential` of channels-first layers that holds the given channels-last weights."""
    layers: list[nn.Module] = []
    values = iter([torch.from_numpy(array) for array in arrays])
    shape = workload.shape  # channels last
    unflattened = None
    for kind, *size in workload.layers:
        if kind == "dense":
            kernel = next(values)
            if unflattened is not None:  # rows come in the order of a channels-first flatten
                kernel = kernel.reshape(*unflattened, -1).permute(2, 0, 1, 3).flatten(0, 2)
                unflattened = None
            layer = nn.Linear(*kernel.shape)
            _fill(layer.weight, kernel.T)
            _fill(layer.bias, next(values))
        elif kind == "conv":
            layer = nn.Conv2d(shape[-1], *size, 3)
            _fill(layer.weight, next(values).permute(3, 2, 0, 1))
            _fill(layer.bias, next(values))
            shape = (shape[0] - 2, shape[1] - 2, *size)
        elif kind == "batch_norm":
            momentum = 1 - workloads.BN_MOMENTUM
            layer = nn.BatchNorm2d(shape[-1], workloads.BN_EPSILON, momentum)
            for tensor in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                _fill(tensor, next(values))
        elif kind == "max_pool":
            layer = nn.MaxPool2d(2)
            shape = (shape[0] // 2, shape[1] // 2, shape[2])
        elif kind == "flatten":
            layer, unflattened = nn.Flatten(), shape
        elif kind in workloads.GATES:
            layer = LastOutput(kind, shape[-1], *size, next(values), next(values), next(values))
        elif kind == "transformer":
            layer = Block(*size, [next(values) for _ in range(16)])
        elif kind == "mean":
            layer = Mean()
        else:
            layer = nn.ReLU()
        layers.append(layer)
    return nn.Sequential(*layers)


class LastOutput(nn.Module):
    """A recurrent layer; torch's GRU has its reset gates first, and its LSTM a bias too many."""

    def __init__(
        self, kind: str, inputs: int, units: int, kernel: Tensor, recurrent: Tensor, bias: Tensor
    ) -> None:
        super().__init__()
        self.layer = {"lstm": nn.LSTM, "gru": nn.GRU}[kind](inputs, units, batch_first=True)
        if kind == "gru":
            order = torch.cat([torch.arange(units, 2 * units), torch.arange(units)])
            order = torch.cat([order, torch.arange(2 * units, 3 * units)])
            kernel, recurrent, bias = kernel[:, order], recurrent[:, order], bias[:, order]
        _fill(self.layer.weight_ih_l0, kernel.T)
        _fill(self.layer.weight_hh_l0, recurrent.T)
        _fill(self.layer.bias_ih_l0, bias if kind == "lstm" else bias[0])
        _fill(self.layer.bias_hh_l0, bias if kind == "lstm" else bias[1])

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)[0][:, -1]


class Block(nn.Module):
    """A transformer's block; the projections of query, key and value are one layer."""

    def __init__(self, heads: int, values: list[torch.Tensor]) -> None:
        super().__init__()
        width = len(values[0])
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width, workloads.LN_EPSILON) for _ in range(2))
        self.projections = nn.Linear(width, 3 * width)
        self.output, self.inner = nn.Linear(width, width), nn.Linear(width, 4 * width)
        self.outer = nn.Linear(4 * width, width)
        into = [v.reshape(width, -1) for v in values[2:8:2]], [v.flatten() for v in values[3:8:2]]
        for layer, weight, bias in (
            (self.norms[0], *values[:2]),
            (self.projections, torch.cat(into[0], 1).T, torch.cat(into[1])),
            (self.output, values[8].reshape(width, width).T, values[9]),
            (self.norms[1], *values[10:12]),
            (self.inner, values[12].T, values[13]),
            (self.outer, values[14].T, values[15]),
        ):
            _fill(layer.weight, weight)
            _fill(layer.bias, bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shape = x.shape
        parts = self.projections(self.norms[0](x)).view(*shape[:2], 3, self.heads, -1)
        heads = F.scaled_dot_product_attention(*parts.permute(2, 0, 3, 1, 4))
        x = x + self.output(heads.transpose(1, 2).reshape(shape))
        return x + self.outer(F.gelu(self.inner(self.norms[1](x))))


class Mean(nn.Module):
    """Over the steps of a sequence."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(1)


def _fill(tensor: torch.Tensor, value: torch.Tensor) -> None:
    with torch.no_grad():
        tensor.copy_(value)


class Program:
    """Trains on batches cut by hand from NumPy arrays; the metrics stay tensors until the end."""

    def __init__(
        self,
        workload: Workload,
        inputs: np.ndarray,
        labels: np.ndarray,
        *,
        tuned: bool = False,
        compiled: bool = False,
    ) -> None:
        images = inputs.ndim == 4
        self.inputs = np.ascontiguousarray(inputs.transpose(0, 3, 1, 2)) if images else inputs
        self.labels = labels
        self.random = np.random.default_rng()
        self.batch = workload.batch
        self.model = build(workload, workloads.weights(workload))
        if tuned and images:
            self.model = self.model.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(
            self.model.parameters(),
            lr=workloads.LEARNING_RATE,
            betas=(workloads.BETA_1, workloads.BETA_2),
            eps=workloads.EPSILON,
            fused=tuned,
        )
        self.forward = torch.compile(self.model) if compiled else self.model

    def epoch(self, count: int | None = None) -> tuple[float, float]:
        """Mean loss and accuracy of one epoch over the first `count` samples."""
        order = self.random.permutation(count or len(self.inputs))
        total = torch.zeros(())
        hits = torch.zeros((), dtype=torch.int64)
        for start in range(0, len(order), self.batch):
            index = order[start : start + self.batch]
            x = torch.from_numpy(self.inputs[index])
            y = torch.from_numpy(self.labels[index])
            loss, logits = self.step(x, y)
            total += loss * len(index)
            hits += (logits.argmax(1) == y).sum()
        return total.item() / len(order), hits.item() / len(order)

    def step(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and logits of a batch that is learnt."""
        self.optimizer.zero_grad()
        logits = self.forward(x)
        loss = F.cross_entropy(logits, y)
        loss.backward()
        self.optimizer.step()
        return loss.detach(), logits.detach()

    def train_on_batch(self) -> tuple[float, float]:
        """Loss and accuracy of one step on the first batch."""
        x = torch.from_numpy(self.inputs[: self.batch])
        y = torch.from_numpy(self.labels[: self.batch])
        loss, logits = self.step(x, y)
        return loss.item(), (logits.argmax(1) == y).sum().item() / len(y)

    @torch.inference_mode()
    def predict(self) -> np.ndarray:
        """Logits of all samples."""
        self.model.eval()
        outputs = [
            self.model(torch.from_numpy(self.inputs[start : start + self.batch])).numpy()
            for start in range(0, len(self.inputs), self.batch)
        ]
        self.model.train()
        return np.concatenate(outputs)

    @torch.inference_mode()
    def evaluate(self) -> tuple[float, float]:
        """Mean loss and accuracy over all samples."""
        self.model.eval()
        total = torch.zeros(())
        hits = torch.zeros((), dtype=torch.int64)
        for start in range(0, len(self.inputs), self.batch):
            y = torch.from_numpy(self.labels[start : start + self.batch])
            logits = self.model(torch.from_numpy(self.inputs[start : start + self.batch]))
            total += F.cross_entropy(logits, y, reduction="sum")
            hits += (logits.argmax(1) == y).sum()
        self.model.train()
        return total.item() / len(self.inputs), hits.item() / len(self.inputs)

    def caller(self) -> Callable[[], Tensor]:
        """Logits of one sample."""
        model, row = self.model, torch.from_numpy(self.inputs[:1])
        return lambda: model(row)


VARIANTS = {
    "torch eager": Program,
    "torch eager, fused Adam, channels last": partial(Program, tuned=True),
    "torch.compile": partial(Program, tuned=True, compiled=True),
}

# What else variants differ in: the others do the same outside training.
ONLY = {
    "torch eager, fused Adam, channels last": ("fit", "predict", "evaluate", "train_on_batch"),
    "torch eager, fused Adam": ("fit", "train_on_batch"),
    "torch.compile": ("fit",),
}

_RECURRENT = {
    "torch eager": Program,
    "torch eager, fused Adam": partial(Program, tuned=True),
}
RECURRENT = {"lstm": _RECURRENT, "gru": _RECURRENT}


def limit_threads(count: int) -> None:
    torch.set_num_threads(count)


def calling() -> AbstractContextManager:
    """Where models are called: nobody asks for gradients."""
    return torch.no_grad()

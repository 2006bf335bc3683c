"""A PyTorch training loop around an mlapi model, which is a `torch.nn.Module`.

MLAPI_BACKEND=torch python examples/loop_torch.py
"""

import sys
import time

import mlapi
from mlapi import layers

if mlapi.config.backend() != "torch":
    print("this example is PyTorch's: run it with MLAPI_BACKEND=torch")
    sys.exit()

import torch

mlapi.utils.set_random_seed(1)
(x, y), (x_test, y_test) = mlapi.datasets.digits.load_data()
x, x_test = (torch.tensor(a.reshape(-1, 64) / 16, dtype=torch.float32) for a in (x, x_test))
y, y_test = torch.tensor(y), torch.tensor(y_test)

model = mlapi.Sequential(
    [
        mlapi.Input((64,)),
        layers.Dense(64, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(10),
    ]
)
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
batches = list(zip(x.split(32), y.split(32), strict=True))
for epoch in range(10):
    start, total = time.perf_counter(), 0.0
    for x_batch, y_batch in batches:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x_batch, training=True), y_batch)
        loss.backward()
        optimizer.step()
        total += loss.detach()
    micros = (time.perf_counter() - start) / len(batches) * 1e6
    print(f"epoch {epoch + 1}: loss {total / len(batches):.4f}, {micros:.0f} µs a step")

with torch.no_grad():
    accuracy = (model(x_test).argmax(1) == y_test).float().mean()
print(f"test accuracy {accuracy:.1%}")
assert accuracy > 0.85

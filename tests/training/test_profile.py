"""`fit(profile=…)` writes a trace that trace viewers open."""

import gzip
import json

import numpy as np
import pytest

import mlapi
from mlapi import layers

X = np.ones((36, 3), "float32")
Y = np.ones((36, 1), "float32")


@pytest.mark.parametrize("options", [{}, {"detect_nan": True}])
def test_a_trace_of_some_steps(tmp_path, options):
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(4), layers.Dense(1)])
    model.compile("sgd", "mse")
    folder = tmp_path / "a" / "trace"
    model.fit(X, Y, batch_size=4, verbose=0, profile=folder, **options)
    with gzip.open(folder / "trace.json.gz", "rt") as file:
        trace = json.load(file)
    events = [event for event in trace["traceEvents"] if event.get("ph") == "X"]
    assert len(events) > 5
    assert all({"name", "ts", "dur"} <= event.keys() for event in events)
    assert [path.name for path in folder.iterdir()] == ["trace.json.gz"]


def test_a_run_that_ends_early_is_traced_as_far_as_it_goes(tmp_path):
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=12, verbose=0, profile=tmp_path)
    assert (tmp_path / "trace.json.gz").stat().st_size
    with pytest.warns(UserWarning, match="nothing is written"):
        model.fit(X, Y, batch_size=36, verbose=0, profile=tmp_path / "none")
    assert not (tmp_path / "none").exists()

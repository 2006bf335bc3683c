"""Dtype policies: names, maps by path, the global one."""

import pytest

import mlapi
from mlapi import config, dtype_policies, layers, mixed_precision
from mlapi.dtype_policies import DTypePolicy, DTypePolicyMap
from mlapi.errors import ArgumentError, ArgumentTypeError


@pytest.fixture(autouse=True)
def _restored():
    yield
    config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    ("name", "variables", "computation"),
    [
        ("float32", "float32", "float32"),
        ("bfloat16", "bfloat16", "bfloat16"),
        ("mixed_float16", "float32", "float16"),
        ("mixed_bfloat16", "float32", "bfloat16"),
        ("int32", "int32", "int32"),
    ],
)
def test_names(name: str, variables: str, computation: str) -> None:
    policy = dtype_policies.get(name)
    assert (policy.name, policy.variable_dtype, policy.compute_dtype) == (
        name, variables, computation,
    )  # fmt: skip
    again = dtype_policies.deserialize(dtype_policies.serialize(policy))
    assert again == policy == DTypePolicy.from_config(policy.get_config())
    layer = layers.Dense(2, dtype=name)
    assert (layer.dtype, layer.compute_dtype, layer.input_dtype) == (
        variables, computation, computation,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("identifier", "error", "message"),
    [
        ("mixed_float61", ArgumentError, "Did you mean 'mixed_float16'?"),
        ("mixed_float64", ArgumentError, "Unknown dtype policy 'mixed_float64'"),
        (3, ArgumentTypeError, "received 3"),
    ],
)
def test_what_is_no_policy(identifier, error, message: str) -> None:
    with pytest.raises(error) as caught:
        dtype_policies.get(identifier)
    assert message in str(caught.value)


def test_global_policy() -> None:
    assert config.dtype_policy() == DTypePolicy("float32")
    mixed_precision.set_global_policy("mixed_bfloat16")
    assert mixed_precision.global_policy() == DTypePolicy() == DTypePolicy("mixed_bfloat16")
    layer = layers.Dense(2)
    assert layer.dtype_policy.name == "mixed_bfloat16"
    config.set_dtype_policy(DTypePolicy("float32"))
    assert layer.compute_dtype == "bfloat16"
    assert layers.Dense(2).compute_dtype == "float32"


def test_without_a_policy_floatx_decides() -> None:
    dtype_policies._global.clear()
    config.set_floatx("float16")
    try:
        assert config.dtype_policy().name == "float16"
    finally:
        config.set_floatx("float32")


def test_map_by_path() -> None:
    policies = DTypePolicyMap("float32", {"a/b": "bfloat16", "a/.*": "float16", "x.c": "float64"})
    assert policies["a/b"].name == "bfloat16"
    assert policies["a/c/d"].name == "float16"
    assert policies["a"].name == policies["b/a/c"].name == policies["xyc"].name == "float32"
    policies["a/c/.*"] = "int8"
    with pytest.raises(ArgumentError, match=r"fits several patterns: 'a/\.\*', 'a/c/\.\*'"):
        policies["a/c/d"]
    del policies["a/c/.*"]
    assert (len(policies), "a/b" in policies, "a/c" in policies) == (3, True, False)
    assert dtype_policies.deserialize(dtype_policies.serialize(policies)) == policies


def test_map_in_a_model() -> None:
    policies = DTypePolicyMap("float32", {"net/first": "mixed_bfloat16"})

    class Net(mlapi.Model):
        def __init__(self):
            super().__init__(name="net")
            self.first = layers.Dense(2, dtype=policies, name="first")
            self.second = layers.Dense(2, dtype=policies, name="second")

        def call(self, x):
            return self.second(self.first(x))

    net = Net()
    net(mlapi.ops.ones((1, 3)))
    assert (net.first.compute_dtype, net.second.compute_dtype) == ("bfloat16", "float32")
    assert net.first.kernel.dtype == "float32"
    copy = layers.Dense.from_config(net.first.get_config())
    assert copy.dtype_policy == policies

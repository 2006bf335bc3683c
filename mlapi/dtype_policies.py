"""Dtype policies: in which dtype a layer keeps its variables, and in which it computes.

With `mixed_float16` or `mixed_bfloat16` variables stay float32 while a layer computes in 16 bits
(Micikevicius et al., "Mixed precision training", 2018, arXiv:1710.03740): the layer's floating
inputs are cast, and so is every variable that it reads while it runs, unless the variable was made
with `autocast=False`.
"""

import glob
from collections.abc import Iterator, Mapping, MutableMapping
from fnmatch import fnmatchcase
from typing import Any, Self

from mlapi import dtypes, serialization, settings
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, ArgumentTypeError, nearest
from mlapi.types import DTypeLike, Tensor

_core = adapter.core

__all__ = [
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "Policy",
    "deserialize",
    "dtype_policy",
    "get",
    "serialize",
    "set_dtype_policy",
]

_MIXED = ("mixed_float16", "mixed_bfloat16")


class DTypePolicy:
    """The dtypes of a layer: that of its variables, and that of its computation.

    Args:
        name: a dtype for both, or `"mixed_float16"` or `"mixed_bfloat16"` for variables of
            float32 and a computation in 16 bits; None for the global policy's.

    Raises:
        ArgumentError: it is none of these.

    Example:
        >>> policy = DTypePolicy("mixed_bfloat16")
        >>> policy.variable_dtype, policy.compute_dtype
        ('float32', 'bfloat16')
    """

    quantization_mode = None

    def __init__(self, name: str | None = None) -> None:
        name = dtype_policy().name if name is None else name
        if not isinstance(name, str):
            raise ArgumentTypeError(
                f"DTypePolicy: name must be a string, received {name!r} ({type(name).__name__})."
            )
        if name in _MIXED:
            self._dtypes = ("float32", name.removeprefix("mixed_"))
        elif name in dtypes.NAMES:
            self._dtypes = (name, name)
        else:
            known = (*_MIXED, *dtypes.NAMES)
            raise ArgumentError(
                f"Unknown dtype policy {name!r}.{nearest(name, known)} Choose "
                f"{', '.join(map(repr, _MIXED))}, or the name of a dtype."
            )
        self._name = name

    @property
    def name(self) -> str:
        """The name that it was made by."""
        return self._name

    @property
    def variable_dtype(self) -> str:
        """Dtype of the variables."""
        return self._dtypes[0]

    @property
    def compute_dtype(self) -> str:
        """Dtype of the computation."""
        return self._dtypes[1]

    def convert_input(self, x: Any, autocast: bool, dtype: DTypeLike) -> Tensor | Any:
        """Returns `x` as a tensor; of `dtype` if `autocast` and if it holds floats."""
        if not _core.is_tensor(x):
            if not hasattr(x, "__array__"):
                return x
            x = _core.convert(x)
        cast = autocast and dtypes.is_float(_core.dtype_of(x))
        return _core.cast(x, dtypes.standardize(dtype)) if cast else x

    def get_config(self) -> dict[str, Any]:
        """Returns the name."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Returns a policy from what `get_config` returned."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self._name}">'


FloatDTypePolicy = Policy = DTypePolicy


class DTypePolicyMap(DTypePolicy, MutableMapping[str, DTypePolicy]):
    """Policies by the path of the layer.

    A layer gets the policy of the key that is its path (`"encoder/dense"`), else of the key whose
    pattern fits, in which `.*` stands for any text (`"encoder/.*"`), else the default.

    Args:
        default_policy: a policy or its name; None for the global one.
        policy_map: key → policy, or its name.

    Raises:
        ArgumentError: a path fits several patterns.

    Example:
        >>> policies = DTypePolicyMap("float32", {"encoder/.*": "mixed_bfloat16"})
        >>> policies["encoder/dense"].name, policies["decoder/dense"].name
        ('mixed_bfloat16', 'float32')
    """

    def __init__(
        self,
        default_policy: DTypePolicy | str | None = None,
        policy_map: Mapping[str, DTypePolicy | str] | None = None,
    ) -> None:
        self._default = get(default_policy)
        super().__init__(self.default_policy.name)
        self._policies: dict[str, DTypePolicy] = {}
        for key, policy in (policy_map or {}).items():
            self[key] = get(policy)

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of paths that no key fits."""
        return self._default

    @property
    def name(self) -> str:
        """A name for the map; the policies have theirs."""
        return "map_" + self.default_policy.name

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self._policies:
            return self._policies[key]
        fitting = [pattern for pattern in self._policies if fnmatchcase(key, _as_glob(pattern))]
        if len(fitting) > 1:
            raise ArgumentError(
                f"DTypePolicyMap: the path {key!r} fits several patterns: "
                f"{', '.join(map(repr, fitting))}. Make them exclude one another."
            )
        return self._policies[fitting[0]] if fitting else self.default_policy

    def __setitem__(self, key: str, policy: DTypePolicy | str) -> None:
        self._policies[key] = get(policy)

    def __delitem__(self, key: str) -> None:
        del self._policies[key]

    def __contains__(self, key: object) -> bool:
        return key in self._policies

    def __len__(self) -> int:
        return len(self._policies)

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def get_config(self) -> dict[str, Any]:
        """Returns the names of all policies."""
        return {
            "default_policy": self.default_policy.name,
            "policy_map": {key: policy.name for key, policy in self._policies.items()},
        }

    __hash__ = DTypePolicy.__hash__
    __eq__ = DTypePolicy.__eq__


def _as_glob(pattern: str) -> str:
    return "*".join(map(glob.escape, pattern.split(".*")))


_global: list[DTypePolicy] = []


def dtype_policy() -> DTypePolicy:
    """Returns the policy of layers that are given none; that of `floatx()` unless set."""
    return _global[0] if _global else DTypePolicy(settings.floatx())


def set_dtype_policy(policy: DTypePolicy | str) -> None:
    """Sets the policy of layers that are given none and are made from now on.

    Example:
        >>> from mlapi import config, layers
        >>> config.set_dtype_policy("mixed_bfloat16")
        >>> layers.Dense(1).compute_dtype
        'bfloat16'
        >>> config.set_dtype_policy("float32")
    """
    _global[:] = [get(policy)]


def get(identifier: Any) -> DTypePolicy:
    """Returns the policy that an argument means.

    Args:
        identifier: None for the global one, a policy, its name, a dtype, or a config.

    Raises:
        ArgumentError: an unknown name.
        ArgumentTypeError: none of these.
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return DTypePolicy(identifier)
    try:
        return DTypePolicy(dtypes.standardize(identifier))
    except TypeError:
        raise ArgumentTypeError(
            "dtype must be the name of a dtype or of a policy, a DTypePolicy, or a config, "
            f"received {identifier!r}."
        ) from None


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """Returns the record of a policy, from which `deserialize` makes an equal one."""
    return serialization.serialize(dtype_policy)


def deserialize(
    config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> DTypePolicy:
    """Returns the policy of a record.

    Raises:
        LoadError: the record is refused.
    """
    return serialization.deserialize(config, custom_objects, family="dtype_policies")

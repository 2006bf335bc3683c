"""Torch's own modules as layers."""

from collections.abc import Callable
from typing import Any

import torch

from mlapi.backends.torch import core


class TorchModule:
    """A module whose parameters and buffers are shared with Variables.

    Args:
        module: the module; it is moved to where the backend computes.
    """

    def __init__(self, module: Any) -> None:
        if not isinstance(module, torch.nn.Module):
            raise TypeError(f"expected a torch.nn.Module, received {type(module).__name__}.")
        if any(isinstance(p, torch.nn.UninitializedParameter) for p in module.parameters()):
            raise TypeError("the module has lazy parameters: call it once before it is wrapped.")
        self.module = module.to(core.device)

    def parts(self) -> list[tuple[str, torch.Tensor, bool]]:
        """Name, tensor and whether it is trained, of everything that the module keeps."""
        found: list[tuple[str, torch.Tensor, bool]] = [
            (name, p, p.requires_grad) for name, p in self.module.named_parameters()
        ]
        return found + [(name, b, False) for name, b in self.module.named_buffers()]

    def __call__(
        self,
        values: Callable[[], dict[str, Any]],
        plain: bool,
        training: bool | None,
        args: tuple,
        kwargs: dict,
    ) -> Any:
        """Call the module, with `values` in the place of its own tensors if these will not do."""
        if training is not None and training is not self.module.training:
            self.module.train(training)
        if plain and not core.stands_in():
            return self.module(*args, **kwargs)
        return torch.func.functional_call(self.module, values(), args, kwargs)


def share(variable: Any, tensor: torch.Tensor) -> None:
    """Make the tensor the variable's storage."""
    variable._storage = tensor


def torch_module(module: Any) -> Callable[..., Any]:
    return TorchModule(module)

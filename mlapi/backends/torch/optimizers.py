"""Optimizer updates on torch: one kernel over all variables, in place.

In eager mode the numbers of a step (its count, the learning rate) are known to the host, so rules
compute with Python floats. While a step is traced they are tensors, and the rule's own arithmetic
becomes part of the one graph.
"""

from collections.abc import Callable, Sequence
from typing import Any, Self, TypeAlias

import torch

from mlapi.backends.bundles import map_stacked
from mlapi.backends.torch import core
from mlapi.errors import ShapeError

Tensors: TypeAlias = list[torch.Tensor] | tuple[torch.Tensor, ...]

_is_contiguous = torch.Tensor.is_contiguous


class Bundle:
    """A list of tensors that torch's list kernels work on; `mlapi.backends.bundles` explains it.

    The leaves are the variables' own storage, so that a change needs no writing back.
    """

    __slots__ = ("tensors", "variables")

    in_place = True

    def __init__(self, tensors: Tensors, variables: Sequence[Any] = ()) -> None:
        self.tensors = tensors
        self.variables = variables

    @classmethod
    def of(cls, variables: Sequence[Any]) -> Self:
        return cls([variable._storage for variable in variables], variables)

    def store(self) -> None:
        pass

    def take(self, indices: Sequence[int]) -> Self:
        tensors = self.tensors
        return type(self)([tensors[i] for i in indices])

    def __add__(self, other: Any) -> Self:
        if type(other) in _NUMBERS:
            one = _one(self.tensors)
            if one is not None:
                return type(self)(torch._foreach_add(self.tensors, one, alpha=other))
        return type(self)(torch._foreach_add(self.tensors, _plain(other, self.tensors)))

    def __sub__(self, other: Any) -> Self:
        return type(self)(torch._foreach_sub(self.tensors, _plain(other, self.tensors)))

    def __mul__(self, other: Any) -> Self:
        return type(self)(torch._foreach_mul(self.tensors, _factor(other, self.tensors)))

    def __truediv__(self, other: Any) -> Self:
        return type(self)(torch._foreach_div(self.tensors, _factor(other, self.tensors)))

    def scaled(self, by: Any) -> Self:
        return type(self)(torch._foreach_mul(self.tensors, _factor(by, self.tensors)))

    def sqrt(self) -> Self:
        return type(self)(torch._foreach_sqrt(self.tensors))

    def sqrt_(self) -> None:
        torch._foreach_sqrt_(self.tensors)

    def abs(self) -> Self:
        return type(self)(torch._foreach_abs(self.tensors))

    def sign(self) -> Self:
        return type(self)(torch._foreach_sign(self.tensors))

    def pow(self, exponent: float) -> Self:
        return type(self)(torch._foreach_pow(self.tensors, exponent))

    def mean(self, axis: int) -> Self:
        return self._reduced(lambda x: x.mean(axis))

    def rms(self) -> Self:
        return self._reduced(_rms)

    def _reduced(self, function: Callable[[torch.Tensor], torch.Tensor]) -> Self:
        return type(self)(
            map_stacked(function, [self.tensors], torch.stack, torch.unbind, _WORTH_A_COPY)
        )

    def map(self, function: Callable[..., Any], *others: Self) -> Self:
        columns = [self.tensors, *(other.tensors for other in others)]
        return type(self)(map_stacked(function, columns, torch.stack, torch.unbind))

    def all_finite(self) -> torch.Tensor:
        if not core.is_compiling():
            # Norms take a tenth of the time. They may overflow, but if finite they are right.
            norms = torch.stack([n.float() for n in torch._foreach_norm(self.tensors)])
            finite = norms.isfinite().all()
            if finite:
                return finite
        return torch.stack([x.isfinite().all() for x in self.tensors]).all()

    def clip(self, low: float, high: float) -> Self:
        clipped = torch._foreach_clamp_min(self.tensors, low)
        torch._foreach_clamp_max_(clipped, high)
        return type(self)(clipped)

    def clip_norms(self, limit: float) -> Self:
        norms = torch._foreach_norm(self.tensors)
        torch._foreach_clamp_min_(norms, limit)
        torch._foreach_reciprocal_(norms)
        torch._foreach_mul_(norms, limit)
        return type(self)(torch._foreach_mul(self.tensors, norms))

    def clip_global_norm(self, limit: float) -> Self:
        norms = torch._foreach_norm(self.tensors)
        norm = torch.linalg.vector_norm(torch.stack([n.float() for n in norms]))
        # The difference is zero, or NaN if the norm is not finite: then all leaves become NaN.
        scale = limit / norm.clamp_min(limit) + (norm - norm)
        return type(self)(torch._foreach_mul(self.tensors, _plain(scale, self.tensors)))

    def lerp(self, other: Self, weight: Any) -> Self:
        return type(self)(torch._foreach_lerp(self.tensors, other.tensors, weight))

    def add_(self, other: Any, scale: Any = None) -> None:
        if type(other) in _NUMBERS:
            one = _one(self.tensors)
            if one is None:
                torch._foreach_add_(self.tensors, other)
            else:
                torch._foreach_add_(self.tensors, one, alpha=other)
        elif scale is None:
            torch._foreach_add_(self.tensors, _plain(other, self.tensors))
        elif isinstance(scale, torch.Tensor):
            torch._foreach_add_(self.tensors, (other * scale).tensors)
        else:
            torch._foreach_add_(self.tensors, _plain(other, self.tensors), alpha=scale)

    def mul_(self, other: Any) -> None:
        torch._foreach_mul_(self.tensors, _factor(other, self.tensors))

    def lerp_(self, other: Self, weight: Any) -> None:
        if isinstance(weight, torch.Tensor):
            self.add_(other - self, weight)
        else:
            torch._foreach_lerp_(self.tensors, other.tensors, weight)

    def addcmul_(self, a: Self, b: Self, scale: Any = 1) -> None:
        if isinstance(scale, torch.Tensor):
            self.add_(a * b, scale)
        else:
            torch._foreach_addcmul_(self.tensors, a.tensors, b.tensors, value=scale)

    def addcdiv_(self, a: Self, b: Self, scale: Any = 1) -> None:
        if isinstance(scale, torch.Tensor):
            self.add_(a / b, scale)
        else:
            torch._foreach_addcdiv_(self.tensors, a.tensors, b.tensors, value=scale)

    def maximum_(self, other: Self) -> None:
        torch._foreach_maximum_(self.tensors, other.tensors)

    def copy_(self, other: Self) -> None:
        torch._foreach_copy_(self.tensors, other.tensors)

    def choose_(self, when: Any, other: Self) -> None:
        if isinstance(when, torch.Tensor):
            chosen = [
                torch.where(when, y, x) for x, y in zip(self.tensors, other.tensors, strict=True)
            ]
            torch._foreach_copy_(self.tensors, chosen)
        elif when:
            torch._foreach_copy_(self.tensors, other.tensors)

    def zero_(self) -> None:
        torch._foreach_zero_(self.tensors)


def _plain(operand: Any, tensors: Tensors) -> Any:
    if type(operand) is Bundle:
        return operand.tensors
    # Of a scalar tensor the list kernels want the number, which a graph does not have.
    return [operand] * len(tensors) if core.stands_in() and core.is_tensor(operand) else operand


# Leaves of so many numbers or fewer are stacked for reductions: the copy takes less time than a
# call for each.
_WORTH_A_COPY = 2**14


def _rms(x: torch.Tensor) -> torch.Tensor:
    flat = x.reshape(len(x), -1)
    return torch.linalg.vector_norm(flat, dim=1) * max(1, flat.shape[1]) ** -0.5


_NUMBERS = (int, float)

# On the host, list kernels make a tensor of a Python number for each leaf anew, which takes up to
# ten times as long as the arithmetic on a small leaf. A tensor is made once.
_ones: dict[torch.dtype, torch.Tensor] = {
    torch.float32: torch.ones((), dtype=torch.float32, device="cpu"),
    torch.float64: torch.ones((), dtype=torch.float64, device="cpu"),
}


def _one(tensors: Tensors) -> torch.Tensor | None:
    """One as a tensor for these leaves, or None where plain numbers are as good."""
    first = tensors[0]
    if core.is_compiling() or first.device.type != "cpu":
        return None
    kind = first.dtype
    return _ones.get(kind) if all(x.dtype is kind for x in tensors) else None


def _factor(operand: Any, tensors: Tensors) -> Any:
    if type(operand) in _NUMBERS:
        one = _one(tensors)
        return operand if one is None else one * operand
    return _plain(operand, tensors)


# --- numbers of a step ------------------------------------------------------------------------


def keep_on_host(variable: Any) -> None:
    """Counters and learning rates live in host memory: reading them there waits for nothing."""
    variable._storage = variable._storage.cpu()


def number(x: Any) -> Any:
    """A scalar as a Python number, or as a tensor while a step is traced."""
    if not isinstance(x, torch.Tensor):
        return x
    if core.is_compiling():
        return x.to(core.device)
    return x.item()


def set_number(variable: Any, value: Any) -> None:
    if isinstance(value, torch.Tensor):
        variable._storage.copy_(value)
    else:
        variable._storage.fill_(value)  # the cheapest way to write a scalar


def snapshot(variable: Any) -> torch.Tensor:
    return variable._storage.detach().clone()


def when(condition: Any, update: Callable[[], None], variables: Sequence[Any]) -> None:
    if isinstance(condition, bool):
        if condition:
            update()
        return
    # Part of a graph, which has no branches that write: what should not have changed is put back.
    before = [variable._storage.clone() for variable in variables]
    update()
    for variable, old in zip(variables, before, strict=True):
        storage = variable._storage
        storage.copy_(torch.where(condition.to(storage.device), storage, old))


# --- gradients --------------------------------------------------------------------------------


def accept(gradients: Sequence[Any], variables: Sequence[Any]) -> list[torch.Tensor]:
    """The gradients as tensors with the shapes of the variables."""
    if not core.native_types.issuperset(map(type, gradients)):
        pairs = zip(gradients, variables, strict=True)
        gradients = [core.convert(g, v.dtype) for g, v in pairs]
    if [g.shape for g in gradients] != [v.shape for v in variables]:
        raise _wrong_shape(gradients, variables)
    return list(gradients)


def _wrong_shape(gradients: Sequence[torch.Tensor], variables: Sequence[Any]) -> ShapeError:
    wrong = ((g, v) for g, v in zip(gradients, variables) if g.shape != v.shape)
    gradient, variable = next(wrong)
    return ShapeError(
        f"The gradient of {variable.path!r} has shape {tuple(gradient.shape)}, "
        f"the variable {variable.shape}."
    )


def unrecorded(function: Callable[..., None], *args: Any) -> None:
    """Call `function` without building a gradient graph."""
    # Half the cost of the context manager `torch.no_grad`.
    recording = torch.is_grad_enabled()
    torch._C._set_grad_enabled(False)
    try:
        function(*args)
    finally:
        torch._C._set_grad_enabled(recording)


# --- fused kernels ----------------------------------------------------------------------------

# The fused kernels compute their own bias correction from a step count. At infinitely many steps
# it is exactly one, so that the rule's step size is passed as the learning rate.
_infinity: dict[torch.device, torch.Tensor] = {}


def _steps(tensors: Tensors) -> list[torch.Tensor]:
    device = tensors[0].device
    if device not in _infinity:
        _infinity[device] = torch.tensor(float("inf"), device=device)
    return [_infinity[device]] * len(tensors)


def _fits(p: Bundle, g: Bundle) -> bool:
    """Whether fused kernels may have these: they read memory in its order, whatever the strides."""
    if core.is_compiling():
        return False
    kind = p.tensors[0].device.type
    if kind != "cpu" and (kind != "cuda" or len({(x.dtype, x.device) for x in p.tensors}) > 1):
        return False
    if not all(map(_is_contiguous, p.tensors)):
        return False
    if not all(map(_is_contiguous, g.tensors)):
        g.tensors = [x.contiguous() for x in g.tensors]
    return True


def adam(
    rule: Any, p: Bundle, g: Bundle, slots: dict[str, Bundle], lr: float, t: int, decay: float
) -> bool:
    if not _fits(p, g):
        return False
    relative = rule.relative_step_size(t, rule.beta_1, rule.beta_2)
    update = torch._fused_adamw_ if decay else torch._fused_adam_
    update(
        p.tensors,
        g.tensors,
        slots["momentum"].tensors,
        slots["velocity"].tensors,
        slots["velocity_hat"].tensors if rule.amsgrad else [],
        _steps(p.tensors),
        lr=lr * relative,
        beta1=rule.beta_1,
        beta2=rule.beta_2,
        weight_decay=decay / relative,  # the kernel multiplies it by its learning rate
        eps=rule.epsilon,
        amsgrad=rule.amsgrad,
        maximize=False,
    )
    return True


def sgd(
    rule: Any, p: Bundle, g: Bundle, slots: dict[str, Bundle], lr: float, t: int, decay: float
) -> bool:
    if not rule.momentum or not _fits(p, g):
        return False
    if decay:
        p.mul_(1 - lr * decay)
    # With these numbers the kernel computes m ← μ m - lr g, then p ← p + m, or p ← p + μ m.
    torch._fused_sgd_(
        p.tensors,
        g.tensors,
        slots["momentum"].tensors,
        weight_decay=0.0,
        momentum=rule.momentum,
        lr=-rule.momentum if rule.nesterov else -1.0,
        dampening=1 + lr,
        nesterov=False,
        maximize=False,
        is_first_step=False,
    )
    if rule.nesterov:
        p.add_(g, -lr)
    return True


kernels = {"adam": adam, "sgd": sgd}

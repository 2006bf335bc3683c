"""Optimizer updates on tensorflow: its apply kernels where they compute the rule."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mlapi.backends.bundles import Leaves
from mlapi.backends.tensorflow import core
from mlapi.errors import ShapeError

_raw = tf.raw_ops


class Bundle(Leaves):
    """Leaves that are tensors of tensorflow."""

    __slots__ = ()

    read = staticmethod(core.read)
    assign = staticmethod(core.assign)
    cast = staticmethod(tf.cast)
    sqrt_leaf = staticmethod(tf.sqrt)
    sign_leaf = staticmethod(tf.sign)
    norm_leaf = staticmethod(tf.norm)
    mean_leaf = staticmethod(tf.reduce_mean)
    finite_leaf = staticmethod(lambda x: tf.reduce_all(tf.math.is_finite(x)))
    all_leaf = staticmethod(tf.reduce_all)
    zeros_like = staticmethod(tf.zeros_like)
    maximum_leaf = staticmethod(tf.maximum)
    minimum_leaf = staticmethod(tf.minimum)
    where = staticmethod(tf.where)
    stack = staticmethod(tf.stack)
    unstack = staticmethod(tf.unstack)


def keep_on_host(variable: Any) -> None:
    pass


def number(x: Any) -> Any:
    return x


def set_number(variable: Any, value: Any) -> None:
    variable._storage.assign(tf.cast(value, variable.dtype), read_value=False)


def snapshot(variable: Any) -> tf.Tensor:
    return tf.identity(core.read(variable))


def when(condition: Any, update: Callable[[], None], variables: Sequence[Any]) -> None:
    if tf.executing_eagerly():
        if condition:
            update()
        return

    def run() -> tf.Tensor:
        update()
        return tf.constant(True)

    tf.cond(condition, run, lambda: tf.constant(False))


def accept(gradients: Sequence[Any], variables: Sequence[Any]) -> list[tf.Tensor]:
    """The gradients as dense tensors with the shapes of the variables."""
    pairs = zip(gradients, variables, strict=True)
    # `convert_to_tensor` first, for what is sparse.
    gradients = [core.convert(tf.convert_to_tensor(g), v.dtype) for g, v in pairs]
    for gradient, variable in zip(gradients, variables, strict=True):
        if not gradient.shape.is_compatible_with(variable.shape):
            raise ShapeError(
                f"The gradient of {variable.path!r} has shape {tuple(gradient.shape)}, "
                f"the variable {variable.shape}."
            )
    return gradients


def unrecorded(function: Callable[..., None], *args: Any) -> None:
    function(*args)


# --- apply kernels ----------------------------------------------------------------------------


def _handles(bundle: Leaves) -> list[Any]:
    return [variable._storage.handle for variable in bundle.variables]


def _decay(p: Leaves, lr: Any, decay: float) -> None:
    if decay:
        p.mul_(1 - lr * decay)
        p.store()


def adam(
    rule: Any, p: Leaves, g: Leaves, slots: dict[str, Leaves], lr: Any, t: Any, decay: float
) -> bool:
    # The kernel for AMSGrad is unknown to XLA.
    if rule.amsgrad or any(variable.dtype != "float32" for variable in p.variables):
        return False
    _decay(p, lr, decay)
    # The kernel averages with 1 - β in single precision, for 0.999 off by 5e-5 of its value. The
    # correction must be that of the same β; the kernel's own would lose digits near one, and is
    # made to be one by powers of zero.
    beta_1, beta_2 = float(np.float32(rule.beta_1)), float(np.float32(rule.beta_2))
    step_size = lr * rule.relative_step_size(t, beta_1, beta_2)
    states = zip(_handles(p), _handles(slots["momentum"]), _handles(slots["velocity"]), strict=True)
    for gradient, (var, m, v) in zip(g.tensors, states, strict=True):
        _raw.ResourceApplyAdam(
            var=var,
            m=m,
            v=v,
            beta1_power=0.0,
            beta2_power=0.0,
            lr=step_size,
            beta1=beta_1,
            beta2=beta_2,
            epsilon=rule.epsilon,
            grad=gradient,
        )
    return True


def sgd(
    rule: Any, p: Leaves, g: Leaves, slots: dict[str, Leaves], lr: Any, t: Any, decay: float
) -> bool:
    _decay(p, lr, decay)
    if not rule.momentum:
        for gradient, var in zip(g.tensors, _handles(p), strict=True):
            _raw.ResourceApplyGradientDescent(
                var=var, alpha=tf.cast(lr, gradient.dtype), delta=gradient
            )
        return True
    pairs = zip(g.tensors, _handles(p), _handles(slots["momentum"]), strict=True)
    for gradient, var, momentum in pairs:
        _raw.ResourceApplyKerasMomentum(
            var=var,
            accum=momentum,
            lr=tf.cast(lr, gradient.dtype),
            grad=gradient,
            momentum=tf.constant(rule.momentum, gradient.dtype),
            use_nesterov=rule.nesterov,
        )
    return True


def rmsprop(
    rule: Any, p: Leaves, g: Leaves, slots: dict[str, Leaves], lr: Any, t: Any, decay: float
) -> bool:
    if not rule.momentum:  # the kernel would need a slot for it
        return False
    _decay(p, lr, decay)
    handles = [_handles(p), _handles(slots["velocity"]), _handles(slots["momentum"])]
    names = ["var", "ms", "mom"]
    update = _raw.ResourceApplyRMSProp
    if rule.centered:
        handles.append(_handles(slots["average_gradient"]))
        names.append("mg")
        update = _raw.ResourceApplyCenteredRMSProp
    for gradient, *states in zip(g.tensors, *handles, strict=True):
        kind = gradient.dtype
        update(
            **dict(zip(names, states, strict=True)),
            lr=tf.cast(lr, kind),
            rho=tf.constant(rule.rho, kind),
            momentum=tf.constant(rule.momentum, kind),
            epsilon=tf.constant(rule.epsilon, kind),
            grad=gradient,
        )
    return True


kernels: dict[str, Callable[..., bool]] = {"adam": adam, "sgd": sgd, "rmsprop": rmsprop}

"""Kernels of linear algebra on tensorflow."""

# tensorflow's annotations lack what it takes: its own shapes, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false, reportAssignmentType=false, reportOptionalOperand=false, reportUntypedFunctionDecorator=false

from typing import Any

import numpy as np
import tensorflow as tf

from mlapi.backends.tensorflow.ops import expand_dims, moveaxis
from mlapi.types import Axis

Tensor = tf.Tensor

cholesky = tf.linalg.cholesky
det = tf.linalg.det
eig = tf.linalg.eig
eigh = tf.linalg.eigh
inv = tf.linalg.inv
pinv = tf.linalg.pinv
slogdet = tf.linalg.slogdet


def solve(a: Tensor, b: Tensor) -> Tensor:
    if a.shape[:-2] != b.shape[:-2] or not a.shape[:-2].is_fully_defined():
        batch = tf.broadcast_dynamic_shape(tf.shape(a)[:-2], tf.shape(b)[:-2])
        a, b = (tf.broadcast_to(x, tf.concat([batch, tf.shape(x)[-2:]], 0)) for x in (a, b))
    return tf.linalg.solve(a, b)


def solve_triangular(a: Tensor, b: Tensor, lower: bool) -> Tensor:
    return tf.linalg.triangular_solve(a, b, lower)


@tf.custom_gradient
def _lu(x: Tensor) -> Any:
    lu, order = tf.linalg.lu(x)
    lower = tf.linalg.set_diag(tf.linalg.band_part(lu, -1, 0), tf.ones_like(lu[..., 0]))
    upper = tf.linalg.band_part(lu, 0, -1)

    def gradient(g: Tensor, _: Any) -> Tensor:
        """P^T L^-H (tril(L^H g, -1) + triu(g U^H)) U^-H, with the strict and other half of g."""
        g_upper = tf.linalg.band_part(g, 0, -1)
        left = tf.matmul(lower, g - g_upper, adjoint_a=True)
        left -= tf.linalg.band_part(left, 0, -1)
        inner = left + tf.linalg.band_part(tf.matmul(g_upper, upper, adjoint_b=True), 0, -1)
        inner = tf.linalg.triangular_solve(lower, inner, adjoint=True)
        turned = tf.linalg.triangular_solve(upper, tf.linalg.adjoint(inner), lower=False)
        rank = order.shape.rank
        return tf.gather(tf.linalg.adjoint(turned), tf.argsort(order), axis=-2, batch_dims=rank - 1)

    return (lu, order), gradient


def lu_factor(x: Tensor) -> tuple[Tensor, Tensor]:
    lu, order = _lu(x)
    return lu, _swaps(order)


def _swaps(order: Tensor) -> Tensor:
    """For each row the one it was exchanged with, out of the order that results.

    The row for place i was first at `order[i]`. If that is before i, the exchange there moved it
    to where the row for that place came from, and so on.
    """
    size, rank = tf.shape(order)[-1], order.shape.rank
    places = tf.range(size)

    def step(found: Tensor) -> tuple[Tensor]:
        return (tf.where(found < places, tf.gather(order, found, batch_dims=rank - 1), found),)

    def moves(found: Tensor) -> Tensor:
        return tf.reduce_any(found < places)

    return tf.while_loop(moves, step, (order,), maximum_iterations=size)[0]


def qr(x: Tensor, mode: str) -> tuple[Tensor, Tensor]:
    return tf.linalg.qr(x, full_matrices=mode == "complete")


def svd(x: Tensor, full_matrices: bool) -> tuple[Tensor, Tensor, Tensor]:
    values, u, v = tf.linalg.svd(x, full_matrices)
    return u, values, tf.linalg.adjoint(v)


def svdvals(x: Tensor) -> Tensor:
    return tf.linalg.svd(x, compute_uv=False)


def norm(x: Tensor, ord: float | str | None, axis: Axis | None, keepdims: bool) -> Tensor:
    if ord is None:
        return tf.sqrt(tf.reduce_sum(tf.square(x), axis, keepdims))
    axes = list(range(x.shape.rank)) if axis is None else axis
    axes = [axes] if isinstance(axes, int) else [one % x.shape.rank for one in axes]
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    rows, columns = axes
    if ord == "fro":
        return tf.sqrt(tf.reduce_sum(tf.square(x), axes, keepdims))
    if ord in (1, -1, np.inf, -np.inf):
        inner = rows if abs(ord) == 1 else columns
        extreme = tf.reduce_max if ord > 0 else tf.reduce_min
        return extreme(tf.reduce_sum(tf.abs(x), inner, keepdims=True), axes, keepdims)
    reduced = {"nuc": tf.reduce_sum, 2: tf.reduce_max, -2: tf.reduce_min}[ord]
    y = reduced(svdvals(moveaxis(x, axes, (-2, -1))), -1)
    return expand_dims(y, sorted(axes)) if keepdims else y


def _vector_norm(x: Tensor, ord: Any, axis: int, keepdims: bool) -> Tensor:
    size = tf.abs(x)
    if ord == np.inf:
        return tf.reduce_max(size, axis, keepdims)
    if ord == -np.inf:
        return tf.reduce_min(size, axis, keepdims)
    if ord == 0:
        return tf.reduce_sum(tf.cast(x != 0, x.dtype), axis, keepdims)
    if ord == 1:
        return tf.reduce_sum(size, axis, keepdims)
    if ord == 2:
        return tf.sqrt(tf.reduce_sum(tf.square(x), axis, keepdims))
    return tf.reduce_sum(size**ord, axis, keepdims) ** (1.0 / ord)


def eye(x: Tensor) -> Tensor:
    return tf.eye(tf.shape(x)[-1], dtype=x.dtype)


conjugate = tf.math.conj

"""A `train_step` of one's own, written once, on every backend."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, metrics, ops, optimizers, random

RNG = np.random.default_rng(1)
REAL = RNG.normal(3.0, 1.0, size=(64, 2)).astype("float32")


class Adversaries(mlapi.Model):
    """A Wasserstein GAN with gradient penalty (Gulrajani et al., 2017): two optimizers."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = mlapi.Sequential([layers.Dense(8, "relu"), layers.Dense(2)])
        self.critic = mlapi.Sequential([layers.Dense(8, "tanh"), layers.Dense(1)])
        self.seeds = random.SeedGenerator(0)
        self.critic_loss = metrics.Mean(name="critic_loss")

    def compile(self, critic_optimizer, generator_optimizer) -> None:
        super().compile(optimizer=None)
        self.critic_optimizer = critic_optimizer
        self.generator_optimizer = generator_optimizer

    def call(self, z):
        return self.critic(self.generator(z))

    def train_step(self, real):
        z = random.normal((real.shape[0], 3), seed=self.seeds)
        share = random.uniform((real.shape[0], 1), seed=self.seeds)

        def critic_loss():
            fake = self.generator(z)
            slopes = mlapi.grad(lambda x: ops.sum(self.critic(x)))(
                share * real + (1 - share) * fake
            )
            penalty = ops.mean((ops.sqrt(ops.sum(slopes**2, axis=1) + 1e-12) - 1) ** 2)
            return ops.mean(self.critic(fake)) - ops.mean(self.critic(real)) + 10 * penalty

        variables = self.critic.trainable_variables
        loss, grads = mlapi.value_and_grad(critic_loss, variables)()
        self.critic_optimizer.apply(grads, variables)
        variables = self.generator.trainable_variables
        _, grads = mlapi.value_and_grad(lambda: -ops.mean(self(z)), variables)()
        self.generator_optimizer.apply(grads, variables)
        self.critic_loss.update_state(loss)
        return {"critic_loss": self.critic_loss.result()}


def test_two_optimizers_and_a_gradient_penalty() -> None:
    mlapi.utils.set_random_seed(3)
    model = Adversaries()
    model.compile(optimizers.Adam(1e-2), optimizers.Adam(1e-2))
    model(np.zeros((1, 3), "float32"))
    before = model.get_weights()
    centre = np.asarray(ops.convert_to_numpy(model.generator(np.eye(3, dtype="float32")))).mean(0)
    history = model.fit(REAL, epochs=12, batch_size=16, verbose=0).history["critic_loss"]
    assert len(history) == 12
    assert np.isfinite(history).all()
    changed = [(a != b).any() for a, b in zip(before, model.get_weights(), strict=True)]
    # A constant added to all scores cancels: the critic's last bias has no gradient.
    assert all(changed[:-1])
    assert int(model.critic_optimizer.iterations) == int(model.generator_optimizer.iterations) == 48
    moved = np.asarray(ops.convert_to_numpy(model.generator(np.eye(3, dtype="float32")))).mean(0)
    assert np.abs(moved - 3).sum() < np.abs(centre - 3).sum()


class Halved(mlapi.Model):
    """Extends the step that is there instead of replacing it."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(1, kernel_initializer="ones")

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        logs = super().train_step(data)
        logs["half"] = logs["loss"] / 2
        return logs


def test_logs_of_the_own_step_are_extended() -> None:
    x = REAL[:8]
    model = Halved()
    model.compile(optimizers.SGD(0.0), "mse")
    logs = model.fit(x, x.sum(1, keepdims=True) + 2, verbose=0).history
    assert logs["loss"][0] == pytest.approx(4.0, rel=1e-5)
    assert logs["half"][0] == pytest.approx(2.0, rel=1e-5)


class OwnLoss(mlapi.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(1, kernel_initializer="ones")

    def call(self, x):
        return self.dense(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(y_pred) * 3


def test_own_loss_without_targets() -> None:
    model = OwnLoss()
    model.compile(optimizers.SGD(0.1))
    model.fit(REAL, batch_size=64, verbose=0)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(kernel[:, 0], 1 - 0.3 * REAL.mean(0), rtol=1e-5)
    np.testing.assert_allclose(bias, [-0.3], rtol=1e-5)

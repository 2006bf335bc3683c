"""A training step of one's own: a GAN with gradient penalty, two networks, two optimizers.

The critic tells drawn digits from real ones, the generator learns to be taken for real. The
penalty keeps the critic's slope near one (Gulrajani et al., "Improved Training of Wasserstein
GANs", 2017, equation 3); it takes a gradient inside a gradient. The step is written once, and
compiled by every backend that compiles.

    MLAPI_BACKEND=tensorflow python examples/custom_train_step.py
"""

import mlapi
from mlapi import layers, ops

NOISE = 16
PENALTY = 10.0


class GAN(mlapi.Model):
    """Draws 8×8 images with values from 0 to 1."""

    def __init__(self):
        super().__init__()
        self.generator = mlapi.Sequential(
            [
                mlapi.Input((NOISE,)),
                layers.Dense(128, activation="relu"),
                layers.Dense(128, activation="relu"),
                layers.Dense(64, activation="sigmoid"),
            ]
        )
        self.critic = mlapi.Sequential(
            [
                mlapi.Input((64,)),
                layers.Dense(128, activation=layers.LeakyReLU(0.2)),
                layers.Dense(128, activation=layers.LeakyReLU(0.2)),
                layers.Dense(1),
            ]
        )
        self.generator_optimizer = mlapi.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.9)
        self.critic_optimizer = mlapi.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.9)
        self.seeds = mlapi.random.SeedGenerator(1)

    def call(self, noise):
        """The images that a batch of noise becomes."""
        return self.generator(noise)

    def draw_noise(self, count):
        """Normal noise for a number of images."""
        return mlapi.random.normal((count, NOISE), seed=self.seeds)

    def penalty(self, real, drawn):
        """How far the critic's slope is from one, between real and drawn images."""
        share = mlapi.random.uniform((real.shape[0], 1), seed=self.seeds)
        between = share * real + (1 - share) * drawn
        slopes = mlapi.grad(lambda images: ops.sum(self.critic(images)))(between)
        lengths = ops.sqrt(ops.sum(ops.square(slopes), axis=1) + 1e-12)
        return ops.mean(ops.square(lengths - 1))

    def train_step(self, real):
        """One step of the critic, then one of the generator."""

        def critic_loss():
            drawn = self.generator(self.draw_noise(real.shape[0]))
            gap = ops.mean(self.critic(drawn)) - ops.mean(self.critic(real))
            return gap + PENALTY * self.penalty(real, drawn), -gap

        def generator_loss():
            drawn = self.generator(self.draw_noise(real.shape[0]))
            return -ops.mean(self.critic(drawn))

        variables = self.critic.trainable_variables
        (_, distance), gradients = mlapi.value_and_grad(critic_loss, variables, has_aux=True)()
        self.critic_optimizer.apply(gradients, variables)

        variables = self.generator.trainable_variables
        loss, gradients = mlapi.value_and_grad(generator_loss, variables)()
        self.generator_optimizer.apply(gradients, variables)
        return {"distance": distance, "generator_loss": loss}


mlapi.utils.set_random_seed(1)
(images, _), _ = mlapi.datasets.digits.load_data()
images = images.reshape(-1, 64).astype("float32") / 16

gan = GAN()
gan.compile(optimizer=None)
# 22 batches of 64; the rest is left out, so that every step has the same shape.
history = gan.fit(images[: 22 * 64], batch_size=64, epochs=30, verbose=2)

for image in gan.predict(gan.draw_noise(2), verbose=0).reshape(2, 8, 8):
    rows = ["".join(" .:*#"[int(4.99 * value)] * 2 for value in row) for row in image]
    print("\n".join(rows), "\n")

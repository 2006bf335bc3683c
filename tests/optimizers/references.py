"""The published formulas in float64 NumPy, one variable at a time."""

import numpy as np

SHAPES = ((4, 3), (), (2, 3, 2))


def problem(seed=0, steps=20):
    """First values of some variables, and gradients for a number of steps."""
    draw = np.random.default_rng(seed)
    start = [draw.normal(size=shape).astype("float32") for shape in SHAPES]
    grads = [[draw.normal(size=s).astype("float32") for s in SHAPES] for _ in range(steps)]
    return start, grads


def sgd(p, g, s, t, lr, momentum=0.0, nesterov=False):
    if not momentum:
        return p - lr * g
    s["m"] = momentum * s.get("m", 0.0) - lr * g
    return p + momentum * s["m"] - lr * g if nesterov else p + s["m"]


def lion(p, g, s, t, lr, beta_1=0.9, beta_2=0.99):
    m = s.get("m", 0.0)
    s["m"] = beta_2 * m + (1 - beta_2) * g
    return p - lr * np.sign(beta_1 * m + (1 - beta_1) * g)


def adagrad(p, g, s, t, lr, initial_accumulator_value=0.1, epsilon=1e-7):
    s["a"] = s.get("a", initial_accumulator_value) + g**2
    return p - lr * g / np.sqrt(s["a"] + epsilon)


def rmsprop(p, g, s, t, lr, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    s["v"] = rho * s.get("v", 0.0) + (1 - rho) * g**2
    s["a"] = rho * s.get("a", 0.0) + (1 - rho) * g
    variance = s["v"] - s["a"] ** 2 if centered else s["v"]
    s["m"] = momentum * s.get("m", 0.0) + lr * g / np.sqrt(variance + epsilon)
    return p - s["m"]


def adadelta(p, g, s, t, lr, rho=0.95, epsilon=1e-7):
    s["a"] = rho * s.get("a", 0.0) + (1 - rho) * g**2
    step = np.sqrt(s.get("b", 0.0) + epsilon) / np.sqrt(s["a"] + epsilon) * g
    s["b"] = rho * s.get("b", 0.0) + (1 - rho) * step**2
    return p - lr * step


def adam(p, g, s, t, lr, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False):
    s["m"] = beta_1 * s.get("m", 0.0) + (1 - beta_1) * g
    s["v"] = beta_2 * s.get("v", 0.0) + (1 - beta_2) * g**2
    s["top"] = np.maximum(s.get("top", 0.0), s["v"])
    v = s["top"] if amsgrad else s["v"]
    step_size = lr * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return p - step_size * s["m"] / (np.sqrt(v) + epsilon)


def adamax(p, g, s, t, lr, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    s["m"] = beta_1 * s.get("m", 0.0) + (1 - beta_1) * g
    s["u"] = np.maximum(beta_2 * s.get("u", 0.0), np.abs(g))
    return p - lr / (1 - beta_1**t) * s["m"] / (s["u"] + epsilon)


def nadam(p, g, s, t, lr, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    def mu(i):
        return beta_1 * (1 - 0.5 * 0.96**i)

    s["m"] = beta_1 * s.get("m", 0.0) + (1 - beta_1) * g
    s["v"] = beta_2 * s.get("v", 0.0) + (1 - beta_2) * g**2
    s["U"] = s.get("U", 1.0) * mu(t)
    m = mu(t + 1) * s["m"] / (1 - s["U"] * mu(t + 1)) + (1 - mu(t)) * g / (1 - s["U"])
    return p - lr * m / (np.sqrt(s["v"] / (1 - beta_2**t)) + epsilon)


def lamb(p, g, s, t, lr, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    s["m"] = beta_1 * s.get("m", 0.0) + (1 - beta_1) * g
    s["v"] = beta_2 * s.get("v", 0.0) + (1 - beta_2) * g**2
    step = s["m"] / (1 - beta_1**t) / (np.sqrt(s["v"] / (1 - beta_2**t)) + epsilon)
    long, short = np.linalg.norm(p), np.linalg.norm(step)
    return p - lr * (long / short if long and short else 1.0) * step


def rms(x):
    return np.sqrt(np.mean(x**2))


def adafactor(
    p, g, s, t, lr, beta_2_decay=-0.8, epsilon_1=1e-30, epsilon_2=1e-3, clip_threshold=1.0,
    relative_step=True,
):  # fmt: skip
    beta = 1 - t**beta_2_decay
    square = g**2 + epsilon_1
    if g.ndim < 2:
        v = s["v"] = beta * s.get("v", 0.0) + (1 - beta) * square
    else:
        r = s["r"] = beta * s.get("r", 0.0) + (1 - beta) * square.mean(-1)
        c = s["c"] = beta * s.get("c", 0.0) + (1 - beta) * square.mean(-2)
        v = np.einsum("...i,...j->...ij", r, c) / r.mean(-1)[..., None, None]
    step = g / np.sqrt(v)
    step /= max(1, rms(step) / clip_threshold)
    rho = min(lr, 1 / np.sqrt(t)) if relative_step else lr
    return p - rho * max(epsilon_2, rms(p)) * step


def ftrl(
    p, g, s, t, lr, learning_rate_power=-0.5, initial_accumulator_value=0.1,
    l1_regularization_strength=0.0, l2_regularization_strength=0.0,
    l2_shrinkage_regularization_strength=0.0, beta=0.0,
):  # fmt: skip
    before = s.get("n", initial_accumulator_value)
    s["n"] = before + g**2
    old, new = before**-learning_rate_power, s["n"] ** -learning_rate_power
    shrunk = g + 2 * l2_shrinkage_regularization_strength * p
    z = s["z"] = s.get("z", 0.0) + shrunk - (new - old) / lr * p
    excess = np.sign(z) * np.maximum(np.abs(z) - l1_regularization_strength, 0)
    return -excess / ((beta + new) / lr + 2 * l2_regularization_strength)


def muon(
    p, g, s, t, lr, adam_lr_ratio=1.0, epsilon=1e-7, momentum=0.95, ns_steps=5, nesterov=True,
    rms_rate=0.2,
):  # fmt: skip
    if g.ndim != 2:
        return adam(p, g, s, t, lr * adam_lr_ratio, epsilon=epsilon)
    s["m"] = momentum * s.get("m", 0.0) + g
    u, sizes, vt = np.linalg.svd(g + momentum * s["m"] if nesterov else s["m"], full_matrices=False)
    sizes /= np.sqrt(np.sum(sizes**2))
    for _ in range(ns_steps):  # on singular values alone
        sizes = 3.4445 * sizes - 4.775 * sizes**3 + 2.0315 * sizes**5
    scale = 1.0 if rms_rate is None else rms_rate * np.sqrt(max(g.shape))
    return p - lr * scale * (u * sizes) @ vt


def schedule_free(p, g, s, t, lr, beta_1=0.9, beta_2=0.999, epsilon=1e-8, warmup_steps=0):
    z = s.get("z", s["start"])
    x = (p - (1 - beta_1) * z) / beta_1
    s["v"] = beta_2 * s.get("v", 0.0) + (1 - beta_2) * g**2
    rate = lr * min(1, t / warmup_steps) if warmup_steps else lr
    s["z"] = z - rate * g / (np.sqrt(s["v"] / (1 - beta_2**t)) + epsilon)
    return (1 - beta_1) * s["z"] + beta_1 * ((t - 1) * x + s["z"]) / t


RULES = {
    "SGD": (sgd, 0.01),
    "Lion": (lion, 0.001),
    "Adagrad": (adagrad, 0.001),
    "RMSprop": (rmsprop, 0.001),
    "Adadelta": (adadelta, 0.001),
    "Adam": (adam, 0.001),
    "AdamW": (adam, 0.001),
    "Adamax": (adamax, 0.001),
    "Nadam": (nadam, 0.001),
    "Lamb": (lamb, 0.001),
    "Adafactor": (adafactor, 0.001),
    "Ftrl": (ftrl, 0.001),
    "Muon": (muon, 0.001),
    "ScheduleFreeAdamW": (schedule_free, 0.0025),
}


LIMITS = ("clipnorm", "clipvalue", "global_clipnorm")


def clip(grads, clipnorm=None, clipvalue=None, global_clipnorm=None):
    """The gradients of one step, clipped in one of the three ways."""
    if clipvalue:
        return [np.clip(g, -clipvalue, clipvalue) for g in grads]
    norms = [np.sqrt(np.sum(g**2)) for g in grads]
    if clipnorm:
        return [g * min(1, clipnorm / n) for g, n in zip(grads, norms, strict=True)]
    if global_clipnorm:
        scale = min(1, global_clipnorm / np.sqrt(np.sum(np.square(norms))))
        return [g * scale for g in grads]
    return grads


def descend(name, options, start, grads, schedule=None, spared=()):
    """Values of the variables after each step; `spared` are indices without weight decay."""
    rule, rate = RULES[name]
    options = dict(options)
    rate = options.pop("learning_rate", rate)
    decay = options.pop("weight_decay", 0.004 if name in ("AdamW", "Muon") else 0.0)
    decays = {2: decay}  # by the number of axes, as Muon has them
    decay = options.pop("adam_weight_decay", decay)
    limits = {
        k: options.pop(k) for k in ("clipnorm", "clipvalue", "global_clipnorm") if k in options
    }
    values = [np.asarray(p, "float64") for p in start]
    states = [{"start": p} for p in values]
    history = []
    for t, step_grads in enumerate(grads, start=1):
        lr = schedule(t - 1) if schedule else rate
        clipped = clip([np.asarray(g, "float64") for g in step_grads], **limits)
        for i, g in enumerate(clipped):
            if i not in spared:
                values[i] = values[i] * (1 - lr * decays.get(g.ndim, decay))
            values[i] = rule(values[i], g, states[i], t, lr, **options)
        history.append(list(values))
    return history

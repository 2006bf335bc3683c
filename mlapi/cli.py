"""The command `mlapi`.

The backend is chosen before anything of mlapi that computes is loaded, so this file imports
nothing heavy, and `mlapi --help` answers at once.
"""

import importlib.metadata
import os
import platform
from pathlib import Path

import click

import mlapi
from mlapi import config, quickstart
from mlapi.errors import MlapiError

# Distributions that bring a framework; what `mlapi info` lists.
_DISTRIBUTIONS = {
    "jax": ("jax",),
    "torch": ("torch",),
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-macos"),
    "numpy": ("numpy",),
}


class Commands(click.Group):
    """A group whose commands report the errors of mlapi in one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except (MlapiError, OSError) as error:
            raise click.ClickException(str(error)) from error


def _choose_backend(ctx: click.Context, param: click.Parameter, name: str | None) -> str | None:
    if name:
        os.environ["MLAPI_BACKEND"] = name
    return name


backend_option = click.option(
    "--backend",
    metavar="NAME",
    callback=_choose_backend,
    expose_value=False,
    help="jax, torch or tensorflow. By default MLAPI_BACKEND, or the first that is installed.",
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(mlapi.__version__, prog_name="mlapi")
def main() -> None:
    """Deep learning written once, run by PyTorch, JAX or TensorFlow."""


@main.command("quickstart", short_help="Train a small CNN on 1,797 handwritten digits.")
@backend_option
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How often to go through the training images.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**53 - 1),
    default=0,
    show_default=True,
    help="Seed of initial weights, shuffles and dropout.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default="mlapi-quickstart",
    show_default=True,
    help="Folder for the model and the picture.",
)
def quickstart_command(epochs: int, seed: int, out: Path) -> None:
    """Train a small CNN on 1,797 handwritten digits, in a few seconds."""
    # So small a network gains nothing by a second thread, and on a busy machine loses much.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    quickstart.run(epochs, seed, out)


@main.command()
@backend_option
def info() -> None:
    """Show versions, the chosen backend, and its devices."""
    rows = {"mlapi": mlapi.__version__, "python": platform.python_version()}
    for name, distributions in _DISTRIBUTIONS.items():
        rows[name] = next(filter(None, map(_version, distributions)), "not installed")
    rows["backend"] = config.backend()
    rows["devices"] = ", ".join(mlapi.utils.list_devices())
    for name, value in rows.items():
        click.echo(f"{name:<12}{value}")


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None

"""The command line, as a newcomer meets it."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import mlapi
from mlapi.cli import main


@pytest.fixture
def run(monkeypatch):
    """A function that runs `mlapi` with the words given."""
    # Some tests choose a backend; what they put into the environment must not stay.
    monkeypatch.setenv("MLAPI_BACKEND", os.environ["MLAPI_BACKEND"])
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return lambda *words: CliRunner().invoke(main, list(words))


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    """Folder and output of a short quickstart."""
    folder = tmp_path_factory.mktemp("with space")
    out = folder / "made here"
    words = ["quickstart", "--epochs", "1", "--seed", "3", "--out", str(out)]
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    assert result.exit_code == 0
    return out, result.output


def test_help_and_version(run):
    assert run("--version").output == f"mlapi, version {mlapi.__version__}\n"
    assert {"quickstart", "info"} <= set(run("--help").output.split())
    for option in ("--backend", "--epochs", "--seed", "--out"):
        assert option in run("quickstart", "--help").output


def test_help_loads_no_framework():
    program = (
        "import sys\n"
        "from mlapi.cli import main\n"
        "main(['quickstart', '--help'], standalone_mode=False)\n"
        "sys.exit(bool({'torch', 'jax', 'tensorflow', 'matplotlib', 'rich'} & set(sys.modules)))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_info_tells_backend_and_versions(run):
    rows = dict(line.split(maxsplit=1) for line in run("info").output.splitlines())
    assert rows["backend"] == os.environ["MLAPI_BACKEND"]
    assert rows["mlapi"] == mlapi.__version__
    assert rows[rows["backend"]][0].isdigit()
    assert rows["devices"]


def test_quickstart_writes_what_it_says(quickstart):
    out, text = quickstart
    assert sorted(path.name for path in out.iterdir()) == ["digits.keras", "history.png"]
    assert (out / "history.png").read_bytes().startswith(b"\x89PNG")
    for path in out.iterdir():
        assert str(path) in text


def test_quickstart_says_how_good_the_model_is(quickstart):
    out, text = quickstart
    _, (x, y) = mlapi.datasets.digits.load_data()
    answers = mlapi.models.load_model(out / "digits.keras").predict(x, verbose=0).argmax(1)
    right = int((answers == y).sum())
    assert f"Test accuracy: {right / len(y):.1%} ({right} of 360 digits" in text


def test_quickstart_shows_one_line_an_epoch(quickstart):
    assert quickstart[1].count("Epoch 1/1 - ") == 1


def test_the_commands_to_try_next_work(quickstart, tmp_path):
    _, text = quickstart
    commands = [
        line.strip()
        for line in text.partition("Try next:")[2].splitlines()
        if line.strip() and not line.strip().startswith("#")
    ]
    assert len(commands) == 3
    summary, predict, again = map(shell(tmp_path), [*commands[:2], f"{commands[2]} --epochs 1"])
    assert "conv2d" in summary.lower()
    assert predict.count("[") == 2
    assert "Test accuracy" in again
    assert (tmp_path / "mlapi-quickstart" / "digits.keras").exists()


def shell(folder):
    """A function that runs a line as the shell would, in `folder`, and returns what it says."""

    def run_line(line):
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            line, shell=True, cwd=folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run_line


def test_an_unknown_backend_gets_the_nearest_name():
    environment = {**os.environ, "MLAPI_BACKEND": ""}
    command = [sys.executable, "-c", "from mlapi.cli import main; main()"]
    done = subprocess.run(
        [*command, "quickstart", "--backend", "torhc"],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Did you mean 'torch'?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("backend", ["jax", "torch", "tensorflow"])
def test_a_backend_that_is_not_installed_gets_the_command(backend, tmp_path):
    program = (
        "import importlib.util\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: (\n"
        f"    None if name == {backend!r} else find(name, *rest)\n"
        ")\n"
        "from mlapi.cli import main\n"
        f"main(['quickstart', '--backend', {backend!r}])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert f'pip install "mlapi[{backend}]"' in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--epochs", "0"], "--epochs"),
        (["--seed", "-1"], "--seed"),
        (["--epoch", "3"], "--epochs"),
    ],
)
def test_wrong_options_are_refused(run, words, message):
    result = run("quickstart", *words)
    assert result.exit_code == 2
    assert message in result.output


def test_a_folder_that_cannot_be_made_is_one_line(run, tmp_path):
    (tmp_path / "file").write_text("")
    result = run("quickstart", "--out", str(tmp_path / "file" / "deeper"))
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert len(result.output.splitlines()) == 1


def test_commands_are_written_for_the_shell(quickstart):
    out, text = quickstart
    (line,) = [line for line in text.splitlines() if "summary()" in line]
    program, flag, code = shlex.split(line)
    assert Path(program).name.startswith("python")
    assert flag == "-c"
    assert out.as_posix() in code

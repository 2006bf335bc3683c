"""Everything that CI runs: `pip install nox && nox`. `nox --list` tells the parts."""

import ast
import functools
import os
import sys
import tempfile
import zipfile
from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.stop_on_first_error = False

ROOT = Path(__file__).parent
CONSTRAINTS = ROOT / "tests" / "constraints.txt"
TENSORFLOW = "tensorflow-cpu" if sys.platform == "linux" else "tensorflow"
FRAMEWORKS = {"torch": "torch", "jax": "jax", "tensorflow": TENSORFLOW}
TEST_TOOLS = ["pytest", "pytest-xdist", "hypothesis", "scipy"]
LONGEST_FILE = 700

# Most modules of a framework are never imported: the bytecode of the others is written when they
# are, which halves the time of an installation.
INSTALL = ["--no-compile", "--constraint", str(CONSTRAINTS)]

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",  # two test processes share two cores
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "JAX_PLATFORMS": "cpu",
    "PYTHONDONTWRITEBYTECODE": None,
}
# Tests on jax compile thousands of small programs and run each once or twice.
QUICK_COMPILATION = {
    "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
}

backends = nox.parametrize("backend", [nox.param(name, id=name) for name in FRAMEWORKS])


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff, formatting, file sizes, imports inside functions."""
    session.install("-c", str(CONSTRAINTS), "ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    complaints = [
        complaint
        for folder in ("mlapi", "tests", "examples", "docs")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for complaint in _house_complaints(path)
    ]
    if complaints:
        session.error("\n".join(complaints))


@nox.session(python=False)
def types(session: nox.Session) -> None:
    """Pyright over the package, with all three frameworks in sight."""
    python = _environment_of_all(session, "pyright[nodejs]", *TEST_TOOLS)
    session.run(python, "-m", "pyright", "--pythonpath", python)


@nox.session
def imports(session: nox.Session) -> None:
    """Who may import whom (the contracts are in pyproject.toml)."""
    session.install("-c", str(CONSTRAINTS), "import-linter")
    session.run("lint-imports", env={"PYTHONPATH": str(ROOT)})


@nox.session
@backends
def tests(session: nox.Session, backend: str) -> None:
    """The tests in an environment that holds one backend only."""
    session.install(*INSTALL, "-e", ".", FRAMEWORKS[backend], *TEST_TOOLS)
    ignored = [f"--ignore=tests/{part}" for part in ("cross", "parity", "benchmarks")]
    environment = {**ENVIRONMENT, **QUICK_COMPILATION, "MLAPI_BACKEND": backend}
    session.run("pytest", "-n", "2", *ignored, *session.posargs, env=environment)


@nox.session(default=False)
@backends
def nightly(session: nox.Session, backend: str) -> None:
    """The conformance of ops, at length (not part of `nox`)."""
    session.install(*INSTALL, "-e", ".", FRAMEWORKS[backend], *TEST_TOOLS)
    environment = {**ENVIRONMENT, **QUICK_COMPILATION, "MLAPI_BACKEND": backend}
    environment["MLAPI_NIGHTLY"] = "1"
    session.run("pytest", "-n", "2", "tests/ops", *session.posargs, env=environment)


@nox.session(python=False)
def cross(session: nox.Session) -> None:
    """The same programs on all three backends, compared."""
    python = _environment_of_all(session, *TEST_TOOLS)
    environment = {**ENVIRONMENT, "MLAPI_BACKEND": "jax"}  # of the process that compares
    session.run(python, "-m", "pytest", "-n", "2", "tests/cross", *session.posargs, env=environment)


@nox.session(python=False, default=False)
@backends
def parity(session: nox.Session, backend: str) -> None:
    """Compared with Keras itself (not part of `nox`; nothing else ever needs Keras)."""
    python = _environment_of_all(session, *TEST_TOOLS, "keras", name="parity")
    environment = {**ENVIRONMENT, "MLAPI_BACKEND": backend}
    options = ["-n", "2", "-W", "ignore", "tests/parity", *session.posargs]
    session.run(python, "-m", "pytest", *options, env=environment)


@nox.session(python=False)
def examples(session: nox.Session) -> None:
    """Every example, on every backend."""
    python = _environment_of_all(session)
    for example in sorted((ROOT / "examples").glob("*.py")):
        for backend in FRAMEWORKS:
            session.log(f"{example.name} on {backend}")
            with tempfile.TemporaryDirectory() as folder, session.chdir(folder):
                session.run(python, str(example), env={**ENVIRONMENT, "MLAPI_BACKEND": backend})


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation; a warning is an error."""
    session.install(
        *INSTALL, "-e", ".", "jax", "sphinx", "myst-parser", "furo", "scipy", "hypothesis"
    )
    source, target = ROOT / "docs", ROOT / "docs" / "_build"
    environment = {**ENVIRONMENT, "MLAPI_BACKEND": "jax"}
    session.run("sphinx-build", "-W", "--keep-going", "-E", source, target, env=environment)


@nox.session
def package(session: nox.Session) -> None:
    """README's first command from the built wheel, in an empty environment."""
    session.install("-c", str(CONSTRAINTS), "build")
    with tempfile.TemporaryDirectory() as folder:
        session.run("python", "-m", "build", "--wheel", "--outdir", folder, str(ROOT), silent=True)
        (wheel,) = Path(folder).glob("*.whl")
        _check_wheel(session, wheel)
        bin_folder = _create_environment(session, Path(folder) / "newcomer")
        session.run(f"{bin_folder}/pip", "install", "--quiet", f"{wheel}[jax]", external=True)
        home = Path(folder) / "home"
        home.mkdir()
        with session.chdir(home):
            # What a developer's own shell says of backends must not reach the newcomer.
            unset = {"MLAPI_BACKEND": None, "PYTHONPATH": None}
            session.run(f"{bin_folder}/mlapi", "quickstart", env=unset, external=True)
        made = {path.suffix for path in home.rglob("*")}
        if not {".keras", ".png"} <= made:
            session.error(f"quickstart left no model or no picture behind, only {sorted(made)}")


@nox.session(python=False, default=False)
def bench(session: nox.Session) -> None:
    """Timings against hand-written native code and Keras, as a table (README's)."""
    python = _environment_of_all(session, "keras", name="bench")
    environment = {**ENVIRONMENT, "OMP_NUM_THREADS": None}
    session.run(python, "-m", "tests.benchmarks", *session.posargs, env=environment)


def _environment_of_all(session: nox.Session, *tools: str, name: str = "every-backend") -> str:
    """Python of an environment with all backends, which several sessions share."""
    folder = ROOT / ".nox" / name
    bin_folder = _create_environment(session, folder)
    _install_all(session, f"{bin_folder}/python", tools)
    return f"{bin_folder}/python"


@functools.cache
def _install_all(session: nox.Session, python: str, tools: tuple[str, ...]) -> None:
    wanted = ["-e", ".", *FRAMEWORKS.values(), *tools]
    session.run(python, "-m", "pip", "install", "--quiet", *INSTALL, *wanted, external=True)


def _create_environment(session: nox.Session, folder: Path) -> Path:
    """Create a virtual environment where there is none; return the folder of its programs."""
    if not (folder / "pyvenv.cfg").exists():
        session.run(sys.executable, "-m", "venv", str(folder), external=True)
    return folder / ("Scripts" if os.name == "nt" else "bin")


def _check_wheel(session: nox.Session, wheel: Path) -> None:
    """Complain unless the wheel holds every file of the package, stubs and data included."""
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    there = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "mlapi").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    missing = sorted(there - packed)
    if missing or "mlapi/py.typed" not in packed or "mlapi/__init__.pyi" not in packed:
        session.error(f"The wheel lacks {missing or 'its typing files'}")


def _house_complaints(path: Path) -> list[str]:
    """What no linter checks: the length of a file, and own modules imported inside functions."""
    text = path.read_text(encoding="utf-8")
    where = path.relative_to(ROOT)
    complaints = []
    lines = text.count("\n")
    if lines > LONGEST_FILE:
        complaints.append(f"{where}: {lines} lines, at most {LONGEST_FILE} are allowed")
    if where.parts[0] != "mlapi":
        return complaints
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            named = (
                [getattr(node, "module", None) or ""]
                if isinstance(node, ast.ImportFrom)
                else ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [])
            )
            if any(name.split(".")[0] == "mlapi" for name in named):
                complaints.append(f"{where}:{node.lineno}: own module imported inside a function")
    return complaints

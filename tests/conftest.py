"""One backend per run, known gaps as strict expected failures, the same seed for every test."""

import os
import re
import sys
import tomllib
from pathlib import Path

import hypothesis
import pytest

TESTS = Path(__file__).parent
BACKENDS = ("torch", "jax", "tensorflow")

hypothesis.settings.register_profile(
    "mlapi",
    deadline=None,  # the first call of an op compiles it
    derandomize=not os.environ.get("MLAPI_NIGHTLY"),  # nobody's change fails by chance
    max_examples=50,
)
hypothesis.settings.load_profile("mlapi")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to guess the backend that is to be tested."""
    if os.environ.get("MLAPI_BACKEND") not in BACKENDS:
        names = ", ".join(BACKENDS)
        raise pytest.UsageError(f"Set MLAPI_BACKEND to the backend to be tested, one of {names}.")


class StaleGap(pytest.Item):
    """Fails: an entry of the listings names no test."""

    def runtest(self) -> None:
        pytest.fail("there is no test with this id", pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Mark the tests that are listed for this backend; fail for entries without a test."""
    gaps: dict[str, str] = {}
    for listing in ("gaps.toml", "parity/differences.toml"):
        with (TESTS / listing).open("rb") as file:
            gaps |= tomllib.load(file)[os.environ["MLAPI_BACKEND"]]
    whole_files = not any("::" in argument for argument in config.args)
    collected = {item.nodeid.partition("::")[0] for item in items}
    for pattern, reason in gaps.items():
        file, _, _ = pattern.partition("::")
        expression = re.compile(".*".join(map(re.escape, pattern.split("*"))))
        matches = [item for item in items if expression.fullmatch(item.nodeid)]
        for item in matches:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
        gone = not (TESTS.parent / file).is_file()
        if gone or (not matches and whole_files and file in collected):
            items.append(StaleGap.from_parent(session, name=f"listed: {pattern}"))


@pytest.fixture(autouse=True)
def _same_seed() -> None:
    """Start every test from the same point of the host's random stream."""
    from mlapi import host_random

    host_random.set_seed(1)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Now and then, drop the programs that backends keep of calls: they would be gigabytes."""
    count = item.config.stash[_COUNT] = item.config.stash.get(_COUNT, 0) + 1
    if count % 1000 == 0 and "mlapi.backends" in sys.modules:
        sys.modules["mlapi.backends"].adapter.core.free_memory()


_COUNT = pytest.StashKey[int]()

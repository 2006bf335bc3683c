"""`python -m mlapi.testing`: is every op of this backend as it should be?"""

import argparse

from mlapi.backends import adapter
from mlapi.testing.conformance import check_backend


def main() -> int:
    """Runs `check_backend`; the exit status is 1 if a rule is broken."""
    parser = argparse.ArgumentParser(prog="python -m mlapi.testing", description=__doc__)
    parser.add_argument("names", nargs="*", help="ops; by default all")
    parser.add_argument("--examples", type=int, default=20, help="random examples for each op")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    broken = check_backend(options.names or None, examples=options.examples, seed=options.seed)
    for name, message in broken.items():
        print(f"{name}: {message}\n")  # noqa: T201
    print(f"{adapter.NAME}: {len(broken)} ops break a rule.")  # noqa: T201
    return bool(broken)


if __name__ == "__main__":
    raise SystemExit(main())

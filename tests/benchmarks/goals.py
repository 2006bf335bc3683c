"""What the table's figures should be."""

from typing import Any

from tests.benchmarks.measure import Row, is_keras
from tests.benchmarks.workloads import WORKLOADS

IMPORT_SECONDS = 0.2
MEMORY_MB = 20.0

_TINY = WORKLOADS["tiny"].title
_RATIOS: dict[str, float] = {
    "predict": 1.1,
    "evaluate": 1.1,
    "train_on_batch": 1.2,
    "call": 1.5,
    "first step": 1.1,
}


def goal(row: Row) -> tuple[str, bool | None]:
    """The goal in words, and whether it is reached; "" and None where there is none."""
    if not row["aimed"]:
        return "", None
    if row["unit"] == "MB":
        return f"≤ theirs + {MEMORY_MB:.0f} MB", row["mlapi"] <= row["theirs"] + MEMORY_MB
    if row["kind"].startswith("import"):
        if is_keras(row["against"]):
            return "≤ Keras", row["mlapi"] <= row["theirs"]
        return f"≤ {IMPORT_SECONDS} s", row["mlapi"] <= IMPORT_SECONDS
    limit = ratio(row)
    if limit is None or row["ratio"] is None:
        return "", None
    return f"≤ {limit:.2f}", row["ratio"][1] <= limit


def ratio(row: Row) -> float | None:
    """The largest ratio that is wanted."""
    kind, tiny = row["kind"], row["title"] == _TINY
    if is_keras(row["against"]):
        return 0.3 if kind == "build" else 1.0
    if kind == "fit, jit_compile=True":
        return 0.35 if tiny else 1.0
    if kind.startswith("fit"):
        if row["backend"] == "torch":
            return 0.75 if tiny else 1.0
        return 1.1 if tiny else 1.05
    if kind == "update":
        return 1.0 if row["backend"] == "torch" else None
    return _RATIOS.get(kind)


def table(rows: list[Row]) -> list[str]:
    """Lines of Markdown, by workload and kind."""
    lines = ["| workload | kind | against | theirs | mlapi | ratio [quartiles] | target | |"]
    lines += ["|---|---|---|--:|--:|---|---|---|"]
    titles = list(
        dict.fromkeys([*(w.title for w in WORKLOADS.values()), *(r["title"] for r in rows)])
    )
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    ordered = sorted(rows, key=lambda row: (titles.index(row["title"]), kinds.index(row["kind"])))
    for row in ordered:
        target, reached = goal(row)
        verdict = {None: "", True: "ok", False: "**missed**"}[reached]
        cells = [row["title"], row["kind"], against(row), figure(row["theirs"], row["unit"])]
        cells += [figure(row["mlapi"], row["unit"]), quartiles(row["ratio"]), target, verdict]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def against(row: Row) -> str:
    """The other program's name, and whether it is the fastest of those written by hand."""
    if not row["against"]:
        return f"({row['backend']})"
    name = row["against"]
    if row["backend"] not in name and not (row["backend"] == "tensorflow" and "tf." in name):
        name = f"{row['backend']}, {name}"
    return f"{name} (fastest)" if row["aimed"] and not is_keras(name) else name


def figure(value: float | None, unit: str) -> str:
    """A time in the unit that suits it, or megabytes."""
    if value is None:
        return ""
    if unit == "MB":
        return f"{value:.1f} MB"
    for factor, name in ((1e6, "µs"), (1e3, "ms")):
        if abs(value) * factor < 1000:
            return f"{value * factor:.3g} {name}"
    return f"{value:.2f} s"


def quartiles(found: Any) -> str:
    if found is None:
        return ""
    low, middle, high = found
    return f"**{middle:.2f}** [{low:.2f}–{high:.2f}]"

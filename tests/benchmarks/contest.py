"""One workload on one backend: mlapi, the hand-written variants, and Keras if it is installed."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from tests.benchmarks import fitted, keras_side
from tests.benchmarks.measure import Clock, Row, is_keras, native_module, race, repeated, rows_of
from tests.benchmarks.workloads import WORKLOADS, data

KINDS = ("fit", "predict", "evaluate", "train_on_batch", "call")
CALLED = "tiny"  # the workload whose model is called on one sample
CHECKED_STEPS = 5


class Contest:
    """Programs of one workload, which all compute the same.

    Args:
        kinds: what is timed, of `KINDS`.
        variants: names of the hand-written ones that take part; all of them if empty.
    """

    def __init__(self, backend: str, name: str, kinds: list[str], variants: list[str]) -> None:
        from tests.benchmarks import mlapi_side

        self.backend, self.native = backend, native_module(backend)
        self.workload = workload = WORKLOADS[name]
        self.kinds = [kind for kind in kinds if kind != "call" or name == CALLED]
        self.calls = 200 if name == CALLED else 4  # timed together, of those that take a batch
        self.ways = mlapi_side.of_backend(backend, name) if "fit" in kinds else {}
        recurrence = workload.recurrence
        every = self.native.RECURRENT[recurrence] if recurrence else self.native.VARIANTS
        makers = {
            variant: make
            for variant, make in every.items()
            if (not variants or variant in variants) and self._kinds_of(variant)
        }
        if keras_side.installed():
            makers[f"Keras on {backend}"] = keras_side.Program
        makers |= {f"mlapi, {kind}": make for kind, (_, make) in self.ways.items()}
        makers["mlapi"] = mlapi_side.Program
        inputs, labels = data(workload)
        self.programs = {
            variant: make(workload, inputs, labels) for variant, make in makers.items()
        }

    def rows(self, rounds: int, clock: Clock) -> list[Row]:
        """For each kind one against each variant and Keras."""
        self.check()
        rows: list[Row] = []
        for kind in self.kinds:
            with self.native.calling() if kind == "call" else nullcontext():
                seconds = race(self._timed(kind), rounds, clock)
            steps = self.calls if kind in ("train_on_batch", "call") else self.workload.steps
            common = {"title": self.workload.title, "backend": self.backend, "per": steps}
            rows += rows_of(seconds, kind=kind, **common)
            if kind == "fit":
                seen = {variant: s for variant, s in seconds.items() if not is_keras(variant)}
                for way, (against, _) in self.ways.items():
                    own = f"mlapi, {way}"
                    found = rows_of(seen, kind=way, own=own, only=against, **common)
                    rows += [row for row in found if row["aimed"]]
        return rows

    def check(self) -> None:
        """Complain unless all programs compute the same, before anybody times them."""
        if "predict" in self.kinds:
            check_predictions(self._taking_part("predict"))
        if "evaluate" in self.kinds:
            check_losses(self._taking_part("evaluate"), "evaluate", rtol=1e-4)
        check_training(self.programs, self.workload.batch)
        if "train_on_batch" in self.kinds:
            check_losses(self._taking_part("train_on_batch"), "train_on_batch", rtol=2e-2)

    def _kinds_of(self, variant: str) -> list[str]:
        """The asked kinds that this program takes part in."""
        if variant.removeprefix("mlapi, ") in self.ways:
            return ["fit"]
        return [kind for kind in self.kinds if kind in self.native.ONLY.get(variant, KINDS)]

    def _taking_part(self, kind: str) -> dict[str, Any]:
        return {
            variant: program
            for variant, program in self.programs.items()
            if kind in self._kinds_of(variant)
        }

    def _timed(self, kind: str) -> dict[str, Callable[[], Any]]:
        programs = self._taking_part(kind)
        if kind == "fit":
            return {variant: program.epoch for variant, program in programs.items()}
        if kind in ("predict", "evaluate"):
            return {variant: getattr(program, kind) for variant, program in programs.items()}
        if kind == "train_on_batch":
            return {v: repeated(p.train_on_batch, self.calls) for v, p in programs.items()}
        # Nothing is compiled around a call: written by hand, it is that of plain functions.
        named = {v: f"{self.backend}, eager" if v in self.native.VARIANTS else v for v in programs}
        return {named[v]: repeated(p.caller(), self.calls) for v, p in programs.items()}


def check_predictions(programs: dict[str, Any]) -> None:
    """Those from the first weights."""
    wanted = programs["mlapi"].predict()
    for variant, program in programs.items():
        np.testing.assert_allclose(
            program.predict(), wanted, rtol=1e-3, atol=1e-4, err_msg=f"{variant}: predictions"
        )


def check_losses(programs: dict[str, Any], kind: str, rtol: float) -> None:
    """Those that the method of this name finds."""
    for program in programs.values():
        if isinstance(program, fitted.Program):
            program.reset()
    found = {variant: getattr(program, kind)()[0] for variant, program in programs.items()}
    for variant, loss in found.items():
        np.testing.assert_allclose(loss, found["mlapi"], rtol=rtol, err_msg=f"{variant}: {kind}")


def check_training(programs: dict[str, Any], batch: int) -> None:
    """The losses of the first steps."""
    losses = {
        variant: [program.epoch(batch)[0] for _ in range(CHECKED_STEPS)]
        for variant, program in programs.items()
    }
    first, later = losses["mlapi"][:1], losses["mlapi"][1:]
    for variant, found in losses.items():
        np.testing.assert_allclose(found[:1], first, rtol=1e-4, err_msg=f"{variant}: first loss")
        np.testing.assert_allclose(found[1:], later, rtol=2e-2, err_msg=f"{variant}: next losses")

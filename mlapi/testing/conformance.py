"""What must hold for every op on every backend: the checks, each a function of a `Case`.

`check_op` and `check_backend` run them all; mlapi's own tests run them one by one.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from mlapi import dtypes, ops
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, nearest
from mlapi.graph import SymbolicTensor
from mlapi.op import registry
from mlapi.testing.case import Case, arrays_of, converted, is_real, redraw, wanted, with_arrays
from mlapi.testing.cases import CASES
from mlapi.transforms import grad, jit

# By the precision of the dtype; float16 and bfloat16 are computed in by some and not by others.
TOLERANCE = {"float16": 1e-2, "bfloat16": 6e-2}


def call(case: Case, arrays: Sequence[Any]) -> list[Any]:
    """The op's results, with these in the places of the tensors."""
    args, kwargs = with_arrays(case, list(arrays))
    out = registry[case.op](*args, **kwargs)
    return list(out) if isinstance(out, list | tuple) else [out]


def to_numpy(x: Any) -> np.ndarray:
    """The values of a result."""
    return ops.convert_to_numpy(ops.stop_gradient(x))


def assert_close(found: list[Any], expected: list[np.ndarray], tolerance: float) -> None:
    """Shapes are equal and values close; what overflows the dtype that came does so in both."""
    assert len(found) == len(expected), f"{len(found)} results instead of {len(expected)}"
    for one, other in zip(found, expected, strict=True):
        one = to_numpy(one)
        assert one.shape == other.shape, f"shape {one.shape} instead of {other.shape}"
        if one.dtype.kind in "iu" and other.dtype.kind in "iu":
            other = other.astype(one.dtype)  # wraps around where that does
        elif one.dtype.kind not in "biuc":
            with np.errstate(over="ignore"):
                other = other.astype(one.dtype).astype("float64")
            one = one.astype("float64")
        np.testing.assert_allclose(one, other, tolerance, tolerance)


def _assert_case(case: Case, found: list[Any], arrays: list[np.ndarray], tolerance: float) -> None:
    """The results are the reference's for these arrays."""
    expected = wanted(case, arrays)
    for i, (one, other) in enumerate(zip(found, expected, strict=True)):
        if dtypes.is_integer(ops.dtype(one)) and other.dtype.kind not in "biu":
            if case.rounds:
                np.testing.assert_allclose(to_numpy(one), other, 0, 0.5 + 1e-3)
                other = to_numpy(one)
            expected[i] = np.trunc(other)
    assert_close(found, expected, tolerance)


def check_value(case: Case) -> None:
    """Value, shape and dtype are the reference's."""
    arrays = arrays_of(case)
    found = call(case, arrays)
    _assert_case(case, found, arrays, case.tolerance)
    kinds = [x.dtype for x in arrays if x.dtype != bool] or ["bool"]
    _check_result(case, found[0], dtypes.promote(*kinds))


def _check_result(case: Case, found: Any, kind: str) -> None:
    if case.result is not None:
        expected, got = case.expected_dtype(kind), ops.dtype(found)
        assert got == expected, f"dtype {got} instead of {expected}"


def check_dtype(case: Case, kind: str) -> None:
    """Under another dtype of all inputs, the result has the dtype and value that it should."""
    check_arrays(case, converted(case, kind), kind)


def check_arrays(case: Case, arrays: list[np.ndarray], kind: str) -> None:
    """Value and dtype for these inputs of dtype `kind`, eagerly and symbolically."""
    found = call(case, arrays)
    _assert_case(case, found, arrays, max(case.tolerance, TOLERANCE.get(kind, 0.0)))
    _check_result(case, found[0], kind)
    if arrays and not case.eager:
        _compare_specs(call(case, [SymbolicTensor(x.shape, ops.dtype(x)) for x in arrays]), found)


def _compare_specs(symbols: list[Any], real: list[Any]) -> None:
    found = [(tuple(x.shape), x.dtype) for x in symbols]
    expected = [(tuple(x.shape), ops.dtype(x)) for x in real]
    assert found == expected, f"symbolic {found} instead of {expected}"


def check_strided(case: Case) -> None:
    """Views whose elements do not follow one another in memory give the same."""
    arrays = arrays_of(case)
    views = [ops.transpose(ops.convert_to_tensor(np.array(x.T, order="C"))) for x in arrays]
    _assert_case(case, call(case, views), arrays, case.tolerance)


def check_compiled(case: Case) -> None:
    """Under `mlapi.jit` the results are the same."""
    arrays = [ops.convert_to_tensor(x) for x in arrays_of(case)]
    found = jit(lambda *xs: call(case, xs), [])(*arrays)
    assert_close(found, [to_numpy(x) for x in call(case, arrays)], case.tolerance)


def check_symbolic(case: Case) -> None:
    """Symbolic results have the shape and dtype that the real ones have."""
    arrays = arrays_of(case)
    symbols = call(case, [SymbolicTensor(x.shape, ops.dtype(x)) for x in arrays])
    _compare_specs(symbols, call(case, arrays))


def check_unknown_size(case: Case) -> None:
    """The first size of the first tensor is not known: results agree where they say anything."""
    arrays = arrays_of(case)
    size = arrays[0].shape[0]
    shapes = [
        tuple(None if n == size and i == 0 else n for i, n in enumerate(x.shape)) for x in arrays
    ]
    symbols = [SymbolicTensor(s, ops.dtype(x)) for s, x in zip(shapes, arrays, strict=True)]
    for symbol, tensor in zip(call(case, symbols), call(case, arrays), strict=True):
        shape, real = tuple(symbol.shape), tuple(tensor.shape)
        same = len(shape) == len(real) and all(a in (None, b) for a, b in zip(shape, real))
        assert same, f"symbolic shape {shape}, real shape {real}"
        assert symbol.dtype == ops.dtype(tensor)


def check_gradient(case: Case) -> None:
    """The slope along random directions is that of the reference, by central differences."""
    arrays = arrays_of(case)
    rng = np.random.default_rng(0)
    outputs = [x for x in wanted(case, arrays) if x.dtype.kind == "f"]
    factors = [rng.normal(size=x.shape) for x in outputs[: case.slopes]]
    moving = [i for i, x in enumerate(arrays) if is_real(x)]

    def total(xs: list[Any]) -> Any:
        given: list[Any] = list(arrays)
        for i, x in zip(moving, xs, strict=True):
            given[i] = x
        found = call(case, given)[: len(factors)]
        return sum(
            ops.sum(y * ops.convert_to_tensor(f, ops.dtype(y)))
            for y, f in zip(found, factors, strict=True)
        )

    def reference(step: float, directions: list[np.ndarray]) -> float:
        given = [x.astype("float64") if is_real(x) else x for x in arrays]
        for i, direction in zip(moving, directions, strict=True):
            given[i] = np.asarray(given[i] + step * direction)  # a scalar would be no array
        found = wanted(case, given)[: len(factors)]
        return sum(np.sum(y * f) for y, f in zip(found, factors, strict=True))

    grads = jit(grad(total), [])([ops.convert_to_tensor(arrays[i]) for i in moving])
    grads = [to_numpy(g).astype("float64") for g in grads]
    assert [g.shape for g in grads] == [arrays[i].shape for i in moving]
    for _ in range(3):
        directions = [rng.normal(size=g.shape) for g in grads]
        slope = (reference(1e-6, directions) - reference(-1e-6, directions)) / 2e-6
        found = sum(np.sum(g * d) for g, d in zip(grads, directions, strict=True))
        scale = sum(np.sum(np.abs(g * d)) for g, d in zip(grads, directions, strict=True))
        assert abs(found - slope) <= 1e-4 * (1 + scale), f"slope {found} instead of {slope}"


def check_example(case: Case, draw: Callable[[Any], Any]) -> None:
    """Value, dtype and symbolic shape for arguments and a dtype that Hypothesis draws.

    Args:
        case: where the arguments come from, see `Case.draw`.
        draw: draws from a Hypothesis strategy: `data.draw`.
    """
    from hypothesis import strategies

    kinds = [None, *case.dtypes] if case.draw is None else case.dtypes or ["float32"]
    kind = draw(strategies.sampled_from(kinds))
    example = redraw(case, draw, kind)
    arrays = arrays_of(example)
    known = [x.dtype for x in arrays if x.dtype != bool] or ["bool"]
    check_arrays(example, arrays, kind or dtypes.promote(*known))


def has_tensors(case: Case) -> bool:
    """Whether there is anything among the arguments that could be symbolic."""
    return bool(arrays_of(case))


def can_compile(case: Case) -> bool:
    """Whether the result's shape is known without the values of the tensors."""
    return has_tensors(case) and not case.eager


def is_smooth(case: Case) -> bool:
    """Whether there is a gradient to be compared."""
    return case.grad and not case.eager and any(is_real(x) and x.size for x in arrays_of(case))


def has_unknown_size(case: Case) -> bool:
    """Whether its first size can be unknown."""
    return case.unknown and can_compile(case) and arrays_of(case)[0].ndim > 1


CHECKS: dict[str, tuple[Callable[[Case], None], Callable[[Case], bool]]] = {
    "value": (check_value, lambda case: True),
    "strided": (check_strided, has_tensors),
    "compiled": (check_compiled, can_compile),
    "symbolic": (check_symbolic, can_compile),
    "unknown_size": (check_unknown_size, has_unknown_size),
    "gradient": (check_gradient, is_smooth),
}
"""The checks of single cases, and to which cases each applies."""


def check_op(
    name: str, cases: Iterable[Case] | None = None, *, examples: int = 20, seed: int = 0
) -> None:
    """Holds an op to the rules that every op keeps, on the backend that was chosen.

    Its value, shape and dtype are those of a NumPy reference, for special cases and for random
    arguments; a compiled call gives the same, so do views; a symbolic call has the same shape and
    dtype, also where a size is unknown; the gradient is that of finite differences.

    Args:
        name: of a registered op, see `mlapi.op`.
        cases: by default those that mlapi has for its own ops.
        examples: how many random examples are tried.
        seed: of the random examples.

    Raises:
        AssertionError: a rule is broken; the notes of the error say which, and for which case.

    Example:
        >>> import numpy as np
        >>> from mlapi import testing
        >>> x = np.float32([[1, 2], [3, 4]])
        >>> testing.check_op("exp", [testing.Case("exp", (x,), np.exp, dtypes=("float16",))])
    """
    if name not in registry:
        raise ArgumentError(f"There is no op {name!r}.{nearest(name, registry)}")
    found = list(_own_cases(name) if cases is None else cases)
    if not found:
        raise ArgumentError(f"mlapi has no cases for the op {name!r}: pass yours as `cases`.")
    for case in found:
        for label, (check, applies) in CHECKS.items():
            if applies(case):
                _noted(lambda: check(case), f"check {label} of case {case}")  # noqa: B023
        for kind in case.dtypes if has_tensors(case) else ():
            _noted(lambda: check_dtype(case, kind), f"dtype {kind} of case {case}")  # noqa: B023
    if examples:
        run_examples(found, examples, seed)


def _noted(run: Callable[[], None], note: str) -> None:
    try:
        run()
    except Exception as error:
        error.add_note(f"{note}, on {adapter.NAME}")
        raise


def _own_cases(name: str) -> list[Case]:
    return [case for case in CASES if case.op == name]


def run_examples(cases: Sequence[Case], examples: int, seed: int) -> None:
    """Tries random examples of the cases of one op; Hypothesis shrinks one that fails."""
    import hypothesis
    from hypothesis import strategies

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=tuple(hypothesis.HealthCheck),  # type: ignore[arg-type]
    )
    @hypothesis.given(strategies.data())
    def run(data: Any) -> None:
        case = data.draw(strategies.sampled_from(cases))
        check_example(case, data.draw)

    run()


def check_backend(
    names: Iterable[str] | None = None, *, examples: int = 20, seed: int = 0
) -> dict[str, str]:
    """Holds every op of the backend that was chosen to the rules of `check_op`.

    For authors of adapters: `MLAPI_BACKEND=mine python -m mlapi.testing` prints what it returns.

    Args:
        names: of the ops; by default all.
        examples: how many random examples each op is tried with.
        seed: of the random examples.

    Returns:
        Message of the first broken rule of each op that breaks one.
    """
    broken = {}
    for name in sorted(registry) if names is None else names:
        if _own_cases(name):
            adapter.core.free_memory()  # where every call compiles, of the op before
            try:
                check_op(name, examples=examples, seed=seed)
            except Exception as error:
                broken[name] = _told(error)
    return broken


def _told(error: Exception) -> str:
    if isinstance(error, ExceptionGroup):  # random examples failed in several ways
        return "\n".join(map(_told, error.exceptions))
    notes = "; ".join(getattr(error, "__notes__", ()))
    return f"{type(error).__name__}: {error} ({notes})"

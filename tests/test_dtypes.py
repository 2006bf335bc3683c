"""Names of dtypes, and the table by which they are promoted."""

import itertools

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlapi import config, dtypes
from mlapi.errors import DTypeError

SHORT = {
    "b1": "bool", "u1": "uint8", "u2": "uint16", "u4": "uint32", "u8": "uint64",
    "i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64",
    "bf": "bfloat16", "f2": "float16", "f4": "float32", "f8": "float64",
    "c8": "complex64", "cx": "complex128", "i*": "int", "f*": "float", "c*": "complex",
}  # fmt: skip

# Each row from the diagonal on; a weak type that results alone has its 32-bit size.
TABLE = """
b1  b1 u1 u2 u4 u8 i1 i2 i4 i8 bf f2 f4 f8 c8 cx i4 f4 c8
u1     u1 u2 u4 u8 i2 i2 i4 i8 bf f2 f4 f8 c8 cx u1 f4 c8
u2        u2 u4 u8 i4 i4 i4 i8 bf f2 f4 f8 c8 cx u2 f4 c8
u4           u4 u8 i8 i8 i8 i8 bf f2 f4 f8 c8 cx u4 f4 c8
u8              u8 f4 f4 f4 f4 bf f2 f4 f8 c8 cx u8 f4 c8
i1                 i1 i2 i4 i8 bf f2 f4 f8 c8 cx i1 f4 c8
i2                    i2 i4 i8 bf f2 f4 f8 c8 cx i2 f4 c8
i4                       i4 i8 bf f2 f4 f8 c8 cx i4 f4 c8
i8                          i8 bf f2 f4 f8 c8 cx i8 f4 c8
bf                             bf f4 f4 f8 c8 cx bf bf c8
f2                                f2 f4 f8 c8 cx f2 f2 c8
f4                                   f4 f8 c8 cx f4 f4 c8
f8                                      f8 cx cx f8 f8 cx
c8                                         c8 cx c8 c8 c8
cx                                            cx cx cx cx
i*                                               i4 f4 c8
f*                                                  f4 c8
c*                                                     c8
"""


def table() -> dict[tuple[str, str], str]:
    columns = list(SHORT)
    cells = {}
    for line in TABLE.strip().splitlines():
        row, *results = line.split()
        for column, result in zip(columns[-len(results) :], results, strict=True):
            cells[SHORT[row], SHORT[column]] = SHORT[result]
    return cells


@pytest.mark.parametrize(("pair", "expected"), table().items())
def test_promotion_table(pair: tuple[str, str], expected: str) -> None:
    assert dtypes.promote(*pair) == expected
    assert dtypes.promote(*reversed(pair)) == expected


def test_table_is_complete() -> None:
    assert len(table()) == len(SHORT) * (len(SHORT) + 1) // 2
    assert set(dtypes.NAMES) == set(SHORT.values()) - {"int", "float", "complex"}


@given(st.lists(st.sampled_from(list(SHORT.values())), min_size=1, max_size=4), st.randoms())
def test_promotion_of_many_has_no_order(names: list[str], random) -> None:
    shuffled = random.sample(names, len(names))
    assert dtypes.promote(*shuffled) == dtypes.promote(*names)


def test_python_types_are_weak() -> None:
    assert dtypes.promote("float16", float) == "float16"
    assert dtypes.promote("int8", int, bool) == "int8"
    assert dtypes.promote(int) == "int32"
    assert dtypes.promote() == "float32"


@pytest.fixture
def half_floatx():
    before = config.floatx()
    config.set_floatx("bfloat16")
    yield
    config.set_floatx(before)


@pytest.mark.usefixtures("half_floatx")
def test_default_float_type_decides_weak_floats() -> None:
    assert dtypes.promote("int64", float) == "bfloat16"
    assert dtypes.to_float("int8") == "bfloat16"
    assert dtypes.standardize(None) == dtypes.standardize(float) == "bfloat16"
    assert dtypes.promote("float32", float) == "float32"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("int32",), "float32"),
        (("bool",), "float32"),
        (("int8", "float16"), "float16"),
        (("float64", "int64"), "float64"),
        (("complex64",), "complex64"),
        ((int,), "float32"),
    ],
)
def test_to_float(given: tuple[str, ...], expected: str) -> None:
    assert dtypes.to_float(*given) == expected


@pytest.mark.parametrize("name", dtypes.NAMES)
def test_numpy_dtypes_and_back(name: str) -> None:
    dtype = dtypes.numpy_dtype(name)
    assert dtype.name == name
    assert dtypes.standardize(dtype) == dtypes.standardize(dtype.type) == name


class Foreign:
    """A framework's dtype object, known by what it prints or by its name."""

    def __init__(self, printed: str, name: str | None = None) -> None:
        self.printed = printed
        if name:
            self.name = name

    def __str__(self) -> str:
        return self.printed


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("uint8", "uint8"),
        (None, "float32"),
        (bool, "bool"),
        (int, "int32"),
        (float, "float32"),
        (complex, "complex64"),
        (str, "string"),
        ("float", "float32"),
        (np.dtype("<f8"), "float64"),
        (np.array(["a"]).dtype, "string"),
        (ml_dtypes.bfloat16, "bfloat16"),
        (Foreign("torch.bfloat16"), "bfloat16"),
        (Foreign("<dtype: 'int64'>", "int64"), "int64"),
    ],
)
def test_standardize(given: object, expected: str) -> None:
    assert dtypes.standardize(given) == expected


@pytest.mark.parametrize("given", [["float32"], object, 3, dict, "f4", "", Foreign("torch.qint8")])
def test_unknown_dtype_is_refused(given: object) -> None:
    with pytest.raises(DTypeError, match="Unknown dtype"):
        dtypes.standardize(given)


def test_misspelt_dtype_gets_the_nearest() -> None:
    with pytest.raises(TypeError, match=r"Unknown dtype 'flaot32'\. Did you mean 'float32'"):
        dtypes.promote("int8", "flaot32")


def test_strings_do_not_mix() -> None:
    assert dtypes.promote("string", "string") == "string"
    with pytest.raises(DTypeError, match="Strings do not mix"):
        dtypes.promote("string", "int32")


def test_kinds_partition_the_dtypes() -> None:
    tests = (dtypes.is_bool, dtypes.is_integer, dtypes.is_float, dtypes.is_complex)
    for name, kinds in zip(
        dtypes.NAMES, ([test(n) for test in tests] for n in dtypes.NAMES), strict=True
    ):
        assert sum(kinds) == 1, name
        codes = ("b", "iu", "fV", "c")  # NumPy's letters; V for what it does not know
        numpy_kind = dtypes.numpy_dtype(name).kind
        assert numpy_kind in next(itertools.compress(codes, kinds)), name

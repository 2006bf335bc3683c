"""Nested structures."""

from collections import OrderedDict, defaultdict
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlapi import tree
from mlapi.errors import ArgumentError


class Point(NamedTuple):
    x: object
    y: object


leaves = st.none() | st.integers() | st.text(max_size=3)
structures = st.recursive(
    leaves,
    lambda children: (
        st.lists(children, max_size=3)
        | st.lists(children, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2), children, max_size=3)
        | st.builds(Point, children, children)
    ),
    max_leaves=12,
)


@given(structures)
def test_flatten_and_pack_are_inverse(structure: object) -> None:
    packed = tree.pack_sequence_as(structure, tree.flatten(structure))
    assert packed == structure
    assert type(packed) is type(structure)


@given(structures)
def test_map_goes_over_the_leaves_in_order(structure: object) -> None:
    mapped = tree.map_structure(lambda leaf: (leaf,), structure)
    reached = tree.map_structure_up_to(structure, lambda pair: pair[0], mapped)
    assert reached == structure
    assert tree.flatten(tree.map_structure(str, structure)) == list(
        map(str, tree.flatten(structure))
    )


@given(structures)
def test_paths_lead_to_the_leaves(structure: object) -> None:
    pairs = tree.flatten_with_path(structure)
    assert [leaf for _, leaf in pairs] == tree.flatten(structure)
    for path, leaf in pairs:
        found = structure
        for key in path:
            found = found[key]
        assert found is leaf


@given(structures)
def test_structure_is_the_same_as_itself(structure: object) -> None:
    tree.assert_same_structure(structure, tree.map_structure(lambda _: None, structure))


def test_dicts_match_by_key_and_keep_the_order_of_the_first() -> None:
    total = tree.map_structure(lambda a, b: a - b, {"b": 5, "a": 3}, {"a": 1, "b": 2})
    assert total == {"b": 3, "a": 2}
    assert list(total) == ["b", "a"]


def test_kinds_of_dicts_are_kept() -> None:
    counts = defaultdict(int, a=1)
    mapped = tree.map_structure(lambda x: x + 1, counts)
    assert mapped["absent"] == 0
    assert mapped["a"] == 2
    assert counts == {"a": 1}
    ordered = tree.map_structure(str, OrderedDict(b=1, a=2))
    assert ordered == OrderedDict(b="1", a="2")
    assert type(ordered) is OrderedDict


def test_containers_without_leaves() -> None:
    assert tree.flatten([(), {}, []]) == []
    assert tree.is_nested(())
    assert not tree.is_nested("text")
    assert tree.map_structure(str, [(), {}]) == [(), {}]


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([1, 2], [1, 2, 3], "at the top: one has a list of 2, another a list of 3"),
        ([1], (1,), "at the top: one has a list of 1, another a tuple of 1"),
        ({"a": [1]}, {"a": 1}, r"at \['a'\]: one has a list of 1, another a leaf \(int\)"),
        ({"a": 1}, {"a": [1]}, r"at \['a'\]: one has a leaf \(int\), another a list of 1"),
        ([{"a": 1}], [{"b": 1}], r"at \[0\]: one has a dict with keys \['a'\]"),
    ],
)
def test_structures_that_differ_are_refused(a: object, b: object, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        tree.map_structure(lambda *leaves: leaves, a, b)
    with pytest.raises(ArgumentError, match=message):
        tree.assert_same_structure(a, b)


def test_pack_needs_as_many_values_as_leaves() -> None:
    with pytest.raises(ArgumentError, match="has 2 leaves, but 3 values"):
        tree.pack_sequence_as([0, 0], [1, 2, 3])


def test_map_needs_a_structure() -> None:
    with pytest.raises(ArgumentError, match="at least one structure"):
        tree.map_structure(str)


def test_map_up_to_leaves_what_is_below() -> None:
    assert tree.map_structure_up_to({"a": 0}, lambda x, y: (x, y), {"a": [1]}, {"a": 2}) == {
        "a": ([1], 2)
    }
    with pytest.raises(ArgumentError, match="Structures differ"):
        tree.map_structure_up_to([0, 0], str, [1])


def test_shapes_are_leaves() -> None:
    shapes = {"image": (None, 8, 8), "points": [(None, 2), [None, 3]], "scalar": ()}
    assert tree.map_shape_structure(len, shapes) == {"image": 3, "points": [2, 2], "scalar": 0}
    assert tree.map_shape_structure(lambda s: s[1:], (None, 5)) == (5,)
    with pytest.raises(ArgumentError, match="Expected shapes"):
        tree.map_shape_structure(len, {"a": "text"})


def test_lists_to_tuples() -> None:
    assert tree.lists_to_tuples({"a": [1, [2]], "b": Point([3], 4)}) == {
        "a": (1, (2,)),
        "b": Point((3,), 4),
    }


def test_traverse_replaces_on_the_way_down_or_up() -> None:
    def drop_lists(node: object) -> object:
        return "list" if isinstance(node, list) else None

    assert tree.traverse(drop_lists, {"a": [1, [2]], "b": 3}) == {"a": "list", "b": 3}
    seen = []
    assert tree.traverse(seen.append, [1, [2]], top_down=False) == [1, [2]]
    assert seen == [1, 2, [2], [1, [2]]]


def test_paths_without_the_containers() -> None:
    tree.assert_same_paths([0, {"a": (1, 2)}], (3, {"a": [4, 5]}))
    with pytest.raises(ArgumentError, match=r"Only the first structure has the paths \[\(1,\)\]"):
        tree.assert_same_paths([0, 1], [0])
    with pytest.raises(ArgumentError, match=r"Only the second structure has the paths .*'b'"):
        tree.assert_same_paths({"a": 0}, {"a": 0, "b": 1})


def test_none_can_be_passed_over() -> None:
    found = tree.map_structure(lambda a, b: a + b, [1, None], [2, 3], none_is_leaf=False)
    assert found == [3, None]


@pytest.mark.parametrize("top_down", [True, False])
def test_traverse_to_none(top_down: bool) -> None:
    def drop(x: object) -> object:
        return tree.MAP_TO_NONE if isinstance(x, int) else None

    assert tree.traverse(drop, [1, ["a", 2]], top_down) == [None, ["a", None]]

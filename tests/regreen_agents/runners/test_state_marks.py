"""Marks differ exactly when content differs, saved content comes back, and no project code runs."""

import collections
import copy
import functools
import threading
import types
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regreen_agents.runners.probe import regreen_changes, regreen_state, regreen_state_saved

mark_of = regreen_state.marks.mark_of
Saved = regreen_state_saved.Saved
text_of = regreen_changes.text_of

SCALAR = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)
)
VALUES = st.recursive(
    SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=3), inner, max_size=4),
        st.tuples(inner, inner),
        st.sets(st.integers(), max_size=4),
        st.builds(lambda value: types.SimpleNamespace(value=value), inner),
        st.builds(collections.OrderedDict, st.lists(st.tuples(SCALAR, inner))),
        st.builds(collections.deque, st.lists(inner, max_size=3)),
    ),
    max_leaves=12,
)
FEWER = settings(max_examples=60)


def explode(*_arguments: object) -> NoReturn:
    raise RuntimeError("nobody may look inside")


class Touchy(type):
    __eq__ = __hash__ = __instancecheck__ = __subclasscheck__ = explode


class Mine(metaclass=Touchy):
    __eq__ = __hash__ = __repr__ = __getattribute__ = __len__ = __iter__ = explode
    __bool__ = __deepcopy__ = __copy__ = __setattr__ = __delattr__ = explode


class Odd(dict[str, object]):
    __eq__ = __iter__ = __len__ = __getitem__ = items = keys = values = explode


def containers(value: Any, found: list[Any]) -> list[Any]:
    """Return every mutable container inside a value."""
    if isinstance(value, list | collections.deque | dict | types.SimpleNamespace):
        found.append(value)
    if isinstance(value, types.SimpleNamespace):
        containers(value.value, found)
    elif isinstance(value, dict):
        for part in value.values():
            containers(part, found)
    elif isinstance(value, list | tuple | collections.deque):
        for part in value:
            containers(part, found)
    return found


def dirty(container: Any) -> None:
    if isinstance(container, dict):
        container["a new key"] = 1
    elif isinstance(container, types.SimpleNamespace):
        container.value = "another"
    else:
        container.append("another")


@FEWER
@given(value=VALUES)
def test_looking_again_gives_the_same_mark_and_a_copy_another_identity(value: Any) -> None:
    assert mark_of(value) == mark_of(value)
    if isinstance(value, list | dict | types.SimpleNamespace):
        assert mark_of(copy.deepcopy(value)) != mark_of(value)


@FEWER
@given(value=VALUES, data=st.data())
def test_a_change_at_any_depth_shows_and_can_be_taken_back(value: Any, data: st.DataObject) -> None:
    inside = containers(value, [])
    if not inside:
        return
    before, text, saved = mark_of(value), repr(value), Saved(value)

    dirty(data.draw(st.sampled_from(inside)))
    changed = mark_of(value)
    saved.restore()

    assert changed != before
    assert mark_of(value) == before
    assert repr(value) == text


@FEWER
@given(before=VALUES, after=VALUES)
def test_any_two_marks_can_be_written_as_two_short_texts(before: Any, after: Any) -> None:
    old = regreen_state.Entry("module-global", "m.x", "m", "x", mark_of(before), before)
    new = old._replace(mark=mark_of(after), value=after)

    change = regreen_changes.change_of(regreen_state.Difference(old, old, new))

    assert len(change["before"]) <= 200
    assert len(change["after"]) <= 200
    if old.mark != new.mark:
        assert change["before"] != change["after"]
    if change["literal_after"]:
        assert eval(change["after"], {}) == after


@pytest.mark.parametrize(
    "make", [Mine, lambda: Mine, lambda: [Mine(), Mine], lambda: {1: Mine()}, lambda: Odd(a=1)]
)
def test_no_code_of_the_project_runs(make: Callable[[], object]) -> None:
    value = make()

    mark = mark_of(value)
    Saved(value).restore()

    assert mark == mark_of(value)
    assert len(text_of(mark)) < 200


def test_content_behind_a_hostile_class_is_seen_and_put_back() -> None:
    mine, odd = Mine(), Odd(a=[1])
    held: dict[str, Any] = object.__getattribute__(mine, "__dict__")
    held["seen"] = [1]
    before, saved = mark_of([mine, odd]), [Saved(mine), Saved(odd)]

    held["seen"].append(2)
    dict.__getitem__(odd, "a").append(2)  # type: ignore[attr-defined]
    dict.__setitem__(odd, "b", 1)
    texts = text_of(mark_of(mine)), text_of(mark_of(odd))
    for one in saved:
        one.restore()

    assert texts == ("Mine(seen=[1, 2])", "Odd({'a': [1, 2], 'b': 1})")
    assert mark_of([mine, odd])[3] == before[3]


def test_structures_that_hold_themselves_end() -> None:
    loop: list[object] = [1]
    loop.append(loop)
    knot: dict[str, object] = {}
    knot["self"] = {"again": knot}

    assert text_of(mark_of(loop)) == "[1, <list>]"
    assert text_of(mark_of(knot)) == "{'self': {'again': <dict>}}"
    Saved(loop).restore()


def test_a_deep_structure_does_not_exhaust_the_stack() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    assert mark_of(deep) == mark_of(deep)
    Saved(deep).restore()


@pytest.mark.parametrize("element", [0, object])
def test_a_change_in_a_list_of_a_hundred_thousand_shows(element: object) -> None:
    many = [element() if callable(element) else element] * 100_000
    before = mark_of(many)

    many[77_777] = "another"

    assert mark_of(many) != before
    many.append("one more")
    assert len(text_of(mark_of(many))) > 0


def test_a_dict_that_a_thread_is_writing_to_can_be_looked_at() -> None:
    busy: dict[int, object] = {}
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            busy[number % 1000] = object()
            busy.pop((number + 500) % 1000, None)
            number += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(50):
            mark_of([busy, busy])
    finally:
        stop.set()
        thread.join()


def test_equal_numbers_of_other_types_are_a_change() -> None:
    assert len({mark_of(value) for value in (1, 1.0, True, 1 + 0j)}) == 4
    numbers: list[object] = [1]
    before = mark_of(numbers)

    numbers[0] = True

    assert mark_of(numbers) != before


def test_what_a_function_carries_is_seen() -> None:
    def outer() -> Callable[[int], int]:
        memo: dict[int, int] = {}

        @functools.wraps(outer)
        def inner(key: int, seen: list[int] = []) -> int:  # noqa: B006 - what it is about
            seen.append(key)
            return memo.setdefault(key, key)

        return inner

    function = outer()
    mark = regreen_state.marks.function_mark(function)
    saved = Saved(function)

    function(3)
    changed = regreen_state.marks.function_mark(function)
    saved.restore()

    assert (text_of(mark), text_of(changed)) == (
        "function(seen=[], memo={})",
        "function(seen=[3], memo={3: 3})",
    )
    assert regreen_state.marks.function_mark(function) == mark

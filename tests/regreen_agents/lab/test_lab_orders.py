from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind
from regreen_agents.lab.orders import place_of, run_specs, shuffled

PARAMETERS = st.sampled_from(["", "[1]", "[a::b]", "[x[0]]", "[::]", "[tests/b.py::test_z]"])


@st.composite
def node_ids(draw: st.DrawFn) -> list[NodeId]:
    ids = []
    for module in range(draw(st.integers(0, 4))):
        for group in draw(st.lists(st.sampled_from(["", "A::", "B::", "A::In::"]), unique=True)):
            for number in range(draw(st.integers(1, 3))):
                name = f"tests/test_{module}.py::{group}test_{number}{draw(PARAMETERS)}"
                ids.append(NodeId(name))
    return ids


@given(ids=node_ids(), seed=st.integers(0, 2**32))
def test_a_shuffle_is_a_permutation_that_repeats(ids: list[NodeId], seed: int) -> None:
    order = shuffled(ids, seed)

    assert sorted(order) == sorted(ids)
    assert order == shuffled(ids, seed)


@given(ids=node_ids(), seed=st.integers(0, 2**32))
def test_a_shuffle_keeps_modules_and_classes_in_one_piece(ids: list[NodeId], seed: int) -> None:
    places = [place_of(node_id) for node_id in shuffled(ids, seed)]

    modules = [module for module, _ in groupby(place.module for place in places)]
    classes = [place for place, _ in groupby(places)]
    assert len(modules) == len(set(modules))
    assert len(classes) == len(set(classes))


def test_seeds_move_modules_classes_and_tests() -> None:
    ids = [
        NodeId(f"test_{module}.py::{group}::test_{number}")
        for module in "ab"
        for group in "AB"
        for number in "12"
    ]

    orders = [shuffled(ids, seed) for seed in range(60)]

    assert {order[0] for order in orders} == set(ids)


def test_the_order_of_a_seed_is_the_same_on_every_python() -> None:
    ids = [NodeId(f"test_{module}.py::test_{number}") for module in "abc" for number in "12"]

    order = shuffled(ids, 19)

    assert order == (
        "test_c.py::test_2",
        "test_c.py::test_1",
        "test_a.py::test_2",
        "test_a.py::test_1",
        "test_b.py::test_2",
        "test_b.py::test_1",
    )


@pytest.mark.parametrize(
    ("node_id", "module", "group"),
    [
        ("tests/test_a.py::test_b", "tests/test_a.py", ""),
        ("tests/test_a.py::A::B::test_b", "tests/test_a.py", "A::B"),
        ("tests/test_a.py::A::test_b[x::y[0]]", "tests/test_a.py", "A"),
        ("tests/test_a.py::test_b[A::c]", "tests/test_a.py", ""),
        ("odd[1]/test_a.py::A::test_b", "odd[1]/test_a.py", "A"),
        ("tests/test_a.py", "tests/test_a.py", ""),
    ],
)
def test_the_place_of_a_test_is_read_off_its_id(node_id: str, module: str, group: str) -> None:
    assert place_of(NodeId(node_id)) == (module, group)


def test_a_baseline_runs_the_file_order_and_then_random_pairs() -> None:
    specs = run_specs(6, 40)

    assert [(spec.order, spec.seed) for spec in specs] == [
        (OrderKind.FILE, None),
        (OrderKind.RANDOM, 40),
        (OrderKind.REVERSE_RANDOM, 40),
        (OrderKind.RANDOM, 41),
        (OrderKind.REVERSE_RANDOM, 41),
        (OrderKind.RANDOM, 42),
    ]
    assert [spec.hash_seed for spec in specs] == ["0", "1", "2", "3", "4", "5"]


def test_a_longer_baseline_begins_like_a_shorter_one() -> None:
    assert run_specs(7, 3)[:4] == run_specs(4, 3)


def test_a_baseline_of_no_run_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 run"):
        run_specs(0, 1)

"""Half of the tests is chosen by their names alone, and only where there are enough."""

from pathlib import Path

from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.search.heldout import halved
from regreen_agents.repair.search.hunt import Hunt, SearchRequest
from regreen_agents.repair.search.localisation import spectrum
from regreen_agents.runners.search_runner import Suite


def named(kind: str, count: int) -> tuple[NodeId, ...]:
    return tuple(NodeId(f"tests/test_a.py::test_{kind}[{n}]") for n in range(count))


def half_of(failing: int, passing: int) -> SearchRequest | None:
    request = SearchRequest(Path(), named("red", failing), named("green", passing))
    suite = Suite(Path(), request.failing, request.passing)
    nothing = spectrum((), (), ())
    return halved(request, Hunt(nothing, suite, (), 0, 0, ()))


def test_half_of_each_kind_is_kept_and_the_order_too() -> None:
    half = half_of(4, 7)

    assert half is not None
    assert (len(half.failing), len(half.passing)) == (2, 4)
    assert list(half.passing) == sorted(half.passing)
    assert half == half_of(4, 7)


def test_too_few_tests_are_not_halved() -> None:
    assert half_of(1, 20) is None
    assert half_of(2, 2) is None

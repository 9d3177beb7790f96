"""Varied arguments unlike all that the tests use."""

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from regreen_agents.runners import probe

PLACE = Path(probe.__file__).with_name("regreen_behaviour_domain.py")


def load() -> Any:
    spec = importlib.util.spec_from_file_location("domain_under_test", PLACE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DOMAIN = load()


@dataclass
class Call:
    args: tuple[Any, ...]
    varied: bool = True
    function: int = 0
    strange: bool = False
    kwargs: dict[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("recorded", "varied", "strange"),
    [
        ([1, 5], [7], False),
        ([1, 5], [5, 1], True),
        ([5, 1], [1, 5], False),
        ([1, 5], [-1, 5], True),
        ([-1, 5], [-5, -1], False),
        ([1, 5], [], True),
        ([1, 5], [5, 5], True),
        ([1], [5, 5], False),
        ([1], [5, 1], False),
        ([[1, 2], [3, 4]], [[1, 2], [3]], True),
        ("word", "", True),
        (3, 0, True),
        (3, -3, True),
        ({"a": 1}, {"a": 2, "b": 3}, False),
        ({"a": 1}, {"a": -2}, True),
        (object(), object(), False),
    ],
)
def test_a_trait_that_no_recorded_argument_has_is_strange(
    recorded: object, varied: object, strange: bool
) -> None:
    shown = [Call((recorded,), varied=False) for _ in range(DOMAIN.ENOUGH_CALLS)]
    call = Call((varied,))

    DOMAIN.mark_strange([*shown, call])

    assert call.strange == strange
    assert not any(one.strange for one in shown)


def test_few_calls_show_no_habit() -> None:
    call = Call((-3,))

    DOMAIN.mark_strange([Call((3,), varied=False), call])

    assert not call.strange


def test_each_argument_and_function_is_judged_by_its_own() -> None:
    shown = [Call((-1, 2), varied=False), Call((3, -4), varied=False, function=1)]
    calls = [
        *shown * DOMAIN.ENOUGH_CALLS,
        Call((-5, 6)),
        Call((5, -6)),
        Call((5, -6), function=1),
    ]

    DOMAIN.mark_strange(calls)

    assert [call.strange for call in calls[-3:]] == [False, True, False]

"""Fuel ends what would never end, at the same tick in every run, and changes nothing else."""

import importlib.util
import textwrap
from pathlib import Path
from typing import Any

import pytest

from regreen_agents.runners import probe

PLACE = Path(probe.__file__).with_name("regreen_search_fuel.py")


def load() -> Any:
    spec = importlib.util.spec_from_file_location("fuel_under_test", PLACE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FUEL = load()


def names_of(text: str, tank: Any, shift: int = 0) -> dict[str, Any]:
    code = FUEL.compiled(textwrap.dedent(text), FUEL.Place("made.py", shift), tank)
    names: dict[str, Any] = {}
    exec(code, names)
    return names


ENDLESS = {
    "while": "def f():\n    while True: pass",
    "for": "def f():\n    import itertools\n    for _ in itertools.count(): pass",
    "else": "def f():\n    if 0: pass\n    else:\n        while 1:\n            n = 1",
    "try": "def f():\n    while True:\n        try: 1/0\n        except Exception: continue",
    "generator": "def g():\n    while 1: yield 1\ndef f(): return sum(g())",
    "expression": "import itertools\ndef f(): return sum(n for n in itertools.count())",
    "comprehension": "import itertools\ndef f(): return {1 for n in itertools.count()}",
    "lambda": "import itertools\ndef f(): return any(map(lambda n: 0, itertools.count()))",
    "match": "def f(n=1):\n    match n:\n        case 1:\n            while n: pass",
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_what_never_ends_runs_out_of_fuel(kind: str) -> None:
    tank = FUEL.Tank()
    endless = names_of(ENDLESS[kind], tank)["f"]

    tank.fill(1000)
    with pytest.raises(FUEL.OutOfFuel):
        endless()

    assert tank.is_dry
    assert tank.used() == 1000
    tank.fill(10)
    assert not tank.is_dry


def test_ticks_are_loop_iterations_and_function_entries() -> None:
    tank = FUEL.Tank()
    count = names_of(
        '''
        def inner(n):
            """Said."""
            return n
        def outer(n):
            total = 0
            for number in range(n):
                total += inner(number)
            return total
        ''',
        tank,
    )["outer"]

    tank.fill(1000)
    result = count(10)

    assert (result, tank.used(), tank.is_dry) == (45, 21, False)


def test_the_code_does_what_it_did() -> None:
    tank = FUEL.Tank()
    names = names_of(
        '''
        def documented():
            """Said."""
        def lines():
            return [n * 2 for n in [1, 3] if n], (lambda a, b=1: a + b)(2), {1: k for k in ""}
        class Box:
            """A box."""
            def __init__(self):
                self.__held = 1
            async def later(self):
                return self.__held
        def fails():
            for n in range(3):
                if n == 2:
                    raise ValueError(n)
        ''',
        tank,
        shift=100,
    )

    assert names["documented"].__doc__ == "Said."
    assert names["lines"]() == ([2, 6], 3, {})
    assert names["Box"].__doc__ == "A box."
    assert names["Box"]()._Box__held == 1
    assert names["documented"].__code__.co_firstlineno == 102
    with pytest.raises(ValueError, match="2") as caught:
        names["fails"]()
    assert caught.traceback[-1].lineno + 1 == 115
    hash(names["lines"].__code__)


def test_running_dry_is_no_exception_that_code_catches() -> None:
    assert not issubclass(FUEL.OutOfFuel, Exception)

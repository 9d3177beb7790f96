"""What a modernised suite still misses: named and offered, never installed."""

import re

from regreen_agents.domain.runs import SuiteRun
from regreen_agents.lab.distributions import offer
from regreen_agents.repair.modernise.judging import text_of
from regreen_agents.repair.source import SourceTree

_MISSING = re.compile(r"No module named '(?P<name>[\w.]+)'")
_FIXTURE = re.compile(r"(?P<name>fixture '\w+') not found")


def offers(run: SuiteRun, tree: SourceTree) -> tuple[str, ...]:
    """Return what could be installed for the tests that are still red, most wanted first."""
    wanted: dict[str, int] = {}
    for result in run.red():
        text = "" if result.failure is None else text_of(result.failure)
        for told in {_module(found["name"], tree) for found in _MISSING.finditer(text)}:
            wanted[told] = wanted.get(told, 0) + 1
        for told in {_fixture(found["name"], tree) for found in _FIXTURE.finditer(text)}:
            wanted[told] = wanted.get(told, 0) + 1
    wanted.pop("", None)
    return tuple(sorted(wanted, key=lambda told: (-wanted[told], told)))


def _module(name: str, tree: SourceTree) -> str:
    top = name.partition(".")[0]
    if tree.module_path(top) is not None:
        return ""
    told = offer(top, tree.root)
    return f"`{top}`: {told}" if told else ""


def _fixture(said: str, tree: SourceTree) -> str:
    name = said.split("'")[1]
    told = offer(f"the fixture {name}", tree.root)
    return f"the fixture `{name}`: {told}" if told else ""

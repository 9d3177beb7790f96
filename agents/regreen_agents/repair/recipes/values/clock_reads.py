"""Where the clock is read, and the instants at which a test may stand still."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.findings import Finding
from regreen_agents.repair.recipes.values.calls import positional
from regreen_agents.repair.recipes.values.suspicion import Module, files_of_interest, module_at
from regreen_agents.repair.source import SourceTree

READS = {
    "datetime.datetime.now": "datetime",
    "datetime.datetime.today": "datetime",
    "datetime.datetime.utcnow": "datetime",
    "datetime.date.today": "date",
    "time.time": "time",
    "time.time_ns": "time_ns",
    "time.localtime": "localtime",
    "time.gmtime": "gmtime",
}
"""Qualified name -> what is read."""
PATCHABLE = frozenset({"datetime", "date", "time"})
_ISO = re.compile(r"(?<!\d)((?:19|20)\d\d)-(\d\d)-(\d\d)(?!\d)")
_MADE = re.compile(
    r"\bdate(?:time)?\(\s*(?:year=)?((?:19|20)\d\d),\s*(?:month=)?(\d{1,2}),\s*(?:day=)?(\d{1,2})\b"
)
_YEAR = re.compile(r"(?<![\d.])(?:19|20)\d\d(?![\d.])")
_MAX_YEARS = 2
_NOON = dt.time(12)
_NEUTRAL = (dt.date(2024, 6, 15), dt.date(2026, 6, 15), dt.date(2020, 6, 15))
"""In the middle of a month, far from any day on which clocks change."""
_DAY = dt.timedelta(days=1)


class Read(NamedTuple):
    """One reading of the clock."""

    module: Module
    call: cst.Call
    kind: str
    """As in `READS`."""
    local: str
    """The name in the module through which it goes: ``datetime``, ``time``."""
    through_module: bool
    """Whether that name is the library's module, not the class or function itself."""
    line: int


def reads_in(module: Module) -> Iterator[Read]:
    """Yield the readings of the clock in one file, from its top."""
    for call in module.calls():
        name = module.names.qualify(call.func)
        kind = READS.get(name, "")
        if not kind or (kind.endswith("time") and positional(call) and name.startswith("time.")):
            continue
        node: cst.BaseExpression = call.func
        while isinstance(node, cst.Attribute):
            node = node.value
        if isinstance(node, cst.Name):
            bound = module.names.bindings.get(node.value, "")
            through = bound in ("datetime", "time")
            yield Read(module, call, kind, node.value, through, module.parsed.line(call))


def reads_near(finding: Finding, tree: SourceTree) -> list[Read]:
    """Return the readings in the victims' files and the code they import, nearest first."""
    modules = (module_at(tree, path) for path in files_of_interest(finding, tree))
    return [read for module in modules if module is not None for read in reads_in(module)]


def dates_in(text: str) -> list[dt.date]:
    """Return the dates written in a source text, earliest first."""
    found = set()
    for pattern in (_ISO, _MADE):
        for match in pattern.finditer(text):
            try:
                found.add(dt.date(int(match[1]), int(match[2]), int(match[3])))
            except ValueError:
                continue
    return sorted(found)


def _years_in(text: str) -> list[int]:
    """Return the years written in a source text, latest first."""
    return sorted({int(match[0]) for match in _YEAR.finditer(text)}, reverse=True)


def instants(finding: Finding, tree: SourceTree) -> list[dt.datetime]:
    """Return the instants to try, likeliest first: around the dates of the tests, then neutral.

    Before the neutral ones come those within a year that a test names and no more of a date.

    The day before the first date a test names lets offers run and certificates be valid; the day
    after the last one lets them have ended.
    """
    text = "\n".join(tree.test_text(node_id) for node_id in finding.victims)
    dates = dates_in(text)
    days: list[dt.date] = []
    if dates:
        middle = dates[0] + (dates[-1] - dates[0]) / 2
        days = [dates[0] - _DAY, dates[0], dates[-1] + _DAY, middle]
    days += [dt.date(year, 6, 15) for year in _years_in(text)[:_MAX_YEARS]]
    days += _NEUTRAL
    return [dt.datetime.combine(day, _NOON) for day in dict.fromkeys(days)]

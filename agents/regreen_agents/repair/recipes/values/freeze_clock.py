"""A test that follows the clock: let the clock stand still while it runs."""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.errors import RegreenError
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.flavours import Flavour
from regreen_agents.repair.recipes.functions import with_first_statements, with_parameter
from regreen_agents.repair.recipes.monkeypatching import Site, site_of, takes_fixtures
from regreen_agents.repair.recipes.names import bound_in
from regreen_agents.repair.recipes.snippets import expression, statements
from regreen_agents.repair.recipes.values.clock_reads import (
    PATCHABLE,
    Read,
    instants,
    reads_near,
)
from regreen_agents.repair.recipes.values.fixtures import with_decorator, with_definition
from regreen_agents.repair.source import SourceTree, class_definition

_DECLARATIONS = (
    *("pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "requirements.txt"),
    *("requirements-dev.txt", "requirements-test.txt", "dev-requirements.txt"),
    *("test-requirements.txt", "requirements_dev.txt", "requirements/test.txt"),
    *("requirements/dev.txt", "requirements/tests.txt", "tests/requirements.txt"),
)
_LIBRARIES = {"freezegun": "freeze_time", "time_machine": "travel"}
_MAX_READERS = 4


class _Tool(NamedTuple):
    """A library of the project that stops clocks."""

    module: str
    function: str


class _Patch(NamedTuple):
    """One name that stands for a clock somewhere."""

    target: str
    """``shop.offers.datetime``."""
    kind: str


@dataclass(frozen=True)
class FreezeClock:
    """Stops the clock at an instant under which the test passes; the variant is the instant."""

    name: str = "freeze_clock"
    causes: frozenset[Cause] = frozenset({Cause.TIME})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits with the likeliest instant, or None when no clock is read nearby."""
        return self.variant(0, finding, tree)

    def variant(self, number: int, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits with the n-th instant to try, from 0."""
        moments = instants(finding, tree)
        reads = reads_near(finding, tree)
        tool = _tool(finding, tree)
        if number >= len(moments) or not (tool or reads):
            return None
        draft, lines, moment = Draft(tree), [], moments[number]
        for node_id in finding.victims:
            site = site_of(draft, node_id)
            if site is None or site.flavour is Flavour.UNKNOWN:
                return None
            file = _by_tool(site, tool, moment) if tool else _by_patches(site, reads, moment)
            if file is None:
                return None
            if file is not site.file:
                draft.put(file)
                lines.append(f"{site.place.path}:{site.place.line} stop the clock at {moment}")
        return self._proposal(number, moment, draft, lines) if lines else None

    def variants(self, finding: Finding, tree: SourceTree) -> tuple[Proposal, ...]:
        """Return the default only: which instant fits is found by running."""
        proposal = self.propose(finding, tree)
        return (proposal,) if proposal is not None else ()

    def _proposal(
        self, number: int, moment: dt.datetime, draft: Draft, lines: list[str]
    ) -> Proposal:
        return Proposal(
            recipe=f"{self.name}={number}" if number else self.name,
            title="Stop the clock in the test",
            strategy=f"While the test runs, it is {moment} for the code that reads the clock: an "
            "instant under which the test passes.",
            pros=("The result is the same on every day.", "Touches only the test."),
            cons=(
                "If the code is wrong on the days the test fails, this hides it: look at the "
                "failure first.",
                "Code that reads a clock elsewhere, and other processes, still see the real one.",
            ),
            edits=draft.edits(),
            change_lines=tuple(dict.fromkeys(lines)),
        )


def _tool(finding: Finding, tree: SourceTree) -> _Tool | None:
    """Return the library that stops clocks if the project uses or declares one."""
    files = [name.partition("::")[0] for name in finding.victims]
    texts = [_text(tree, path) for path in (*files, *_DECLARATIONS)]
    for module, function in _LIBRARIES.items():
        word = re.compile(rf"\b{module.replace('_', '[-_]')}\b")
        if tree.module_path(module) is None and any(word.search(text) for text in texts):
            return _Tool(module, function)
    return None


def _text(tree: SourceTree, path: str) -> str:
    try:
        return tree.read(path) if tree.exists(path) else ""
    except RegreenError:
        return ""


def _by_tool(site: Site, tool: _Tool, moment: dt.datetime) -> SourceFile | None:
    """Decorate the test; the same file when the decorator is there."""
    there = "".join(site.file.module.code_for_node(d) for d in site.function.decorators)
    if tool.function in there:
        return None
    name, file = site.file.refer_name(tool.module, tool.function)
    options = ", tick=False" if tool.module == "time_machine" else ""
    mark = expression(file.module, f'{name}("{moment}"{options})')
    function = file.function(site.place)
    return file.swap(function, with_decorator(function, mark)) if function is not None else None


def _by_patches(site: Site, reads: Iterable[Read], moment: dt.datetime) -> SourceFile | None:
    """Patch the names through which the clock is read, by monkeypatch or ``mock.patch``."""
    patches = _patches(site, reads)
    if not patches:
        return None
    file, values = site.file, {}
    for kind in dict.fromkeys(patch.kind for patch in patches):
        values[kind], file = _stand_in(file, kind, moment)
    if takes_fixtures(site):
        return _monkeypatched(site, file, patches, values)
    return _mock_patched(site, file, patches, values)


def _patches(site: Site, reads: Iterable[Read]) -> list[_Patch]:
    """Return the names to patch: of the code the test reaches, at most four."""
    found: dict[_Patch, None] = {}
    for read in reads:
        if read.kind not in PATCHABLE:
            continue
        own = read.module.path == site.file.path
        module = "" if own else read.module.tree.module_name(read.module.path)
        if not own and read.module.path.rpartition("/")[2].startswith("test_"):
            continue
        attribute = f"{read.local}.{read.kind}" if read.through_module else read.local
        found[_Patch(f"{module}.{attribute}" if module else attribute, read.kind)] = None
    return list(found)[:_MAX_READERS]


def _stand_in(file: SourceFile, kind: str, moment: dt.datetime) -> tuple[str, SourceFile]:
    """Return what is put in place of a clock, and the file that defines it."""
    if kind == "time":
        return f"lambda: {moment.replace(tzinfo=dt.UTC).timestamp()}", file
    name = "Stopped" + ("DateTime" if kind == "datetime" else "Date")
    if class_definition(file.module, (name,)) is not None:
        return name, file
    base, file = file.refer_name("datetime", kind)
    return name, with_definition(file, _class_lines(name, base, kind, moment))


def _class_lines(name: str, base: str, kind: str, moment: dt.datetime) -> list[str]:
    day = f"{moment.year}, {moment.month}, {moment.day}"
    lines = [
        f"class {name}({base}):",
        f'    """A {kind} whose present stands still."""',
        "",
    ]
    if kind == "date":
        return [*lines, "    @classmethod", "    def today(cls):", f"        return cls({day})"]
    return [
        *lines,
        "    @classmethod",
        "    def now(cls, tz=None):",
        f"        return cls({day}, {moment.hour}, tzinfo=tz)",
        "",
        "    @classmethod",
        "    def utcnow(cls):",
        "        return cls.now()",
        "",
        "    @classmethod",
        "    def today(cls):",
        "        return cls.now()",
    ]


def _monkeypatched(
    site: Site, file: SourceFile, patches: list[_Patch], values: dict[str, str]
) -> SourceFile | None:
    lines = []
    for patch in patches:
        own = "." not in patch.target or _is_local(file, patch.target)
        target = f'f"{{__name__}}.{patch.target}"' if own else f'"{patch.target}"'
        lines.append(f"monkeypatch.setattr({target}, {values[patch.kind]})")
    function = file.function(site.place)
    if function is None or lines[0] in file.module.code_for_node(function):
        return None
    function = with_first_statements(function, statements(file.module, lines))
    file = replace(file, module=file.swap(file.function(site.place) or function, function).module)
    patched = file.function(site.place)
    return file.swap(patched, with_parameter(patched, "monkeypatch")) if patched else None


def _is_local(file: SourceFile, target: str) -> bool:
    """Tell whether a target without a module goes through a name of this file."""
    return target.partition(".")[0] in file.names.bindings and file.names.bindings[
        target.partition(".")[0]
    ] in ("datetime", "time", "datetime.datetime", "datetime.date", "time.time")


def _mock_patched(
    site: Site, file: SourceFile, patches: list[_Patch], values: dict[str, str]
) -> SourceFile | None:
    """Decorate with ``mock.patch``, which passes no argument when the new value is given."""
    local = bound_in(site.function)
    for known in ("unittest.mock", "mock"):
        if file.names.find(f"{known}.patch", local) or file.names.find(known, local):
            name, file = file.refer(known, ("patch",), local)
            break
    else:
        name, file = file.refer("unittest.mock", ("patch",), local)
    function = file.function(site.place)
    for patch in patches if function is not None else ():
        own = "." not in patch.target or _is_local(file, patch.target)
        target = f'f"{{__name__}}.{patch.target}"' if own else f'"{patch.target}"'
        mark = expression(file.module, f"{name}({target}, {values[patch.kind]})")
        text = cst.Module([]).code_for_node(mark)
        present = function.decorators if function is not None else ()
        if function is None or any(text in file.module.code_for_node(d) for d in present):
            return None
        function = with_decorator(function, mark)
    old = file.function(site.place)
    return file.swap(old, function) if old is not None and function is not None else None

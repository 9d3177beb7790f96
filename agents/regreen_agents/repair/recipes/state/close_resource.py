"""A test that leaves open what it opened: close it when the test ends."""

import re
from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import StateKind
from regreen_agents.lab.validation import TAKEN
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.flavours import Flavour
from regreen_agents.repair.recipes.functions import with_parameter
from regreen_agents.repair.recipes.monkeypatching import (
    Site,
    polluters_of,
    single_target,
    site_of,
    takes_fixtures,
)
from regreen_agents.repair.recipes.snippets import statement
from regreen_agents.repair.source import SourceTree, class_definition, definition

_OPEN = frozenset({StateKind.THREAD, StateKind.OPEN_FILE})
_CLOSERS = ("close", "server_close", "shutdown", "stop")
"""Methods that end what an object holds, the usual name first."""
_KNOWN = {
    "socket.socket": "close",
    "socket.create_server": "close",
    "socket.create_connection": "close",
    "socketserver.TCPServer": "server_close",
    "socketserver.UDPServer": "server_close",
    "socketserver.ThreadingTCPServer": "server_close",
    "http.server.HTTPServer": "server_close",
    "http.server.ThreadingHTTPServer": "server_close",
    "sqlite3.connect": "close",
    "concurrent.futures.ThreadPoolExecutor": "shutdown",
    "open": "close",
}
"""What the standard library opens -> the method that ends it."""


class _Opened(NamedTuple):
    """A statement of a test that opens something nobody closes."""

    line: cst.SimpleStatementLine
    name: str
    closer: str


@dataclass(frozen=True)
class CloseResource:
    """Registers the closing right after the opening, in each test that leaves something open."""

    name: str = "close_resource"
    causes: frozenset[Cause] = frozenset(
        {Cause.GLOBAL_STATE, Cause.SELF_POLLUTION, Cause.CONCURRENCY, Cause.LEFT_FILE}
    )

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of the polluters, or None when nothing says that something stays open."""
        if not _stays_open(finding):
            return None
        draft = Draft(tree)
        lines: list[str] = []
        for node_id in polluters_of(finding):
            site = site_of(draft, node_id)
            opened = _opened(site) if site is not None else None
            changed = _closed(site, opened) if site is not None and opened is not None else None
            if site is not None and opened is not None and changed is not None:
                draft.put(changed)
                place = f"{site.place.path}:{site.place.line}"
                lines.append(f"{place} {opened.closer} {opened.name} when the test ends")
        return self._proposal(draft, lines) if lines else None

    def _proposal(self, draft: Draft, lines: list[str]) -> Proposal:
        what = lines[0].partition(" ")[2].partition(" when ")[0]
        return Proposal(
            recipe=self.name,
            title=f"{what[0].upper()}{what[1:]} when the test ends",
            strategy="What the test opens is closed when it ends, whatever happens in it: the next "
            "test that needs the same port, file or connection finds it free.",
            pros=("Nothing stays open behind the test.", "The test stays as it is otherwise."),
            cons=("A new test that opens the same must close it, too.",),
            edits=draft.edits(),
            change_lines=tuple(lines),
        )


def _stays_open(finding: Finding) -> bool:
    said = finding.failure.message if finding.failure is not None else ""
    return bool(TAKEN.search(said)) or any(change.kind in _OPEN for change in finding.state)


def _opened(site: Site) -> _Opened | None:
    """Return the first thing the test's own body opens and does not close."""
    code = site.file.module.code_for_node(site.function)
    for line in site.function.body.body:
        small = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
        if not isinstance(small, cst.Assign) or not isinstance(line, cst.SimpleStatementLine):
            continue
        target = single_target(small)
        closer = _closer(site.file, small.value)
        if not closer or not isinstance(target, cst.Name):
            continue
        name = target.value
        if not re.search(rf"\b{name}\.{closer}\b|\bwith {name}\b|closing\({name}\)", code):
            return _Opened(line, name, closer)
    return None


def _closer(file: SourceFile, made: cst.BaseExpression) -> str:
    """Return the method that ends what a call makes, or an empty text."""
    if not isinstance(made, cst.Call):
        return ""
    qualified = file.names.qualify(made.func)
    if qualified in _KNOWN:
        return _KNOWN[qualified]
    module, _, name = qualified.rpartition(".")
    path = file.tree.module_path(module) if module else file.path
    parsed = file.tree.parse(path) if path is not None else None
    if parsed is None or not name or class_definition(parsed.module, (name,)) is None:
        return ""
    own = (method for method in _CLOSERS if definition(parsed.module, (name,), method))
    return next(own, "")


def _closed(site: Site, opened: _Opened) -> SourceFile | None:
    if takes_fixtures(site):
        call = f"request.addfinalizer({opened.name}.{opened.closer})"
    elif site.flavour is Flavour.UNITTEST:
        call = f"self.addCleanup({opened.name}.{opened.closer})"
    else:
        return None
    body = list(site.function.body.body)
    body.insert(body.index(opened.line) + 1, statement(site.file.module, call))
    function = site.function.with_changes(body=site.function.body.with_changes(body=body))
    if takes_fixtures(site):
        function = with_parameter(function, "request")
    return site.file.swap(site.function, function)

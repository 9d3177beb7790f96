"""Tests that need what is not everywhere: a marker, and a hook that skips where it is missing."""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.functions import with_first_statements, with_parameter
from regreen_agents.repair.recipes.imports import BLANK
from regreen_agents.repair.recipes.monkeypatching import site_of
from regreen_agents.repair.recipes.snippets import expression, quoted, statements, wrapped
from regreen_agents.repair.source import SourceTree, definition

_NETWORK = "a connection to the network"
_HOST = re.compile(r"https?://(?P<host>[\w.-]+)")
_TABLE = "_NEEDED_FILES"
_PLAIN_SCHEME = "http://"
_CAUSES = frozenset(
    {Cause.MISSING_RESOURCE, Cause.MISSING_DEPENDENCY, Cause.BARE_COMMAND, Cause.NETWORK}
)


NO_MODULE = cst.Module([], has_trailing_newline=True)
"""What a file that is not there yet begins as."""


class _Need(NamedTuple):
    """What the tests need, in the words of a conftest."""

    marker: str
    shown: str
    condition: str
    """An expression that is true where it is there."""
    imports: tuple[str, ...]
    helper: tuple[str, ...] = ()
    """Lines of a function or a constant the condition uses."""


@dataclass(frozen=True)
class GateByMarker:
    """Marks each victim, registers the marker, and skips marked tests where it cannot be met."""

    name: str = "gate_by_marker"
    causes: frozenset[Cause] = _CAUSES

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return marks on all victims and the hook in their ``conftest.py``: a policy decision.

        None when a victim has no function to mark, as where its file cannot be imported.
        """
        home = _conftest(finding)
        need = _need(finding, tree, home)
        draft = Draft(tree)
        lines = marked(draft, finding, need.marker) if need else []
        if need is None or not lines:
            return None
        conftest = _conftest_edit(tree, home, need)
        if conftest is None:
            return None
        edits = tuple(sorted((*draft.edits(), conftest), key=lambda edit: edit.path))
        return self._proposal(finding, need, edits, [f"{home}:1 skip where it is missing", *lines])

    def _proposal(
        self, finding: Finding, need: _Need, edits: tuple[FileEdit, ...], lines: list[str]
    ) -> Proposal:
        count = len(finding.victims)
        return Proposal(
            recipe=self.name,
            title=f"Mark the tests that need {need.shown}, and skip them where it is missing",
            strategy=f"A registered marker `{need.marker}` stands on every test that needs "
            f"{need.shown}; a hook skips them with that reason, and only where it is missing. "
            f"Expected: {count} skipped without it, none with it; the ledger has the counts of "
            "both configurations.",
            pros=(
                f"`pytest -m {need.marker}` runs exactly these tests where it is there.",
                "The suite tells a missing prerequisite from a defect.",
            ),
            cons=(
                "Nothing is repaired: a skipped test finds no defects, and nobody may notice.",
                f"Somewhere a run with {need.shown} has to stay part of the checks.",
            ),
            policy_decision=True,
            edits=edits,
            change_lines=tuple(lines),
        )


def _conftest(finding: Finding) -> str:
    folders = [posixpath.dirname(v.partition("::")[0]) or "." for v in finding.victims]
    return posixpath.normpath(f"{posixpath.commonpath(folders)}/conftest.py")


def _need(finding: Finding, tree: SourceTree, home: str) -> _Need | None:
    if finding.cause is Cause.NETWORK or (finding.missing and _NETWORK in finding.missing[0]):
        return _network(finding, tree)
    if not finding.missing or any(" " in missing for missing in finding.missing):
        return None
    if finding.cause is Cause.MISSING_DEPENDENCY:
        name = finding.missing[0]
        condition = f"importlib.util.find_spec({quoted(name.partition('.')[0])}) is not None"
        return _Need(_slug(name), name, condition, ("importlib.util",))
    names = finding.missing
    if all("/" not in name and "." not in name for name in names):
        found = " and ".join(f"shutil.which({quoted(name)}) is not None" for name in names)
        return _Need(_slug(names[0]), ", ".join(names), found, ("shutil",))
    return _files(names, home) if not any(name.startswith("/") for name in names) else None


def _files(names: tuple[str, ...], home: str) -> _Need:
    folder = posixpath.dirname(home) or "."
    relative = [posixpath.relpath(name, folder) for name in names]
    if len(relative) == 1:
        condition = f"(Path(__file__).parent / {quoted(relative[0])}).exists()"
        return _Need(_slug(PurePosixPath(names[0]).name), relative[0], condition, ("pathlib.Path",))
    constant = (f"{_TABLE} = [", *(f"    {quoted(name)}," for name in relative), "]")
    marker = _slug(PurePosixPath(posixpath.commonpath(relative) or "files").name or "files")
    shown = f"{relative[0]} and {len(relative) - 1} more files"
    condition = f"all((Path(__file__).parent / name).exists() for name in {_TABLE})"
    return _Need(marker, shown, condition, ("pathlib.Path",), constant)


def _network(finding: Finding, tree: SourceTree) -> _Need | None:
    """Return a probe of the one host the tests name; without a name nothing can be probed."""
    texts = [tree.test_text(node_id) for node_id in finding.victims]
    texts += [tree.read(place.path) for place in finding.locations if tree.exists(place.path)]
    found = next((m for text in texts if (m := _HOST.search(text))), None)
    if found is None:
        return None
    host, port = found["host"], 80 if found[0].startswith(_PLAIN_SCHEME) else 443
    helper = (
        "def _can_reach(host, port):",
        "    try:",
        "        socket.create_connection((host, port), timeout=2).close()",
        "    except OSError:",
        "        return False",
        "    return True",
    )
    condition = f"_can_reach({quoted(host)}, {port})"
    return _Need("needs_network", f"a connection to {host}", condition, ("socket",), helper)


def _slug(name: str) -> str:
    return "needs_" + re.sub(r"\W+", "_", name.lower()).strip("_")


def marked(draft: Draft, finding: Finding, marker: str) -> list[str]:
    """Put the mark on each victim's function; return what was done, or nothing if one has none."""
    lines: dict[str, None] = {}
    for node_id in finding.victims:
        site = site_of(draft, node_id)
        if site is None:
            return []
        pytest_name, file = site.file.refer("pytest")
        mark = cst.Decorator(expression(file.module, f"{pytest_name}.mark.{marker}"))
        function = file.function(site.place)
        if function is None:
            return []
        if any(mark.decorator.deep_equals(d.decorator) for d in function.decorators):
            continue
        new = function.with_changes(decorators=[*function.decorators, mark])
        draft.put(file.swap(function, new))
        lines[f"{site.place.path}:{site.place.line} mark {marker}"] = None
    return list(lines)


def _conftest_edit(tree: SourceTree, home: str, need: _Need) -> FileEdit | None:
    before = tree.read(home) if tree.exists(home) else ""
    parsed = tree.parse(home)
    if before and parsed is None:
        return None
    file = SourceFile(tree, home, parsed.module if parsed else NO_MODULE)
    for wanted in need.imports:
        module, _, name = wanted.rpartition(".")
        line = f"from {module} import {name}" if name == "Path" else f"import {wanted}"
        if not file.names.find(wanted):
            file = file.importing(line)
    file = file.importing("" if file.names.find("pytest") else "import pytest")
    register = wrapped(f'config.addinivalue_line("markers", {quoted(_described(need))})')
    skip = [
        f"if item.get_closest_marker({quoted(need.marker)}):",
        f"    if not {need.condition}:",
        f"        pytest.skip({quoted(f'needs {need.shown}')})",
    ]
    if _TABLE in file.names.used:
        return None
    if need.helper and definition(file.module, (), "_can_reach") is None:
        file = _appended(file, list(need.helper))
    file = with_hook(file, "pytest_configure", ("config",), register)
    file = with_hook(file, "pytest_runtest_setup", ("item",), skip)
    return FileEdit(path=home, before=before, after=file.module.code)


def _described(need: _Need) -> str:
    return f"{need.marker}: needs {need.shown}; skipped where it is missing"


def with_hook(
    file: SourceFile, hook: str, arguments: Sequence[str], lines: Sequence[str]
) -> SourceFile:
    """Return the file with statements at the start of a hook, which is made where there is none."""
    there = definition(file.module, (), hook)
    if there is None:
        head = f"def {hook}({', '.join(arguments)}):"
        return _appended(file, [head, *(f"    {line}" for line in lines)])
    changed = there
    for name in arguments:
        changed = with_parameter(changed, name)
    new = with_first_statements(changed, statements(file.module, lines))
    return file.swap(there, new)


def _appended(file: SourceFile, lines: list[str]) -> SourceFile:
    """Return the file with a function or a constant more at its end."""
    (new,) = statements(file.module, lines)
    if not isinstance(new, cst.SimpleStatementLine | cst.BaseCompoundStatement):
        raise TypeError("A statement was expected.")
    body = list(file.module.body)
    blanks = [BLANK, BLANK] if body else []
    changed = file.module.with_changes(body=[*body, new.with_changes(leading_lines=blanks)])
    return SourceFile(file.tree, file.path, changed)

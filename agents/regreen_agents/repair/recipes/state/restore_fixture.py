"""Any state a test module leaves behind: a fixture that puts it back after each of its tests."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import StateChange, StateKind
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.imports import BLANK, end_of_imports, spaced
from regreen_agents.repair.recipes.monkeypatching import polluters_of
from regreen_agents.repair.recipes.saved_state import Piece, slug_of, write_piece
from regreen_agents.repair.recipes.snippets import statements
from regreen_agents.repair.source import SourceTree, definition

_NAMED_PIECES = 3
_LINE_LIMIT = 88
_RELOADS = re.compile(r"\breload\b|sys\.modules|import_module|__import__")
_WIDE_SETUP = re.compile(r"\b(setUpClass|setup_class|scope=)")


class _Fixture(NamedTuple):
    name: str
    subjects: str
    """What it restores, as a phrase."""
    lines: tuple[str, ...]


class Placed(NamedTuple):
    """A file with its new fixture."""

    file: SourceFile
    subjects: str
    """What is restored, as a phrase."""
    name: str
    """Of the fixture."""
    line: int
    """Of the last statement above the fixture, in the text before."""


@dataclass(frozen=True)
class RestoreFixture:
    """Adds an autouse fixture to each polluter's module."""

    name: str = "restore_fixture"
    causes: frozenset[Cause] = frozenset(
        {
            Cause.ENVIRONMENT_LEAK,
            Cause.GLOBAL_STATE,
            Cause.CWD_LEAK,
            Cause.LEFT_FILE,
            Cause.SELF_POLLUTION,
        }
    )
    scope: Literal["function", "module"] = "function"
    """``module`` also catches what class-wide set-up code leaves behind."""

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return a fixture for each file of polluters, or None when a state cannot be restored."""
        draft = Draft(tree)
        lines: list[str] = []
        left: list[str] = []
        for path in _polluting_files(finding, tree):
            file = draft.file(path)
            if file is None or not self._fits(file):
                return None
            every = changes_in(finding, path)
            changes = [c for c in every if write_piece(c, "saved", file) is not None]
            placed = with_restoring(file, changes, self.scope) if changes else None
            if placed is None:
                return None
            draft.put(placed.file)
            left.extend(c.target for c in every if c not in changes)
            lines.append(f"{path}:{placed.line} restore {placed.subjects} after each {self._unit}")
        return self._proposal(draft, lines, left) if lines else None

    @property
    def _unit(self) -> str:
        return "test" if self.scope == "function" else "module"

    def _fits(self, file: SourceFile) -> bool:
        return self.scope == "function" or bool(_WIDE_SETUP.search(file.module.code))

    def _proposal(self, draft: Draft, lines: list[str], left: list[str]) -> Proposal:
        what = lines[0].partition(" restore ")[2].partition(" after each ")[0]
        missed = (f"Does not restore {listed(sorted(set(left)))}.",) if left else ()
        return Proposal(
            recipe=self.name,
            title=f"Restore {what} after each {self._unit} of the polluting file",
            strategy="An automatic fixture in each polluter's file saves the state before and puts "
            f"it back after every {self._unit}, also for writes made inside the code under test.",
            pros=(
                "Protects later tests of the file too, also ones added tomorrow.",
                "Works for unittest classes and for writes made by helpers.",
            ),
            cons=(
                "Runs for every test of the file, also those that leave the state alone.",
                "The tests themselves keep writing shared state.",
                *missed,
            ),
            edits=draft.edits(),
            change_lines=tuple(lines),
        )


def _polluting_files(finding: Finding, tree: SourceTree) -> list[str]:
    """Return the files of the polluters, of a reload only those that can reload a module.

    Of two polluters needed together, one may only show what the other has done.
    """
    paths = list(dict.fromkeys(n.partition("::")[0] for n in polluters_of(finding)))
    if not finding.state or any(c.container != "module" for c in finding.state):
        return paths
    seen = {c.node_id.partition("::")[0] for c in finding.state}
    return [p for p in paths if p in seen or not tree.exists(p) or _RELOADS.search(tree.read(p))]


def changes_in(finding: Finding, path: str) -> list[StateChange]:
    """Return the state to restore in a file: what its tests change, else all there is."""
    mine = [c for c in finding.state if c.node_id.partition("::")[0] == path]
    if finding.cause is Cause.CWD_LEAK and not finding.state and finding.polluters:
        polluter = finding.polluters[0]
        return [
            StateChange(node_id=polluter, kind=StateKind.CWD, target="cwd", before="", after="")
        ]
    return _distinct(mine or finding.state)


def _distinct(changes: Sequence[StateChange]) -> list[StateChange]:
    return list({(c.kind, c.target): c for c in reversed(changes)}.values())[::-1]


def with_restoring(file: SourceFile, changes: list[StateChange], scope: str) -> Placed | None:
    """Return the file with its fixture, or None when it has that one already."""
    slugs = _slugs(changes)
    pieces: list[Piece] = []
    for change, slug in zip(changes, slugs, strict=True):
        saved = "saved" if len(changes) == 1 else f"saved_{slug}"
        written = write_piece(change, saved, file)
        if written is not None:
            file = written.file
            pieces.append(written.piece)
    pytest_name, file = file.refer("pytest")
    name = _fixture_name(changes, slugs)
    fixture = _rendered(name, pieces, pytest_name, scope)
    if _present(file, fixture):
        return None
    while name in file.names.used:
        name += "_too"
    return _placed(file, _rendered(name, pieces, pytest_name, scope))


def _slugs(changes: list[StateChange]) -> list[str]:
    short = [slug_of(change) for change in changes]
    long = [re.sub(r"\W+", "_", change.target).strip("_").lower() for change in changes]
    return [
        s if short.count(s) == 1 else f"{full}_{number}" if long.count(full) > 1 else full
        for number, (s, full) in enumerate(zip(short, long, strict=True), start=1)
    ]


def _fixture_name(changes: list[StateChange], slugs: list[str]) -> str:
    if len(slugs) == 1:
        return f"_restore_{slugs[0]}"
    kinds = {change.kind for change in changes}
    if kinds == {StateKind.ENVIRONMENT}:
        return "_restore_environment"
    if kinds == {StateKind.LOGGING}:
        return "_restore_logging"
    modules = {change.module.rpartition(".")[2] for change in changes}
    if len(modules) == 1 and (module := modules.pop()):
        return f"_restore_{module.strip('_')}_state"
    return "_restore_shared_state"


def _rendered(name: str, pieces: list[Piece], pytest_name: str, scope: str) -> _Fixture:
    subjects = listed([piece.subject for piece in pieces])
    unit = "test" if scope == "function" else "module"
    sentence = f'    """Put {subjects} back after each {unit}."""'
    if len(sentence) > _LINE_LIMIT or '"""' in subjects or "\\" in subjects:
        sentence = f'    """Put shared state back after each {unit}."""'
    options = "autouse=True" if scope == "function" else 'scope="module", autouse=True'
    declared = [line for piece in pieces for line in piece.save if line.startswith("global ")]
    body = [line for piece in pieces for line in piece.save if not line.startswith("global ")]
    body.append("yield")
    body.extend(line for piece in reversed(pieces) for line in piece.restore)
    lines = (
        f"@{pytest_name}.fixture({options})",
        f"def {name}():",
        sentence,
        *(f"    {line}" for line in [*declared, *body]),
    )
    return _Fixture(name, subjects, lines)


def listed(subjects: Sequence[str]) -> str:
    """Return ``a, b and c``; of many the first three."""
    if len(subjects) > _NAMED_PIECES:
        return f"{', '.join(subjects[:_NAMED_PIECES])} and {len(subjects) - _NAMED_PIECES} more"
    return " and ".join([", ".join(subjects[:-1]), subjects[-1]] if subjects[1:] else subjects)


def _present(file: SourceFile, fixture: _Fixture) -> bool:
    there = definition(file.module, (), fixture.name)
    (new,) = statements(file.module, fixture.lines)
    if there is None or not isinstance(new, cst.FunctionDef):
        return False
    return bool(new.body.deep_equals(there.body))


def _placed(file: SourceFile, fixture: _Fixture) -> Placed:
    body = list(file.module.body)
    at = end_of_imports(body)
    (new,) = statements(file.module, fixture.lines)
    if not isinstance(new, cst.FunctionDef):
        raise TypeError("A fixture is a function.")
    body.insert(at, new.with_changes(leading_lines=[BLANK, BLANK]))
    if at + 1 < len(body):
        body[at + 1] = spaced(body[at + 1], 2)
    changed = SourceFile(file.tree, file.path, file.module.with_changes(body=body))
    return Placed(changed, fixture.subjects, fixture.name, _line_above(file))


def _line_above(file: SourceFile) -> int:
    parsed = file.tree.parse(file.path)
    end = end_of_imports(parsed.module.body) if parsed is not None else 0
    return parsed.line(parsed.module.body[end - 1]) if parsed is not None and end else 1

"""State a TestCase leaves behind: put it back with ``addCleanup``, as unittest does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import StateChange
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.cleanups import cleanup_lines
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.flavours import Flavour
from regreen_agents.repair.recipes.functions import contains, with_first_statements
from regreen_agents.repair.recipes.methods import with_set_up
from regreen_agents.repair.recipes.monkeypatching import polluters_of, site_of
from regreen_agents.repair.recipes.saved_state import write_piece
from regreen_agents.repair.recipes.snippets import statements, wrapped
from regreen_agents.repair.source import Place, SourceTree

_FEW = 1
"""Polluting methods of one class that are edited one by one; more share its ``setUp``."""


class _Cleanups(NamedTuple):
    lines: tuple[str, ...]
    subjects: tuple[str, ...]
    file: SourceFile


@dataclass(frozen=True)
class AddCleanup:
    """Registers a cleanup at the start of each polluting TestCase method, or in ``setUp``."""

    name: str = "add_cleanup"
    causes: frozenset[Cause] = frozenset(
        {Cause.GLOBAL_STATE, Cause.CWD_LEAK, Cause.LEFT_FILE, Cause.SELF_POLLUTION}
    )

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of every polluter, or None when one is no TestCase or a state resists."""
        draft = Draft(tree)
        places: dict[Place, None] = {}
        subjects: dict[str, None] = {}
        for node_id in polluters_of(finding) if finding.state else ():
            site = site_of(draft, node_id)
            if site is None or site.flavour is not Flavour.UNITTEST:
                return None
            places[site.place] = None
        for group in _by_class(places):
            done = _cleaned(draft, group, _changes(finding, group))
            if done is None:
                return None
            subjects.update(dict.fromkeys(done))
        return self._proposal(draft, tuple(places), tuple(subjects)) if subjects else None

    def _proposal(
        self, draft: Draft, places: tuple[Place, ...], subjects: tuple[str, ...]
    ) -> Proposal:
        what = " and ".join(subjects[:3]) + (" and more" if subjects[3:] else "")
        return Proposal(
            recipe=self.name,
            title=f"Put {what} back with addCleanup",
            strategy=f"Each polluter registers first how {what} is put back; unittest does so when "
            "the test ends, whatever happens in it.",
            pros=("Works even when the test fails.", "Works under unittest as under pytest."),
            cons=("A new test that changes the same state can leak again.",),
            edits=draft.edits(),
            change_lines=tuple(f"{p.path}:{p.line} put {what} back" for p in places),
        )


def _by_class(places: dict[Place, None]) -> list[list[Place]]:
    groups: dict[tuple[str, tuple[str, ...]], list[Place]] = {}
    for place in places:
        groups.setdefault((place.path, place.classes), []).append(place)
    return list(groups.values())


def _changes(finding: Finding, group: Sequence[Place]) -> list[StateChange]:
    mine = [c for c in finding.state if c.node_id.partition("::")[0] == group[0].path]
    return list({(c.kind, c.target): c for c in mine or finding.state}.values())


def _cleaned(
    draft: Draft, group: Sequence[Place], changes: Sequence[StateChange]
) -> tuple[str, ...] | None:
    """Edit one class in the draft and return what is put back there."""
    file = draft.file(group[0].path)
    made = _lines(file, changes) if file is not None else None
    if made is None:
        return None
    if len(group) > _FEW:
        changed = with_set_up(made.file, group[0].classes, made.lines)
    else:
        changed = _in_method(made, group[0])
    if changed is None:
        return None
    draft.put(changed)
    return made.subjects


def _lines(file: SourceFile, changes: Sequence[StateChange]) -> _Cleanups | None:
    lines: list[str] = []
    subjects: list[str] = []
    for change in changes:
        written = write_piece(change, "saved", file)
        calls = cleanup_lines(written.piece, "saved") if written is not None else None
        if written is None or calls is None:
            return None
        lines.extend(part for call in calls for part in wrapped(call))
        subjects.append(written.piece.subject)
        file = written.file
    return _Cleanups(tuple(lines), tuple(subjects), file) if lines else None


def _in_method(made: _Cleanups, place: Place) -> SourceFile | None:
    function = made.file.function(place)
    new = statements(made.file.module, made.lines)
    if function is None or not new or contains(made.file.module, function, new[0]):
        return None
    return made.file.swap(function, with_first_statements(function, new))

"""A test too slow for the suite: a chunk of its own that runs before it (R72)."""

import posixpath
from dataclasses import dataclass

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.resources.gate_by_marker import NO_MODULE, marked, with_hook
from regreen_agents.repair.source import SourceTree, definition

_MARKER = "slow"
_DESCRIBED = f"{_MARKER}: runs in a chunk of its own before the suite, pytest -m {_MARKER}"
_REGISTER = (
    "config.addinivalue_line(",
    f'    "markers", "{_DESCRIBED}"',
    ")",
)
_SELECT = (
    f'if "{_MARKER}" not in config.option.markexpr:',
    f'    slow = [item for item in items if item.get_closest_marker("{_MARKER}")]',
    "    if slow:",
    "        config.hook.pytest_deselected(items=slow)",
    "        items[:] = [item for item in items if item not in slow]",
)


@dataclass(frozen=True)
class IsolateSlow:
    """Marks the victims as slow and leaves them out of the plain run."""

    name: str = "isolate_slow"
    causes: frozenset[Cause] = frozenset({Cause.TIME_LIMIT})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the marks, and the hook in the suite's topmost ``conftest.py``."""
        draft = Draft(tree)
        lines = marked(draft, finding, _MARKER)
        home = _topmost(finding, tree)
        parsed = tree.parse(home)
        before = tree.read(home) if tree.exists(home) else ""
        if not lines or (before and parsed is None):
            return None
        file = SourceFile(tree, home, parsed.module if parsed else NO_MODULE)
        hook = definition(file.module, (), "pytest_collection_modifyitems")
        if hook is not None and _MARKER in file.module.code:
            return None
        file = with_hook(file, "pytest_configure", ("config",), _REGISTER)
        file = with_hook(file, "pytest_collection_modifyitems", ("config", "items"), _SELECT)
        conftest = FileEdit(path=home, before=before, after=file.module.code)
        edits = tuple(sorted((*draft.edits(), conftest), key=lambda edit: edit.path))
        return self._proposal(edits, [f"{home}:1 leave slow tests to their own run", *lines])

    def _proposal(self, edits: tuple[FileEdit, ...], lines: list[str]) -> Proposal:
        return Proposal(
            recipe=self.name,
            title="Run the slow tests in a chunk of their own, before the suite",
            strategy=f"The failing tests are marked `{_MARKER}`. Plain `pytest` leaves them out; "
            f"`pytest -m {_MARKER}` runs exactly these, with limits of its own and nothing beside "
            "them that they could delay or that could delay them.",
            pros=(
                "The suite is quick again, and one slow test can no longer end it.",
                "The chunk can run beside the suite, or on another machine.",
            ),
            cons=(
                f"Plain `pytest` no longer runs them: `pytest -m {_MARKER}` has to become a step "
                "of the checks, before the suite.",
                "The test stays as slow as it is.",
            ),
            policy_decision=True,
            edits=edits,
            change_lines=tuple(lines),
        )


def _topmost(finding: Finding, tree: SourceTree) -> str:
    """Return the conftest of the outermost folder of tests, where its hook sees all items."""
    first = finding.victims[0].partition("::")[0]
    folder = first.partition("/")[0] if "/" in first else "."
    paths = (posixpath.normpath(f"{f}/conftest.py") for f in (".", folder))
    return next((p for p in paths if tree.exists(p)), posixpath.normpath(f"{folder}/conftest.py"))

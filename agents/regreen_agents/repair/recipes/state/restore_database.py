"""A database that lives as long as the process: put its content back after each test."""

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import StateChange, StateKind
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.monkeypatching import polluters_of
from regreen_agents.repair.recipes.state.restore_fixture import RestoreFixture
from regreen_agents.repair.source import SourceTree

_FEW = 3
"""More connections than these are no one's in particular."""


@dataclass(frozen=True)
class RestoreDatabase:
    """Adds an autouse fixture that saves and restores SQLite connections held by modules.

    What is in a database is seen by no look at the process's objects, so the finding names no
    state. The connections are found in the modules that the polluters' files import.
    """

    name: str = "restore_database"
    causes: frozenset[Cause] = frozenset({Cause.GLOBAL_STATE, Cause.SELF_POLLUTION})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return a fixture for each file of polluters, or None when no module holds a database."""
        found = () if finding.state else tuple(_connections(finding, tree))
        if not 0 < len(found) <= _FEW:
            return None
        seen = finding.model_copy(update={"state": found})
        return RestoreFixture(name=self.name).propose(seen, tree)


def _connections(finding: Finding, tree: SourceTree) -> Iterator[StateChange]:
    """Yield the connections of the polluters' files and of the modules these import."""
    draft = Draft(tree)
    for node_id in polluters_of(finding)[:1]:
        path = node_id.partition("::")[0]
        for each in dict.fromkeys((path, *tree.imports_of(path))):
            file = draft.file(each)
            for name in _held(file) if file is not None else ():
                module = tree.module_name(each)
                yield StateChange(
                    node_id=node_id,
                    kind=StateKind.MODULE_GLOBAL,
                    target=f"{module}.{name}",
                    module=module,
                    attribute=name,
                    before="",
                    after="",
                    container="database",
                )


def _held(file: SourceFile) -> Iterator[str]:
    """Yield the names at the top of a file that stand for an open SQLite database."""
    for line in file.module.body:
        small = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
        if not isinstance(small, cst.Assign) or len(small.targets) != 1:
            continue
        target, value = small.targets[0].target, small.value
        made = file.names.qualify(value.func) if isinstance(value, cst.Call) else ""
        if isinstance(target, cst.Name) and made == "sqlite3.connect":
            yield target.value

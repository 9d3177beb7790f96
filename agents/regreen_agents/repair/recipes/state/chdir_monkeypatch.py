"""A working directory a test leaves: let ``monkeypatch`` change it, and change it back."""

from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft
from regreen_agents.repair.recipes.monkeypatching import (
    Rewriter,
    Site,
    SmallStatements,
    call,
    rewrite_polluters,
)
from regreen_agents.repair.recipes.names import Names
from regreen_agents.repair.source import SourceTree


@dataclass(frozen=True)
class ChdirMonkeypatch:
    """Turns a polluter's own ``os.chdir`` into ``monkeypatch.chdir``."""

    name: str = "chdir_monkeypatch"
    causes: frozenset[Cause] = frozenset({Cause.CWD_LEAK, Cause.SELF_POLLUTION})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of every polluter, or None when one changes it elsewhere."""
        done = rewrite_polluters(finding, Draft(tree), _rewriter_of)
        if done is None:
            return None
        return Proposal(
            recipe=self.name,
            title="Return to the working directory after the test",
            strategy="Each polluter changes the directory with monkeypatch, which returns to the "
            "old one when the test ends.",
            pros=("Touches only the tests that leak.", "Works even when the test fails."),
            cons=("A new test that calls os.chdir directly can leak again.",),
            edits=done.draft.edits(),
            change_lines=tuple(
                f"{p.path}:{p.line} return to the old working directory" for p in done.places
            ),
        )


def _rewriter_of(site: Site) -> Rewriter:
    names: Names = site.file.names_in(site.function)

    def rewrite(statement: cst.BaseSmallStatement) -> SmallStatements | None:
        node = statement.value if isinstance(statement, cst.Expr) else None
        if not isinstance(node, cst.Call) or names.qualify(node.func) != "os.chdir":
            return None
        return [call("monkeypatch.chdir", *(arg.value for arg in node.args))]

    return rewrite

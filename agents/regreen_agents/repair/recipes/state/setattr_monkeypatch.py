"""State of a module or class that a test assigns itself: let ``monkeypatch`` take it back."""

from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import ABSENT, StateChange, StateKind
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft
from regreen_agents.repair.recipes.literals import text_of
from regreen_agents.repair.recipes.monkeypatching import (
    Rewriter,
    Rewritten,
    Site,
    SmallStatements,
    augmented,
    call,
    key_of,
    rewrite_polluters,
    single_target,
)
from regreen_agents.repair.recipes.names import Names
from regreen_agents.repair.recipes.snippets import prefers_single
from regreen_agents.repair.source import SourceTree

_KINDS = frozenset({StateKind.MODULE_GLOBAL, StateKind.CLASS_ATTRIBUTE})


@dataclass(frozen=True)
class SetattrMonkeypatch:
    """Turns ``module.attribute = value`` in a polluter into ``monkeypatch.setattr``."""

    name: str = "setattr_monkeypatch"
    causes: frozenset[Cause] = frozenset({Cause.GLOBAL_STATE, Cause.SELF_POLLUTION})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of every polluter, or None when one changes the state through a call."""
        owned = tuple(c for c in finding.state if c.kind in _KINDS and c.attribute)
        if not owned:
            return None

        def rewriter_of(site: Site) -> Rewriter:
            quote = "'" if prefers_single(site.file.module) else '"'
            return AttributeWrites(site.file.names_in(site.function), owned, quote)

        done = rewrite_polluters(finding, Draft(tree), rewriter_of)
        return self._proposal(owned, done) if done is not None else None

    def _proposal(self, owned: tuple[StateChange, ...], done: Rewritten) -> Proposal:
        what = ", ".join(sorted({change.target for change in owned}))
        return Proposal(
            recipe=self.name,
            title=f"Restore {what} after the test",
            strategy=f"Each polluter sets {what} with monkeypatch, which puts the old value back "
            "when the test ends.",
            pros=(
                "Touches only the tests that leak.",
                "pytest restores the value even when the test fails.",
            ),
            cons=("A new test that assigns the attribute directly can leak again.",),
            edits=done.draft.edits(),
            change_lines=tuple(
                f"{p.path}:{p.line} restore {what} after the test" for p in done.places
            ),
        )


class AttributeWrites:
    """Rewrites the assignments to some attributes, and to the entries of those attributes.

    Args:
        names: What the names in the function stand for.
        changes: The state that leaks.
        quote: The mark around new texts.
    """

    def __init__(self, names: Names, changes: tuple[StateChange, ...], quote: str = '"') -> None:
        """Know the names and the state of one function."""
        self._names = names
        self._changes = changes
        self._quote = quote

    def __call__(self, statement: cst.BaseSmallStatement) -> SmallStatements | None:
        """Return the ``monkeypatch`` call for a write, or None for any other statement."""
        if isinstance(statement, cst.Assign):
            target = single_target(statement)
            return self._write(target, statement.value) if target is not None else None
        if isinstance(statement, cst.AnnAssign) and statement.value is not None:
            return self._write(statement.target, statement.value)
        if isinstance(statement, cst.AugAssign):
            value = augmented(statement)
            return self._write(statement.target, value) if value is not None else None
        if isinstance(statement, cst.Del):
            return self._deletion(statement.target)
        if isinstance(statement, cst.Expr) and isinstance(statement.value, cst.Call):
            return self._builtin(statement.value)
        return None

    def _write(
        self, target: cst.BaseExpression, value: cst.BaseExpression
    ) -> SmallStatements | None:
        change = self._change(target)
        if isinstance(target, cst.Attribute) and change is not None:
            name = self._text(target.attr.value)
            named = {"raising": cst.Name("False")} if change.before == ABSENT else {}
            return [call("monkeypatch.setattr", target.value, name, value, **named)]
        key = key_of(target)
        if isinstance(target, cst.Subscript) and key is not None and self._leaks(target.value):
            return [call("monkeypatch.setitem", target.value, key, value)]
        return None

    def _deletion(self, target: cst.BaseExpression) -> SmallStatements | None:
        if isinstance(target, cst.Attribute) and self._leaks(target):
            return [call("monkeypatch.delattr", target.value, self._text(target.attr.value))]
        key = key_of(target)
        if isinstance(target, cst.Subscript) and key is not None and self._leaks(target.value):
            return [call("monkeypatch.delitem", target.value, key)]
        return None

    def _builtin(self, node: cst.Call) -> SmallStatements | None:
        function = self._names.qualify(node.func)
        arguments = [arg.value for arg in node.args]
        if function not in {"setattr", "delattr"} or len(arguments) < 2:  # noqa: PLR2004
            return None
        name = text_of(arguments[1])
        if name is None or not name.isidentifier():
            return None
        if not self._leaks(cst.Attribute(arguments[0], cst.Name(name))):
            return None
        return [call(f"monkeypatch.{function}", *arguments)]

    def _leaks(self, target: cst.BaseExpression) -> bool:
        return self._change(target) is not None

    def _change(self, target: cst.BaseExpression) -> StateChange | None:
        name = self._names.qualify(target)
        return next((c for c in self._changes if name and _is_state(name, c)), None)

    def _text(self, name: str) -> cst.SimpleString:
        return cst.SimpleString(f"{self._quote}{name}{self._quote}")


def _is_state(name: str, change: StateChange) -> bool:
    """Tell whether a dotted name is the state; modules and classes may be reached through others.

    ``shop.client.socket.socket`` is ``socket.socket``, where ``shop.client`` imports it.
    """
    full = f"{change.module}.{change.attribute}"
    if name == full or name.endswith(f".{full}"):
        return True
    top = change.module.partition(".")[0]
    through_class = "." in change.attribute and name.endswith(f".{change.attribute}")
    return through_class and name.startswith(f"{top}.")

"""A test that sleeps and hopes: wait for what it needs instead, with a deadline."""

from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Category, Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.names import Names, bound_in
from regreen_agents.repair.recipes.snippets import statements
from regreen_agents.repair.recipes.values.callees import Changes, victims_in
from regreen_agents.repair.recipes.values.suspicion import Module
from regreen_agents.repair.recipes.values.waits import (
    LIMIT_SECONDS,
    condition_of,
    is_assertion,
    is_sleep,
    pending_after,
)
from regreen_agents.repair.source import SourceTree

_JOIN, _POLL = 1, 2
_STEP_SECONDS = 0.01


@dataclass(frozen=True)
class WaitForCondition:
    """Waits for threads, processes and futures (variant 1), or for the asserted condition (2)."""

    name: str = "wait_for_condition"
    causes: frozenset[Cause] = frozenset({Cause.CONCURRENCY, Cause.UNEXPLAINED})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the likeliest wait, or None when the tests neither sleep nor start anything."""
        return next(iter(self.variants(finding, tree)), None)

    def variant(self, number: int, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return one way of waiting: for what was started (1), for the condition (2)."""
        if finding.category is not Category.NOD or number not in (_JOIN, _POLL):
            return None
        changes = Changes(tree)
        for module, place, function in victims_in(finding, tree):
            names = module.names.within(
                function, module=tree.module_name(module.path), path=module.path
            )
            scene = _Scene(changes, module, names, bound_in(function))
            found = False
            for block in _blocks(module, function):
                body = scene.joined(block) if number == _JOIN else scene.polled(block)
                if body is not None:
                    changes.exchange(module, {block: block.with_changes(body=body)}, scene.wishes)
                    found = True
                    break  # an inner block of one that changes is part of it
            if found:
                changes.say(f"{place.path}:{place.line} wait for what the test needs")
        return self._proposal(number, changes) if changes.lines else None

    def variants(self, finding: Finding, tree: SourceTree) -> tuple[Proposal, ...]:
        """Return both ways, where they apply."""
        found = (self.variant(number, finding, tree) for number in (_JOIN, _POLL))
        return tuple(proposal for proposal in found if proposal is not None)

    def _proposal(self, number: int, changes: Changes) -> Proposal:
        joins = number == _JOIN
        return Proposal(
            recipe=f"{self.name}={number}",
            title="Wait for the end of what the test starts"
            if joins
            else "Wait for the condition instead of a time",
            strategy="The test looks before what runs beside it is done. It now waits until "
            + ("that has ended" if joins else "the asserted condition holds")
            + f", at most {LIMIT_SECONDS} s.",
            pros=(
                "Passes on a slow machine, and as early as it can on a fast one.",
                "No longer sleep, no retry: a result that never comes still fails.",
            ),
            cons=(
                "What never ends by itself holds the test for the whole limit."
                if joins
                else "A condition that holds for a moment only, and ends, can be missed.",
            ),
            edits=changes.edits(),
            change_lines=tuple(changes.lines),
        )


def _blocks(module: Module, function: cst.FunctionDef) -> list[cst.IndentedBlock]:
    """Return the blocks of a test, outermost first, without those of functions inside it."""
    found = []
    for node in module.parsed.ranges:
        if isinstance(node, cst.IndentedBlock):
            around = [a for a in module.parsed.ancestors(node) if isinstance(a, cst.FunctionDef)]
            if around and around[0] is function:
                found.append(node)
    return sorted(found, key=lambda node: len(list(module.parsed.ancestors(node))))


@dataclass
class _Scene:
    changes: Changes
    module: Module
    names: Names
    local: frozenset[str]
    wishes: Sequence[str] = ()

    def joined(self, block: cst.IndentedBlock) -> list[cst.BaseStatement] | None:
        """Wait for what was started before the first assertion, in place of a sleep there."""
        body = list(block.body)
        for index, statement in enumerate(body):
            if not is_assertion(statement):
                continue
            before = [*self._outer(block), *body[:index]]
            pending = pending_after(before, self.names)
            if not pending:
                continue
            sleeps = [n for n in range(index) if is_sleep(body[n], self.names)]
            started = max(_last_use(body[:index], p.name) for p in pending)
            after = [n for n in sleeps if n > started]
            wanted = [line for one in pending for line in one.lines]
            lines = statements(self.module.parsed.module, wanted)
            return _put(body, after[-1] if after else None, index, lines)
        return None

    def _outer(self, block: cst.IndentedBlock) -> list[cst.BaseStatement]:
        """Return the statements of the test before the one that holds a block."""
        found: list[cst.BaseStatement] = []
        node: cst.CSTNode = block
        for outer in self.module.parsed.ancestors(block):
            if isinstance(node, cst.FunctionDef):
                break
            if isinstance(outer, cst.IndentedBlock) and node in outer.body:
                at = list(outer.body).index(node)  # type: ignore[arg-type]  # found in it
                found = [*outer.body[:at], *found]
            node = outer
        return found

    def polled(self, block: cst.IndentedBlock) -> list[cst.BaseStatement] | None:
        """Turn each sleep before an assertion into a loop that ends when it holds."""
        body, changed = list(block.body), False
        for index in range(len(body) - 2, -1, -1):
            if not is_sleep(body[index], self.names):
                continue
            condition = condition_of(body[index + 1], self.module.parsed.module)
            if condition:
                lines = self._loop(condition, awaited="await" in self._code(body[index]))
                body = _put(body, index, index, lines)
                changed = True
        return body if changed else None

    def _code(self, node: cst.CSTNode) -> str:
        return self.module.parsed.module.code_for_node(node)

    def _loop(self, condition: str, *, awaited: bool) -> list[cst.BaseStatement]:
        reference = self.changes.file(self.module).names.refer("time", self.local)
        self.wishes = [*self.wishes, reference.wish]
        clock = f"{reference.text}.monotonic()"
        known = self.names.find("time.sleep", self.local) or f"{reference.text}.sleep"
        sleep = f"{known}({_STEP_SECONDS})"
        if awaited:
            library = self.names.find("asyncio") or "asyncio"
            sleep = f"await {library}.sleep({_STEP_SECONDS})"
        negated = f"not {condition}" if " " not in condition else f"not ({condition})"
        return statements(
            self.module.parsed.module,
            [
                f"deadline = {clock} + {LIMIT_SECONDS}",
                f"while {negated} and {clock} < deadline:",
                f"    {sleep}",
            ],
        )


def _last_use(body: Sequence[cst.BaseStatement], name: str) -> int:
    """Return the index of the last statement that says a name."""
    code = cst.Module([]).code_for_node
    return max((n for n, s in enumerate(body) if f"{name}." in code(s)), default=-1)


def _put(
    body: list[cst.BaseStatement],
    instead_of: int | None,
    before: int,
    lines: list[cst.BaseStatement],
) -> list[cst.BaseStatement]:
    """Put lines in place of one statement, or before another, under the comments of that one."""
    at = before if instead_of is None else instead_of
    old = body[at]
    if isinstance(old, cst.SimpleStatementLine):
        lines = [lines[0].with_changes(leading_lines=old.leading_lines), *lines[1:]]
        if instead_of is None:
            body[at] = old.with_changes(leading_lines=())
    return [*body[:at], *lines, *body[at + (0 if instead_of is None else 1) :]]

"""What the recipes share that turn a test's own writes into calls of pytest's ``monkeypatch``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.flavours import Flavour, flavour_of
from regreen_agents.repair.recipes.functions import is_decorated_with, with_parameter
from regreen_agents.repair.source import Place

SmallStatements = Sequence[cst.BaseSmallStatement]
Rewriter = Callable[[cst.BaseSmallStatement], SmallStatements | None]
"""Returns what stands instead of a statement, or None to leave it."""


class Site(NamedTuple):
    """A test function to be edited, in the present state of its file."""

    file: SourceFile
    place: Place
    function: cst.FunctionDef
    flavour: Flavour


@dataclass(frozen=True)
class Rewritten:
    """The tests that were rewritten, in a draft."""

    draft: Draft
    places: tuple[Place, ...]


def polluters_of(finding: Finding) -> tuple[NodeId, ...]:
    """Return every polluter known, the minimal set first.

    Where the state is known, only tests seen to change it: of two polluters needed together, one
    may only fail because of the other. A test that trips over itself is its own polluter.
    """
    if finding.cause is Cause.SELF_POLLUTION:
        return finding.victims
    if finding.state and finding.all_polluters:
        first = [name for name in finding.polluters if name in finding.all_polluters]
        return tuple(dict.fromkeys((*first, *finding.all_polluters)))
    return tuple(dict.fromkeys((*finding.polluters, *finding.all_polluters)))


def site_of(draft: Draft, node_id: NodeId) -> Site | None:
    """Find a test's function in a draft."""
    place = draft.place(node_id)
    file = draft.file(place.path) if place is not None else None
    function = file.function(place) if place is not None and file is not None else None
    if place is None or file is None or function is None:
        return None
    return Site(file, place, function, flavour_of(file, place))


def takes_fixtures(site: Site) -> bool:
    """Tell whether a function-scoped fixture can be asked for as an argument."""
    # Hypothesis runs the body many times for one set-up, and refuses such fixtures.
    return site.flavour is Flavour.PLAIN and not is_decorated_with(site.function, "given")


def rewrite_polluters(
    finding: Finding, draft: Draft, rewriter_of: Callable[[Site], Rewriter]
) -> Rewritten | None:
    """Rewrite the writes of every polluter, or of none.

    A repair of some polluters leaves the victims failing in other orders, so one polluter that
    does not write in its own body makes the answer None.
    """
    places: dict[Place, None] = {}
    for node_id in polluters_of(finding):
        site = site_of(draft, node_id)
        if site is None or not takes_fixtures(site):
            return None
        if site.place in places:
            continue
        function = rewritten(site.function, rewriter_of(site))
        if function is None:
            return None
        patched = with_parameter(function, "monkeypatch")
        draft.put(site.file.swap(site.function, patched))
        places[site.place] = None
    return Rewritten(draft, tuple(places)) if places else None


def rewritten(function: cst.FunctionDef, rewriter: Rewriter) -> cst.FunctionDef | None:
    """Return the function with its statements rewritten, or None when none was."""
    transformer = _Statements(rewriter)
    body = function.body.visit(transformer)
    if not transformer.changed or not isinstance(body, cst.BaseSuite):
        return None
    return function.with_changes(body=body)


def call(function: str, *arguments: cst.BaseExpression, **named: cst.BaseExpression) -> cst.Expr:
    """Return a call statement of existing expressions."""
    keywords = [
        cst.Arg(
            value,
            keyword=cst.Name(name),
            equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")),
        )
        for name, value in named.items()
    ]
    args = [*(cst.Arg(argument) for argument in arguments), *keywords]
    made = cst.Call(cst.parse_expression(function), args).visit(_NoBackslashes())
    return cst.Expr(cst.ensure_type(made, cst.Call))


class _NoBackslashes(cst.CSTTransformer):
    """Lines joined by a backslash, which brackets join by themselves."""

    def leave_SimpleWhitespace(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.SimpleWhitespace,  # noqa: ARG002
        updated_node: cst.SimpleWhitespace,
    ) -> cst.BaseParenthesizableWhitespace:
        _, joined, indent = updated_node.value.rpartition("\\\n")
        if not joined:
            return updated_node
        return cst.ParenthesizedWhitespace(last_line=cst.SimpleWhitespace(indent))


def augmented(statement: cst.AugAssign) -> cst.BaseExpression | None:
    """Return the value that ``target += value`` assigns, for plain arithmetic."""
    if not isinstance(statement.operator, cst.AddAssign):
        return None
    right = statement.value
    atoms = (cst.BaseString, cst.BaseNumber, cst.Name, cst.Call, cst.Attribute, cst.Subscript)
    if not isinstance(right, atoms) and not right.lpar:
        right = right.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return cst.BinaryOperation(statement.target, cst.Add(), right)


def single_target(statement: cst.BaseSmallStatement) -> cst.BaseExpression | None:
    """Return the one target of ``target = value``."""
    if isinstance(statement, cst.Assign) and len(statement.targets) == 1:
        return statement.targets[0].target
    return None


def key_of(target: cst.CSTNode) -> cst.BaseExpression | None:
    """Return the key of ``owner[key]``."""
    if not isinstance(target, cst.Subscript) or len(target.slice) != 1:
        return None
    index = target.slice[0].slice
    return index.value if isinstance(index, cst.Index) else None


class _Statements(cst.CSTTransformer):
    """Gives each small statement to a rewriter and puts the answer in its place."""

    def __init__(self, rewriter: Rewriter) -> None:
        super().__init__()
        self._rewriter = rewriter
        self.changed = False

    def leave_SimpleStatementLine(  # noqa: N802 - LibCST's name
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine | cst.FlattenSentinel[cst.SimpleStatementLine]:
        parts = self._parts(updated_node.body)
        if len(parts) > len(original_node.body) == 1:
            lines = [cst.SimpleStatementLine([part]) for part in parts]
            lines[0] = lines[0].with_changes(leading_lines=updated_node.leading_lines)
            trailing = updated_node.trailing_whitespace
            lines[-1] = lines[-1].with_changes(trailing_whitespace=trailing)
            return cst.FlattenSentinel(lines)
        return updated_node.with_changes(body=parts)

    def leave_SimpleStatementSuite(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.SimpleStatementSuite,  # noqa: ARG002 - LibCST's signature
        updated_node: cst.SimpleStatementSuite,
    ) -> cst.SimpleStatementSuite:
        return updated_node.with_changes(body=self._parts(updated_node.body))

    def _parts(self, body: SmallStatements) -> list[cst.BaseSmallStatement]:
        parts: list[cst.BaseSmallStatement] = []
        for small in body:
            instead = self._rewriter(small)
            if instead is None:
                parts.append(small)
                continue
            self.changed = True
            parts.extend(instead)
            parts[-1] = parts[-1].with_changes(semicolon=small.semicolon)
        return parts

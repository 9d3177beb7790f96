"""The order in which kinds of edits are tried: likely and cheap ones first, insertions last."""

import ast
from collections.abc import Callable, Iterator
from enum import IntEnum

from regreen_agents.repair.search import (
    op_callees,
    op_donors,
    op_guards,
    op_letters,
    op_names,
    op_operands,
    op_statements,
    op_texts,
    op_tokens,
    op_wraps,
    operators,
    shapes,
)
from regreen_agents.repair.search.operators import Mutation, Operator
from regreen_agents.repair.search.scope import Site

SiteOperator = Callable[[Site, ast.AST], Iterator[Mutation]]


class Tier(IntEnum):
    """A group of operators that is judged as a whole before the next one is begun."""

    TOKENS = 1
    NAMES = 2
    WRAPS = 3
    INSERTIONS = 4
    PAIRS = 5
    """Two edits at once; made of edits of the tiers before."""


def plain(operator: Operator) -> SiteOperator:
    """Return an operator that needs no more than the file, as one that could ask for more."""

    def at_site(site: Site, node: ast.AST) -> Iterator[Mutation]:
        return operator(site.source, node)

    return at_site


OPERATORS: dict[Tier, tuple[SiteOperator, ...]] = {
    Tier.TOKENS: (
        plain(operators.comparison),
        plain(operators.arithmetic),
        plain(operators.junction),
        plain(operators.negation),
        plain(operators.condition),
        plain(operators.constant),
        plain(shapes.by_one),
        plain(shapes.drop_one),
        plain(shapes.twin),
        plain(shapes.exchange),
        plain(shapes.result),
        plain(shapes.jump),
        op_tokens.assignment,
        op_tokens.control,
        op_tokens.production,
        op_tokens.by_one_anywhere,
        op_tokens.number,
        op_tokens.sign,
        op_tokens.drop_operand,
        op_tokens.regroup,
        op_tokens.truth,
        op_tokens.boundary,
        op_tokens.choice,
        op_callees.denied,
        op_texts.pattern,
        op_texts.steps,
        op_texts.empty,
    ),
    Tier.NAMES: (
        op_names.name,
        op_names.attribute,
        op_names.base,
        op_names.arguments,
        op_names.keyword,
        op_names.name_for_constant,
        op_names.constant_for_name,
        op_names.elements,
        op_names.widened,
        op_callees.callee,
        op_callees.passed,
        op_donors.mirrored,
        op_texts.text,
        op_letters.corrected,
        op_letters.letter,
        op_letters.filled,
        op_statements.delete,
        op_statements.move,
    ),
    Tier.WRAPS: (
        op_wraps.unwrap,
        op_wraps.wrap,
        op_wraps.spread,
        op_wraps.method,
        op_wraps.default,
        op_wraps.fallback,
        op_wraps.part,
        op_wraps.kept,
        op_callees.called,
        op_callees.method,
        op_callees.bounded,
        op_operands.calculation,
        op_operands.clause,
        op_operands.verdict,
        op_operands.donor,
        op_operands.returned,
    ),
    Tier.INSERTIONS: (
        op_statements.insert,
        op_donors.insert,
        op_guards.early,
        op_guards.only_if,
        op_guards.caught,
        op_guards.otherwise,
    ),
}
AT_IMPORT = (Tier.TOKENS, Tier.NAMES)
"""Tiers used on code that runs at import, where each edit costs a process of its own."""


def mutations(tier: Tier, site: Site) -> Iterator[Mutation]:
    """Yield the edits of one tier at a statement."""
    if site.scope.function is None and tier not in AT_IMPORT:
        return
    for node in site.place.nodes:
        for operator in OPERATORS[tier]:
            yield from operator(site, node)

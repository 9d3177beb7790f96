"""A test that compares floats that differ by rounding alone: allow for the rounding."""

import ast
import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.snippets import expression
from regreen_agents.repair.recipes.values.callees import Changes, victims_in
from regreen_agents.repair.recipes.values.calls import positional, with_keyword
from regreen_agents.repair.recipes.values.suspicion import Module, located
from regreen_agents.repair.source import SourceTree

MAX_ULPS = 16
"""More than that is no rounding of a short calculation: a person should look at it."""
RELATIVE = "1e-12"
"""Some thousands of units in the last place of a double: far below any error of the method."""
_COMPARED = re.compile(r"^(?:AssertionError: )?(?:assert )?(.{1,600}?) (?:==|!=) (.{1,600})$", re.M)
_EQUALS = ("assertEqual", "assertEquals", "failUnlessEqual")
_SPACING = 2**63


@dataclass(frozen=True)
class ApproxFloat:
    """Compares two floats with a relative tolerance of 1e-12, where they differ by a few ulps."""

    name: str = "approx_float"
    causes: frozenset[Cause] = frozenset(
        {Cause.CODE_BUG, Cause.UNORDERED_ITERATION, Cause.SURROUNDINGS, Cause.UNEXPLAINED}
    )

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return an edit of the comparison that fails, or None when it is no matter of rounding."""
        message = finding.failure.message if finding.failure is not None else ""
        ulps = rounding_ulps(message)
        if ulps is None:
            return None
        lines, changes = set(located(finding, tree)), Changes(tree)
        for module, place, function in victims_in(finding, tree):
            for node in _comparisons(module, function):
                line = module.parsed.line(node)
                if (module.path, line) in lines:
                    _exchange(changes, module, node, places_of(message))
                    changes.say(f"{place.path}:{line} compare with a tolerance of {RELATIVE}")
        return self._proposal(ulps, changes) if changes.lines else None

    def _proposal(self, ulps: int, changes: Changes) -> Proposal:
        return Proposal(
            recipe=self.name,
            title="Compare the floats with a tolerance for rounding",
            strategy=f"The two values differ by {ulps} unit{'s' if ulps > 1 else ''} in the last "
            "place of a float, which is rounding and no result. They are now compared with a "
            f"relative tolerance of {RELATIVE}.",
            pros=("The assertion says what is meant.", "A wrong twelfth digit still fails."),
            cons=("A difference below the twelfth digit is no longer noticed.",),
            certain=True,
            edits=changes.edits(),
            change_lines=tuple(changes.lines),
        )


def rounding_ulps(message: str) -> int | None:
    """Return by how many units in the last place the two floats of a message differ.

    None when it compares no two floats, or they differ by more than rounding.
    """
    sides = _sides(message)
    distance = _distance(*sides) if sides is not None else None
    return distance if distance is not None and 0 < distance <= MAX_ULPS else None


def places_of(message: str) -> int:
    """Return the decimal places that a relative tolerance of 1e-12 means here."""
    largest = max((abs(s) for s in _sides(message) or () if isinstance(s, float)), default=1.0)
    return max(0, 11 - math.floor(math.log10(largest))) if largest else 12


def _sides(message: str) -> tuple[object, object] | None:
    match = _COMPARED.search(message)
    try:
        return (ast.literal_eval(match[1]), ast.literal_eval(match[2])) if match else None
    except (ValueError, SyntaxError):
        return None


def _distance(left: object, right: object) -> int | None:
    """Return the largest distance of two floats in the same place; None when they are others."""
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        if len(left) != len(right) or type(left) is not type(right):
            return None
        every = [_distance(a, b) for a, b in zip(left, right, strict=True)]
        known = [distance for distance in every if distance is not None]
        return max(known, default=0) if len(known) == len(every) else None
    numbers = isinstance(left, float | int) and isinstance(right, float | int)
    if not numbers or isinstance(left, bool) or isinstance(right, bool):
        return 0 if left == right else None
    if not (isinstance(left, float) or isinstance(right, float)):
        return 0 if left == right else None
    one, other = float(left), float(right)  # type: ignore[arg-type]  # numbers, see above
    if not (math.isfinite(one) and math.isfinite(other)):
        return None
    return abs(_ordinal(one) - _ordinal(other))


def _ordinal(value: float) -> int:
    """Return the place of a double among all doubles, so that neighbours differ by one."""
    (bits,) = struct.unpack("<q", struct.pack("<d", value))
    return int(bits) if bits >= 0 else -_SPACING - int(bits)


def _comparisons(module: Module, function: cst.FunctionDef) -> Iterator[cst.Comparison | cst.Call]:
    for node in module.parsed.ranges:
        if isinstance(node, cst.Comparison):
            single = len(node.comparisons) == 1
            fits = single and isinstance(node.comparisons[0].operator, cst.Equal)
        elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
            fits = node.func.attr.value in _EQUALS and len(positional(node)) == 2  # noqa: PLR2004 - two sides
        else:
            continue
        if fits and function in module.parsed.ancestors(node):
            yield node


def _exchange(
    changes: Changes, module: Module, node: cst.Comparison | cst.Call, places: int
) -> None:
    """Write a comparison as the file's framework does."""
    if isinstance(node, cst.Comparison):
        target = node.comparisons[0]
        reference = changes.file(module).names.refer("pytest")
        new = expression(module.parsed.module, f"{reference.text}.approx(x, rel={RELATIVE})")
        right = target.comparator
        if isinstance(new, cst.Call):
            first, *rest = new.args
            new = new.with_changes(args=[first.with_changes(value=right), *rest])
        changes.exchange(module, {right: new}, [reference.wish])
        return
    function = node.func
    if isinstance(function, cst.Attribute):
        almost = function.with_changes(attr=cst.Name("assertAlmostEqual"))
        digits = cst.Integer(str(places))
        new_call = with_keyword(node.with_changes(func=almost), "places", digits)
        changes.exchange(module, {node: new_call}, [])

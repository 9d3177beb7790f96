"""A result that depends on how the file system lists names: sort them where they are listed."""

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.snippets import expression, statements
from regreen_agents.repair.recipes.values.suspicion import Module, Spot, edits_of, ranked
from regreen_agents.repair.source import SourceTree

_LISTING_CALLS = frozenset({"os.listdir", "glob.glob", "glob.iglob", "os.scandir"})
_PATH_METHODS = frozenset({"iterdir", "glob", "rglob"})
_ORDERLESS = frozenset(
    {"sorted", "set", "frozenset", "len", "any", "all", "min", "max", "sum", "collections.Counter"}
)
_WALKS = frozenset({"os.walk"})
_TRIPLE = 3
_SHOWN_LIMIT = 4


@dataclass(frozen=True)
class SortListing:
    """Wraps one listing of a folder with ``sorted``; the variant is the place, likeliest first."""

    name: str = "sort_listing"
    causes: frozenset[Cause] = frozenset({Cause.LISTING_ORDER})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return an edit of the likeliest place, or None when no folder is listed."""
        return self.variant(1, finding, tree)

    def variant(self, number: int, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return an edit of the n-th likeliest place, from 1."""
        spots = ranked(finding, tree, _listings)
        if not 1 <= number <= len(spots):
            return None
        return self._proposal(number, spots[number - 1].spot, tree)

    def variants(self, finding: Finding, tree: SourceTree) -> tuple[Proposal, ...]:
        """Return an edit of each of the likeliest places."""
        spots = enumerate(ranked(finding, tree, _listings)[:_SHOWN_LIMIT], start=1)
        return tuple(self._proposal(number, row.spot, tree) for number, row in spots)

    def _proposal(self, number: int, spot: Spot, tree: SourceTree) -> Proposal:
        where = f"{spot.path}:{spot.line}"
        return Proposal(
            recipe=self.name if number == 1 else f"{self.name}={number}",
            title=f"Sort what {spot.text} lists",
            strategy="A file system lists names in an order of its own, which differs between "
            f"machines. Sorting them at {where} makes the result the same everywhere.",
            pros=("One place.", "The result no longer depends on the file system."),
            cons=("Reads the whole listing before the first entry is used.",),
            edits=edits_of([spot], tree),
            change_lines=(f"{where} sort {spot.text}",),
        )


def _listings(module: Module) -> Iterator[Spot]:
    for call in module.calls():
        name = module.names.qualify(call.func)
        if name in _WALKS:
            yield from _walk(module, call)
        elif _lists(module, call, name) and not _is_ordered_anyway(module, call):
            yield module.spot(call, _sorted(module, call, name), call)


def _lists(module: Module, call: cst.Call, name: str) -> bool:
    """Tell whether a call lists a folder and its order can be seen."""
    if name in _LISTING_CALLS:
        return not (name == "os.scandir" and isinstance(_parent(module, call), cst.WithItem))
    if not isinstance(call.func, cst.Attribute) or name.startswith("glob."):
        return False
    return call.func.attr.value in _PATH_METHODS


def _is_ordered_anyway(module: Module, call: cst.Call) -> bool:
    """Tell whether the listing goes straight into something that sorts or has no order."""
    node: cst.CSTNode = call
    if isinstance(parent := _parent(module, node), cst.CompFor):
        outers = module.parsed.ancestors(parent)
        node = next(outer for outer in outers if isinstance(outer, cst.BaseComp))
        if isinstance(node, cst.SetComp):
            return True
    arg = _parent(module, node)
    outer = _parent(module, arg) if isinstance(arg, cst.Arg) else None
    if not isinstance(outer, cst.Call):
        return False
    if module.names.qualify(outer.func) == "list":
        return _is_ordered_anyway(module, outer)
    return module.names.qualify(outer.func) in _ORDERLESS


def _sorted(module: Module, call: cst.Call, name: str) -> cst.Call:
    wrapped = expression(module.parsed.module, "sorted(x, key=lambda entry: entry.name)")
    if name != "os.scandir" or not isinstance(wrapped, cst.Call):
        return cst.Call(cst.Name("sorted"), [cst.Arg(call)])
    first, *rest = wrapped.args
    return wrapped.with_changes(args=[first.with_changes(value=call), *rest])


def _walk(module: Module, call: cst.Call) -> Iterator[Spot]:
    """Sort the lists of a walk in place: that also decides where it goes next."""
    loop = _parent(module, call)
    if not isinstance(loop, cst.For) or not isinstance(loop.target, cst.Tuple):
        return
    names = [element.value for element in loop.target.elements]
    if len(names) != _TRIPLE or not isinstance(loop.body, cst.IndentedBlock):
        return
    wanted = [n.value for n in names[1:] if isinstance(n, cst.Name) and n.value.strip("_")]
    lines = [f"{name}.sort()" for name in wanted]
    there = module.parsed.module.code_for_node(loop.body)
    lines = [line for line in lines if line not in there]
    if lines:
        body = [*statements(module.parsed.module, lines), *loop.body.body]
        block = loop.body.with_changes(body=body)
        yield module.spot(loop.body, block, call)


def _parent(module: Module, node: cst.CSTNode) -> cst.CSTNode | None:
    return module.parsed.parents.get(node)

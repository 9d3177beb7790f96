"""The import statements of what was renamed, and of what that leaves without a use."""

import builtins
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import libcst as cst

from regreen_agents.repair.modernise.rows import Row
from regreen_agents.repair.modernise.sources import Guarded
from regreen_agents.repair.recipes.names import Names, dotted


@dataclass
class Successors:
    """What one row renames in one file, and what its imports become."""

    row: Row
    names: Names
    bound: frozenset[str]
    """Names the file binds other than by imports."""
    aliases: dict[str, str]
    """Local name of a renamed module -> how it is written from now on."""
    locals: dict[str, str] = field(default_factory=dict)
    """Local name of a renamed imported object -> how it is written from now on."""
    imports: set[str] = field(default_factory=set)
    replaced: Counter[str] = field(default_factory=Counter)
    """Local name of a module -> how many of its uses were written otherwise."""

    def target(self, qualified: str) -> str:
        """Return the new dotted name, or nothing."""
        if qualified in self.row.names:
            return self.row.names[qualified]
        if qualified in self.row.modules:
            return self.row.modules[qualified]
        owner, _, last = qualified.rpartition(".")
        return f"{self.row.modules[owner]}.{last}" if owner in self.row.modules else ""


def in_place_of(
    old: cst.SimpleStatementLine, lines: Sequence[cst.BaseSmallStatement]
) -> cst.SimpleStatementLine | cst.FlattenSentinel[cst.SimpleStatementLine]:
    """Put statements where one was: comments above stay above, the one beside stays last."""
    if not lines:
        return cst.FlattenSentinel([])
    rows = [cst.SimpleStatementLine(body=[line]) for line in lines]
    rows[0] = rows[0].with_changes(leading_lines=old.leading_lines)
    rows[-1] = rows[-1].with_changes(trailing_whitespace=old.trailing_whitespace)
    return cst.FlattenSentinel(rows)


def import_lines(node: cst.Import, plan: Successors) -> list[cst.BaseSmallStatement] | None:
    """``import old`` as what imports its successor; None when it imports nothing renamed."""
    kept = [alias for alias in node.names if dotted(alias.name) not in plan.row.modules]
    if len(kept) == len(node.names):
        return None
    lines: list[cst.BaseSmallStatement] = []
    if kept:
        kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        lines.append(node.with_changes(names=kept))
    for alias in node.names:
        old = dotted(alias.name)
        if old in plan.row.modules:
            local = dotted(alias.asname.name) if alias.asname else ""
            lines.append(_small(_module_line(old, plan.row.modules[old], local, plan)))
    return lines


def _module_line(old: str, new: str, local: str, plan: Successors) -> str:
    owner, _, last = new.rpartition(".")
    if not local and ("." in old or old in plan.aliases):
        return f"import {new}"
    name = local or old
    if owner:
        return f"from {owner} import {last}" + ("" if last == name else f" as {name}")
    return f"import {new} as {name}" if name != new else f"import {new}"


def from_lines(node: cst.ImportFrom, plan: Successors) -> list[cst.BaseSmallStatement] | None:
    """``from old import name`` as what imports the successors, grouped by module."""
    if node.relative or isinstance(node.names, cst.ImportStar) or node.module is None:
        return None
    owner = dotted(node.module)
    kept: list[cst.ImportAlias] = []
    moved: dict[str, list[str]] = {}
    for alias in node.names:
        old = dotted(alias.name)
        new = plan.target(f"{owner}.{old}")
        if not new:
            kept.append(alias)
            continue
        if line := _alias(alias, old, new, plan):
            moved.setdefault(new.rpartition(".")[0], []).append(line)
    if len(kept) == len(node.names):
        return None
    lines: list[cst.BaseSmallStatement] = []
    if kept:
        kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        lines.append(node.with_changes(names=kept))
    return lines + [
        _small(f"from {module} import {', '.join(names)}" if module else f"import {names[0]}")
        for module, names in moved.items()
    ]


def _alias(alias: cst.ImportAlias, old: str, new: str, plan: Successors) -> str:
    """Return what is imported in place of one name; nothing for a builtin."""
    last = new.rpartition(".")[2]
    local = dotted(alias.asname.name) if alias.asname else plan.locals.get(old, old)
    if hasattr(builtins, new):
        if local != new:
            plan.imports.add(f"from builtins import {new} as {local}")
        return ""
    return last if last == local else f"{last} as {local}"


def _small(line: str) -> cst.BaseSmallStatement:
    statement = cst.parse_statement(line)
    if not isinstance(statement, cst.SimpleStatementLine):
        raise TypeError(f"{line!r} is no simple statement")
    return statement.body[0]


def unused(module: cst.Module, candidates: Iterable[str]) -> set[str]:
    """Return which of these local names nothing uses, imports aside."""
    counted = uses(module)
    return {name for name in candidates if not counted[name]}


def uses(module: cst.Module) -> Counter[str]:
    """Count the names outside of imports, attributes and keywords; what ``__all__`` names too."""
    visitor = _Uses()
    module.visit(visitor)
    return visitor.found


def without_imports(module: cst.Module, gone: set[str], *, star_of: str = "") -> cst.Module:
    """Drop the imports of these local names.

    Args:
        module: After the renaming.
        gone: Local names.
        star_of: A module whose ``import *`` goes as well.
    """
    return module.visit(_Unused(gone, star_of))


class _Uses(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def visit_Name(self, node: cst.Name) -> None:  # noqa: N802 - LibCST's name
        self.found[node.value] += 1

    def visit_SimpleString(self, node: cst.SimpleString) -> None:  # noqa: N802 - LibCST's name
        self.found[str(node.evaluated_value)] += 1

    def visit_Import(self, node: cst.Import) -> bool:  # noqa: N802, ARG002 - LibCST's name
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:  # noqa: N802, ARG002
        return False

    def visit_Attribute(self, node: cst.Attribute) -> bool:  # noqa: N802 - LibCST's name
        node.value.visit(self)
        return False

    def visit_Arg(self, node: cst.Arg) -> bool:  # noqa: N802 - LibCST's name
        node.value.visit(self)
        return False


class _Unused(Guarded):
    def __init__(self, gone: set[str], star_of: str) -> None:
        super().__init__()
        self._gone = gone
        self._star_of = star_of

    def leave_Import(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.Import,  # noqa: ARG002
        updated_node: cst.Import,
    ) -> cst.Import | cst.RemovalSentinel:
        kept = self._kept(updated_node.names)
        if not kept:
            return cst.RemoveFromParent()
        return updated_node.with_changes(names=kept)

    def leave_ImportFrom(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.ImportFrom,  # noqa: ARG002
        updated_node: cst.ImportFrom,
    ) -> cst.ImportFrom | cst.RemovalSentinel:
        owner = dotted(updated_node.module) if updated_node.module else ""
        if isinstance(updated_node.names, cst.ImportStar):
            is_gone = bool(self._star_of) and owner == self._star_of
            return cst.RemoveFromParent() if is_gone else updated_node
        kept = self._kept(updated_node.names)
        if not kept:
            return cst.RemoveFromParent()
        return updated_node.with_changes(names=kept)

    def _kept(self, names: Sequence[cst.ImportAlias]) -> list[cst.ImportAlias]:
        kept = [a for a in names if self.guards or _local(a) not in self._gone]
        if kept and len(kept) < len(names):
            kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return kept


def _local(alias: cst.ImportAlias) -> str:
    if alias.asname is not None:
        return dotted(alias.asname.name)
    return dotted(alias.name).partition(".")[0]

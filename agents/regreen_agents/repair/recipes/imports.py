"""Adding an import where a maintainer would put it: in its section, sorted, once."""

import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import libcst as cst

from regreen_agents.repair.recipes.names import dotted
from regreen_agents.repair.recipes.snippets import statement

_FUTURE, _STANDARD, _THIRD_PARTY, _OURS, _RELATIVE = range(5)
IsOurs = Callable[[str], bool]
"""Tells whether a top-level module name belongs to the tree."""
Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement
BLANK = cst.EmptyLine(indent=False)


class _Key(NamedTuple):
    section: int
    kind: int
    """0 for ``import x``, 1 for ``from x import y``."""
    name: str


def with_import(module: cst.Module, line: str, is_ours: IsOurs) -> cst.Module:
    """Return the module with one more import statement; unchanged when it is there already."""
    new = statement(module, line)
    if merged := _merged(module, new):
        return merged
    key = _key(new, is_ours)
    present = _import_lines(module.body)
    if key is None or not present:
        return _first_import(module, new)
    keys = [(index, _key(module.body[index], is_ours) or key) for index in present]
    section = [(index, k) for index, k in keys if k.section == key.section]
    body = list(module.body)
    greater = next((index for index, k in section if k > key), None)
    if greater is not None:
        _insert_before(body, greater, new)
    elif section:
        body.insert(section[-1][0] + 1, new)
    else:
        _insert_section(body, [index for index, k in keys if k.section < key.section], present, new)
    return module.with_changes(body=body)


def end_of_imports(body: Sequence[cst.CSTNode]) -> int:
    """Return the index after the last import above the first definition."""
    last = _docstring_end(body)
    for index, node in enumerate(body):
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            break
        if _holds_import(node):
            last = index + 1
    return last


def _import_lines(body: Sequence[cst.CSTNode]) -> list[int]:
    end = end_of_imports(body)
    return [index for index, node in enumerate(body[:end]) if _key(node, lambda _: False)]


def _holds_import(node: cst.CSTNode) -> bool:
    if isinstance(node, cst.SimpleStatementLine):
        return any(isinstance(small, cst.Import | cst.ImportFrom) for small in node.body)
    if isinstance(node, cst.If | cst.Try):
        return any(_holds_import(child) for child in node.body.body)
    return False


def _key(node: cst.CSTNode, is_ours: IsOurs) -> _Key | None:
    if not isinstance(node, cst.SimpleStatementLine):
        return None
    small = node.body[0]
    if isinstance(small, cst.ImportFrom):
        name = dotted(small.module) if small.module else ""
        section = _RELATIVE if small.relative else _section(name, is_ours)
        return _Key(section, 1, name.lower())
    if isinstance(small, cst.Import):
        name = dotted(small.names[0].name)
        return _Key(_section(name, is_ours), 0, name.lower())
    return None


def _section(name: str, is_ours: IsOurs) -> int:
    top = name.partition(".")[0]
    if top == "__future__":
        return _FUTURE
    if top in sys.stdlib_module_names:
        return _STANDARD
    return _OURS if is_ours(top) else _THIRD_PARTY


def _merged(module: cst.Module, new: cst.SimpleStatementLine) -> cst.Module | None:
    """Add the name to a ``from x import a`` line that is there, or find it complete."""
    wanted = new.body[0]
    for node in module.body:
        for small in node.body if isinstance(node, cst.SimpleStatementLine) else ():
            if small.with_changes(semicolon=cst.MaybeSentinel.DEFAULT).deep_equals(wanted):
                return module
            joined = _joined(small, wanted)
            if joined is not None:
                changed = module.deep_replace(small, joined)
                return changed if isinstance(changed, cst.Module) else None
    return None


def _joined(there: cst.CSTNode, wanted: cst.CSTNode) -> cst.ImportFrom | None:
    if not (isinstance(there, cst.ImportFrom) and isinstance(wanted, cst.ImportFrom)):
        return None
    if there.module is None or wanted.module is None or there.relative or there.lpar:
        return None
    if dotted(there.module) != dotted(wanted.module) or isinstance(there.names, cst.ImportStar):
        return None
    old, extra = list(there.names), wanted.names
    if isinstance(extra, cst.ImportStar) or any(a.asname for a in [*old, *extra]):
        return None
    if dotted(extra[0].name) in {dotted(alias.name) for alias in old}:
        return there
    names = sorted((dotted(alias.name) for alias in [*old, *extra]), key=str.lower)
    aliases = [cst.ImportAlias(name=cst.Name(name)) for name in names]
    return there.with_changes(names=aliases)


def _insert_before(
    body: list[Statement],
    index: int,
    new: cst.SimpleStatementLine,
) -> None:
    follower = body[index]
    blanks = _leading_blanks(follower)
    rest = follower.leading_lines[len(blanks) :]
    body[index : index + 1] = [
        new.with_changes(leading_lines=blanks),
        follower.with_changes(leading_lines=rest),
    ]


def _insert_section(
    body: list[Statement],
    lower: list[int],
    present: list[int],
    new: cst.SimpleStatementLine,
) -> None:
    if not lower:
        _insert_before(body, present[0], new)
        follower = present[0] + 1
        body[follower] = spaced(body[follower], 1)
        return
    index = lower[-1] + 1
    body.insert(index, new.with_changes(leading_lines=[BLANK]))
    if index + 1 < len(body):
        body[index + 1] = spaced(body[index + 1], 1)


def _first_import(module: cst.Module, new: cst.SimpleStatementLine) -> cst.Module:
    body = list(module.body)
    index = _docstring_end(body)
    body.insert(index, new.with_changes(leading_lines=[BLANK] if index else []))
    if index + 1 < len(body):
        is_definition = isinstance(body[index + 1], cst.FunctionDef | cst.ClassDef)
        body[index + 1] = spaced(body[index + 1], 2 if is_definition else 1)
    return module.with_changes(body=body)


def _docstring_end(body: Sequence[cst.CSTNode]) -> int:
    first = body[0] if body else None
    if isinstance(first, cst.SimpleStatementLine) and isinstance(first.body[0], cst.Expr):
        value = first.body[0].value
        return 1 if isinstance(value, cst.SimpleString | cst.ConcatenatedString) else 0
    return 0


def _leading_blanks(
    node: Statement,
) -> list[cst.EmptyLine]:
    blanks: list[cst.EmptyLine] = []
    for line in node.leading_lines:
        if line.comment is not None:
            break
        blanks.append(line)
    return blanks


def spaced(node: Statement, blanks: int) -> Statement:
    """Return the statement with at least so many blank lines above it."""
    missing = blanks - len(_leading_blanks(node))
    if missing <= 0:
        return node
    return node.with_changes(leading_lines=[*[BLANK] * missing, *node.leading_lines])

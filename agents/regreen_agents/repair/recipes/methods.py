"""Set-up methods of test classes: found, added to, or made anew."""

from collections.abc import Sequence

import libcst as cst

from regreen_agents.repair.recipes.draft import SourceFile
from regreen_agents.repair.recipes.functions import contains, is_docstring, with_first_statements
from regreen_agents.repair.recipes.imports import BLANK
from regreen_agents.repair.recipes.snippets import statements
from regreen_agents.repair.source import class_definition, definition

SET_UP = "setUp"
SETUP_METHOD = "setup_method"


def with_set_up(
    file: SourceFile, classes: tuple[str, ...], lines: Sequence[str], name: str = SET_UP
) -> SourceFile | None:
    """Return the file with lines at the start of a class's set-up method.

    A method that is missing is made, and calls the one of the base class first where the class
    has a base beside ``TestCase`` or ``object``.

    Args:
        file: Where the class stands.
        classes: The class, outermost first.
        lines: Statements, written with four spaces and double quotes.
        name: ``setUp`` or ``setup_method``.

    Returns:
        None when the class is not there or its method starts with these lines already.
    """
    holder = class_definition(file.module, classes)
    if holder is None:
        return None
    there = definition(file.module, classes, name)
    new = statements(file.module, lines)
    if there is None:
        return file.swap(holder, _with_method(file, holder, name, lines))
    if not new or contains(file.module, there, new[0]):
        return None
    if _calls_super(file.module, there):
        return file.swap(there, _after_first(there, new))
    return file.swap(there, with_first_statements(there, new))


def _with_method(
    file: SourceFile, holder: cst.ClassDef, name: str, lines: Sequence[str]
) -> cst.ClassDef:
    first = [f"    super().{name}()"] if _has_own_base(holder) else []
    text = [f"def {name}(self):", *first, *(f"    {line}" for line in lines)]
    (method,) = statements(file.module, text)
    body = list(holder.body.body)
    at = _first_method(body)
    if isinstance(method, cst.FunctionDef):
        method = method.with_changes(leading_lines=[BLANK] if at else [])
    body.insert(at, method)
    follower = body[at + 1] if at + 1 < len(body) else None
    if isinstance(follower, cst.FunctionDef | cst.ClassDef) and not follower.leading_lines:
        body[at + 1] = follower.with_changes(leading_lines=[BLANK])
    return holder.with_changes(body=holder.body.with_changes(body=body))


def _first_method(body: Sequence[cst.CSTNode]) -> int:
    return next(
        (n for n, node in enumerate(body) if isinstance(node, cst.FunctionDef | cst.ClassDef)),
        len(body),
    )


def _has_own_base(holder: cst.ClassDef) -> bool:
    names = [cst.Module([]).code_for_node(base.value) for base in holder.bases]
    return any(name.rpartition(".")[2] not in {"TestCase", "object"} for name in names)


def _calls_super(module: cst.Module, function: cst.FunctionDef) -> bool:
    body = [s for s in function.body.body if not is_docstring(s)]
    return bool(body) and module.code_for_node(body[0]).strip().startswith("super(")


def _after_first(function: cst.FunctionDef, new: Sequence[cst.BaseStatement]) -> cst.FunctionDef:
    """Return the function with statements after the call of the base class's method."""
    old = list(function.body.body)
    at = 2 if is_docstring(old[0]) else 1
    body = [*old[:at], *new, *old[at:]]
    return function.with_changes(body=function.body.with_changes(body=body))

"""Fixtures that hold a test's surroundings still, and how tests come to use them."""

from collections.abc import Sequence

import libcst as cst

from regreen_agents.repair.recipes.draft import SourceFile
from regreen_agents.repair.recipes.imports import BLANK, end_of_imports, spaced
from regreen_agents.repair.recipes.snippets import expression, statements
from regreen_agents.repair.source import Place, definition


def with_fixture(
    file: SourceFile, name: str, body: Sequence[str], *, autouse: bool = False
) -> SourceFile:
    """Return the file with a fixture below its imports; unchanged when it is there.

    Args:
        file: A test file.
        name: Of the fixture.
        body: Its lines, without indentation; a docstring first. They may ask for no other fixture.
        autouse: Whether every test of the file gets it.
    """
    if definition(file.module, (), name) is not None:
        return file
    pytest_name, file = file.refer("pytest")
    options = "(autouse=True)" if autouse else ""
    lines = [f"@{pytest_name}.fixture{options}", f"def {name}():", *(f"    {x}" for x in body)]
    return with_definition(file, lines)


def with_definition(file: SourceFile, lines: Sequence[str]) -> SourceFile:
    """Return the file with a function or class below its imports."""
    (new,) = statements(file.module, lines)
    if not isinstance(new, cst.FunctionDef | cst.ClassDef):
        raise TypeError("Only a function or a class can be put below the imports.")
    body = list(file.module.body)
    at = end_of_imports(body)
    body.insert(at, new.with_changes(leading_lines=[BLANK, BLANK] if at else []))
    if at + 1 < len(body):
        body[at + 1] = spaced(body[at + 1], 2)
    return SourceFile(file.tree, file.path, file.module.with_changes(body=body))


def with_mark(file: SourceFile, place: Place, fixture: str) -> SourceFile | None:
    """Return the file with ``@pytest.mark.usefixtures`` on one test; None when it has the mark."""
    function = file.function(place)
    if function is None:
        return None
    there = "".join(file.module.code_for_node(decorator) for decorator in function.decorators)
    if "usefixtures" in there and fixture in there:
        return None
    pytest_name, file = file.refer("pytest")
    function = file.function(place)
    if function is None:
        return None
    mark = expression(file.module, f'{pytest_name}.mark.usefixtures("{fixture}")')
    decorated = with_decorator(function, mark)
    return file.swap(function, decorated)


def with_decorator(function: cst.FunctionDef, decorator: cst.BaseExpression) -> cst.FunctionDef:
    """Return the function with a decorator above the others."""
    first, lines = cst.Decorator(decorator), function.leading_lines
    if not function.decorators:
        return function.with_changes(decorators=[first])
    old = function.decorators[0]
    rest = [old.with_changes(leading_lines=()), *function.decorators[1:]]
    first = first.with_changes(leading_lines=old.leading_lines)
    return function.with_changes(decorators=[first, *rest], leading_lines=lines)

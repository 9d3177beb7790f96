"""Fixtures in test files: where one stands, who asks for it, how a test comes to use it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import libcst as cst

from regreen_agents.repair.recipes.draft import SourceFile
from regreen_agents.repair.recipes.imports import BLANK, end_of_imports, spaced
from regreen_agents.repair.recipes.literals import text_of
from regreen_agents.repair.recipes.names import dotted
from regreen_agents.repair.recipes.snippets import expression
from regreen_agents.repair.source import Place, SourceTree, definitions

WIDE = frozenset({"class", "module", "package", "session"})


class Fixture(NamedTuple):
    """A fixture function as it stands in a file."""

    file: SourceFile
    function: cst.FunctionDef
    scope: str

    @property
    def name(self) -> str:
        """The name of its function."""
        return self.function.name.value


def requested(function: cst.FunctionDef) -> frozenset[str]:
    """Return the names of a function's parameters but ``self``."""
    params = function.params
    every = (*params.posonly_params, *params.params, *params.kwonly_params)
    return frozenset(p.name.value for p in every if p.default is None) - {"self", "cls"}


def used_fixtures(function: cst.FunctionDef) -> frozenset[str]:
    """Return the names in a function's ``usefixtures`` marks."""
    found: set[str] = set()
    for decorator in function.decorators:
        node = decorator.decorator
        if isinstance(node, cst.Call) and dotted(node.func).endswith("mark.usefixtures"):
            found.update(name for arg in node.args if (name := text_of(arg.value)) is not None)
    return frozenset(found)


def fixtures_of(file: SourceFile) -> Iterator[Fixture]:
    """Yield the fixtures at the top level of a file and in its classes."""
    holders: list[cst.Module | cst.ClassDef] = [file.module]
    while holders:
        for node in definitions(holders.pop()):
            if isinstance(node, cst.ClassDef):
                holders.append(node)
            elif (decorator := fixture_decorator(file, node)) is not None:
                yield Fixture(file, node, scope_of(decorator))


def fixture_decorator(file: SourceFile, function: cst.FunctionDef) -> cst.Decorator | None:
    """Return the ``pytest.fixture`` decorator of a function."""
    for decorator in function.decorators:
        node = decorator.decorator
        func = node.func if isinstance(node, cst.Call) else node
        if file.names.qualify(func) in {"pytest.fixture", "pytest.yield_fixture"}:
            return decorator
    return None


def scope_of(decorator: cst.Decorator) -> str:
    """Return the scope a fixture's decorator names; ``function`` when it names none."""
    node = decorator.decorator
    for arg in node.args if isinstance(node, cst.Call) else ():
        if arg.keyword is not None and arg.keyword.value == "scope":
            text = arg.value
            value = text.evaluated_value if isinstance(text, cst.SimpleString) else None
            return value if isinstance(value, str) else "unknown"
    return "function"


def visible_files(tree: SourceTree, path: str) -> tuple[str, ...]:
    """Return the files whose fixtures a test file sees: itself, then the conftests above it."""
    parents = path.split("/")[:-1]
    folders = ["/".join(parents[:n]) for n in range(len(parents), -1, -1)]
    conftests = [f"{folder}/conftest.py" if folder else "conftest.py" for folder in folders]
    return (path, *(one for one in conftests if one != path and tree.exists(one)))


def with_fixture_above(
    file: SourceFile, fixture: cst.FunctionDef, above: cst.CSTNode | None
) -> SourceFile:
    """Return the file with a fixture before a top-level statement, or below the imports."""
    body = list(file.module.body)
    found = next((n for n, node in enumerate(body) if node is above), None)
    at = end_of_imports(body) if found is None else found
    blanks = _blanks_between(body, at)
    body.insert(at, fixture.with_changes(leading_lines=[BLANK] * blanks))
    if at + 1 < len(body):
        body[at + 1] = spaced(body[at + 1], blanks)
    return SourceFile(file.tree, file.path, file.module.with_changes(body=body))


def _blanks_between(body: Sequence[cst.CSTNode], at: int) -> int:
    """Return the blank lines this file puts between functions, one or two."""
    node = body[at] if at < len(body) else None
    if isinstance(node, cst.FunctionDef | cst.ClassDef) and at > 0:
        blanks = [line for line in node.leading_lines if line.comment is None]
        return 1 if len(blanks) == 1 else 2
    return 2


def with_used_fixture(
    file: SourceFile, place: Place, name: str, pytest_name: str
) -> SourceFile | None:
    """Return the file with ``usefixtures`` on a test; None when it asks for it already."""
    function = file.function(place)
    if function is None or name in requested(function) | used_fixtures(function):
        return None
    text = f'{pytest_name}.mark.usefixtures("{name}")'
    mark = cst.Decorator(expression(file.module, text))
    return file.swap(function, function.with_changes(decorators=[mark, *function.decorators]))

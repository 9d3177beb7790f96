"""Which functions of the tree a test calls, and edits of those calls."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import Finding
from regreen_agents.repair.recipes.draft import SourceFile
from regreen_agents.repair.recipes.functions import swapped
from regreen_agents.repair.recipes.values.calls import is_spread, keyword_of, positional
from regreen_agents.repair.recipes.values.suspicion import Module, module_at
from regreen_agents.repair.source import (
    Place,
    SourceTree,
    class_definition,
    definition,
    definitions,
)


class Callee(NamedTuple):
    """One call in a test, and the function of the tree it reaches."""

    caller: Module
    call: cst.Call
    module: Module
    function: cst.FunctionDef


class Free(NamedTuple):
    """A parameter with a default that a call does not give."""

    name: str
    default: cst.BaseExpression
    annotation: str


def victims_in(finding: Finding, tree: SourceTree) -> list[tuple[Module, Place, cst.FunctionDef]]:
    """Return each victim's file, place and function, none twice; empty when one is not found."""
    found: dict[Place, tuple[Module, Place, cst.FunctionDef]] = {}
    for node_id in finding.victims:
        place = tree.test_function(node_id)
        module = module_at(tree, place.path) if place is not None else None
        if place is None or module is None:
            return []
        function = definition(module.parsed.module, place.classes, place.function)
        if function is not None:
            found.setdefault(place, (module, place, function))
    return list(found.values())


def callees(module: Module, function: cst.FunctionDef) -> Iterator[Callee]:
    """Yield the calls of a test that reach functions of the tree, from its top."""
    names = module.names.within(
        function, module=module.tree.module_name(module.path), path=module.path
    )
    for call in module.calls():
        if function not in module.parsed.ancestors(call):
            continue
        found = _by_name(module, names.qualify(call.func)) or _by_method(module, call)
        if found is not None:
            yield Callee(module, call, *found)


def free_parameters(callee: Callee) -> list[Free]:
    """Return the parameters with defaults that the call leaves to them."""
    if is_spread(callee.call):
        return []
    params = [*callee.function.params.params, *callee.function.params.kwonly_params]
    plain = callee.function.params.params
    bound = 1 if plain and plain[0].name.value in ("self", "cls") else 0
    given = len(positional(callee.call)) + bound
    free = [p for n, p in enumerate(params) if n >= given or n >= len(plain)]
    return [
        Free(p.name.value, p.default, _annotation(callee.module, p))
        for p in free
        if p.default is not None and keyword_of(callee.call, p.name.value) is None
    ]


class Changes:
    """Exchanges of nodes in several files, with the imports that the new nodes need.

    Args:
        tree: The sources.
    """

    def __init__(self, tree: SourceTree) -> None:
        """Start with nothing exchanged."""
        self._tree = tree
        self._by_path: dict[str, tuple[Module, dict[cst.CSTNode, cst.CSTNode], list[str]]] = {}
        self.lines: list[str] = []

    def file(self, module: Module) -> SourceFile:
        """Return a file as it was, to ask how things are written in it."""
        return SourceFile(self._tree, module.path, module.parsed.module)

    def exchange(
        self, module: Module, instead: Mapping[cst.CSTNode, cst.CSTNode], wishes: Sequence[str]
    ) -> None:
        """Exchange nodes of a file as it was."""
        # One Module per path: nodes are told apart by identity, and the tree parses a file once.
        _, nodes, imports = self._by_path.setdefault(module.path, (module, {}, []))
        nodes.update(instead)
        imports.extend(wish for wish in wishes if wish and wish not in imports)

    def say(self, line: str) -> None:
        """Add a line to the plan's list of changes."""
        if line not in self.lines:
            self.lines.append(line)

    def edits(self) -> tuple[FileEdit, ...]:
        """Return the files that change, by path."""
        edits = []
        for path, (module, nodes, imports) in sorted(self._by_path.items()):
            file = SourceFile(self._tree, path, swapped(module.parsed.module, nodes))
            for wish in imports:
                file = file.importing(wish)
            before = self._tree.read(path)
            edits.append(FileEdit(path=path, before=before, after=file.module.code))
        return tuple(edit for edit in edits if edit.before != edit.after)


def written(file: SourceFile, module: str, name: str, avoid: frozenset[str]) -> tuple[str, str]:
    """Return how an object is written in a file, and the import statement it needs or empty."""
    if known := file.names.find(f"{module}.{name}", avoid):
        return known, ""
    if owner := file.names.find(module, avoid):
        return f"{owner}.{name}", ""
    reference = file.names.refer(f"{module}.{name}", avoid)
    return reference.text, reference.wish


def _annotation(module: Module, param: cst.Param) -> str:
    if param.annotation is None:
        return ""
    return module.parsed.module.code_for_node(param.annotation.annotation)


def _by_name(module: Module, qualified: str) -> tuple[Module, cst.FunctionDef] | None:
    """Find a function by its dotted name; for a class, what makes its instances."""
    owner, _, name = qualified.rpartition(".")
    path = module.tree.module_path(owner) if owner else module.path
    other = module_at(module.tree, path) if path is not None else None
    if other is None or not name:
        return None
    function = definition(other.parsed.module, (), name)
    if function is None and class_definition(other.parsed.module, (name,)) is not None:
        function = definition(other.parsed.module, (name,), "__init__")
    if function is not None:
        return other, function
    return _by_name(other, other.names.bindings[name]) if name in other.names.bindings else None


def _by_method(module: Module, call: cst.Call) -> tuple[Module, cst.FunctionDef] | None:
    """Find the one method of that name in what the file imports."""
    if not isinstance(call.func, cst.Attribute):
        return None
    name, found = call.func.attr.value, []
    for path in (module.path, *module.tree.imports_of(module.path)):
        other = module_at(module.tree, path)
        for holder in definitions(other.parsed.module) if other is not None else ():
            if other is not None and isinstance(holder, cst.ClassDef):
                found += [
                    (other, d)
                    for d in definitions(holder)
                    if isinstance(d, cst.FunctionDef) and d.name.value == name
                ]
    return found[0] if len(found) == 1 else None

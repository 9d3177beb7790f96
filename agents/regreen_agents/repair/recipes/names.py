"""What the names of a module stand for, and how a module refers to an object of another."""

import keyword
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst

from regreen_agents.repair.source import absolute, suites


class Reference(NamedTuple):
    """How to write an object in one file."""

    text: str
    """An expression."""
    wish: str
    """The import statement it needs; empty when the file has it already."""


@dataclass(frozen=True)
class Names:
    """The imports of a scope and the names that are in use there."""

    bindings: Mapping[str, str]
    """Local name -> what it stands for, dotted."""
    modules: frozenset[str]
    """Modules loaded by a plain ``import a.b``, by their full name."""
    used: frozenset[str]
    """Every name that occurs in the file; not one that only functions import, as it is called."""

    def qualify(self, node: cst.CSTNode) -> str:
        """Return the dotted name of what an expression stands for, or an empty text.

        A name that is not imported stands for itself, so builtins are found as well.
        """
        if isinstance(node, cst.Name):
            return self.bindings.get(node.value, node.value)
        if isinstance(node, cst.Attribute):
            owner = self.qualify(node.value)
            return f"{owner}.{node.attr.value}" if owner else ""
        return ""

    def within(self, scope: cst.CSTNode, *, module: str, path: str) -> "Names":
        """Return the names seen inside a function, its own imports included."""
        imports = _Imports(module, path)
        scope.visit(imports)
        return Names({**self.bindings, **imports.bindings}, self.modules, self.used)

    def find(self, qualified: str, avoid: frozenset[str] = frozenset()) -> str:
        """Return the expression by which an imported module or object can be written, or empty."""
        direct = [name for name, meaning in self.bindings.items() if meaning == qualified]
        usable = sorted(name for name in direct if name not in avoid)
        if usable:
            return usable[0]
        top = qualified.partition(".")[0]
        loaded = any(m == qualified or m.startswith(f"{qualified}.") for m in self.modules)
        if loaded and self.bindings.get(top) == top and top not in avoid:
            return qualified
        return ""

    def refer(self, qualified: str, avoid: frozenset[str] = frozenset()) -> Reference:
        """Return how to write a module here, with the import to add when there is none."""
        if known := self.find(qualified, avoid):
            return Reference(known, "")
        package, _, name = qualified.rpartition(".")
        taken = self.used | avoid
        if package and name not in taken:
            return Reference(name, f"from {package} import {name}")
        if not package and qualified not in taken:
            return Reference(qualified, f"import {qualified}")
        alias = qualified.replace(".", "_") + ("" if package else "_module")
        while alias in taken:
            alias += "_"
        return Reference(alias, f"import {qualified} as {alias}")


def names_of(module: cst.Module, *, name: str, path: str) -> Names:
    """Collect the names of a module.

    Args:
        module: Its syntax tree.
        name: Its dotted name, to resolve relative imports.
        path: Its file.
    """
    imports = _Imports(name, path)
    for statement in _top_level(module):
        if isinstance(statement, cst.SimpleStatementLine):
            statement.visit(imports)
    occurrences = _Occurrences()
    module.visit(occurrences)
    inner = _InnerImports()
    module.visit(inner)
    # ``import pytest`` in one test does not stand in the way of the same above all of them.
    used = occurrences.found - (inner.imported - inner.found - set(imports.bindings))
    return Names(imports.bindings, frozenset(imports.modules), frozenset(used))


def names_used(*nodes: cst.CSTNode) -> set[str]:
    """Return the names in code that are no attributes and no keywords of calls."""
    visitor = _Used()
    for node in nodes:
        node.visit(visitor)
    return visitor.found


def bound_in(function: cst.FunctionDef) -> frozenset[str]:
    """Return the names a function binds itself: parameters, targets, imports, inner functions."""
    visitor = _Bindings()
    function.params.visit(visitor)
    function.body.visit(visitor)
    return frozenset(visitor.found - visitor.outer)


def is_dotted_name(text: str) -> bool:
    """Tell whether a text may be written as ``a.b.c``."""
    parts = text.split(".")
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in parts)


def dotted(node: cst.CSTNode) -> str:
    """Return the text of ``a.b.c``, or an empty text when the node is anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute) and (owner := dotted(node.value)):
        return f"{owner}.{node.attr.value}"
    return ""


def _top_level(block: cst.Module | cst.BaseSuite) -> Iterator[cst.CSTNode]:
    for statement in block.body:
        yield statement
        if isinstance(statement, cst.If) and dotted(statement.test).endswith("TYPE_CHECKING"):
            continue
        for suite in suites(statement):
            yield from _top_level(suite)


class _Imports(cst.CSTVisitor):
    """Collects what the import statements below a node bind."""

    def __init__(self, module: str, path: str) -> None:
        super().__init__()
        self._module = module
        self._path = path
        self.bindings: dict[str, str] = {}
        self.modules: set[str] = set()

    def visit_Import(self, node: cst.Import) -> None:  # noqa: N802 - LibCST's name
        for alias in node.names:
            name = dotted(alias.name)
            if alias.asname is not None:
                self.bindings[dotted(alias.asname.name)] = name
                continue
            self.bindings[name.partition(".")[0]] = name.partition(".")[0]
            self.modules.add(name)

    def visit_ImportFrom(self, node: cst.ImportFrom) -> None:  # noqa: N802 - LibCST's name
        dots = "." * len(node.relative)
        package = absolute(
            dots + (dotted(node.module) if node.module else ""), self._module, self._path
        )
        for alias in node.names if not isinstance(node.names, cst.ImportStar) else ():
            local = dotted(alias.asname.name) if alias.asname else dotted(alias.name)
            self.bindings[local] = f"{package}.{dotted(alias.name)}"


class _Used(cst.CSTVisitor):
    """Collects the names of code that are no attributes and no keywords."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def visit_Name(self, node: cst.Name) -> None:  # noqa: N802 - LibCST's name
        self.found.add(node.value)

    def visit_Attribute(self, node: cst.Attribute) -> bool:  # noqa: N802 - LibCST's name
        node.value.visit(self)
        return False

    def visit_Arg(self, node: cst.Arg) -> bool:  # noqa: N802 - LibCST's name
        node.value.visit(self)
        return False


class _Occurrences(_Used):
    """Collects those of a whole file, of imports only what they bind."""

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:  # noqa: N802 - LibCST's name
        for alias in node.names if not isinstance(node.names, cst.ImportStar) else ():
            self.found.add(dotted(alias.asname.name if alias.asname else alias.name))
        return False


class _Bindings(cst.CSTVisitor):
    """Collects the names bound in one function's own scope."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.outer: set[str] = set()

    def _bind(self, target: cst.CSTNode) -> None:
        if isinstance(target, cst.Name):
            self.found.add(target.value)
        elif isinstance(target, cst.Tuple | cst.List):
            for element in target.elements:
                self._bind(element.value)

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:  # noqa: N802 - LibCST's name
        self._bind(node.target)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:  # noqa: N802 - LibCST's name
        self._bind(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:  # noqa: N802 - LibCST's name
        self._bind(node.target)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:  # noqa: N802 - LibCST's name
        self._bind(node.target)

    def visit_For(self, node: cst.For) -> None:  # noqa: N802 - LibCST's name
        self._bind(node.target)

    def visit_AsName(self, node: cst.AsName) -> None:  # noqa: N802 - LibCST's name
        self._bind(node.name)

    def visit_Param(self, node: cst.Param) -> None:  # noqa: N802 - LibCST's name
        self._bind(node.name)

    def visit_ImportAlias(self, node: cst.ImportAlias) -> None:  # noqa: N802 - LibCST's name
        if node.asname is None:
            self.found.add(dotted(node.name).partition(".")[0])

    def visit_Global(self, node: cst.Global) -> None:  # noqa: N802 - LibCST's name
        self.outer.update(item.name.value for item in node.names)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:  # noqa: N802 - LibCST's name
        self.found.add(node.name.value)
        return False

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:  # noqa: N802 - LibCST's name
        self.found.add(node.name.value)
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:  # noqa: N802, ARG002 - LibCST's name
        return False


class _InnerImports(_Bindings):
    """Collects the modules imported under their own name anywhere, and all other bindings."""

    def __init__(self) -> None:
        super().__init__()
        self.imported: set[str] = set()

    def visit_Import(self, node: cst.Import) -> None:  # noqa: N802 - LibCST's name
        whole = (dotted(alias.name) for alias in node.names if alias.asname is None)
        self.imported.update(name for name in whole if "." not in name)

    def visit_ImportFrom(self, node: cst.ImportFrom) -> None:  # noqa: N802 - LibCST's name
        for alias in node.names if not isinstance(node.names, cst.ImportStar) else ():
            self.found.add(dotted(alias.asname.name if alias.asname else alias.name))

    def visit_ImportAlias(self, node: cst.ImportAlias) -> None:  # noqa: N802 - LibCST's name
        """Leave them to the two above."""

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:  # noqa: N802 - LibCST's name
        self.found.add(node.name.value)
        return True

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:  # noqa: N802 - LibCST's name
        self.found.add(node.name.value)
        return True

    def visit_Lambda(self, node: cst.Lambda) -> bool:  # noqa: N802, ARG002 - LibCST's name
        return True

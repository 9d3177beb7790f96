"""Which expressions of a module are sets, as far as its own text tells."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import libcst as cst

from regreen_agents.repair.recipes.names import Names, names_of
from regreen_agents.repair.source import ParsedModule, SourceTree

_SET_TYPES = frozenset({"set", "frozenset", "Set", "FrozenSet", "AbstractSet", "MutableSet"})
_SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference", "copy"})
_SET_OPERATORS = (cst.BitOr, cst.BitAnd, cst.BitXor, cst.Subtract)
_DEPTH_LIMIT = 12


@dataclass(frozen=True)
class SetTypes:
    """What one module and the modules it imports say about sets."""

    tree: SourceTree
    path: str
    parsed: ParsedModule
    _others: dict[str, "SetTypes | None"] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def names(self) -> Names:
        """The module's imports."""
        name = self.tree.module_name(self.path)
        return names_of(self.parsed.module, name=name, path=self.path)

    @cached_property
    def bindings(self) -> Mapping[tuple[cst.CSTNode, str], tuple[cst.CSTNode, ...]]:
        """(Scope, name) -> the values and annotations it gets; attributes as ``.name``."""
        collector = _Bindings(self.parsed)
        self.parsed.module.visit(collector)
        return {key: tuple(values) for key, values in collector.found.items()}

    def is_set(self, node: cst.CSTNode, depth: int = _DEPTH_LIMIT) -> bool:
        """Tell whether an expression is known to be a set."""
        if depth <= 0:
            return False
        if isinstance(node, cst.Set | cst.SetComp):
            return True
        if isinstance(node, cst.Annotation):
            return is_set_annotation(node.annotation)
        return self._combined(node, depth - 1) or self._referred(node, depth - 1)

    def _combined(self, node: cst.CSTNode, depth: int) -> bool:
        if isinstance(node, cst.BinaryOperation):
            return isinstance(node.operator, _SET_OPERATORS) and self.is_set(node.left, depth)
        if isinstance(node, cst.IfExp):
            return self.is_set(node.body, depth) and self.is_set(node.orelse, depth)
        return False

    def _referred(self, node: cst.CSTNode, depth: int) -> bool:
        if isinstance(node, cst.Call):
            return self._call(node, depth)
        if isinstance(node, cst.Name):
            return self._name(node, depth)
        return isinstance(node, cst.Attribute) and self._attribute(node, depth)

    def _call(self, node: cst.Call, depth: int) -> bool:
        if self.names.qualify(node.func) in {"set", "frozenset"}:
            return True
        func = node.func
        if isinstance(func, cst.Attribute) and func.attr.value in _SET_METHODS:
            return self.is_set(func.value, depth)
        if isinstance(func, cst.Attribute) and self._known(f"{func.attr.value}()", depth):
            return True
        return isinstance(func, cst.Name) and self._global(f"{func.value}()", func, depth)

    def _name(self, node: cst.Name, depth: int) -> bool:
        for scope in self.parsed.ancestors(node):
            values = self.bindings.get((scope, node.value))
            if values is not None and isinstance(scope, cst.FunctionDef | cst.Module):
                return self._all_sets(values, depth)
        return self._imported(self.names.bindings.get(node.value, ""), "", depth)

    def _attribute(self, node: cst.Attribute, depth: int) -> bool:
        qualified = self.names.qualify(node)
        if qualified and self._imported(qualified, "", depth):
            return True
        return self._known(f".{node.attr.value}", depth)

    def _global(self, key: str, function: cst.Name, depth: int) -> bool:
        values = self.bindings.get((self.parsed.module, key))
        if values is not None:
            return self._all_sets(values, depth)
        return self._imported(self.names.bindings.get(function.value, ""), "()", depth)

    def _known(self, key: str, depth: int) -> bool:
        """Tell whether an attribute or method of this name is a set in every class that has it."""
        every = [self, *self._imports]
        found = [
            other._all_sets(values, depth)  # noqa: SLF001 - another module of the same kind
            for other in every
            for (scope, name), values in other.bindings.items()
            if name == key and isinstance(scope, cst.ClassDef)
        ]
        return bool(found) and all(found)

    @cached_property
    def _imports(self) -> tuple["SetTypes", ...]:
        others = (self._other(path) for path in self.tree.imports_of(self.path))
        return tuple(other for other in others if other is not None)

    def _imported(self, qualified: str, suffix: str, depth: int) -> bool:
        module, _, name = qualified.rpartition(".")
        path = self.tree.module_path(module) if module else None
        other = self._other(path) if path is not None and depth > 0 else None
        if other is None:
            return False
        values = other.bindings.get((other.parsed.module, f"{name}{suffix}"))
        if values is None and name in other.names.bindings:
            return other._imported(other.names.bindings[name], suffix, depth - 1)  # noqa: SLF001 - as above
        return values is not None and other._all_sets(values, depth - 1)  # noqa: SLF001 - as above

    def _other(self, path: str) -> "SetTypes | None":
        if path not in self._others:
            parsed = self.tree.parse(path)
            # The table is shared, so that each module of the tree is looked at once.
            self._others[path] = (
                SetTypes(self.tree, path, parsed, self._others) if parsed is not None else None
            )
        return self._others[path]

    def _all_sets(self, values: tuple[cst.CSTNode, ...], depth: int) -> bool:
        """An annotation decides; else every value must be a set."""
        annotations = [value for value in values if isinstance(value, cst.Annotation)]
        chosen = annotations or values
        return bool(chosen) and all(self.is_set(value, depth) for value in chosen)


def is_set_annotation(node: cst.BaseExpression) -> bool:
    """Tell whether an annotation names a set type, also in quotes."""
    if isinstance(node, cst.SimpleString):
        text = str(node.evaluated_value).partition("[")[0]
        return text.rpartition(".")[2].strip() in _SET_TYPES
    if isinstance(node, cst.Subscript):
        return is_set_annotation(node.value)
    if isinstance(node, cst.Attribute):
        return node.attr.value in _SET_TYPES
    return isinstance(node, cst.Name) and node.value in _SET_TYPES


class _Bindings(cst.CSTVisitor):
    """Collects what names, attributes (``.name``) and results (``name()``) are made of."""

    def __init__(self, parsed: ParsedModule) -> None:
        super().__init__()
        self._parsed = parsed
        self.found: dict[tuple[cst.CSTNode, str], list[cst.CSTNode]] = {}

    def _scopes(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        scopes = (cst.FunctionDef, cst.ClassDef, cst.Module)
        return (outer for outer in self._parsed.ancestors(node) if isinstance(outer, scopes))

    def _bind(self, node: cst.CSTNode, target: cst.CSTNode, value: cst.CSTNode) -> None:
        scope = next(self._scopes(node))
        if isinstance(target, cst.Attribute) and isinstance(target.value, cst.Name):
            classes = [s for s in self._scopes(node) if isinstance(s, cst.ClassDef)]
            if classes and target.value.value in {"self", "cls"}:
                self._add(classes[0], f".{target.attr.value}", value)
        elif isinstance(target, cst.Name):
            self._add(scope, target.value, value)
            if isinstance(scope, cst.ClassDef):
                self._add(scope, f".{target.value}", value)
        elif isinstance(target, cst.Tuple | cst.List):
            for element in target.elements:
                self._bind(node, element.value, cst.Name("unknown"))

    def _add(self, scope: cst.CSTNode, key: str, value: cst.CSTNode) -> None:
        self.found.setdefault((scope, key), []).append(value)

    def visit_Assign(self, node: cst.Assign) -> None:  # noqa: N802 - LibCST's name
        for target in node.targets:
            self._bind(node, target.target, node.value)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:  # noqa: N802 - LibCST's name
        self._bind(node, node.target, node.annotation)

    def visit_For(self, node: cst.For) -> None:  # noqa: N802 - LibCST's name
        self._bind(node, node.target, cst.Name("unknown"))

    def visit_Param(self, node: cst.Param) -> None:  # noqa: N802 - LibCST's name
        self._bind(node, node.name, node.annotation or cst.Name("unknown"))

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:  # noqa: N802 - LibCST's name
        scope = next(self._scopes(node))
        if node.returns is not None:
            values: list[cst.CSTNode] = [node.returns]
        else:
            returns = _Returns()
            node.body.visit(returns)
            values = returns.found
        is_property = any(
            isinstance(d.decorator, cst.Name | cst.Attribute)
            and _last(d.decorator) in {"property", "cached_property"}
            for d in node.decorators
        )
        for value in values:
            self._add(
                scope, f".{node.name.value}" if is_property else f"{node.name.value}()", value
            )


def _last(node: cst.Name | cst.Attribute) -> str:
    return node.value if isinstance(node, cst.Name) else node.attr.value


class _Returns(cst.CSTVisitor):
    """Collects the values one function returns, not those of functions inside it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.CSTNode] = []

    def visit_Return(self, node: cst.Return) -> None:  # noqa: N802 - LibCST's name
        self.found.append(node.value if node.value is not None else node)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:  # noqa: N802, ARG002 - LibCST's name
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:  # noqa: N802, ARG002 - LibCST's name
        return False

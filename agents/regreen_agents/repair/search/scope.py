"""What an operator knows about a place: names, donors, attributes, how the tests failed."""

import ast
import builtins
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from regreen_agents.domain.runs import FailureDetail
from regreen_agents.repair.search.file_scope import SIMPLE_STATEMENTS, FileScope, names_in, unique
from regreen_agents.repair.search.mirrors import Mirror, mirrors
from regreen_agents.repair.search.source import SourceFile
from regreen_agents.repair.search.units import FunctionNode, OutermostFunction, Place

MAX_NAMES = 12
MAX_DONORS = 30
QUOTED = re.compile(r"['\"]([A-Za-z_][A-Za-z0-9_]*)['\"]")
NOT_RAISED = re.compile(r"DID NOT RAISE <class '(?:[\w.]*\.)?(\w+)'>|(\w+) not raised")
WORD = re.compile(r"[^\W\d_]{3,}")
BUILTIN_TYPES = frozenset(
    {"str", "bytes", "int", "float", "bool", "list", "tuple", "dict", "set", "frozenset"}
)


@dataclass(frozen=True)
class Crash:
    """What the failing tests' errors tell, for operators that need a type or a name."""

    types: tuple[str, ...] = ()
    """Builtin exceptions that were raised."""
    wanted: tuple[str, ...] = ()
    """Exceptions that were expected and not raised."""
    quoted: tuple[str, ...] = ()
    """Builtin types quoted in the messages."""
    words: frozenset[str] = frozenset()
    """Words of the texts in the failing tests' files."""


def crash_of(failures: Iterable[FailureDetail], texts: Iterable[str] = ()) -> Crash:
    """Read what operators can use from failures; an assertion is no crash.

    Args:
        failures: How the tests failed.
        texts: The sources of the failing tests.
    """
    types, wanted, quoted = [], [], []
    for failure in failures:
        name = failure.type.rpartition(".")[2]
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, Exception) and name != "AssertionError":
            types.append(name)
        wanted += [a or b for a, b in NOT_RAISED.findall(failure.message)]
        quoted += [word for word in QUOTED.findall(failure.message) if word in BUILTIN_TYPES]
    words = frozenset(word for text in texts for word in WORD.findall(text))
    return Crash(unique(types), unique(wanted), unique(quoted), words)


@dataclass(frozen=True)
class Scope:
    """What one outermost function, or the module around all functions, offers."""

    file: FileScope
    function: OutermostFunction | None
    crash: Crash = field(default_factory=Crash)

    @property
    def source(self) -> SourceFile:
        """The file."""
        return self.file.source

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Parameters first, then what the function binds, in order of the text."""
        if self.function is None:
            return self.file.constants[:MAX_NAMES]
        bound = [
            (node.lineno, node.col_offset, node.id)
            for node in ast.walk(self.function.node)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
        locals_ = [name for _, _, name in sorted(bound) if name != "_"]
        return unique([*self.parameters, *locals_])[:MAX_NAMES]

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names of the function's parameters, without the instance or class."""
        if self.function is None:
            return ()
        found = [p for p in parameters(self.function.node) if p not in {"self", "cls"}]
        nested = [
            name
            for node in ast.walk(self.function.node)
            if isinstance(node, FunctionNode | ast.Lambda) and node is not self.function.node
            for name in parameters(node)
        ]
        return unique([*found, *nested])

    @cached_property
    def own(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Attributes and methods known on the class, each in order of the text."""
        holder = self.file.class_of.get(self.function.node) if self.function else None
        if holder is None:
            return (), ()
        every = [node for node in holder.body if isinstance(node, FunctionNode)]
        methods = [node.name for node in every if not _is_property(node)]
        found = [
            (node.lineno, node.col_offset, node.attr)
            for node in ast.walk(holder)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "self"
            and node.attr not in methods
        ]
        return unique(name for _, _, name in sorted(found)), unique(methods)

    @cached_property
    def mirrors(self) -> tuple[Mirror, ...]:
        """Ways to exchange names of the function that stand for one another."""
        return mirrors(self.function.node) if self.function else ()

    def knows(self, donor: ast.AST) -> bool:
        """Whether code from elsewhere uses only names of this function and the module.

        At least one of them is the function's own: what uses none says nothing about it.
        """
        own = {*self.names, "self"} if self.own[1] else {*self.names}
        used = names_in(donor)
        return bool(used & own) and used <= own | self.file.known_names

    @cached_property
    def donated(self) -> tuple[str, ...]:
        """Texts of conditions that are asked elsewhere in the file."""
        known = [node for node in self.file.conditions if self.knows(node)]
        return tuple(one for one in self._texts(known) if one not in self.conditions)[:MAX_NAMES]

    @cached_property
    def body(self) -> tuple[ast.AST, ...]:
        """The nodes of the function, in order of the text; of the module none."""
        if self.function is None:
            return ()
        found = [n for n in ast.walk(self.function.node) if isinstance(n, ast.expr | ast.stmt)]
        return tuple(sorted(found, key=lambda n: (n.lineno, n.col_offset)))

    @cached_property
    def conditions(self) -> tuple[str, ...]:
        """Texts of the conditions in the function."""
        kinds = ast.Compare | ast.BoolOp
        return self._texts(n for n in self.body if isinstance(n, kinds) or _is_not(n))[:MAX_DONORS]

    @cached_property
    def values(self) -> tuple[str, ...]:
        """Texts of the calculated values in the function: donors for other places."""
        kinds = ast.Call | ast.BinOp | ast.Subscript | ast.Attribute
        return self._texts(n for n in self.body if isinstance(n, kinds))[:MAX_DONORS]

    @cached_property
    def returns(self) -> tuple[str, ...]:
        """Texts of what the function returns."""
        return self._texts(n.value for n in self.body if isinstance(n, ast.Return) and n.value)

    @cached_property
    def strings(self) -> tuple[str, ...]:
        """Texts of the string constants in the function."""
        found = [n for n in self.body if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        return self._texts(n for n in found if not isinstance(self._parent(n), ast.Expr))

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """Texts of the whole numbers in the function."""
        found = [n for n in self.body if isinstance(n, ast.Constant) and type(n.value) is int]
        return self._texts(found)[:MAX_NAMES]

    @cached_property
    def statements(self) -> tuple[str, ...]:
        """Texts of the simple statements in the function, docstring left out."""
        found = [n for n in self.body if isinstance(n, SIMPLE_STATEMENTS)]
        return self._texts(
            n for n in found if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))
        )

    def _parent(self, node: ast.AST) -> ast.AST | None:
        return self.file.parents.get(node)

    def _texts(self, nodes: Iterable[ast.AST]) -> tuple[str, ...]:
        found = [
            self.source.text_of(node) for node in nodes if isinstance(node, ast.expr | ast.stmt)
        ]
        return unique(text for text in found if "\n" not in text and "\r" not in text)


@dataclass(frozen=True)
class Site:
    """A statement that an operator may edit, with what it may use there."""

    scope: Scope
    place: Place

    @property
    def source(self) -> SourceFile:
        """The file."""
        return self.scope.source

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node around a node."""
        return self.scope.file.parents.get(node)

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the nodes around a node, nearest first, up to the outermost function."""
        stop = self.scope.function.node if self.scope.function else None
        found = self.parent(node)
        while found is not None and found is not stop:
            yield found
            found = self.parent(found)

    @property
    def in_loop(self) -> bool:
        """Whether ``break`` and ``continue`` are allowed here."""
        for node in self.around(self.place.statement):
            if isinstance(node, FunctionNode | ast.ClassDef):
                return False
            if isinstance(node, ast.For | ast.While | ast.AsyncFor):
                return True
        return False


def parameters(function: FunctionNode | ast.Lambda) -> list[str]:
    """Return the names of a function's parameters, in order."""
    found = function.args
    all_ = [*found.posonlyargs, *found.args, *found.kwonlyargs, found.vararg, found.kwarg]
    return [one.arg for one in all_ if one is not None]


def others(text: str, choices: Sequence[str]) -> list[str]:
    """Return the choices that are not `text`."""
    return [choice for choice in choices if choice != text]


def _is_not(node: ast.AST) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _is_property(function: FunctionNode) -> bool:
    return any("property" in ast.unparse(one) for one in function.decorator_list)

"""What a whole file offers to the operators: functions, names, donors."""

import ast
import builtins
from collections import Counter
from collections.abc import Iterable
from functools import cached_property

from regreen_agents.repair.search.source import SourceFile
from regreen_agents.repair.search.units import FunctionNode

CONDITIONAL = ast.If | ast.While | ast.IfExp
SIMPLE_STATEMENTS = (
    ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr | ast.Return | ast.Delete | ast.Raise
)


class FileScope:
    """What a whole file offers; worked out once."""

    def __init__(self, source: SourceFile) -> None:
        """Look at the file's tree when first asked."""
        self.source = source

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """Each node's parent."""
        return {
            child: node
            for node in ast.walk(self.source.tree)
            for child in ast.iter_child_nodes(node)
        }

    @cached_property
    def functions(self) -> dict[str, FunctionNode]:
        """The functions and methods by name; of equal names the first."""
        found: dict[str, FunctionNode] = {}
        for node in ast.walk(self.source.tree):
            if isinstance(node, FunctionNode):
                found.setdefault(node.name, node)
        return found

    @cached_property
    def top_functions(self) -> tuple[str, ...]:
        """Names of the module's own functions."""
        return tuple(n.name for n in self.source.tree.body if isinstance(n, FunctionNode))

    @cached_property
    def constants(self) -> tuple[str, ...]:
        """Names that module-level assignments bind."""
        targets = [
            target
            for node in self.source.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        ]
        return unique(t.id for t in targets if isinstance(t, ast.Name) and t.id[:2] != "__")

    @cached_property
    def attributes_of(self) -> dict[str, tuple[str, ...]]:
        """Base expression's text -> attributes used on it anywhere in the file."""
        found: dict[str, list[str]] = {}
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                found.setdefault(node.value.id, []).append(node.attr)
        return {base: unique(attributes) for base, attributes in found.items()}

    @cached_property
    def called(self) -> tuple[str, ...]:
        """Names that are called somewhere, the most frequent first."""
        calls = (n.func for n in ast.walk(self.source.tree) if isinstance(n, ast.Call))
        counts = Counter(func.id for func in calls if isinstance(func, ast.Name))
        return tuple(sorted(counts, key=lambda name: (-counts[name], name)))

    @cached_property
    def methods_called(self) -> frozenset[str]:
        """Attributes that are called somewhere."""
        calls = (n.func for n in ast.walk(self.source.tree) if isinstance(n, ast.Call))
        return frozenset(func.attr for func in calls if isinstance(func, ast.Attribute))

    @cached_property
    def keywords_of(self) -> dict[str, tuple[ast.keyword, ...]]:
        """Callee's name -> keyword arguments given to it somewhere."""
        found: dict[str, list[ast.keyword]] = {}
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Call) and node.keywords:
                found.setdefault(called_name(node), []).extend(k for k in node.keywords if k.arg)
        return {name: tuple(keywords) for name, keywords in found.items()}

    @cached_property
    def conditions(self) -> tuple[ast.expr, ...]:
        """What ``if``, ``while`` and the like ask anywhere, clause by clause."""
        tests = [n.test for n in ast.walk(self.source.tree) if isinstance(n, CONDITIONAL)]
        clauses = [c for t in tests for c in (t.values if isinstance(t, ast.BoolOp) else (t,))]
        return tuple(sorted(clauses, key=lambda n: (n.lineno, n.col_offset)))

    @cached_property
    def statements(self) -> tuple[ast.stmt, ...]:
        """Statements of one line, and compound ones around a single such, of all functions."""
        bodies = [f.body for f in ast.walk(self.source.tree) if isinstance(f, FunctionNode)]
        inner = (n for body in bodies for top in body for n in ast.walk(top))
        found = dict.fromkeys(n for n in inner if isinstance(n, ast.stmt) and is_short(n))
        return tuple(sorted(found, key=lambda n: (n.lineno, n.col_offset)))

    @cached_property
    def known_names(self) -> frozenset[str]:
        """Builtins, and what the module itself binds."""
        found = set(dir(builtins))
        for node in self.source.tree.body:
            if isinstance(node, FunctionNode | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                found |= {(a.asname or a.name).partition(".")[0] for a in node.names}
            else:
                found |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        return frozenset(found)

    @cached_property
    def class_of(self) -> dict[ast.AST, ast.ClassDef]:
        """Each method -> its class."""
        return {
            method: node
            for node in ast.walk(self.source.tree)
            if isinstance(node, ast.ClassDef)
            for method in node.body
            if isinstance(method, FunctionNode)
        }


def is_short(statement: ast.stmt) -> bool:
    """Whether a statement is simple, or stands around a single simple one."""
    if isinstance(statement, ast.If | ast.While | ast.For) and not statement.orelse:
        return len(statement.body) == 1 and is_short_line(statement.body[0])
    return is_short_line(statement)


def is_short_line(statement: ast.stmt) -> bool:
    """Whether a statement is a simple one on one line, no docstring."""
    is_doc = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    simple = SIMPLE_STATEMENTS | ast.Break | ast.Continue
    return isinstance(statement, simple) and not is_doc and statement.lineno == statement.end_lineno


def called_name(node: ast.AST) -> str:
    """Return the name of the function or method a call calls, empty for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def names_in(node: ast.AST) -> frozenset[str]:
    """Return the names a piece of code uses."""
    return frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name))


def unique(texts: Iterable[str]) -> tuple[str, ...]:
    """Return texts once each, in the order first met."""
    return tuple(dict.fromkeys(texts))

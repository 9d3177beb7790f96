"""Every place of a suite that writes the environment: who puts it back, and who writes it twice."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.findings import Finding
from regreen_agents.domain.runs import StateKind
from regreen_agents.errors import RepositoryError
from regreen_agents.lab.signatures import is_test_path
from regreen_agents.repair.recipes.draft import SourceFile
from regreen_agents.repair.recipes.literals import text_constants, text_of
from regreen_agents.repair.recipes.names import Names
from regreen_agents.repair.source import SourceTree

_ENVIRON = "os.environ"
_WRITING = frozenset({"update", "pop", "setdefault", "clear", "popitem"})
_UNDONE = frozenset({"setenv", "delenv"})
_SKIPPED = frozenset({"build", "dist", "node_modules", "site-packages"})
MAX_LINES = 60


class EnvironmentWrite(NamedTuple):
    """One statement that writes the environment."""

    path: str
    line: int
    function: str
    """The function around it, ``Class.method``; empty at the top of the module."""
    variable: str
    """``*`` where the name is computed or everything is written."""
    is_undone: bool
    """Whether monkeypatch, or a patch of the dict, puts the old value back."""


def inventory_of(finding: Finding, tree: SourceTree) -> tuple[str, ...]:
    """Return one line for each write in the test files, where the finding is about a variable.

    Lines are ``path:line function VARIABLE, by hand`` in the order of paths and lines, at most 60,
    then what several functions write by hand.
    """
    if not any(change.kind is StateKind.ENVIRONMENT for change in finding.state):
        return ()
    writes = [write for path in test_files(tree) for write in writes_in(tree, path)]
    lines = [
        f"{w.path}:{w.line} {w.function or '<module>'} {w.variable}, "
        + ("put back" if w.is_undone else "by hand")
        for w in writes[:MAX_LINES]
    ]
    more = [f"and {len(writes) - MAX_LINES} more"] if len(writes) > MAX_LINES else []
    return (*lines, *more, *_repeated(writes))


def _repeated(writes: Collection[EnvironmentWrite]) -> Iterator[str]:
    by_hand: dict[str, set[tuple[str, str]]] = {}
    for write in writes:
        if not write.is_undone and write.variable != "*":
            by_hand.setdefault(write.variable, set()).add((write.path, write.function))
    for variable, functions in sorted(by_hand.items()):
        if len(functions) > 1:
            count = len(functions)
            yield f"{variable} is written by hand in {count} functions: one fixture would do"


def test_files(tree: SourceTree) -> Iterator[str]:
    """Yield the Python files of tests, conftests too, in order; no environment's and no build's."""
    folders = [tree.root]
    while folders:
        folder = folders.pop(0)
        if (folder / "pyvenv.cfg").exists():
            continue
        for entry in sorted(folder.iterdir()):
            if entry.name.startswith(".") or entry.name in _SKIPPED or entry.is_symlink():
                continue
            if entry.is_dir():
                folders.append(entry)
            elif entry.suffix == ".py":
                path = entry.relative_to(tree.root).as_posix()
                if is_test_path(path) or entry.name == "conftest.py":
                    yield path


def writes_in(tree: SourceTree, path: str) -> Iterator[EnvironmentWrite]:
    """Yield the writes of one file, by line."""
    try:
        text = tree.read(path)
    except RepositoryError:
        return
    if "environ" not in text and "env(" not in text:
        return
    parsed = tree.parse(path)
    if parsed is None:
        return
    file = SourceFile(tree, path, parsed.module)
    visitor = _Writes(file.names, text_constants(parsed.module))
    parsed.module.visit(visitor)
    for node, function, variable, is_undone in visitor.found:
        yield EnvironmentWrite(path, parsed.line(node), function, variable, is_undone)


class _Writes(cst.CSTVisitor):
    """Collects the writes with the function around each."""

    def __init__(self, names: Names, constants: dict[str, str]) -> None:
        super().__init__()
        self._names = names
        self._constants = constants
        self._around: list[str] = []
        self.found: list[tuple[cst.CSTNode, str, str, bool]] = []

    def visit_ClassDef(self, node: cst.ClassDef) -> None:  # noqa: N802 - LibCST's name
        self._around.append(node.name.value)

    def leave_ClassDef(self, original_node: cst.ClassDef) -> None:  # noqa: N802, ARG002 - LibCST's name
        self._around.pop()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:  # noqa: N802 - LibCST's name
        self._around.append(node.name.value)

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:  # noqa: N802, ARG002 - LibCST's name
        self._around.pop()

    def visit_Assign(self, node: cst.Assign) -> None:  # noqa: N802 - LibCST's name
        for target in node.targets:
            self._target(target.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:  # noqa: N802 - LibCST's name
        self._target(node.target)

    def visit_Del(self, node: cst.Del) -> None:  # noqa: N802 - LibCST's name
        self._target(node.target)

    def visit_Call(self, node: cst.Call) -> None:  # noqa: N802 - LibCST's name
        function = self._names.qualify(node.func)
        owner, _, method = function.rpartition(".")
        first = node.args[0].value if node.args else None
        if (owner == _ENVIRON and method in _WRITING) or function in {"os.putenv", "os.unsetenv"}:
            self._add(node, first if method != "update" else None, is_undone=False)
        elif method in _UNDONE and "monkeypatch" in owner.lower():
            self._add(node, first, is_undone=True)
        elif function.endswith("patch.dict") and first is not None and self._is_environ(first):
            self._add(node, None, is_undone=True)

    def _is_environ(self, node: cst.BaseExpression) -> bool:
        return _ENVIRON in (self._names.qualify(node), text_of(node))

    def _target(self, target: cst.BaseExpression) -> None:
        if isinstance(target, cst.Subscript) and self._names.qualify(target.value) == _ENVIRON:
            index = target.slice[0].slice
            key = index.value if isinstance(index, cst.Index) else None
            self._add(target, key, is_undone=False)

    def _add(self, node: cst.CSTNode, key: cst.BaseExpression | None, *, is_undone: bool) -> None:
        name = text_of(key) if key is not None else None
        if name is None and isinstance(key, cst.Name):
            name = self._constants.get(key.value)
        self.found.append((node, ".".join(self._around), name or "*", is_undone))

"""A bare command that PATH does not know: run its module with the running interpreter."""

import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.lab.distributions import declared
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.entry_points import interpreter_arguments
from regreen_agents.repair.recipes.functions import contains, swapped, with_first_statements
from regreen_agents.repair.recipes.literals import text_of
from regreen_agents.repair.recipes.monkeypatching import site_of
from regreen_agents.repair.recipes.names import Names, bound_in
from regreen_agents.repair.recipes.resources.anchor_path import suspected_files
from regreen_agents.repair.recipes.snippets import expression, quoted, statements
from regreen_agents.repair.source import ParsedModule, SourceTree

_STARTERS = frozenset(
    f"subprocess.{name}" for name in ("run", "check_output", "check_call", "call", "Popen")
)


class _Command(NamedTuple):
    """One place where the command is named."""

    node: cst.BaseExpression
    """A list or tuple, or the text of a whole command line."""
    rest: tuple[str, ...]
    """Arguments that stand in the same text."""
    line: int


class _Way(NamedTuple):
    """How the interpreter runs a command."""

    arguments: tuple[str, ...]
    pro: str
    con: str


@dataclass(frozen=True)
class ResolveCommand:
    """Replaces the name of a command by the interpreter and the module behind it."""

    name: str = "resolve_command"
    causes: frozenset[Cause] = frozenset({Cause.BARE_COMMAND})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of every suspected file, or None when no module is known."""
        command = finding.missing[0] if finding.missing else ""
        way = _way(command, finding, tree) if command else None
        if way is None:
            return None
        draft = Draft(tree)
        lines = resolve(draft, finding, tree, way.arguments)
        return self._proposal(command, way, draft, lines) if lines else None

    def _proposal(self, command: str, way: _Way, draft: Draft, lines: list[str]) -> Proposal:
        shown = shlex.join(way.arguments)
        return Proposal(
            recipe=self.name,
            title=f"Run {command} with the running interpreter",
            strategy=f"{command!r} is not on PATH where the tests run. The call becomes the "
            f"running interpreter with {shown or 'the same arguments'}.",
            pros=("Works without the command on PATH.", way.pro),
            cons=("The installed command itself is no longer exercised.", way.con),
            edits=draft.edits(),
            change_lines=tuple(lines),
        )


@dataclass(frozen=True)
class ResolveOrSkip:
    """The same for a command that is not installed: skip where its module is not there either."""

    name: str = "resolve_or_skip"
    causes: frozenset[Cause] = frozenset({Cause.BARE_COMMAND})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return both edits as a policy decision, for a command the project asks for by name."""
        command = finding.missing[0] if finding.missing else ""
        module = command.replace("-", "_")
        if not module.isidentifier() or _way(command, finding, tree) is not None:
            return None
        asked = declared(command, tree.root)
        draft = Draft(tree)
        lines = resolve(draft, finding, tree, ("-m", module)) if asked else []
        if asked is None or not lines or not _skip_without(draft, finding, module):
            return None
        return Proposal(
            recipe=self.name,
            title=f"Run {command} with the running interpreter, and skip where it is not installed",
            strategy=f"{asked.where} asks for {command}, and it is not installed here. The call "
            f"becomes the running interpreter with -m {module}; without the module the tests are "
            "skipped with that reason.",
            pros=(
                f"Runs the {command} of the environment the tests run in, and needs no PATH.",
                f"`python -m pip install {asked.install}` switches the tests on again.",
            ),
            cons=(
                "Where the module is missing the tests find no defects, and nobody may notice.",
                f"That {command} runs with -m is known by its name only: try it once.",
            ),
            policy_decision=True,
            edits=draft.edits(),
            change_lines=tuple(lines),
        )


def resolve(
    draft: Draft, finding: Finding, tree: SourceTree, arguments: tuple[str, ...]
) -> list[str]:
    """Put the interpreter in place of the command in every suspected file; say where."""
    command = finding.missing[0]
    lines: list[str] = []
    for path in suspected_files(finding):
        parsed = tree.parse(path)
        file = draft.file(path)
        if parsed is None or file is None:
            continue
        suspected = frozenset(s.line for s in finding.locations if s.path == path)
        found = _Search(parsed, file.names, command, suspected).commands()
        if found:
            draft.put(_resolved(file, found, arguments))
            lines.extend(f"{path}:{c.line} run {command} by its module" for c in found)
    return lines


def _skip_without(draft: Draft, finding: Finding, module: str) -> bool:
    """Let each victim ask for the module first; False when one cannot be edited."""
    for node_id in finding.victims:
        site = site_of(draft, node_id)
        if site is None:
            return False
        pytest_name, file = site.file.refer("pytest", (), bound_in(site.function))
        function = file.function(site.place)
        folders = PurePosixPath(site.place.path).parents
        # A folder of tests with the module's name, on sys.path by its parent, imports as well.
        is_hidden = any(file.tree.exists(str(folder / module)) for folder in folders)
        wanted = quoted(f"{module}.__main__" if is_hidden else module)
        new = statements(file.module, [f"{pytest_name}.importorskip({wanted})"])
        if function is None:
            return False
        if not contains(file.module, function, new[0]):
            draft.put(file.swap(function, with_first_statements(function, new)))
    return True


def _way(command: str, finding: Finding, tree: SourceTree) -> _Way | None:
    """Return the tree's own module behind a command, else the one the lab has run."""
    arguments = interpreter_arguments(command, tree)
    if arguments is not None:
        return _Way(
            arguments,
            "Tests the code of this tree and not another installed version.",
            "The module must be importable from the working directory of the call.",
        )
    if not finding.module:
        return None
    return _Way(
        ("-m", finding.module),
        f"Runs the {finding.module} of the environment the tests run in, and no other.",
        f"The tests still need {finding.module} in their environment.",
    )


def _resolved(file: SourceFile, found: list[_Command], arguments: tuple[str, ...]) -> SourceFile:
    executable, file = file.refer("sys", ("executable",))
    new = [executable, *(quoted(argument) for argument in arguments)]
    instead: dict[cst.CSTNode, cst.CSTNode] = {}
    for command in found:
        texts = [*new, *(quoted(argument) for argument in command.rest)]
        written = expression(file.module, f"[{', '.join(texts)}]")
        instead[command.node] = _with_head(command.node, written)
    return SourceFile(file.tree, file.path, swapped(file.module, instead))


def _with_head(node: cst.BaseExpression, written: cst.BaseExpression) -> cst.BaseExpression:
    """Return a list or tuple with a new head; a text becomes a list."""
    if not isinstance(node, cst.List | cst.Tuple) or not isinstance(written, cst.List):
        return written
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    head = [element.with_changes(comma=comma) for element in written.elements]
    tail = list(node.elements[1:])
    head[-1] = head[-1].with_changes(comma=node.elements[0].comma)
    return node.with_changes(elements=[*head, *tail])


@dataclass(frozen=True)
class _Search:
    parsed: ParsedModule
    names: Names
    command: str
    lines: frozenset[int]

    def commands(self) -> list[_Command]:
        """Return the places in order."""
        collector = _Candidates()
        self.parsed.module.visit(collector)
        firsts = [call.args[0].value for call in collector.calls if self._starts(call)]
        makers = [node.func if isinstance(node, cst.Call) else node for node in firsts]
        started = {node.value for node in makers if isinstance(node, cst.Name)}
        found = [self._display(node, started) for node in collector.displays]
        found += [self._text(call) for call in collector.calls]
        return sorted((c for c in found if c is not None), key=lambda c: c.line)

    def _display(self, node: cst.List | cst.Tuple, started: set[str]) -> _Command | None:
        first = node.elements[0].value if node.elements else None
        if first is None or text_of(first) != self.command:
            return None
        line = self.parsed.line(node)
        used = line in self.lines or self._is_started(node, started)
        return _Command(node, (), line) if used else None

    def _is_started(self, node: cst.CSTNode, started: set[str]) -> bool:
        """Tell whether a list is started: in the call, by its name, or returned to the call."""
        if isinstance(self.parsed.parents[node], cst.Return):
            outside = self.parsed.ancestors(node)
            maker = next((n for n in outside if isinstance(n, cst.FunctionDef)), None)
            return maker is not None and maker.name.value in started
        for outer in self.parsed.ancestors(node):
            if isinstance(outer, cst.Call) and self._starts(outer):
                return True
            if isinstance(outer, cst.Assign):
                targets = [t.target.value for t in outer.targets if isinstance(t.target, cst.Name)]
                return bool(started.intersection(targets))
            if isinstance(outer, cst.BaseStatement):
                return False
        return False

    def _text(self, call: cst.Call) -> _Command | None:
        """Return a command line written as one text: alone, or split by ``.split()`` or shlex."""
        if self._is_split(call):
            return self._split(call)
        if not self._starts(call) or _uses_shell(call):
            return None
        node = call.args[0].value
        if text_of(node) != self.command:
            return None
        return _Command(node, (), self.parsed.line(node))

    def _is_split(self, call: cst.Call) -> bool:
        parent = self.parsed.parents[call]
        outer = self.parsed.parents.get(parent)
        return isinstance(outer, cst.Call) and self._starts(outer) and not _uses_shell(outer)

    def _split(self, call: cst.Call) -> _Command | None:
        if self.names.qualify(call.func) == "shlex.split" and len(call.args) == 1:
            text = text_of(call.args[0].value)
        elif isinstance(call.func, cst.Attribute) and call.func.attr.value == "split":
            text = text_of(call.func.value) if not call.args else None
        else:
            return None
        words = _words(text or "")
        if not words or words[0] != self.command:
            return None
        return _Command(call, tuple(words[1:]), self.parsed.line(call))

    def _starts(self, call: cst.Call) -> bool:
        return bool(call.args) and self.names.qualify(call.func) in _STARTERS


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _uses_shell(call: cst.Call) -> bool:
    return any(arg.keyword is not None and arg.keyword.value == "shell" for arg in call.args)


class _Candidates(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.displays: list[cst.List | cst.Tuple] = []
        self.calls: list[cst.Call] = []

    def visit_List(self, node: cst.List) -> None:  # noqa: N802 - LibCST's name
        self.displays.append(node)

    def visit_Tuple(self, node: cst.Tuple) -> None:  # noqa: N802 - LibCST's name
        self.displays.append(node)

    def visit_Call(self, node: cst.Call) -> None:  # noqa: N802 - LibCST's name
        self.calls.append(node)

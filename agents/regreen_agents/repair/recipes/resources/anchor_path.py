"""A path relative to the working directory: anchor it at the folder of the file that names it."""

import itertools
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.functions import swapped
from regreen_agents.repair.recipes.literals import text_of
from regreen_agents.repair.recipes.path_literals import PathLiteral, PathLiterals, Use
from regreen_agents.repair.source import ParsedModule, SourceTree

_NESTED_PARENTS = 2


class _Anchored(NamedTuple):
    file: SourceFile
    lines: tuple[str, ...]


@dataclass(frozen=True)
class AnchorPath:
    """Rewrites the text of a path that is looked up from the working directory."""

    name: str = "anchor_path"
    causes: frozenset[Cause] = frozenset({Cause.CWD_RELATIVE_PATH})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of every suspected file, or None when no file names the path."""
        missing = tuple(str(PurePosixPath(m.replace("\\", "/"))) for m in finding.missing)
        missing = tuple(m for m in missing if not m.startswith("/"))
        draft = Draft(tree)
        lines: list[str] = []
        for path in suspected_files(finding):
            parsed = tree.parse(path)
            if parsed is None:
                continue
            suspected = frozenset(s.line for s in finding.locations if s.path == path)
            anchored = _anchored(SourceFile(tree, path, parsed.module), parsed, missing, suspected)
            if anchored is not None:
                draft.put(anchored.file)
                lines.extend(anchored.lines)
        return self._proposal(missing, draft, lines) if lines else None

    def _proposal(self, missing: tuple[str, ...], draft: Draft, lines: list[str]) -> Proposal:
        what = ", ".join(repr(path) for path in missing)
        return Proposal(
            recipe=self.name,
            title=f"Find {what} from the file's own folder",
            strategy="The path starts at the folder of the file that names it, so the working "
            "directory no longer matters.",
            pros=("Works from any working directory.", "No other test is affected."),
            cons=("The file's place in the tree is now part of the path.",),
            edits=draft.edits(),
            change_lines=tuple(lines),
        )


def suspected_files(finding: Finding) -> tuple[str, ...]:
    """Return the files a finding points at: its locations, else those of its victims."""
    located = [location.path for location in finding.locations]
    victims = [node_id.partition("::")[0] for node_id in finding.victims]
    return tuple(dict.fromkeys([*located, *victims]))


def _anchored(
    file: SourceFile, parsed: ParsedModule, missing: tuple[str, ...], lines: frozenset[int]
) -> _Anchored | None:
    search = PathLiterals(parsed, file.names, missing)
    literals = [
        (literal, depth)
        for literal in search.found(lines)
        if (depth := _depth(file, literal)) is not None
    ]
    if not literals:
        return None
    writer, file = _writer(file, [literal for literal, _ in literals], search)
    instead: dict[cst.CSTNode, cst.CSTNode] = {}
    for literal, depth in literals:
        old, new = writer.rewrite(literal, depth)
        instead[old] = new
    changed = SourceFile(file.tree, file.path, swapped(file.module, instead))
    told = tuple(f"{file.path}:{li.line} anchor {li.whole!r} at its folder" for li, _ in literals)
    return _Anchored(changed, told)


def _depth(file: SourceFile, literal: PathLiteral) -> int | None:
    """Return how many folders above the file's own one the path starts, if it is there."""
    folders = list(PurePosixPath(file.path).parents)
    for wanted in (literal.whole, literal.prefix):
        for depth, folder in enumerate(folders):
            if file.tree.exists(str(folder / wanted)):
                return depth
    return None


def _writer(
    file: SourceFile, literals: list[PathLiteral], search: PathLiterals
) -> tuple["_Writer", SourceFile]:
    """Choose how the file writes paths: pathlib, or os.path where only that is imported."""
    uses = {literal.use for literal in literals}
    knows_pathlib = file.names.find("pathlib.Path") or file.names.find("pathlib")
    library = file.names.find("os")
    os_path = file.names.find("os.path") or (f"{library}.path" if library else "")
    path_class = ""
    if Use.PATH_CLASS in uses or knows_pathlib or not os_path:
        path_class, file = file.refer_name("pathlib", "Path")
    return _Writer(path_class, os_path, search), file


@dataclass(frozen=True)
class _Writer:
    path_class: str
    """How the file writes ``Path``; empty when it uses ``os.path``."""
    os_path: str
    search: PathLiterals

    def rewrite(self, literal: PathLiteral, depth: int) -> tuple[cst.CSTNode, cst.CSTNode]:
        """Return the node to exchange and what stands there instead."""
        call = literal.call
        if literal.use is Use.PATH_JOIN and call is not None:
            folder = cst.Arg(cst.parse_expression(self._folder(depth)))
            comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
            rest = list(itertools.dropwhile(lambda arg: text_of(arg.value) == ".", call.args))
            return call, call.with_changes(args=[folder.with_changes(comma=comma), *rest])
        if literal.use is Use.PATH_CLASS and call is not None:
            return call, self._path_call(literal, call, depth)
        return literal.node, self._expression(literal, depth)

    def _expression(self, literal: PathLiteral, depth: int) -> cst.BaseExpression:
        node = literal.node
        if not self.path_class:
            join = cst.parse_expression(f"{self.os_path}.join({self._folder(depth)}, _)")
            return _with_last_argument(join, node)
        if literal.use is Use.PATH_ARGUMENT or self._named_path(node):
            return self._division(depth, _atom(node))
        text = node.evaluated_value if isinstance(node, cst.SimpleString) else None
        if isinstance(text, str) and text.endswith("/") and isinstance(node, cst.SimpleString):
            # A Path drops the slash at its end, which what is added to the text relies on.
            bare = node.with_changes(value=f"{node.prefix}{node.quote}{text[:-1]}{node.quote}")
            slash = cst.SimpleString(f"{node.quote}/{node.quote}")
            return cst.BinaryOperation(_str(self._division(depth, bare)), cst.Add(), slash)
        return _str(self._division(depth, _atom(node)))

    def _path_call(self, literal: PathLiteral, call: cst.Call, depth: int) -> cst.BaseExpression:
        if len(call.args) > 1:
            return call.with_changes(func=cst.parse_expression(f"{self._anchor(depth)}.joinpath"))
        division = self._division(depth, _atom(literal.node))
        parent = self.search.parsed.parents[call]
        if isinstance(parent, cst.Attribute | cst.Subscript | cst.Call):
            return _parenthesised(division)
        return division

    def _named_path(self, node: cst.BaseExpression) -> bool:
        parent = self.search.parsed.parents[node]
        if not isinstance(parent, cst.Assign) or len(parent.targets) != 1:
            return False
        target = parent.targets[0].target
        return isinstance(target, cst.Name) and self.search.takes_path(target.value)

    def _division(self, depth: int, right: cst.BaseExpression) -> cst.BinaryOperation:
        return cst.BinaryOperation(cst.parse_expression(self._anchor(depth)), cst.Divide(), right)

    def _anchor(self, depth: int) -> str:
        steps = f".parents[{depth}]" if depth >= _NESTED_PARENTS else ".parent" * (depth + 1)
        return f"{self.path_class}(__file__){steps}"

    def _folder(self, depth: int) -> str:
        if self.path_class and not self.os_path:
            return self._anchor(depth)
        folder = "__file__"
        for _ in range(depth + 1):
            folder = f"{self.os_path}.dirname({folder})"
        return folder


def _with_last_argument(call: cst.BaseExpression, node: cst.BaseExpression) -> cst.Call:
    if not isinstance(call, cst.Call):
        raise TypeError("A join is a call.")
    return call.with_changes(args=[*call.args[:-1], cst.Arg(node)])


def _str(node: cst.BaseExpression) -> cst.Call:
    return cst.Call(cst.Name("str"), [cst.Arg(node)])


def _atom(node: cst.BaseExpression) -> cst.BaseExpression:
    plain = isinstance(node, cst.SimpleString | cst.FormattedString | cst.Call)
    return node if plain or node.lpar else _parenthesised(node)


def _parenthesised(node: cst.BaseExpression) -> cst.BaseExpression:
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])

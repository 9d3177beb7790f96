"""A file a test leaves in the tree: let the test write it in a folder of its own."""

from dataclasses import dataclass
from pathlib import PurePosixPath

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import ABSENT, StateKind
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.functions import (
    contains,
    with_first_statements,
    with_parameter,
)
from regreen_agents.repair.recipes.literals import text_constants, text_of
from regreen_agents.repair.recipes.monkeypatching import Site, polluters_of, site_of, takes_fixtures
from regreen_agents.repair.recipes.names import Names
from regreen_agents.repair.recipes.snippets import prefers_single, statement
from regreen_agents.repair.source import Place, SourceTree

_TAKES_PATHS = frozenset({"open", "io.open", "pathlib.Path", "sqlite3.connect"})


@dataclass(frozen=True)
class OwnFolder:
    """Writes what polluters leave into ``tmp_path``: by the path, or by the working directory."""

    name: str = "own_folder"
    causes: frozenset[Cause] = frozenset({Cause.LEFT_FILE, Cause.SELF_POLLUTION})
    by_folder: bool = False
    """Change into the folder, for files that the code under test writes."""

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of every polluter, or None when one does not name the file itself."""
        files = {c.target for c in finding.state if c.kind is StateKind.FILE}
        made = all(c.before == ABSENT for c in finding.state)
        if not files or not made or finding.state_setters:
            return None
        draft = Draft(tree)
        places: dict[Place, None] = {}
        for node_id in polluters_of(finding):
            site = site_of(draft, NodeId(node_id))
            if site is None or not takes_fixtures(site):
                return None
            if site.place in places:
                continue
            file = _changed_folder(site) if self.by_folder else _own_paths(site, files)
            if file is None:
                return None
            draft.put(file)
            places[site.place] = None
        return self._proposal(sorted(files), draft, tuple(places)) if places else None

    def _proposal(self, files: list[str], draft: Draft, places: tuple[Place, ...]) -> Proposal:
        what = " and ".join(files[:3])
        cons = (
            ("Files the test reads by a relative path are no longer found.",)
            if self.by_folder
            else ("A new test that writes there can leave a file again.",)
        )
        return Proposal(
            recipe=self.name,
            title=f"Write {what} in a folder of the test's own",
            strategy=f"Each polluter writes {what} below `tmp_path`, which pytest makes for the "
            "test alone, so no later test finds the file.",
            pros=("Nothing has to be deleted.", "Tests that run in parallel do not meet."),
            cons=cons,
            edits=draft.edits(),
            change_lines=tuple(f"{p.path}:{p.line} write {what} in tmp_path" for p in places),
        )


def _changed_folder(site: Site) -> SourceFile | None:
    line = statement(site.file.module, "monkeypatch.chdir(tmp_path)")
    if contains(site.file.module, site.function, line):
        return None
    function = with_first_statements(site.function, [line])
    function = with_parameter(with_parameter(function, "tmp_path"), "monkeypatch")
    return site.file.swap(site.function, function)


def _own_paths(site: Site, files: set[str]) -> SourceFile | None:
    own = _Own(site, files)
    body = site.function.body.visit(own)
    if not own.changed or not isinstance(body, cst.BaseSuite):
        return None
    function = site.function.with_changes(body=body)
    return site.file.swap(site.function, with_parameter(function, "tmp_path"))


class _Own(cst.CSTTransformer):
    """Puts ``tmp_path`` before the texts that name a left file."""

    def __init__(self, site: Site, files: set[str]) -> None:
        super().__init__()
        self._names: Names = site.file.names_in(site.function)
        self._files = files
        self._constants = text_constants(site.file.module)
        self._quote = "'" if prefers_single(site.file.module) else '"'
        self.changed = False

    def visit_BinaryOperation(  # noqa: N802 - LibCST's name
        self, node: cst.BinaryOperation
    ) -> bool:
        """What is joined to a folder already is no path of its own."""
        return not isinstance(node.operator, cst.Divide)

    def leave_Call(  # noqa: N802 - LibCST's name
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.BaseExpression:
        """``open("x")`` takes the path itself; other calls may want a text."""
        first = original_node.args[0].value if original_node.args else None
        path = self._path(first) if first is not None else None
        function = self._names.qualify(original_node.func)
        if path is None or function not in _TAKES_PATHS:
            return updated_node
        if function == "pathlib.Path":
            return path.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        args = [updated_node.args[0].with_changes(value=path), *updated_node.args[1:]]
        return updated_node.with_changes(args=args)

    def leave_SimpleString(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.SimpleString,
        updated_node: cst.SimpleString,  # noqa: ARG002 - LibCST's signature
    ) -> cst.BaseExpression:
        return self._text(original_node)

    def leave_Name(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.Name,
        updated_node: cst.Name,  # noqa: ARG002 - LibCST's signature
    ) -> cst.BaseExpression:
        return self._text(original_node)

    def _text(self, node: cst.BaseExpression) -> cst.BaseExpression:
        path = self._path(node)
        return node if path is None else cst.Call(cst.Name("str"), [cst.Arg(path)])

    def _path(self, node: cst.BaseExpression) -> cst.BinaryOperation | None:
        """Return the path in the test's folder, or None when the node names no left file."""
        name = text_of(node)
        if isinstance(node, cst.Name):
            name = self._constants.get(node.value)
        if name is None or str(PurePosixPath(name)) not in self._files:
            return None
        self.changed = True
        last = cst.SimpleString(f"{self._quote}{PurePosixPath(name).name}{self._quote}")
        return cst.BinaryOperation(cst.Name("tmp_path"), cst.Divide(), last)

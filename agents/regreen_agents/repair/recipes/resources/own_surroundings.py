"""A home folder, a umask or a temporary folder the test takes for granted: give it its own."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.flavours import Flavour
from regreen_agents.repair.recipes.functions import (
    contains,
    swapped,
    with_first_statements,
    with_parameter,
)
from regreen_agents.repair.recipes.imports import BLANK, end_of_imports, spaced
from regreen_agents.repair.recipes.literals import text_of
from regreen_agents.repair.recipes.monkeypatching import Site, site_of, takes_fixtures
from regreen_agents.repair.recipes.names import bound_in
from regreen_agents.repair.recipes.resources.anchor_path import suspected_files
from regreen_agents.repair.recipes.snippets import expression, quoted, statements
from regreen_agents.repair.source import SourceTree, definition

_FACTOR = re.compile(r"\bwith (home|umask|tmpdir)=")
_CAUSES = frozenset({Cause.SURROUNDINGS})
_FIXTURE = "_usual_umask"


def factor_of(finding: Finding) -> str:
    """Return the name of the factor that decides, or an empty text."""
    for factor in finding.factors:
        return factor.name
    found = _FACTOR.search(finding.summary)
    return found[1] if found else ""


def edit_victims(
    finding: Finding, tree: SourceTree, change: Callable[[Site], SourceFile | None]
) -> tuple[Draft, tuple[str, ...]] | None:
    """Change every victim's function; None when one cannot be changed."""
    draft = Draft(tree)
    places: dict[str, None] = {}
    for node_id in finding.victims:
        site = site_of(draft, node_id)
        file = change(site) if site is not None else None
        if site is None or file is None:
            return None
        draft.put(file)
        places[f"{site.place.path}:{site.place.line}"] = None
    return draft, tuple(places)


@dataclass(frozen=True)
class OwnHome:
    """Gives each victim an empty home folder of its own."""

    name: str = "own_home"
    causes: frozenset[Cause] = _CAUSES

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return HOME set to a temporary folder in each victim, where the home decides."""
        made = edit_victims(finding, tree, _at_home) if factor_of(finding) == "home" else None
        if made is None or not made[0].edits():
            return None
        return Proposal(
            recipe=self.name,
            title="Give the test a home folder of its own",
            strategy="HOME points to a temporary folder while the test runs, so what lies in the "
            "real home, and whether there is one, no longer matters.",
            pros=("Nobody's real home folder is read or written.", "Touches only these tests."),
            cons=(
                "On Windows the home folder is found by other variables.",
                "Comes too late for what imports and other fixtures have read already.",
            ),
            edits=made[0].edits(),
            change_lines=tuple(f"{place} set HOME for this test" for place in made[1]),
        )


@dataclass(frozen=True)
class UsualUmask:
    """Runs each victim under the umask its expectations were written for."""

    name: str = "usual_umask"
    causes: frozenset[Cause] = _CAUSES

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the umask set and put back around each victim, where it decides."""
        made = edit_victims(finding, tree, _masked) if factor_of(finding) == "umask" else None
        if made is None or not made[0].edits():
            return None
        return Proposal(
            recipe=self.name,
            title="Set the umask the test expects, and put it back",
            strategy="The test runs under umask 022, whatever the shell has that starts it.",
            pros=("The expected permissions stay in the test.", "The old umask always comes back."),
            cons=(
                "If the code promises these permissions to its users, it should set them itself "
                "(os.chmod) instead.",
            ),
            edits=made[0].edits(),
            change_lines=tuple(f"{place} set the umask for this test" for place in made[1]),
        )


@dataclass(frozen=True)
class AskForTemporary:
    """Replaces a written ``/tmp`` by the folder the machine uses."""

    name: str = "ask_for_temporary"
    causes: frozenset[Cause] = _CAUSES

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return ``tempfile.gettempdir()`` for ``"/tmp"`` in the suspected files."""
        if factor_of(finding) != "tmpdir":
            return None
        draft = Draft(tree)
        lines: list[str] = []
        for path in suspected_files(finding):
            parsed, file = tree.parse(path), draft.file(path)
            if parsed is None or file is None:
                continue
            found = _Texts()
            parsed.module.visit(found)
            if found.nodes:
                draft.put(_asking(file, found.nodes))
                lines += [f"{path}:{parsed.line(n)} ask for the folder" for n in found.nodes]
        return self._proposal(draft, lines) if lines else None

    def _proposal(self, draft: Draft, lines: list[str]) -> Proposal:
        return Proposal(
            recipe=self.name,
            title="Ask for the temporary folder instead of writing /tmp",
            strategy="`tempfile.gettempdir()` is where the machine keeps temporary files: TMPDIR, "
            "where it is set.",
            pros=("Works with any TMPDIR, and on systems without /tmp.",),
            cons=("Two runs at once still share the name; `tmp_path` would part them.",),
            edits=draft.edits(),
            change_lines=tuple(lines),
        )


def _at_home(site: Site) -> SourceFile | None:
    if takes_fixtures(site):
        return _with_home_fixture(site)
    if site.flavour is not Flavour.UNITTEST:
        return None
    local = bound_in(site.function)
    patch, file = site.file.refer("unittest.mock", ("patch",), local)
    environ, file = file.refer("os", ("environ",), local)
    folder, file = file.refer("tempfile", ("TemporaryDirectory",), local)
    lines = [
        f"home = {folder}()",
        "self.addCleanup(home.cleanup)",
        f'patcher = {patch}.dict({environ}, {{"HOME": home.name}})',
        "patcher.start()",
        "self.addCleanup(patcher.stop)",
    ]
    return starting_with(site, file, lines)


def _with_home_fixture(site: Site) -> SourceFile | None:
    code = site.file.module.code_for_node(site.function)
    if re.search(r"setenv\(\s*['\"]HOME['\"]", code):
        return site.file
    names = [param.name.value for param in site.function.params.params]
    # An empty folder of its own: what the test puts into tmp_path is not its home.
    folder = 'tmp_path_factory.mktemp("home")' if "tmp_path" in names else "tmp_path"
    file = starting_with(site, site.file, [f'monkeypatch.setenv("HOME", str({folder}))'])
    function = file.function(site.place) if file is not None else None
    if file is None or function is None:
        return file
    changed = with_parameter(function, folder.partition(".")[0])
    return file.swap(function, with_parameter(changed, "monkeypatch"))


def _masked(site: Site) -> SourceFile | None:
    umask, file = site.file.refer("os", ("umask",), bound_in(site.function))
    if site.flavour is Flavour.UNITTEST:
        return starting_with(site, file, [f"self.addCleanup({umask}, {umask}(0o022))"])
    if not takes_fixtures(site):
        return None
    if definition(file.module, (), _FIXTURE) is None:
        file = _with_umask_fixture(file, umask)
    function = file.function(site.place)
    return file.swap(function, with_parameter(function, _FIXTURE)) if function else None


def _with_umask_fixture(file: SourceFile, umask: str) -> SourceFile:
    pytest_name, file = file.refer("pytest")
    lines = [
        f"@{pytest_name}.fixture",
        f"def {_FIXTURE}():",
        f"    old = {umask}(0o022)",
        "    yield",
        f"    {umask}(old)",
    ]
    (new,) = statements(file.module, lines)
    body = list(file.module.body)
    at = end_of_imports(body)
    if isinstance(new, cst.FunctionDef):
        body.insert(at, new.with_changes(leading_lines=[BLANK, BLANK]))
    if at + 1 < len(body):
        body[at + 1] = spaced(body[at + 1], 2)
    return SourceFile(file.tree, file.path, file.module.with_changes(body=body))


def starting_with(site: Site, file: SourceFile, lines: list[str]) -> SourceFile | None:
    """Return the file with statements at a test's start; the same file when they are there."""
    function = file.function(site.place)
    new = statements(file.module, lines)
    if function is None:
        return None
    if contains(file.module, function, new[-1]):
        return site.file
    return file.swap(function, with_first_statements(function, new))


class _Texts(cst.CSTVisitor):
    """Collects the texts that name the temporary folder or something in it."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[cst.SimpleString] = []

    def visit_SimpleString(self, node: cst.SimpleString) -> None:  # noqa: N802 - LibCST's name
        text = text_of(node)
        if text is not None and (text in {"/tmp", "/tmp/"} or text.startswith("/tmp/")):  # noqa: S108 - looked for, not used
            self.nodes.append(node)


def _asking(file: SourceFile, nodes: list[cst.SimpleString]) -> SourceFile:
    folder, file = file.refer("tempfile", ("gettempdir",))
    instead: dict[cst.CSTNode, cst.CSTNode] = {}
    for node in nodes:
        rest = (text_of(node) or "").removeprefix("/tmp").lstrip("/")  # noqa: S108 - looked for
        code = f"{folder}()"
        if rest:
            join, file = file.refer("os", ("path", "join"))
            code = f"{join}({folder}(), {quoted(rest)})"
        instead[node] = expression(file.module, code)
    return SourceFile(file.tree, file.path, swapped(file.module, instead))

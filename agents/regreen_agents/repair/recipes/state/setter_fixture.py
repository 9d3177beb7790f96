"""A test that needs what another test makes: a fixture that makes it by the same code."""

from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.carried_names import with_names_of
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.fixtures import (
    requested,
    visible_files,
    with_fixture_above,
    with_used_fixture,
)
from regreen_agents.repair.recipes.flavours import Flavour
from regreen_agents.repair.recipes.functions import is_docstring
from regreen_agents.repair.recipes.monkeypatching import site_of
from regreen_agents.repair.recipes.names import bound_in, dotted
from regreen_agents.repair.recipes.snippets import statements
from regreen_agents.repair.source import Place, SourceTree


class _Setting(NamedTuple):
    name: str
    """Of the fixture."""
    setter: str
    """Of the test it is made from."""


@dataclass(frozen=True)
class SetterFixture:
    """Makes a fixture of a state-setter's code, without its assertions, for the brittle tests."""

    name: str = "setter_fixture"
    causes: frozenset[Cause] = frozenset({Cause.MISSING_STATE_SETTER, Cause.LEFT_FILE})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of every brittle test, or None when no setter's code can stand alone."""
        if len(finding.state_setters) != 1:
            return None
        draft = Draft(tree)
        setting = _prepared(draft, finding.state_setters[0], finding)
        places: dict[Place, None] = {}
        for node_id in finding.victims if setting is not None else ():
            site = site_of(draft, node_id)
            if setting is None or site is None:
                return None
            if site.place in places:
                continue
            pytest_name, file = site.file.refer("pytest")
            changed = with_used_fixture(file, site.place, setting.name, pytest_name)
            if changed is None:
                return None
            draft.put(changed)
            places[site.place] = None
        return self._proposal(setting, draft, tuple(places)) if setting and places else None

    def _proposal(self, setting: _Setting, draft: Draft, places: tuple[Place, ...]) -> Proposal:
        return Proposal(
            recipe=self.name,
            title=f"Make in a fixture what {setting.setter} makes",
            strategy=f"The fixture {setting.name} runs the code of {setting.setter} without its "
            "assertions, and each brittle test asks for it, so it no longer needs an earlier test.",
            pros=(
                "The test passes alone and in every order.",
                "Uses the project's own code, so it follows what that makes.",
            ),
            cons=(
                f"The code stands twice, in the fixture and in {setting.setter}, which could use "
                "the fixture too.",
            ),
            edits=draft.edits(),
            change_lines=tuple(f"{p.path}:{p.line} use the fixture {setting.name}" for p in places),
        )


def _prepared(draft: Draft, setter: NodeId, finding: Finding) -> _Setting | None:
    """Put the fixture where every brittle test sees it, and tell its name."""
    site = site_of(draft, setter)
    home = _home(draft, finding)
    if site is None or home is None or site.flavour is not Flavour.PLAIN or site.place.classes:
        return None
    # A decorator may supply parameters that are no fixtures.
    if site.function.decorators and requested(site.function):
        return None
    body = _without_assertions(site.function)
    stem = site.place.function.removeprefix("test_").strip("_")
    prefix = "files_of" if finding.cause is Cause.LEFT_FILE else "state_of"
    name = f"{prefix}_{stem}"
    if not body or name in home.names.used:
        return None
    if home.path != site.file.path:
        imported = with_names_of(home, site.file, body, bound_in(site.function))
        if imported is None:
            return None
        home = imported
    pytest_name, home = home.refer("pytest")
    told = statements(home.module, [f'"""Make what {site.place.function} makes."""'])
    function = cst.FunctionDef(
        name=cst.Name(name),
        params=site.function.params,
        body=cst.IndentedBlock([*told, *body]),
        decorators=[cst.Decorator(cst.parse_expression(f"{pytest_name}.fixture"))],
    )
    draft.put(with_fixture_above(home, function, _first(draft, finding, home)))
    return _Setting(name, site.place.function)


def _home(draft: Draft, finding: Finding) -> SourceFile | None:
    """Return the file the brittle tests share: their own, or the nearest conftest above all."""
    paths = list(dict.fromkeys(v.partition("::")[0] for v in finding.victims))
    first = draft.file(paths[0])
    if first is None or len(paths) == 1:
        return first
    seen = [visible_files(first.tree, path)[1:] for path in paths]
    common = [path for path in seen[0] if all(path in others for others in seen)]
    return draft.file(common[0]) if common else None


def _first(draft: Draft, finding: Finding, file: SourceFile) -> cst.CSTNode | None:
    """Return the statement to put the fixture above: the first brittle test."""
    places = [place for v in finding.victims if (place := draft.place(v)) is not None]
    here = [place for place in places if place.path == file.path]
    names = {(place.classes or (place.function,))[0] for place in here}
    for node in file.module.body:
        if isinstance(node, cst.FunctionDef | cst.ClassDef) and node.name.value in names:
            return node
    return None


def _without_assertions(function: cst.FunctionDef) -> list[cst.BaseStatement]:
    """Return the statements of a test that set up, down to the last one that does."""
    body = function.body.body if isinstance(function.body, cst.IndentedBlock) else ()
    kept = [
        statement
        for statement in body
        if not is_docstring(statement) and not _is_assertion(statement)
    ]
    if kept and isinstance(kept[0], cst.SimpleStatementLine | cst.BaseCompoundStatement):
        bare = [line for line in kept[0].leading_lines if line.comment is not None]
        kept[0] = kept[0].with_changes(leading_lines=bare)
    return kept


def _is_assertion(statement: cst.BaseStatement) -> bool:
    if isinstance(statement, cst.SimpleStatementLine):
        return all(_is_check(small) for small in statement.body)
    if isinstance(statement, cst.With):
        items = [i.item.func for i in statement.items if isinstance(i.item, cst.Call)]
        return any(dotted(func).rpartition(".")[2] in {"raises", "warns"} for func in items)
    if isinstance(statement, cst.For | cst.If):
        inner = statement.body.body
        return all(isinstance(s, cst.BaseStatement) and _is_assertion(s) for s in inner)
    return False


def _is_check(small: cst.BaseSmallStatement) -> bool:
    if isinstance(small, cst.Assert):
        return True
    if not isinstance(small, cst.Expr) or not isinstance(small.value, cst.Call):
        return False
    return dotted(small.value.func).rpartition(".")[2].startswith("assert")

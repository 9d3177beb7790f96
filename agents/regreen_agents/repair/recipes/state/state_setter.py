"""A test that needs state another test sets up: let it set that state itself."""

import ast
import builtins
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import ABSENT, StateChange, StateKind
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.flavours import Flavour
from regreen_agents.repair.recipes.functions import contains, with_first_statements, with_parameter
from regreen_agents.repair.recipes.monkeypatching import Site, site_of, takes_fixtures
from regreen_agents.repair.recipes.names import bound_in, dotted, is_dotted_name
from regreen_agents.repair.recipes.snippets import quoted, restyled, statements, wrapped
from regreen_agents.repair.recipes.state.env_monkeypatch import with_patched_environment
from regreen_agents.repair.source import Place, SourceTree, definition

_OWNED = frozenset({StateKind.MODULE_GLOBAL, StateKind.CLASS_ATTRIBUTE})


@dataclass(frozen=True)
class StateSetter:
    """Gives each brittle test the literal state that a state-setter leaves."""

    name: str = "state_setter"
    causes: frozenset[Cause] = frozenset({Cause.MISSING_STATE_SETTER, Cause.LEFT_FILE})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of every brittle test, or None when the state is no literal."""
        changes = _wanted(finding)
        draft = Draft(tree)
        places: dict[Place, None] = {}
        for node_id in finding.victims if changes else ():
            site = site_of(draft, node_id)
            if site is None:
                return None
            if site.place in places:
                continue
            if _only_reads(site, changes):
                return None
            file = _prepared(site, changes)
            if file is None:
                return None
            draft.put(file)
            places[site.place] = None
        return self._proposal(changes, draft, tuple(places)) if draft.edits() else None

    def _proposal(
        self, changes: tuple[StateChange, ...], draft: Draft, places: tuple[Place, ...]
    ) -> Proposal:
        what = ", ".join(change.target for change in changes)
        return Proposal(
            recipe=self.name,
            title=f"Set {what} in the test that needs it",
            strategy=f"Each brittle test sets {what} to the value it got from an earlier test, and "
            "the old value comes back afterwards.",
            pros=(
                "The test says what it depends on and passes alone.",
                "Nothing is left behind for other tests.",
            ),
            cons=("The value is written twice: here and in the test that used to set it.",),
            edits=draft.edits(),
            change_lines=tuple(f"{p.path}:{p.line} set {what} for this test" for p in places),
        )


def _wanted(finding: Finding) -> tuple[StateChange, ...]:
    """Return the changes to repeat, one per state; nothing when one of them is no literal."""
    first = {(c.kind, c.target): c for c in reversed(finding.state)}
    changes = [c for c in first.values() if c.kind in _OWNED or c.kind is StateKind.ENVIRONMENT]
    return tuple(c for c in reversed(changes) if c.literal_after and _is_literal(c.after))


def _only_reads(site: Site, changes: tuple[StateChange, ...]) -> bool:
    """Tell whether a test calls nothing of the project: set by itself, the state proves nothing."""
    names = {change.attribute.rpartition(".")[2] for change in changes if change.kind in _OWNED}
    calls = m.findall(site.function.body, m.Call())
    called = {dotted(cst.ensure_type(one, cst.Call).func) or "?" for one in calls}
    plain = all(hasattr(builtins, name) or ".assert" in f".{name}" for name in called)
    read = m.findall(site.function.body, m.Attribute() | m.Name())
    found = {one.attr.value if isinstance(one, cst.Attribute) else one.value for one in read}  # type: ignore[attr-defined]
    return plain and bool(names & found)


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError):
        return False
    return True


def _prepared(site: Site, changes: tuple[StateChange, ...]) -> SourceFile | None:
    """Return the file with the state set at the start of one test."""
    variables = [c for c in changes if c.kind is StateKind.ENVIRONMENT]
    owned = [c for c in changes if c.kind in _OWNED]
    if takes_fixtures(site):
        return _with_lines(site, owned, variables)
    if site.flavour is not Flavour.UNITTEST:
        return None
    file: SourceFile | None = site.file
    if variables:
        entries = ", ".join(f"{quoted(c.target)}: {restyled(c.after)}" for c in variables)
        file = with_patched_environment(site, "{" + entries + "}")
    function = file.function(site.place) if file is not None else None
    if file is None or function is None:
        return None
    return _with_lines(site._replace(file=file, function=function), owned, [])


def _with_lines(
    site: Site, owned: list[StateChange], variables: list[StateChange]
) -> SourceFile | None:
    file, local = site.file, bound_in(site.function)
    lines = [f"monkeypatch.setenv({quoted(c.target)}, {restyled(c.after)})" for c in variables]
    for change in owned:
        owner, file = _owner(file, change, local)
        if not owner:
            return None
        name = change.attribute.rpartition(".")[2]
        restored = _tear_down_sets(site, f"{owner}.{name}")
        for line in _setting(site.flavour, owner, name, change)[restored:]:
            lines.extend(wrapped(line))
    function = file.function(site.place)
    if function is None:
        return None
    new = statements(file.module, lines)
    if not new:
        return file
    if contains(file.module, function, new[0]):
        return None
    changed = with_first_statements(function, new)
    if site.flavour is Flavour.PLAIN:
        changed = with_parameter(changed, "monkeypatch")
    return file.swap(function, changed)


def _tear_down_sets(site: Site, target: str) -> bool:
    """Tell whether the test's class puts something back itself, after every test."""
    if site.flavour is not Flavour.UNITTEST:
        return False
    tear_down = definition(site.file.module, site.place.classes, "tearDown")
    if tear_down is None:
        return False
    lines = site.file.module.code_for_node(tear_down.body).splitlines()
    return any(line.strip().startswith(f"{target} = ") for line in lines)


def _owner(file: SourceFile, change: StateChange, local: frozenset[str]) -> tuple[str, SourceFile]:
    """Return how the module or class holding the state is written, or an empty text."""
    path = change.attribute.split(".")
    if not is_dotted_name(change.module) or not is_dotted_name(change.attribute):
        return "", file
    if not file.is_module(change.module):
        return file.refer(change.module, path[:-1], local)
    if path[1:]:
        return ".".join(path[:-1]), file
    modules, file = file.refer("sys", ("modules",), local)
    return f"{modules}[__name__]", file


def _setting(flavour: Flavour, owner: str, name: str, change: StateChange) -> list[str]:
    value = restyled(change.after)
    created = change.before == ABSENT
    if flavour is Flavour.PLAIN:
        raising = ", raising=False" if created else ""
        return [f"monkeypatch.setattr({owner}, {quoted(name)}, {value}{raising})"]
    undo = (
        f"delattr, {owner}, {quoted(name)}"
        if created
        else (f"setattr, {owner}, {quoted(name)}, {owner}.{name}")
    )
    return [f"self.addCleanup({undo})", f"{owner}.{name} = {value}"]

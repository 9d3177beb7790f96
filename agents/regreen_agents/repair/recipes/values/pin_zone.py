"""A test that follows the time zone of the machine: hold the zone still while it runs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import ABSENT, StateChange, StateKind
from regreen_agents.errors import RegreenError
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.class_environment import unittest_classes, with_environment
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.flavours import Flavour
from regreen_agents.repair.recipes.functions import with_first_statements
from regreen_agents.repair.recipes.monkeypatching import Site, site_of
from regreen_agents.repair.recipes.names import bound_in
from regreen_agents.repair.recipes.resources.unset_variable import (
    UnsetVariable,
    UnsetVariableFixture,
    is_crowded,
)
from regreen_agents.repair.recipes.snippets import statements
from regreen_agents.repair.recipes.state.env_monkeypatch import with_patched_environment
from regreen_agents.repair.recipes.values.fixtures import with_fixture, with_mark
from regreen_agents.repair.recipes.values.suspicion import files_of_interest
from regreen_agents.repair.source import SourceTree

_READS_TZ = re.compile(r"""(?:environ(?:\.get\(|\[)|getenv\()\s*b?(['"])TZ\1""")
_SAFE_ZONE = re.compile(r"[\w/+-]+")
_FACTORS = ("time-zone", "dst")
_PIN_TEST, _PIN_FILE, _UNSET_TEST, _UNSET_FILE = 1, 2, 3, 4
_UNIX_ONLY = "`time.tzset()` exists on Unix only."


@dataclass(frozen=True)
class PinZone:
    """Sets or unsets TZ; the variant is which, for the failing tests or for their whole file."""

    name: str = "pin_zone"
    causes: frozenset[Cause] = frozenset({Cause.TIME_ZONE})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the least invasive choice, or None when no victim can be edited."""
        return next(iter(self.variants(finding, tree)), None)

    def variant(self, number: int, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return one choice: 1 and 2 set a zone, 3 and 4 unset it; even ones for a whole file."""
        if number in (_UNSET_TEST, _UNSET_FILE):
            return self._unset(number, finding, tree)
        return self._pinned(number, finding, tree) if number in (_PIN_TEST, _PIN_FILE) else None

    def variants(self, finding: Finding, tree: SourceTree) -> tuple[Proposal, ...]:
        """Return the choices; unsetting first where the code asks for the variable itself."""
        order = [_PIN_TEST, _PIN_FILE, _UNSET_TEST, _UNSET_FILE]
        if is_crowded(finding):
            order = [_PIN_FILE, _PIN_TEST, _UNSET_FILE, _UNSET_TEST]
        if _reads_the_variable(finding, tree):
            order = [*order[2:], *order[:2]]
        found = (self.variant(number, finding, tree) for number in order)
        return tuple(proposal for proposal in found if proposal is not None)

    def _unset(self, number: int, finding: Finding, tree: SourceTree) -> Proposal | None:
        recipe = UnsetVariable() if number == _UNSET_TEST else UnsetVariableFixture()
        change = StateChange(
            node_id=finding.victims[0],
            kind=StateKind.ENVIRONMENT,
            target="TZ",
            before="",
            after=ABSENT,
        )
        proposal = recipe.propose(finding.model_copy(update={"state": (change,)}), tree)
        named = {"recipe": f"{self.name}={number}"}
        return proposal.model_copy(update=named) if proposal is not None else None

    def _pinned(self, number: int, finding: Finding, tree: SourceTree) -> Proposal | None:
        zone, draft = _zone(finding), Draft(tree)
        if number == _PIN_FILE:
            lines = [
                line for path in _files(finding) if (line := _in_file(draft, finding, path, zone))
            ]
            return self._proposal(number, zone, draft, lines) if lines else None
        places = []
        for node_id in finding.victims:
            site = site_of(draft, node_id)
            if site is None or site.flavour is Flavour.UNKNOWN:
                return None
            file = _in_test(site, zone)
            if file is not None:
                draft.put(file)
                places.append(f"{site.place.path}:{site.place.line} run in {zone}")
        return self._proposal(number, zone, draft, list(dict.fromkeys(places))) if places else None

    def _proposal(self, number: int, zone: str, draft: Draft, lines: list[str]) -> Proposal:
        whole = number == _PIN_FILE
        who = "every test of the failing file" if whole else "the failing test"
        return Proposal(
            recipe=f"{self.name}={number}",
            title=f"Run {who} in the time zone {zone}",
            strategy=f"TZ is set to {zone} and the C library told so (`time.tzset()`) before "
            "the test; both are put back afterwards.",
            pros=(
                "The result no longer depends on where the machine stands.",
                "The zone comes back even when the test fails.",
            ),
            cons=(
                "Nothing tests the code in other zones any more: make sure that the test was "
                "wrong to depend on the zone, and not the code.",
                _UNIX_ONLY,
                *(("Runs for every test of the file.",) if whole else ()),
            ),
            edits=draft.edits(),
            change_lines=tuple(lines),
        )


def _zone(finding: Finding) -> str:
    """Return the zone in which it is known to pass, UTC where that is the machine's own."""
    cells = finding.matrix.cells if finding.matrix is not None else ()
    for cell in cells:
        passes = cell.flips and cell.changed.failures == 0
        if passes and cell.factor.name == "time-zone" and _SAFE_ZONE.fullmatch(cell.factor.value):
            return cell.factor.value
    return "UTC"


def _reads_the_variable(finding: Finding, tree: SourceTree) -> bool:
    return any(_READS_TZ.search(text) for text in _texts(finding, tree))


def _texts(finding: Finding, tree: SourceTree) -> Iterator[str]:
    for path in files_of_interest(finding, tree):
        try:
            yield tree.read(path)
        except RegreenError:
            continue


def _files(finding: Finding) -> list[str]:
    return list(dict.fromkeys(name.partition("::")[0] for name in finding.victims))


def _in_file(draft: Draft, finding: Finding, path: str, zone: str) -> str:
    """Hold the zone for a whole file and return what is done, or an empty text."""
    old = draft.file(path)
    classes = unittest_classes(finding, path, draft)
    new = with_environment(old, classes, {"TZ": zone}) if old is not None and classes else None
    if old is not None and not classes:
        new = _fixture(old, zone, autouse=True)
    if old is None or new is None or new is old:
        return ""
    draft.put(new)
    return f"{path}:1 run each test in {zone}"


def _in_test(site: Site, zone: str) -> SourceFile | None:
    if site.flavour is Flavour.UNITTEST:
        return _in_method(site, zone)
    file = _fixture(site.file, zone, autouse=False)
    return with_mark(file, site.place, _fixture_name(zone))


def _fixture(file: SourceFile, zone: str, *, autouse: bool) -> SourceFile:
    name = ("_in_" if autouse else "in_") + _slug(zone)
    tzset, changed = file.refer("time", ("tzset",))
    pytest_name, changed = changed.refer("pytest")
    body = [
        f'"""Run the test in {zone}, wherever the machine stands."""',
        f"with {pytest_name}.MonkeyPatch.context() as patch:",
        f'    patch.setenv("TZ", "{zone}")',
        f"    {tzset}()",
        "    yield",
        f"{tzset}()",
    ]
    made = with_fixture(changed, name, body, autouse=autouse)
    return file if made is changed else made


def _fixture_name(zone: str) -> str:
    return f"in_{_slug(zone)}"


def _slug(zone: str) -> str:
    return re.sub(r"\W+", "_", zone.rpartition("/")[2]).strip("_").lower()


def _in_method(site: Site, zone: str) -> SourceFile | None:
    """Return the file with the zone set at the start of a TestCase method."""
    local = bound_in(site.function)
    tzset, file = site.file.refer("time", ("tzset",), local)
    # Clean-ups run last in, first out: telling the C library has to come after the old value.
    file = _starting_with(site._replace(file=file), f"{tzset}()")
    function = file.function(site.place)
    if function is None:
        return None
    values = f'{{"TZ": "{zone}"}}'
    patched = with_patched_environment(site._replace(file=file, function=function), values)
    if patched is None:
        return None
    return _starting_with(site._replace(file=patched), f"self.addCleanup({tzset})")


def _starting_with(site: Site, line: str) -> SourceFile:
    function = site.file.function(site.place)
    if function is None:
        return site.file
    new = with_first_statements(function, statements(site.file.module, [line]))
    return site.file.swap(function, new)

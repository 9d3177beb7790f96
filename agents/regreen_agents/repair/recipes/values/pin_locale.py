"""A test that follows the machine's locale: hold the locale still while it runs."""

import re
from dataclasses import dataclass

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.errors import RegreenError
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.flavours import Flavour
from regreen_agents.repair.recipes.functions import with_first_statements
from regreen_agents.repair.recipes.monkeypatching import Site, site_of
from regreen_agents.repair.recipes.names import bound_in
from regreen_agents.repair.recipes.snippets import statements
from regreen_agents.repair.recipes.values.fixtures import with_fixture, with_mark
from regreen_agents.repair.recipes.values.suspicion import files_of_interest
from regreen_agents.repair.source import SourceTree

LOCALE = "C.UTF-8"
_PROCESSES = re.compile(r"\b(?:subprocess|Popen|os\.system)\b")
_CONS = (
    "Nothing tests the code under other locales any more: make sure that the test was wrong to "
    "depend on the locale, and not the code.",
    f"{LOCALE} is on every Linux; macOS needs {LOCALE.replace('C', 'en_US')} there.",
)


@dataclass(frozen=True)
class PinLocale:
    """Sets the locale before the failing tests, or (variant 2) before every test of their file."""

    name: str = "pin_locale"
    causes: frozenset[Cause] = frozenset({Cause.LOCALE})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the edit of the failing tests, or None when one cannot be edited."""
        return self.variant(1, finding, tree)

    def variant(self, number: int, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the edit of the tests (1) or of their files (2)."""
        if number not in (1, 2) or any(f.value == LOCALE for f in finding.factors):
            return None
        draft, starts = Draft(tree), _starts_processes(finding, tree)
        lines: dict[str, None] = {}
        for node_id in finding.victims:
            site = site_of(draft, node_id)
            file = _pinned(site, starts=starts, whole=number == 2) if site is not None else None  # noqa: PLR2004 - the variants' names
            if site is None or file is None:
                return None
            if file is not site.file:
                draft.put(file)
                lines[f"{site.place.path}:{site.place.line} run in the locale {LOCALE}"] = None
        return self._proposal(number, draft, tuple(lines)) if lines else None

    def variants(self, finding: Finding, tree: SourceTree) -> tuple[Proposal, ...]:
        """Return both."""
        found = (self.variant(number, finding, tree) for number in (1, 2))
        return tuple(proposal for proposal in found if proposal is not None)

    def _proposal(self, number: int, draft: Draft, lines: tuple[str, ...]) -> Proposal:
        who = "the failing test" if number == 1 else "every test of the failing file"
        return Proposal(
            recipe=self.name if number == 1 else f"{self.name}={number}",
            title=f"Run {who} in the locale {LOCALE}",
            strategy="The locale is set before the test and put back after it.",
            pros=("Covers encodings, sorting and formatting at once.", "Touches only the test."),
            cons=_CONS,
            edits=draft.edits(),
            change_lines=lines,
        )


def _starts_processes(finding: Finding, tree: SourceTree) -> bool:
    """Tell whether code near the failure starts processes, which read the variables."""
    for path in files_of_interest(finding, tree):
        try:
            if _PROCESSES.search(tree.read(path)):
                return True
        except RegreenError:
            continue
    return False


def _pinned(site: Site, *, starts: bool, whole: bool) -> SourceFile | None:
    """Return the file with the locale set; the same file when it is."""
    if site.flavour is Flavour.UNITTEST and not whole:
        return None if starts else _in_method(site)
    if site.flavour is Flavour.UNKNOWN and not whole:
        return None
    name = ("_in_" if whole else "in_") + "utf8_locale"
    library, changed = site.file.refer("locale")
    pytest_name, changed = changed.refer("pytest")
    body = _fixture_body(library, pytest_name if starts else "")
    made = with_fixture(changed, name, body, autouse=whole)
    file = site.file if made is changed else made
    return file if whole else with_mark(file, site.place, name) or site.file


def _fixture_body(library: str, pytest_name: str) -> list[str]:
    core = [
        f"saved = {library}.setlocale({library}.LC_ALL)",
        f'{library}.setlocale({library}.LC_ALL, "{LOCALE}")',
        "yield",
        f"{library}.setlocale({library}.LC_ALL, saved)",
    ]
    if pytest_name:
        core = [
            *core[:2],
            f"with {pytest_name}.MonkeyPatch.context() as patch:",
            f'    patch.setenv("LC_ALL", "{LOCALE}")',
            "    yield",
            core[3],
        ]
    return ['"""Run the test in a fixed locale, whatever that of the machine."""', *core]


def _in_method(site: Site) -> SourceFile:
    """Return the file with the locale set at the start of a TestCase method."""
    local = bound_in(site.function)
    library, file = site.file.refer("locale", (), local)
    present = f"{library}.setlocale({library}.LC_ALL)"
    lines = [
        f"self.addCleanup({library}.setlocale, {library}.LC_ALL, {present})",
        f'{library}.setlocale({library}.LC_ALL, "{LOCALE}")',
    ]
    if lines[1] in file.module.code_for_node(site.function).replace("'", '"'):
        return site.file
    function = file.function(site.place)
    if function is None:
        return site.file
    new = with_first_statements(function, statements(file.module, lines))
    return file.swap(function, new)

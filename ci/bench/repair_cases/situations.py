"""The situations: ways in which tests get sick, read from the texts beside this module.

A text holds situations; a situation is a headline and sections:

    === kind/variant shows=after [direct] [style=pytest] [wants=policy] [env=NAME:value]
    --- source                      the module under test
    --- head                        lines at the top of the test module
    --- polluter name (tmp_path)    a test: its role, its name, its fixtures; then its body
    --- sick name                   a test that suffers; several are possible
    --- healthy name                a test that looks guilty, or uses the same state properly
    --- file PATH                   a file beside the test module
    --- module NAME                 a whole test module instead of tests; `#!` lines name its tests
    --- cure SECTION [name]         what that section reads once it is repaired (the known-good fix)
    --- mutate                      old ==> new, in the source: the sick tests must catch it

``<n> <N> <U>`` are a drawn noun as name, class and constant, ``<a>`` and ``<b>`` two more names,
``<i>`` and ``<j>`` different small numbers, ``<p>`` the package, ``<m>`` the module under test.
``M.`` is the module under test however the test module imports it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

HEADLINE = re.compile(r"^=== (?P<kind>[\w-]+)/(?P<variant>[\w-]+)(?P<words>.*)$")
SECTION = re.compile(r"^--- (?P<role>\w+)(?: (?P<name>[^\s(]+))?(?: \((?P<fixtures>.*)\))?$")
TESTS = ("polluter", "setter", "sick", "healthy")
SHOWS = {
    "after": "green alone, red after its polluters",
    "alone": "red alone, green after its setters",
    "seed": "red under some random seeds and green under others",
    "hash": "red under some hash seeds and green under others",
    "listing": "follows the order in which folders are listed",
    "zone": "green in UTC, red in another time zone",
    "encoding": "red under the locale C without UTF-8",
    "home": "red with an empty home folder",
    "tmpdir": "red with another folder for temporary files",
    "twice": "green the first time, red when it runs again in the same process",
    "chance": "red in some of several runs",
    "always": "red in every run",
    "skipped": "skipped, for a reason that is gone",
}
"""How it shows -> what that means."""


@dataclass(frozen=True)
class Test:
    """One test of a situation."""

    __test__ = False

    role: str
    """polluter, setter, sick or healthy."""
    name: str
    """Without ``test_``."""
    body: str
    fixtures: tuple[str, ...] = ()


@dataclass
class Situation:
    """One way of being sick, with placeholders where names are drawn."""

    family: str
    """Stem of the text it comes from."""
    kind: str
    variant: str
    shows: str
    style: str = ""
    """``pytest`` when its tests cannot be written for unittest."""
    wants: str = "fix"
    """``policy`` when only a person may decide; then nothing may be merged."""
    env: str = ""
    """``NAME:value`` that the suite is started with."""
    direct: bool = False
    """Whether names may be imported from the module under test."""
    source: str = ""
    head: str = ""
    module: str = ""
    module_tests: tuple[tuple[str, str], ...] = ()
    """Role and node id within the module, for a whole module."""
    tests: list[Test] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    cures: dict[str, str] = field(default_factory=dict)
    """Section, ``source`` or ``polluter name``, -> its text once repaired."""
    mutation: tuple[str, str] = ("", "")

    @property
    def name(self) -> str:
        """Kind and variant."""
        return f"{self.kind}/{self.variant}"


def all_situations(folder: Path = Path(__file__).parent) -> list[Situation]:
    """Read every text of a folder.

    Raises:
        ValueError: A text does not keep the form.
    """
    found: list[Situation] = []
    for path in sorted(folder.glob("*.txt")):
        found += situations_of(path.stem, path.read_text("utf-8"))
    return found


def situations_of(family: str, text: str) -> Iterator[Situation]:
    """Read the situations of one text."""
    blocks = re.split(r"^(?==== )", text, flags=re.MULTILINE)[1:]
    for block in blocks:
        headline, _, rest = block.partition("\n")
        yield _situation(family, headline, rest)


def _situation(family: str, headline: str, text: str) -> Situation:
    match = HEADLINE.match(headline)
    if match is None:
        raise ValueError(f"not a headline: {headline!r}")
    words = match["words"].split()
    options = dict(word.split("=", 1) for word in words if "=" in word)
    made = Situation(family, match["kind"], match["variant"], options.pop("shows", ""))
    made.style, made.env = options.pop("style", ""), options.pop("env", "")
    made.wants = options.pop("wants", "fix")
    if options:
        raise ValueError(f"{headline!r}: no such words: {', '.join(options)}")
    if made.shows not in SHOWS:
        raise ValueError(f"{headline!r}: shows must be one of {', '.join(SHOWS)}")
    made.direct = "direct" in words
    for section in re.split(r"^(?=--- )", text, flags=re.MULTILINE)[1:]:
        first, _, body = section.partition("\n")
        _add(made, first, body.strip("\n") + "\n")
    return made


def _add(made: Situation, first: str, body: str) -> None:
    """Put one section where it belongs."""
    if first.startswith("--- cure "):
        made.cures[first.removeprefix("--- cure ").strip()] = body
        return
    match = SECTION.match(first)
    if match is None:
        raise ValueError(f"{made.name}: not a section: {first!r}")
    role, name = match["role"], match["name"] or ""
    if role in TESTS:
        fixtures = tuple(re.findall(r"[\w<>]+", match["fixtures"] or ""))
        made.tests.append(Test(role, name, body, fixtures))
    elif role == "file":
        made.files[name] = body
    elif role == "mutate":
        old, _, new = body.strip().partition(" ==> ")
        made.mutation = (old, new)
    elif role == "module":
        tells = re.findall(r"^#! (\w+) (\S+)\n", body, flags=re.MULTILINE)
        made.module_tests = tuple(tells)
        made.module = re.sub(r"^#! .*\n", "", body, flags=re.MULTILINE)
    elif role in ("source", "head"):
        setattr(made, role, body)
    else:
        raise ValueError(f"{made.name}: no such section: {role}")

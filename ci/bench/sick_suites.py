"""Make a sick project whose every illness is known, to judge the laboratory and its peers by.

``python ci/bench/sick_suites.py FOLDER [--seed N]`` writes 300 tests in 20 modules to
``FOLDER/project`` and what is wrong with them to ``FOLDER/truth.json``, outside the project. Names
and places are drawn from the seed, so that nothing can be told from them. The project imports for
about a second of processor time, as real ones do: standard library, dataclasses, patterns.
"""

import argparse
import json
import random
import sys
import textwrap
from dataclasses import asdict, dataclass, field
from pathlib import Path

MODULES, TESTS_EACH = 20, 15
WORDS = (
    "amber birch cedar delta ember fable grove haven inlet jetty kestrel lagoon meadow nectar "
    "orchid pebble quartz ripple saddle thicket umbra valley willow yarrow zephyr acorn basin "
    "canyon dune estuary"
)
TONES = "calm brisk dim even fair grand hollow idle keen light mild near odd plain quiet"
"""Names are made of these; none means anything."""


@dataclass(frozen=True)
class Sick:
    """One test that suffers, with the truth about it."""

    test: str
    """Node id."""
    role: str
    """victim, brittle or random."""
    kind: str
    others: tuple[str, ...]
    """The smallest set of polluters or state-setters, in file order; empty for random."""


@dataclass(frozen=True)
class Ailment:
    """One way in which a test depends on others, or on chance."""

    kind: str
    role: str
    """victim, brittle or random."""
    source: str
    """Of a module in the package under test; ``{m}`` below is its name."""
    subject: str
    """The body of the test that suffers."""
    others: tuple[str, ...] = ()
    """The bodies of its polluters or state-setters; all of them are needed together."""


VICTIMS = (
    Ailment(
        "global-list",
        "victim",
        "entries: list[str] = []\n",
        "assert set({m}.entries) < {{'left', 'right'}}",
        ("{m}.entries.append('left')", "{m}.entries.append('right')"),
    ),
    Ailment(
        "class-attribute",
        "victim",
        "class Box:\n    size = 12\n",
        "assert {m}.Box().size == 12",
        ("{m}.Box.size = 3\nassert {m}.Box().size == 3",),
    ),
    Ailment(
        "environment-variable",
        "victim",
        "import os\n\n\ndef unit():\n    return os.environ.get('WARE_{M}', 'kg')\n",
        "assert {m}.unit() == 'kg'",
        ("os.environ['WARE_{M}'] = 'lb'\nassert {m}.unit() == 'lb'",),
    ),
    Ailment(
        "working-directory",
        "victim",
        "from pathlib import Path\n\n\ndef notes():\n    return Path('ware/{m}.txt').read_text()\n",
        "assert {m}.notes() == '{m}'",
        ("os.chdir(tmp_path)\nassert list(tmp_path.iterdir()) == []",),
    ),
    Ailment(
        "patch",
        "victim",
        "def price():\n    return 5\n",
        "assert {m}.price() == 5",
        ("mock.patch('ware.{m}.price', return_value=9).start()\nassert {m}.price() == 9",),
    ),
)
ENVIRONMENT_LEAKS = (
    Ailment(
        "time-zone",
        "victim",
        "import time\n\nOFFSET = time.localtime(0).tm_gmtoff\n",
        "assert time.localtime(0).tm_gmtoff == {m}.OFFSET",
        ("os.environ['TZ'] = 'XYZ-5:30'\ntime.tzset()\nassert time.tzname[0] == 'XYZ'",),
    ),
    Ailment(
        "removed-variable",
        "victim",
        "import os\n\nos.environ['WARE_{M}'] = '1'\n\n\ndef switch():\n"
        "    return os.environ['WARE_{M}']\n",
        "assert {m}.switch() == '1'",
        ("os.environ.pop('WARE_{M}', None)\nassert 'WARE_{M}' not in os.environ",),
    ),
)
BRITTLES = (
    Ailment(
        "registry",
        "brittle",
        "readers: dict[str, type] = {{}}\n",
        "assert {m}.readers['csv'] is dict",
        ("{m}.readers['csv'] = dict\nassert {m}.readers",),
    ),
    Ailment(
        "set-up-elsewhere",
        "brittle",
        "class Store:\n    path = None\n\n    @classmethod\n    def start(cls):\n"
        "        cls.path = '/'\n",
        "assert {m}.Store.path.startswith('/')",
        ("{m}.Store.start()\nassert {m}.Store.path",),
    ),
)
RANDOMS = (
    Ailment("random-float", "random", "LIMIT = 0.3\n", "assert random.random() > {m}.LIMIT"),
    Ailment("random-choice", "random", "ODD = 4\n", "assert random.choice(range(5)) != {m}.ODD"),
    Ailment(
        "random-order", "random", "SIZE = 2\n", "assert random.sample('ab', {m}.SIZE)[0] < 'b'"
    ),
)
AILMENTS = VICTIMS + ENVIRONMENT_LEAKS + BRITTLES + RANDOMS
HEALTHY = (
    "assert sorted([{a}, {b}]) == [min({a}, {b}), max({a}, {b})]",
    "monkeypatch.setenv('WARE_{M}', '{a}')\nassert os.environ['WARE_{M}'] == '{a}'",
    "(tmp_path / 'a').write_text('{a}')\nassert (tmp_path / 'a').read_text() == '{a}'",
    "tables.LEDGER.append({a})\nassert {a} in tables.LEDGER",
    "tables.Counts.total += {a}\nassert tables.Counts.total >= {a}",
    "with mock.patch.object(tables, 'LEDGER', []):\n    assert tables.LEDGER == []",
    "assert len({{tables.digest(n) for n in range({b})}}) == {b}",
    "monkeypatch.chdir(tmp_path)\nassert list(tmp_path.iterdir()) == []",
    "random.Random({a}).shuffle(items := list(range({b})))\nassert len(items) == {b}",
)
"""Bodies of tests that suffer from nothing; some leave something behind that nobody reads."""


@dataclass
class Suite:
    """The project while it is drawn."""

    rng: random.Random
    names: list[str] = field(default_factory=list)
    """Node ids of all tests, in file order."""
    bodies: dict[str, str] = field(default_factory=dict)
    truth: list[Sick] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    """Name of a module of the package -> its text."""

    def take(self) -> int:
        """Draw the index of a test that has no body yet."""
        return self.rng.choice([i for i, n in enumerate(self.names) if n not in self.bodies])


def draw(seed: int) -> Suite:
    """Decide everything about one project."""
    suite = Suite(random.Random(seed))
    nouns, adjectives = WORDS.split(), TONES.split()
    words = sorted(suite.rng.sample(nouns, MODULES))
    parts = suite.rng.sample(range(len(AILMENTS)), len(AILMENTS))
    for module in range(MODULES):
        tones = suite.rng.sample(adjectives, TESTS_EACH)
        suite.names += [
            f"tests/test_{words[module]}.py::test_{tone}_{suite.rng.choice(nouns)}"
            for tone in tones
        ]
    for part, ailment in zip(parts, AILMENTS, strict=True):
        _afflict(suite, ailment, f"part_{part:02}")
    for name in suite.names:
        if name not in suite.bodies:
            body = suite.rng.choice(HEALTHY)
            suite.bodies[name] = body.format(
                a=suite.rng.randint(2, 99), b=suite.rng.randint(2, 40), M="OTHER"
            )
    suite.rng.shuffle(suite.truth)
    return suite


def _afflict(suite: Suite, ailment: Ailment, module: str) -> None:
    """Give an ailment its tests; a brittle test comes after its setter, so that all is green."""
    places: list[int] = []
    for _ in range(1 + len(ailment.others)):
        places.append(suite.take())
        suite.bodies[suite.names[places[-1]]] = ""
    if ailment.role == "brittle":
        places.sort(reverse=True)
    names = [suite.names[place] for place in places]
    words = {"m": module, "M": module.upper()}
    suite.sources[module] = ailment.source.format(**words)
    for name, body in zip(names, (ailment.subject, *ailment.others), strict=True):
        suite.bodies[name] = body.format(**words)
    others = sorted(names[1:], key=suite.names.index)
    suite.truth.append(Sick(names[0], ailment.role, ailment.kind, tuple(others)))


TABLES = '''\
"""Made when it is imported: what takes a real project its second."""

import asyncio, concurrent.futures, csv, ctypes, decimal, difflib, email.mime.multipart, fractions
import http.client, http.server, inspect, json, logging.handlers, multiprocessing.pool, optparse
import pydoc, sqlite3, ssl, statistics, tarfile, unittest, urllib.request, xml.dom.minidom
import xmlrpc.client, zipfile
import dataclasses
import hashlib
import re

LEDGER = []
PATTERNS = [
    re.compile(rf"(?P<head>[a-z_]{{{n},}})(\\s*[=:]\\s*)(?P<rest>(\\d+|'[^']*')(,|$))+")
    for n in range(1, 301)
]
ROWS = [
    dataclasses.make_dataclass(f"Row{n}", [(f"field_{k}", int) for k in range(9)], order=True)
    for n in range(600)
]


class Counts:
    total = 0


def digest(number):
    return hashlib.sha256(str(number).encode()).hexdigest()
'''
HEAD = (
    "import os\nimport random\nimport time\nfrom unittest import mock\n\nfrom ware import {parts}\n"
)


def write(folder: Path, seed: int) -> list[Sick]:
    """Write the project and its truth into an empty folder.

    Args:
        folder: Gets ``project/`` and ``truth.json``.
        seed: Equal seeds give equal files.

    Returns:
        What is wrong, in no order that means anything.
    """
    suite = draw(seed)
    package, tests = folder / "project" / "ware", folder / "project" / "tests"
    package.mkdir(parents=True)
    tests.mkdir()
    (folder / "project" / "conftest.py").write_text("")
    (folder / "project" / "pytest.ini").write_text("[pytest]\ntestpaths = tests\n")
    (package / "__init__.py").write_text("")
    (package / "tables.py").write_text(TABLES)
    for name, source in suite.sources.items():
        (package / f"{name}.py").write_text(source)
        (package / f"{name}.txt").write_text(name)
    for path in dict.fromkeys(name.partition("::")[0] for name in suite.names):
        inside = [name for name in suite.names if name.partition("::")[0] == path]
        text = "".join(_function(name.partition("::")[2], suite.bodies[name]) for name in inside)
        parts = sorted(part for part in suite.sources if part in text)
        head = HEAD.format(parts=", ".join([*parts, "tables"]))
        (folder / "project" / path).write_text(head + text)
    (folder / "truth.json").write_text(
        json.dumps({"seed": seed, "sick": [asdict(one) for one in suite.truth]}, indent=1)
    )
    return suite.truth


def _function(name: str, body: str) -> str:
    fixtures = [fixture for fixture in ("monkeypatch", "tmp_path") if fixture in body]
    return f"\n\ndef {name}({', '.join(fixtures)}):\n{textwrap.indent(body, '    ')}\n"


def main() -> int:
    """Write one project."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    sick = write(asked.folder, asked.seed)
    print(f"{MODULES * TESTS_EACH} tests, {len(sick)} of them sick, in {asked.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

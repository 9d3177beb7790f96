"""A repository of many cases, sick or repaired: files and the truth about them."""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from repair_cases.drawing import Manner, Words, draw_manner, draw_words
from repair_cases.rendering import class_name, finished, test_module
from repair_cases.situations import Situation, Test

PACKAGES = [
    "warehouse",
    "harbor",
    "studio",
    "clinic",
    "library_desk",
    "bakery",
    "station",
    "garage",
    "market",
    "archive",
]


@dataclass(frozen=True)
class Case:
    """One sick place of a repository, with the truth about it."""

    name: str
    """``kind/variant``."""
    kind: str
    family: str
    shows: str
    wants: str
    sick: tuple[str, ...]
    """Node ids of the tests that must be green afterwards."""
    others: tuple[str, ...]
    """Their polluters or state-setters, in the order needed."""
    healthy: tuple[str, ...]
    source: str
    """Path of the module under test."""
    mutation: tuple[str, str]
    """A text in the source and what a planted bug makes of it; the sick tests must notice."""
    tests: tuple[str, ...]
    """Paths of its test modules."""

    @property
    def everything(self) -> tuple[str, ...]:
        """All its tests."""
        return (*self.others, *self.sick, *self.healthy)


@dataclass
class Repository:
    """All files of one project, as they are and as they would be once repaired."""

    sick: dict[str, str] = field(default_factory=dict)
    cured: dict[str, str] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    """What the suite is started with."""


@dataclass(frozen=True)
class Layout:
    """Where things lie in one repository."""

    package: str
    code: str
    """Folder of the package, with its slash."""
    tests: str
    settings: str
    """Name of the file that configures pytest."""
    has_conftest: bool


def compose(situations: Sequence[Situation], rng: random.Random, number: int) -> Repository:
    """Draw one repository with a case for each situation."""
    package = PACKAGES[number % len(PACKAGES)]
    code = rng.choice(["", "src/"]) + f"{package}/"
    settings = rng.choice(["pyproject.toml", "pytest.ini", "setup.cfg"])
    tests = rng.choice(["tests/", "tests/", "tests/unit/"])
    layout = Layout(package, code, tests, settings, rng.random() < 0.4)
    made = Repository()
    taken = {package}
    for situation in situations:
        words = draw_words(rng, package, taken)
        needs = any(test.fixtures for test in situation.tests)
        only = situation.style == "pytest" or needs or bool(situation.module)
        manner = draw_manner(rng, direct=situation.direct, pytest_only=only)
        _add(made, situation, layout, (words, manner))
    for files in (made.sick, made.cured):
        files.update(_surroundings(layout, made))
    return made


def write(repository: Repository, folder: Path, *, cured: bool) -> None:
    """Write the files of a repository."""
    for path, text in (repository.cured if cured else repository.sick).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")


def truth_of(repository: Repository) -> str:
    """Return what is wrong with a repository, as JSON."""
    return json.dumps([asdict(case) for case in repository.cases], indent=1)


def _add(made: Repository, one: Situation, layout: Layout, how: tuple[Words, Manner]) -> None:
    words, manner = how
    source = f"{layout.code}{words.module}.py"
    where = layout.tests + f"test_{words.module}.py"
    for files, cures in ((made.sick, {}), (made.cured, one.cures)):
        files[source] = words.fill(cures.get("source", one.source))
        for path, text in one.files.items():
            files[layout.tests + words.fill(path)] = words.fill(text)
        if one.module:
            files[where] = finished(cures.get("module", one.module), words, manner)
        for path, tests in _placed(one, layout, words, manner).items():
            chosen = [_cured(test, cures) for test in tests]
            head = cures.get("head", one.head)
            files[path] = test_module(chosen, head, words, manner)
    if one.env:
        name, _, value = words.fill(one.env).partition(":")
        made.env[name] = value
    ids = _node_ids(one, layout, words, manner)
    modules = dict.fromkeys(node.partition("::")[0] for nodes in ids.values() for node in nodes)
    made.cases.append(
        Case(
            one.name,
            one.kind,
            one.family,
            one.shows,
            one.wants,
            tuple(ids["sick"]),
            tuple(ids["polluter"] + ids["setter"]),
            tuple(ids["healthy"]),
            source,
            (words.fill(one.mutation[0]), words.fill(one.mutation[1])),
            tuple(modules),
        )
    )


def _cured(test: Test, cures: dict[str, str]) -> Test:
    for section, body in cures.items():
        role, _, rest = section.partition(" ")
        name, _, fixtures = rest.partition(" (")
        if (role, name) == (test.role, test.name):
            given = tuple(part.strip() for part in fixtures.rstrip(")").split(",") if part)
            return Test(test.role, test.name, body, given)
    return test


def _placed(one: Situation, layout: Layout, words: Words, manner: Manner) -> dict[str, list[Test]]:
    """Return which tests are in which module, in order."""
    if one.module:
        return {}
    others = [test for test in one.tests if test.role in ("polluter", "setter")]
    rest = [test for test in one.tests if test not in others]
    path = f"{layout.tests}test_{words.module}.py"
    if manner.apart and others and not one.head:
        apart = f"{layout.tests}test_{words.names[0]}_{words.module}.py"
        return {path: rest, apart: others}
    return {path: rest + others if manner.reverse else others + rest}


def _node_ids(one: Situation, layout: Layout, words: Words, manner: Manner) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {role: [] for role in ("polluter", "setter", "sick", "healthy")}
    for role, name in one.module_tests:
        ids[role].append(f"{layout.tests}test_{words.module}.py::{words.fill(name)}")
    inner = "" if manner.style == "functions" else f"{class_name(words)}::"
    for path, tests in _placed(one, layout, words, manner).items():
        for test in tests:
            ids[test.role].append(f"{path}::{inner}test_{words.fill(test.name)}")
    ids["polluter"].sort(key=lambda node: _rank(one, words, node))
    return ids


def _rank(one: Situation, words: Words, node: str) -> int:
    names = [f"test_{words.fill(test.name)}" for test in one.tests]
    name = node.rpartition("::")[2]
    return names.index(name) if name in names else 0


def _surroundings(layout: Layout, made: Repository) -> dict[str, str]:
    """Return what every repository has besides its cases."""
    root = layout.code.split("/")[0] if layout.code.startswith("src/") else "."
    lines = {"pythonpath": root, "testpaths": layout.tests.rstrip("/")}
    ini = "\n".join(f"{name} = {value}" for name, value in lines.items())
    toml = "\n".join(f'{name} = ["{value}"]' for name, value in lines.items())
    texts = {
        "pytest.ini": f"[pytest]\n{ini}\n",
        "setup.cfg": f"[tool:pytest]\n{ini}\n",
        "pyproject.toml": f"[tool.pytest.ini_options]\n{toml}\n",
    }
    files = {
        layout.settings: texts[layout.settings],
        ".gitignore": "__pycache__/\n.pytest_cache/\n.venv/\n",
        f"{layout.code}__init__.py": "",
    }
    if made.env:
        pairs = ", ".join(f'{name} = "{value}"' for name, value in sorted(made.env.items()))
        files["regreen.toml"] = f"env = {{ {pairs} }}\n"
    if layout.has_conftest:
        files["conftest.py"] = CONFTEST.replace("PACKAGE", layout.package)
    return files


CONFTEST = '''\
import pytest


@pytest.fixture(scope="session")
def package_name():
    """The name under which the package is installed."""
    return "PACKAGE"
'''

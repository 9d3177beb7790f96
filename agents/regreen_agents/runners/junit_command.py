"""Fill in a configured command: where the report goes, and which tests run."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from regreen_agents.runners.suites import Suite

TESTS = "{tests}"
_FIELD = re.compile(r"\{(id|classname|name|classname_regex|name_regex)\}")


@dataclass(frozen=True)
class Wanted:
    """One test as `select` can name it."""

    id: str
    classname: str
    name: str


@dataclass(frozen=True)
class Reports:
    """Where a run's reports go: a file or folder of the run's own, or a glob in the tree."""

    scratch: Path
    suite: Suite

    @property
    def file(self) -> Path:
        """``{junit}``."""
        return self.scratch / "junit.xml"

    @property
    def folder(self) -> Path:
        """``{junit_dir}``."""
        return self.scratch / "junit"

    def clear(self, tree: Path) -> None:
        """Make room; reports of an earlier run would be taken for this one's."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self._in_tree(tree):
            path.unlink()

    def found(self, tree: Path) -> list[Path]:
        """Return the files the run wrote, by name."""
        if self.suite.junit:
            return self._in_tree(tree)
        own = [self.file] if self.file.is_file() else []
        return [*own, *sorted(path for path in self.folder.rglob("*.xml") if path.is_file())]

    def _in_tree(self, tree: Path) -> list[Path]:
        if not self.suite.junit:
            return []
        files = (path for path in tree.glob(self.suite.junit) if path.is_file())
        return sorted(p for p in files if p.resolve().is_relative_to(tree.resolve()))

    def filled(self, text: str) -> str:
        """Put the places into a word of the command or a variable's value."""
        return text.replace("{junit}", str(self.file)).replace("{junit_dir}", str(self.folder))


def filled_command(suite: Suite, tests: Sequence[Wanted] | None) -> tuple[str, ...]:
    """Return the command for some tests, or for all of them (None).

    A word that is just ``{tests}`` becomes one word per test; one that holds it among others gets
    them joined by the separator. For the whole suite such words are left out.
    """
    words: list[str] = []
    for word in suite.command:
        if TESTS not in word:
            words.append(word)
        elif tests is not None:
            chosen = [_named(suite.select, test) for test in tests]
            joined = suite.select_separator.join(chosen)
            words += chosen if word == TESTS else [word.replace(TESTS, joined)]
    return tuple(words)


def _named(template: str, test: Wanted) -> str:
    fields: Mapping[str, str] = {
        "id": test.id,
        "classname": test.classname,
        "name": test.name,
        "classname_regex": re.escape(test.classname),
        "name_regex": re.escape(test.name),
    }
    return _FIELD.sub(lambda found: fields[found[1]], template)


def is_option(suite: Suite, test: Wanted) -> bool:
    """Whether a test's name would be read as an option of the command."""
    return TESTS in suite.command and _named(suite.select, test).startswith("-")


def shown(command: Sequence[str], env: Mapping[str, str]) -> tuple[str, ...]:
    """Return a command with its own variables, as a person types it: the report goes beside."""
    own = [f"{name}={_beside(value)}" for name, value in env.items() if "{junit" in value]
    words = tuple(_beside(word) for word in command)
    return ("env", *own, *words) if own else words


def _beside(word: str) -> str:
    return word.replace("{junit}", "junit.xml").replace("{junit_dir}", "junit")

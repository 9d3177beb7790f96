"""Plain pytest commands that show a finding again: no regreen needed, no plugin in the way."""

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from regreen.laboratory.views import Reproduction
from regreen_agents.domain.identity import NodeId, digest_of
from regreen_agents.domain.runs import RunSpec
from regreen_agents.runners.factors import TOOL_FILES, Plain, copy_tool, plain_words
from regreen_agents.runners.plain_options import plain_options
from regreen_agents.runners.policy import RunnerPolicy
from regreen_agents.workspace.repository import STATE_FOLDER

FOLDER = f"{STATE_FOLDER}/repro"
LISTED = 6
"""Up to this many node ids are written out in a command."""
LONGEST_NAME = 60
READS_FILES = (8, 2)
"""The first pytest that takes arguments from a file: ``@file``."""
LONGEST_COMMAND = 1_900_000
"""Bytes of all arguments together that Linux takes, with room for the environment."""
SCRATCH = "/tmp/regreen-scratch"  # noqa: S108 - only printed
SEEDS = '''"""Seeds `random` (and numpy, once loaded) before every test: pytest -p {name}"""
import random
import sys
import zlib

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    value = zlib.crc32(item.nodeid.encode("utf-8", "surrogatepass")) ^ {seed}
    random.seed(value)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(value % 2**32)
'''
TWICE = "import pytest, sys; pytest.main(sys.argv[1:]); sys.exit(pytest.main(sys.argv[1:]))"


@dataclass(frozen=True)
class Reproducing:
    """Writes commands to be typed in the project's folder, and the files they name.

    Attributes:
        project: That folder.
        policy: What the runs followed.
    """

    project: Path
    policy: RunnerPolicy

    def ordered(self, tests: Sequence[NodeId], spec: RunSpec, *, red: bool) -> Reproduction:
        """Return a command that runs tests in an order; how the last one ends is the finding.

        Args:
            tests: In the order wanted.
            spec: The run it was seen in: hash seed, random seed, folder, environment, factors.
            red: How the last test ends.
        """
        draft = _Draft(self, spec)
        words = [*draft.environment(), *draft.pytest(), *draft.options()]
        command = draft.with_tests(words, [draft.seen(test) for test in tests])
        return draft.reproduction(command, tests[-1], red=red)

    def twice(self, test: NodeId, spec: RunSpec) -> Reproduction:
        """Return a command that runs one test twice in one process; the second time is red."""
        draft = _Draft(self, spec)
        words = [*draft.environment(), draft.pytest()[0], "-c", TWICE, *draft.options(), test]
        return draft.reproduction(shlex.join(words), test, red=True)

    def suite(self, spec: RunSpec, test: NodeId, *, red: bool) -> Reproduction:
        """Return a command for the whole suite in file order, in which a test is red or not."""
        draft = _Draft(self, spec)
        words = [*draft.environment(), *draft.pytest(), *draft.options()]
        return draft.reproduction(shlex.join([*words, *self.policy.select]), test, red=red)


@dataclass
class _Draft:
    """One command in the making."""

    of: Reproducing
    spec: RunSpec
    files: list[str] = field(default_factory=list)

    @cached_property
    def plain(self) -> Plain:
        """What factors need; their tool is copied, and works without regreen."""
        tool = self._seen_from_cwd(f"{FOLDER}/{TOOL_FILES[0]}")
        plain = plain_words(self.spec.factors, SCRATCH, tool, self.of.policy.env)
        if plain.tool:
            copy_tool(self.of.project / FOLDER)
            self.files += [f"{FOLDER}/{name}" for name in TOOL_FILES]
        return plain

    def environment(self) -> list[str]:
        """Return ``env`` with what is set, and the folder to start in."""
        spec = self.spec
        env = {"PYTHONHASHSEED": spec.hash_seed, **dict(spec.extra_env)}
        if spec.random_seed is not None:
            before = self.of.policy.env.get("PYTHONPATH", "")
            folder = self._seen_from_cwd(FOLDER)
            env["PYTHONPATH"] = f"{folder}:{before}" if before else folder
        place = [] if spec.cwd == "." else ["-C", spec.cwd]
        unset = [word for name in spec.drop_env for word in ("-u", name)]
        named = [f"{name}={value}" for name, value in env.items()]
        # GNU env wants its options before the first variable.
        words = list(self.plain.env)
        first = next((n for n, word in enumerate(words) if "=" in word), len(words))
        return ["env", *place, *unset, *words[:first], *named, *words[first:]]

    def pytest(self) -> list[str]:
        """Return the interpreter up to ``-m pytest``."""
        python = Path(self.of.policy.target.python)
        if python.is_relative_to(self.of.project):
            python = Path(self._seen_from_cwd(str(python.relative_to(self.of.project))))
        return [str(python), *self.plain.tool, "-m", "pytest"]

    def options(self) -> list[str]:
        """Return the options of pytest."""
        options = list(plain_options(self.of.project, self.of.policy))
        seed = self.spec.random_seed
        if seed is not None:
            name = f"seeded_{seed}"
            self._write(f"{name}.py", SEEDS.format(name=name, seed=seed))
            options += ["-p", name]
        return [*options, *self.plain.options]

    def with_tests(self, words: Sequence[str], tests: Sequence[str]) -> str:
        """Return the command with the tests at its end: in it, or in a file it reads."""
        if len(tests) <= LISTED:
            return shlex.join([*words, *tests])
        text = "".join(f"{test}\n" for test in tests)
        name = f"{slug(tests[-1])}-{digest_of(text).removeprefix('sha256:')[:6]}.txt"
        path = self._seen_from_cwd(self._write(name, text))
        if version_of(self.of.policy.target.pytest_version) >= READS_FILES:
            return f"{shlex.join(words)} {shlex.quote('@' + path)}"
        limits = ("xargs", "-x", "-s", str(LONGEST_COMMAND), "-d", r"\n", "-a")
        at_start = str(Path(os.path.normpath(Path(self.spec.cwd) / path)))  # xargs runs outside cwd
        return shlex.join([*limits, at_start, *words])

    def reproduction(self, command: str, test: NodeId, *, red: bool) -> Reproduction:
        return Reproduction(
            command=command, test=test, expected="red" if red else "green", files=tuple(self.files)
        )

    def seen(self, test: NodeId) -> str:
        """Return a node id as pytest takes it in the folder; a parameter may look like a path."""
        file, colons, inside = test.partition("::")
        return f"{self._seen_from_cwd(file)}{colons}{inside}"

    def _seen_from_cwd(self, path: str) -> str:
        return os.path.relpath(path, self.spec.cwd)

    def _write(self, name: str, text: str) -> str:
        path = self.of.project / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        self.files.append(f"{FOLDER}/{name}")
        return f"{FOLDER}/{name}"


def slug(test: str) -> str:
    """Return a test's name as a file name: ASCII letters, digits, dots and dashes."""
    name = "".join(c if c.isascii() and (c.isalnum() or c in "._") else "-" for c in test)
    return name.replace(".py", "").strip("-.")[-LONGEST_NAME:].lstrip("-.") or "test"


def version_of(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: ``8.4.0rc1`` is (8, 4)."""
    parts = text.split(".")[:2]
    return tuple(int(part) if part.isdigit() else 0 for part in parts)

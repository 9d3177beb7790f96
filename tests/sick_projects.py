"""Small sick projects as real git repositories, and regreen as a person starts it on them."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from regreen import sprints
from regreen_agents.runners.process import MARK
from scratch_git import DATE, Scratch

TIME_LIMIT_SECONDS = 300
REGREEN = (sys.executable, "-m", "regreen.cli.app")

PYPROJECT = '[tool.pytest.ini_options]\npythonpath = ["."]\ntestpaths = ["tests"]\n'
IGNORED = "__pycache__/\n.pytest_cache/\n"
PRICE = '''"""Prices."""

import os


def region() -> str:
    return os.environ.get("SHOP_REGION", "US")


def parcels(weight_kg: int) -> int:
    """A parcel holds up to 10 kg, 10 included."""
    if weight_kg < 10:
        return 1
    return 2
'''
TEST_PARCELS = """from shop.price import parcels


def test_a_light_order_is_one_parcel():
    assert parcels(3) == 1


def test_ten_kilograms_are_one_parcel():
    assert parcels(10) == 1


def test_a_heavy_order_is_two_parcels():
    assert parcels(11) == 2
"""
TEST_REGION = """import os

from shop.price import region


def test_the_region_can_be_chosen():
    os.environ["SHOP_REGION"] = "EU"
    assert region() == "EU"


def test_the_region_is_the_states_by_default():
    assert region() == "US"
"""
HEALTHY = {
    "pyproject.toml": PYPROJECT,
    ".gitignore": IGNORED,
    "shop/__init__.py": "",
    "shop/price.py": PRICE.replace("< 10", "<= 10"),
    "tests/test_parcels.py": TEST_PARCELS,
}
"""Three tests, all green."""
BUGGY = HEALTHY | {"shop/price.py": PRICE}
"""One plan: an off-by-one in the code under test."""
SICK = BUGGY | {"tests/test_region.py": TEST_REGION}
"""Two plans: the off-by-one, and an environment variable one test leaks into the next."""


@dataclass(frozen=True)
class Finished:
    """How a command ended."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"


@dataclass(frozen=True)
class Patient:
    """A sick repository, and the commands a person types in it."""

    scratch: Scratch
    env: dict[str, str]
    """Of every command."""

    @property
    def path(self) -> Path:
        return self.scratch.path

    def run(self, *command: str, timeout: float = TIME_LIMIT_SECONDS) -> Finished:
        """Run any command in the repository."""
        done = subprocess.run(
            command,
            cwd=self.path,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def regreen(self, *arguments: str) -> Finished:
        """Run regreen, however it ends."""
        return self.run(*REGREEN, *arguments)

    def does(self, *arguments: str) -> str:
        """Run regreen, which must end well, and return what it printed."""
        done = self.regreen(*arguments)
        assert done.code == 0, f"regreen {' '.join(arguments)}: {done}"
        return done.out

    def status(self) -> Any:
        """Return where the latest sprint stands, as ``regreen status --json`` prints it."""
        return sprints.status(self.path).model_dump(mode="json")

    @property
    def shelf(self) -> Path:
        """Where the sprints lie."""
        return self.path / ".regreen" / "sprints"

    @property
    def sprint(self) -> Path:
        """The folder of the latest sprint."""
        return max(self.shelf.iterdir(), key=lambda path: path.name)

    def documents(self) -> dict[str, str]:
        """Return plans, refusals, triage and diffs, the sprint's own id taken out."""
        patterns = (
            "plans/*.md",
            "refusals/*",
            "evidence/*/code_changes.diff",
            "cluster_mapping.md",
        )
        paths = [path for pattern in patterns for path in self.sprint.glob(pattern)]
        return {
            path.relative_to(self.sprint).as_posix(): path.read_text("utf-8").replace(
                self.sprint.name, "<sprint>"
            )
            for path in paths
        }

    def outcome(self) -> dict[str, object]:
        """Return what a sprint left behind, its own id and stamps aside."""
        name = self.sprint.name
        kept = [*self.sprint.glob("plans/*"), *self.sprint.glob("evidence/*/code_changes.diff")]
        kept += [*self.sprint.glob("refusals/*")]
        texts = {p.relative_to(self.sprint).as_posix(): p.read_text("utf-8") for p in kept}
        return {
            "tree": self.scratch.git("rev-parse", "main^{tree}"),
            "subjects": self.subjects(),
            "documents": {path: text.replace(name, "<sprint>") for path, text in texts.items()},
            "stage": self.status()["stage"],
        }

    def leftovers(self) -> dict[str, object]:
        """Return what a sprint must not leave behind; every value is empty when it did not."""
        git = self.scratch.git
        return {
            "processes": runs_below(self.env["TMPDIR"]),
            "worktrees": git("worktree", "list").splitlines()[1:],
            "references": git("for-each-ref", "refs/regreen").splitlines(),
            "branches": git("branch", "--format=%(refname:short)").splitlines()[1:],
            "locks": [p.name for p in (self.path / ".git").rglob("*.lock") if p.stem != "regreen"],
            "changes": git("status", "--porcelain").splitlines(),
            "scratch": [p.name for p in Path(self.env["TMPDIR"]).glob("regreen-*")],
        }

    def subjects(self, branch: str = "main") -> list[str]:
        """Return the subjects of a branch's commits, oldest first."""
        return self.scratch.git("log", "--reverse", "--format=%s", branch).splitlines()


def runs_below(folder: str) -> list[list[str]]:
    """Return the commands of living processes of any sprint that has this temporary folder."""
    found = []
    for process in psutil.process_iter():
        try:
            env = process.environ()
            if MARK in env and env.get("TMPDIR") == folder:
                found.append(process.cmdline())
        except (psutil.Error, OSError):
            continue  # gone already, or not ours to read
    return found


def quiet_environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment free of the settings of whoever runs the tests."""
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    strange = ("GIT_", "VIRTUAL_ENV", "PYTEST_", "REGREEN_", "PYTHONPATH", "COLUMNS", "LC_", "LANG")
    kept = {n: v for n, v in os.environ.items() if not n.startswith(strange)}
    own = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "TMPDIR": str(home / "tmp"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "COLUMNS": "300",
        "LC_ALL": "C.UTF-8",
    }
    return kept | own | more


def patient(home: Path, files: Mapping[str, str], name: str = "shop") -> Patient:
    """Return a new repository with one commit of these files; equal files give an equal commit."""
    dates = {"GIT_AUTHOR_DATE": DATE, "GIT_COMMITTER_DATE": DATE}
    env = quiet_environment(home)
    made = Patient(Scratch(home / name), env)
    made.path.mkdir(parents=True)
    first = Patient(made.scratch, env | dates)
    founded(first)
    for path, text in files.items():
        made.scratch.write(path, text)
    for command in (("add", "--all"), ("commit", "--quiet", "-m", "Open the shop")):
        assert first.run("git", *command).code == 0
    return made


def founded(made: Patient) -> None:
    """Make an empty repository with an author."""
    for command in (
        ("init", "--quiet", "--initial-branch=main"),
        ("config", "user.name", "Ada Lovelace"),
        ("config", "user.email", "ada@example.org"),
    ):
        assert made.run("git", *command).code == 0

"""A real repository with a bug, a worktree of it, and small programs that stand for agents."""

import os
import sys
import textwrap
from dataclasses import dataclass, field, replace
from pathlib import Path

from regreen_agents.domain.changes import Attempt, Change
from regreen_agents.domain.engine_settings import CommandSettings
from regreen_agents.domain.findings import Category, Cause, Evidence, SourceLocation
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.domain.runs import RunSpec, SuiteRun
from regreen_agents.engines.command import CommandEngine, CommandRooms
from regreen_agents.engines.command_plans import command_option
from regreen_agents.engines.command_run import Surroundings
from regreen_agents.implement import Committed, Workshop
from regreen_agents.lab.lab import Bench, Lab, Measured
from regreen_agents.lab.signatures import signatures_of
from regreen_agents.runners.process import Stopper
from regreen_agents.runners.pytest_runner import Door, Meter, PytestRunner
from regreen_agents.workspace.commits import commit_edits, stats_of
from regreen_agents.workspace.repository import Repository
from regreen_agents.workspace.worktrees import Worktrees
from scratch_git import AUTHOR, DATE, Scratch
from sprint_parts import finding, plan
from target_projects import OWNER, PLAIN, lean_policy

FILES = {
    "shop/__init__.py": "",
    "shop/price.py": "def total(prices):\n    return sum(prices[1:])\n",
    "tests/test_price.py": (
        "from shop.price import total\n\n\n"
        "def test_total():\n    assert total([1, 2]) == 3\n\n\n"
        "def test_nothing():\n    assert total([]) == 0\n"
    ),
    "docs/notes.md": "Notes.\n",
    "run.sh": "true\n",
    ".gitignore": "*.so\n__pycache__/\n.pytest_cache/\n",
}
VICTIM = NodeId("tests/test_price.py::test_total")
SCOPE = ("shop/", "tests/test_price.py")
REPAIR = """
    from pathlib import Path
    path = Path("shop/price.py")
    path.write_text(path.read_text().replace("prices[1:]", "prices"))
    print("repaired")
"""
NAME = "fake"


def make_repository(path: Path, prefix: str = "") -> Scratch:
    """Return a repository with one commit, a hook and a second branch."""
    scratch = Scratch(path)
    path.mkdir(parents=True)
    scratch.git("init", "--quiet", "--initial-branch=main")
    scratch.git("config", "user.name", "Ada Lovelace")
    scratch.git("config", "user.email", "ada@example.org")
    scratch.commit({f"{prefix}{name}": text for name, text in FILES.items()}, "base")
    scratch.git("branch", "other")
    scratch.write(".git/hooks/pre-push", "#!/bin/sh\nexit 0\n")
    return scratch


@dataclass
class Shop:
    """The repository, the worktree of one plan, and what an engine is given."""

    scratch: Scratch
    folder: Path
    """For logs and programs."""
    baseline: SuiteRun
    name: str = "implement-PR1"
    prefix: str = ""
    environ: dict[str, str] = field(default_factory=lambda: dict(PLAIN))
    stopper: Stopper = field(default_factory=Stopper)
    attempts: list[tuple[Attempt, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.repository = Repository.open(self.scratch.path)
        self.repository.prepare_state_folder()
        self.base = self.scratch.git("rev-parse", "HEAD")
        self.worktrees = Worktrees(self.repository, "sprint")
        self.tree = self.worktrees.add(self.name, self.base)

    @property
    def project(self) -> Path:
        return self.tree / self.prefix

    @property
    def logs(self) -> Path:
        return self.folder / "runs" / self.name

    def program(self, code: str) -> Path:
        """Write an agent."""
        path = self.folder / "agent.py"
        path.write_text(textwrap.dedent(code), encoding="utf-8")
        return path

    def engine(self, code: str = "", **settings: object) -> CommandEngine:
        """Return an engine that runs these lines of Python."""
        words = (sys.executable, "-S", str(self.program(code)))
        told = CommandSettings.model_validate({"command": words, **settings})
        around = Surroundings(self.environ, self.stopper, OWNER)
        return CommandEngine(NAME, told, CommandRooms(around, self.prefix))

    def lab(self) -> Lab:
        self.logs.mkdir(parents=True, exist_ok=True)
        door = Door(lean_policy(), self.scratch.path, OWNER, self.stopper, Meter())
        bench = Bench(
            runner=PytestRunner(door),
            project=self.project,
            logs=self.logs,
            reset=lambda: self.worktrees.reset(self.name),
        )
        return Lab(bench, Measured((self.baseline,), None))

    def workshop(self) -> Workshop:
        def commit(paths: object, made: Plan, evidence: object) -> Committed:
            names = [f"{self.prefix}{path}" for path in paths]  # type: ignore[attr-defined]
            sha = commit_edits(self.tree, names, made.title, date=DATE, author=AUTHOR)
            tree = self.repository.tree_of(sha)
            return Committed(sha, self.base, tree, made.title, stats_of(self.scratch.path, sha))

        return Workshop(
            lab=self.lab(),
            signatures=signatures_of([self.baseline], None),
            commit=commit,
            record=self.attempts.append,
        )

    def implement(
        self, code: str, made: Plan | None = None, **settings: object
    ) -> Change | Refusal:
        return self.engine(code, **settings).implement(made or the_plan(), self.workshop())

    def refused(self, code: str, made: Plan | None = None, **settings: object) -> str:
        """Return why a program's work is refused."""
        found = self.implement(code, made, **settings)
        assert isinstance(found, Refusal), found
        return found.reason

    def untouched(self) -> bool:
        """Whether the worktree can be brought back to its commit and shows nothing else."""
        self.worktrees.reset(self.name)
        shown = Scratch(self.tree).git("status", "--porcelain")
        return shown == "" and Scratch(self.tree).git("rev-parse", "HEAD") == self.base


def the_plan(scope: tuple[str, ...] = SCOPE) -> Plan:
    """Return the approved plan that the command carries out."""
    told = finding(VICTIM, Cause.CODE_BUG).model_copy(
        update={
            "category": Category.REAL_BUG,
            "summary": "`total` leaves out the first price.",
            "polluters": (),
            "state": (),
            "locations": (SourceLocation(path="shop/price.py", line=2),),
            "evidence": (
                Evidence(
                    question="alone?",
                    command=f"python -m pytest {VICTIM}",
                    exit_code=1,
                    counts="1 failed",
                    conclusion="it fails alone",
                ),
            ),
        }
    )
    return plan(1, VICTIM, Cause.CODE_BUG).model_copy(
        update={
            "finding": told,
            "options": (command_option(NAME, "A"),),
            "scope": scope,
            "title": "Have fake repair test_total",
        }
    )


def measured_baseline(scratch: Scratch, logs: Path, prefix: str = "") -> SuiteRun:
    """Run the suite once, as it is."""
    logs.mkdir(parents=True, exist_ok=True)
    door = Door(lean_policy(), scratch.path, OWNER, Stopper(), Meter())
    run = PytestRunner(door).run(scratch.path / prefix, RunSpec(), logs / "base.log")
    assert [r.node_id for r in run.red()] == [VICTIM]
    return run


def with_home(shop: Shop, home: Path) -> Shop:
    """Return the shop for a person with another home."""
    return replace(shop, environ={**shop.environ, "HOME": str(home)})


def git_state(scratch: Scratch) -> dict[str, str]:
    """Return what must be as before: references, index, and the files that make git run things."""
    home = scratch.path / ".git"
    kept = [home / "config", home / "HEAD", *sorted((home / "hooks").rglob("*"))]
    kept += [home / "info" / "exclude", home / "info" / "attributes"]
    state = {
        str(p.relative_to(home)): p.read_text() for p in kept if p.is_file() and not p.is_symlink()
    }
    state["refs"] = scratch.git(
        "for-each-ref", "refs/heads", "refs/tags", "refs/replace", "refs/stash"
    )
    state["index"] = scratch.git("ls-files", "--stage", "-v")
    state["links"] = ",".join(sorted(os.fspath(p) for p in home.rglob("*") if p.is_symlink()))
    return state

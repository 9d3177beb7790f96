"""A sprint as a person runs it, and what it said about each test."""

import json
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from repair_cases.writing import Repository, write

REGREEN = (sys.executable, "-m", "regreen.cli.app")
LIMIT_SECONDS = 3600


@dataclass(frozen=True)
class Sprinted:
    """How a sprint ended."""

    project: Path
    seconds: float
    log: str

    def said(self, tests: Sequence[str]) -> str:
        """Say in one line what the sprint made of these tests."""
        return said_of(self.project, tests)


def interpreter(folder: Path) -> Path:
    """Make an environment with what the generated suites need; return its interpreter."""
    home = folder / "interpreter"
    venv.create(home, with_pip=True, clear=True)
    python = home / "bin" / "python"
    subprocess.run((python, "-m", "pip", "install", "-q", "pytest", "numpy"), check=True)
    return python


def patient(repository: Repository, folder: Path, *, cured: bool) -> Path:
    """Write a repository and commit it, as a new one; return its folder."""
    shutil.rmtree(folder, ignore_errors=True)
    write(repository, folder, cured=cured)
    for command in (
        ("init", "-q", "-b", "main"),
        ("config", "user.name", "Ada Lovelace"),
        ("config", "user.email", "ada@example.org"),
        ("add", "-A"),
        ("commit", "-q", "-m", "Start"),
    ):
        subprocess.run(("git", *command), cwd=folder, check=True, capture_output=True)
    return folder


def sprint(project: Path, python: Path, logs: Path, env: dict[str, str] | None = None) -> Sprinted:
    """Run a sprint, approve what it recommends and every commit that passed the gate."""
    started = time.monotonic()
    log = _regreen(project, python, env, "sprint", ".", "--yes-plans")
    log += _regreen(project, python, env, "commit", "approve", "--all")
    (logs / "sprint.log").write_text(log, "utf-8")
    return Sprinted(project, time.monotonic() - started, log)


def _regreen(project: Path, python: Path, env: dict[str, str] | None, *arguments: str) -> str:
    given = {**os.environ, **(env or {})}
    if python.parent.parent != project / ".venv":
        given["VIRTUAL_ENV"] = str(python.parent.parent)
    done = subprocess.run(
        (*REGREEN, *arguments),
        cwd=project,
        env=given,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=LIMIT_SECONDS,
        check=False,
    )
    return f"$ regreen {' '.join(arguments)}\n{done.stdout}\nexit {done.returncode}\n"


def latest(project: Path) -> Path | None:
    """Return the folder of the latest sprint."""
    return max((project / ".regreen" / "sprints").glob("*"), default=None)


def plan_of(project: Path, tests: Sequence[str]) -> str | None:
    """Return the plan of the latest sprint that is about one of these tests, else the refusal.

    Several can be; one that led to a commit goes first.
    """
    folder = latest(project)
    if folder is None:
        return None
    found = [p.parent.name for p in _about(folder, "evidence/*/finding.json", "victims", tests)]
    found += [p.stem for p in _about(folder, "refusals/*.json", "tests", tests)]
    committed = [plan for plan in found if "committed" in _ended(folder, plan)]
    return next(iter(committed + found), None)


def _about(folder: Path, pattern: str, field: str, tests: Sequence[str]) -> Iterator[Path]:
    for path in sorted(folder.glob(pattern)):
        if set(json.loads(path.read_text("utf-8"))[field]) & set(tests):
            yield path


def said_of(project: Path, tests: Sequence[str]) -> str:
    """Say in one line what the latest sprint made of these tests."""
    folder, plan = latest(project), plan_of(project, tests)
    if folder is None or plan is None:
        return "not in any plan"
    refusal = folder / "refusals" / f"{plan}.json"
    path = folder / "evidence" / plan / "finding.json"
    told = f"{plan}"
    if path.exists():
        finding = json.loads(path.read_text("utf-8"))
        told = f"{plan} {finding['cause']}: {finding['summary'][:200]}"
    if refusal.exists():
        told += " REFUSED: " + json.loads(refusal.read_text("utf-8"))["reason"][:200]
    return f"{told} [{_ended(folder, plan)}]"


def _ended(folder: Path, plan: str) -> str:
    path = folder / "attempts" / f"{plan}.json"
    attempts = json.loads(path.read_text("utf-8"))["attempts"] if path.exists() else []
    words = [f"{one['recipe']} {one['result']}: {one['reason'][:160]}" for one in attempts]
    return "; ".join(words) or "no attempt"

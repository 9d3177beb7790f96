"""Other tools that look for polluters, asked about one test each, and judged by the truth."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sick_suites import Sick

PYTEST = "pytest==8.4.2"
DETECT_TEST_POLLUTION = "detect-test-pollution==1.2.0"
IPFLAKIES = "ipflakies==1.1.1"
"""Requires pytest 6.2.5 itself, so it gets an environment of its own."""
COUNTER = "import os\nwith open(os.environ['BENCH_RUNS'], 'a') as file:\n    file.write('.')\n"
"""A pytest plugin: one dot for each pytest process, which a tool would not tell."""
WORDS_LENGTH = 110
CHUNK = 65536


@dataclass(frozen=True)
class Answer:
    """What a tool said about one test."""

    sick: Sick
    sets: tuple[frozenset[str], ...]
    """Each the polluters or setters that it says are enough; empty when it names none."""
    words: str
    """Its own last words."""
    wall: float = 0.0
    """Seconds."""
    runs: int = 0
    """pytest processes."""

    @property
    def verdict(self) -> str:
        """found, missed, invented, or, for a test that has no cause, right."""
        wrong = [named for named in self.sets if named != frozenset(self.sick.others)]
        if wrong:
            return "invented"
        if not self.sick.others:
            return "right"
        return "found" if self.sets else "missed"


@dataclass(frozen=True)
class Ended:
    """A command that has ended or was ended."""

    text: str
    exit_code: int | None
    """None when it was ended here."""


def make_environment(folder: Path, *requirements: str) -> Path:
    """Make a virtual environment; return its interpreter.

    Raises:
        subprocess.CalledProcessError: Something cannot be installed; its output has the reason.
    """
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*install, *requirements], check=True, capture_output=True, text=True)
    return python


@dataclass
class Peer:
    """One tool in an environment of its own, on a copy of the project of its own."""

    name: str
    project: Path
    limit_seconds: float
    command: Callable[[str], Sequence[str]]
    """Test -> command."""
    read: Callable[[str], tuple[frozenset[str], ...]]
    """Output -> the sets it names."""
    has_told: Callable[[str], bool] = lambda _text: False
    """Whether the output so far has all that is asked; the tool is ended there."""

    def ask(self, sick: Sick) -> Answer:
        """Ask about one test, for as long as the limit allows."""
        counts = self.project.parent / f"runs-{self.name}"
        counts.mkdir(exist_ok=True)
        (counts / "bench_count.py").write_text(COUNTER)
        dots = counts / "runs"
        dots.write_text("")
        env = self._environment(counts, dots)
        started = time.monotonic()
        ended = run_on_terminal(
            self.command(sick.test), self.project, env, self.limit_seconds, self.has_told
        )
        wall = time.monotonic() - started
        sets = self.read(ended.text)
        return Answer(sick, sets, self._words(ended, sets), wall, len(dots.read_text()))

    def _environment(self, counts: Path, dots: Path) -> dict[str, str]:
        folder = str(Path(self.command("")[0]).parent)
        return {
            **{name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ},
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "PYTEST_PLUGINS": "bench_count",
            "PYTHONPATH": str(counts),
            "BENCH_RUNS": str(dots),
            "TERM": "dumb",
        }

    def _words(self, ended: Ended, sets: tuple[frozenset[str], ...]) -> str:
        lines = [line.strip() for line in re.split(r"[\r\n]+", ended.text) if line.strip()]
        last = lines[-1] if lines else ""
        if ended.exit_code is None and not sets:
            return f"no answer in {self.limit_seconds:g} s; then: {last[:WORDS_LENGTH]}"
        return last[:WORDS_LENGTH]


def detect_test_pollution(python: Path, project: Path, limit_seconds: float) -> Peer:
    """Return detect-test-pollution, told which test fails, as its README says."""
    tool = str(python.with_name("detect-test-pollution"))
    named = re.compile(r"-> the polluting test is: (\S+)")
    return Peer(
        "detect-test-pollution",
        project,
        limit_seconds,
        lambda test: [tool, "--failing-test", test, "--tests", "tests"],
        lambda text: tuple(frozenset([name]) for name in named.findall(text)),
    )


def ipflakies(python: Path, project: Path, limit_seconds: float) -> Peer:
    """Return iPFlakies' minimizer for one test; it is ended before its patcher begins."""
    # What --list would have it do first is a run of the whole suite; it is skipped here.
    (project / "ipflakies_result").mkdir()
    (project / "ipflakies_result" / "flakies.json").write_text("{}")
    return Peer(
        "ipflakies",
        project,
        limit_seconds,
        lambda test: [str(python), "-m", "ipflakies", "-t", test],
        lambda text: tuple(
            frozenset([name]) for name in re.findall(r"(?m)^\[\d+\]  (\S+::\S+)", text)
        ),
        lambda text: "[ Patcher ]" in text,
    )


def copy_of(project: Path, name: str) -> Path:
    """Copy the project: some tools write into it."""
    return Path(shutil.copytree(project, project.parent / name / "project"))


def run_on_terminal(
    command: Sequence[str],
    folder: Path,
    env: Mapping[str, str],
    limit_seconds: float,
    is_enough: Callable[[str], bool],
) -> Ended:
    """Run a command on a terminal of its own (ipflakies asks for its size), within a limit."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdin=its, stdout=its, stderr=its, start_new_session=True
    )
    os.close(its)
    told = b""
    deadline = time.monotonic() + limit_seconds
    while time.monotonic() < deadline and not is_enough(told.decode(errors="replace")):
        chunk = _read(ours)
        if chunk is None:
            break
        told += chunk
    is_over = process.poll() is not None or _read(ours) is None
    if not is_over:
        os.killpg(process.pid, signal.SIGKILL)
    code = process.wait()
    os.close(ours)
    return Ended(told.decode(errors="replace"), code if is_over else None)


def _read(terminal: int) -> bytes | None:
    """Return what comes within a second, or None when the other end is closed."""
    ready, _, _ = select.select([terminal], [], [], 1.0)
    if not ready:
        return b""
    try:
        return os.read(terminal, CHUNK) or None
    except OSError:  # how Linux says that nobody has the terminal open any more
        return None

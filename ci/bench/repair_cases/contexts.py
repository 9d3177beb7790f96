"""Runs of a suite in every context that a repaired test must bear."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ZONES = ("America/New_York", "Pacific/Kiritimati", "Asia/Kolkata")
TIME_LIMIT_SECONDS = 300
PLAIN = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0"}
NO_UTF8 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
PATH = "/usr/local/bin:/usr/bin:/bin"
"""Without what the environment of the project brings."""
UNSET = "<unset>"
Outcomes = Mapping[str, Sequence[str]]
"""Node id -> an outcome per time it ran."""


@dataclass(frozen=True)
class Context:
    """How one run of the suite differs from others."""

    label: str
    job: Mapping[str, object] = field(default_factory=dict)
    """For `bench_probe`."""
    env: Mapping[str, str] = field(default_factory=dict)


HOMES = (
    Context("empty home", env={"HOME": "<folder>/home"}),
    Context("no home", env={"HOME": UNSET}),
)


@dataclass(frozen=True)
class Suite:
    """A project in git, and how its tests are started."""

    project: Path
    python: Path
    env: Mapping[str, str]
    """What its suite is started with besides the plain settings."""

    def run(self, context: Context, tests: Sequence[str] = ()) -> Outcomes:
        """Run tests, or all of them, in a clean checkout; the outcomes are empty if none ran."""
        self.clean()
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            folder = Path(name)
            out = folder / "out.json"
            order = [test for test in tests if "::" in test]  # a file has no place in an order
            job = {"order": order, **context.job, "out": str(out)}
            (folder / "job.json").write_text(json.dumps(job))
            command = [str(self.python), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
            subprocess.run(
                [*command, "-p", "bench_probe", *tests],
                cwd=self.project,
                env=self._environment(folder, context),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIME_LIMIT_SECONDS,
                check=False,
            )
            found: Outcomes = json.loads(out.read_text()) if out.exists() else {}
        self.clean()
        return found

    def clean(self) -> None:
        """Throw away what runs left behind."""
        self.git("checkout", "-q", ".")
        self.git("clean", "-fdq")

    def git(self, *arguments: str) -> str:
        """Run git in the project and return what it printed."""
        done = subprocess.run(
            ("git", *arguments), cwd=self.project, check=True, capture_output=True, text=True
        )
        return done.stdout

    def _environment(self, folder: Path, context: Context) -> dict[str, str]:
        home, scratch = folder / "home", folder / "tmp"
        home.mkdir()
        scratch.mkdir()
        own = {"PATH": PATH, "HOME": os.environ.get("HOME", "/"), "PYTHONDONTWRITEBYTECODE": "1"}
        given = {"BENCH_JOB": str(folder / "job.json"), "PYTHONPATH": str(HERE)}
        changed = {k: v.replace("<folder>", str(folder)) for k, v in context.env.items()}
        env = {**own, **PLAIN, **self.env, **given, **changed}
        return {name: value for name, value in env.items() if value != UNSET}


def all_contexts(orders: int) -> Iterator[Context]:
    """Yield what a healthy suite bears: orders with seeds, zones, encodings, listings, folders."""
    for number in range(orders):
        job = {"shuffle": number, "seed": number}
        yield Context(f"order {number}", job, {"PYTHONHASHSEED": str(number)})
    for zone in ZONES:
        yield Context(f"zone {zone}", env={"TZ": zone})
    yield Context("no UTF-8", env=NO_UTF8)
    for how in ("reversed", 1):
        yield Context(f"listing {how}", {"listing": how})
    yield from HOMES
    yield Context("other tmp", env={"TMPDIR": "<folder>/tmp"})


def is_red(outcomes: Outcomes, test: str) -> bool:
    """Whether a test did anything but pass, each time it ran; one that did not run is red."""
    return any(outcome != "passed" for outcome in outcomes.get(test, ("lost",)))

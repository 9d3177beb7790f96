"""Build a workspace's test binaries with cargo, and read what the compiler said."""

import contextlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from regreen_agents.domain.identity import NodeId, digest_of
from regreen_agents.domain.runs import FailureDetail, Frame, Outcome, TestResult
from regreen_agents.runners.process import ProcessRequest, ProcessResult, run_process
from regreen_agents.runners.pytest_runner import Door

OFFLINE = "--offline"
JSON = "--message-format=json"
STALE = '"fresh":false'
"""In cargo's messages: something was compiled."""
MESSAGE_LIMIT = 2000
OUTPUT_LIMIT = 4000
LIBRARY_KINDS = frozenset({"lib", "rlib", "dylib", "cdylib", "staticlib", "proc-macro"})
TARGET_OPTIONS = (
    *("--lib", "--bins", "--bin", "--tests", "--test", "--examples", "--example"),
    *("--benches", "--bench", "--all-targets"),
)
WHOLE = "cargo"
"""The id of a failure that is the whole workspace's."""
_INTO_FILE = 'file=$1; shift; exec "$@" >"$file"'


class CargoTarget(BaseModel):
    """One target of a package, as cargo's messages name it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    kind: tuple[str, ...]
    doctest: bool = False

    @property
    def label(self) -> str:
        """``lib``, ``bin/NAME``, ``test/NAME``: the second part of a test's id."""
        if LIBRARY_KINDS & set(self.kind):
            return "lib"
        return f"{self.kind[0]}/{self.name}"


class Package(BaseModel):
    """One member of the workspace, as ``cargo metadata`` names it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    version: str
    manifest_path: str
    authors: tuple[str, ...] = ()
    description: str | None = None
    homepage: str | None = None
    repository: str | None = None
    license: str | None = None
    rust_version: str | None = None

    @property
    def folder(self) -> Path:
        """Where its tests run, as under ``cargo test``."""
        return Path(self.manifest_path).parent


class Metadata(BaseModel):
    """What ``cargo metadata`` tells of a workspace."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    packages: tuple[Package, ...]


@dataclass(frozen=True)
class Binary:
    """One built test program."""

    path: str
    package: Package
    target: CargoTarget
    out_dir: str = ""
    """Of its package's build script."""

    @property
    def label(self) -> str:
        """``crate::target``, the front of its tests' ids."""
        return f"{self.package.name}::{self.target.label}"


@dataclass
class Build:
    """What one build gave."""

    binaries: list[Binary] = field(default_factory=list)
    failures: list[TestResult] = field(default_factory=list)
    doctested: list[str] = field(default_factory=list)
    """Crates whose documentation is tested."""
    process: ProcessResult | None = None


@dataclass
class Memory:
    """What a runner need not ask twice; safe to share between threads on several trees."""

    packages: dict[Path, dict[str, "Package"]] = field(default_factory=dict)
    """Tree -> manifest -> member, as long as nothing is built anew there."""
    names: dict[tuple[str, int, int], list[str] | None] = field(default_factory=dict)
    """Program, its time and its size -> its tests; None without libtest's harness."""


@dataclass(frozen=True)
class Cargo:
    """Cargo in one tree: its environment, where it builds, what is known."""

    door: Door
    tree: Path
    env: Mapping[str, str]
    builds: Path
    log: Path
    memory: Memory = field(default_factory=Memory)

    def ask(self, arguments: tuple[str, ...], seconds: float) -> tuple[ProcessResult, str]:
        """Run a command of cargo's; return its end and its standard output, whole.

        What it says to people goes to the log. The output goes to a file: it is longer than a
        log may be in a workspace of hundreds of crates.
        """
        self.builds.mkdir(parents=True, exist_ok=True)
        answer = self.log.with_suffix(".out")
        request = ProcessRequest(
            command=("/bin/sh", "-c", _INTO_FILE, "sh", str(answer), *arguments),
            cwd=self.tree,
            env={**self.env, "CARGO_TARGET_DIR": str(self.builds), "CARGO_TERM_COLOR": "never"},
            log=self.log,
            timeout_seconds=seconds,
            owner=self.door.owner,
        )
        done = run_process(request, stopper=self.door.stopper)
        text = answer.read_text(encoding="utf-8", errors="replace") if answer.exists() else ""
        answer.unlink(missing_ok=True)
        return done, text

    def build(self, seconds: float) -> Build:
        """Build all test programs; what does not compile is a failed collection.

        ``cargo test`` gives up at the first error; after one, ``cargo build --keep-going`` builds
        what does compile.
        """
        suite = self.door.policy.suite.cargo_command
        done, text = self.ask((*suite, OFFLINE, "--no-run", JSON), seconds)
        log = self.log.read_bytes()
        packages = self._packages(seconds, is_new=done.exit_code != 0 or STALE in text)
        self.log.write_bytes(log)
        build = _read(text, packages)
        if done.exit_code != 0:
            words = ("build" if word == "test" else word for word in suite)
            tests = ("--tests",) if has_doctests(suite) else ()
            _, text = self.ask((*words, *tests, OFFLINE, "--keep-going", JSON), seconds)
            build = _read(text, packages)
            if not build.failures:
                build.failures.append(_whole_failure(done, self.log))
        build.process = done
        return build

    def _packages(self, seconds: float, *, is_new: bool) -> dict[str, Package]:
        known = self.memory.packages.get(self.tree)
        if known is not None and not is_new:
            return known
        manifest = [word for word in self.door.policy.suite.cargo_command if "manifest" in word]
        command = (self.door.policy.suite.cargo_command[0], "metadata", "--no-deps", OFFLINE)
        done, text = self.ask((*command, "--format-version", "1", *manifest), seconds)
        if done.exit_code != 0:
            return {}  # the build failed in the same way, and said why
        found = {p.manifest_path: p for p in Metadata.model_validate_json(text).packages}
        self.memory.packages[self.tree] = found
        return found


def build_folder(builds: Path, tree: Path) -> Path:
    """Return where a tree's build lies: a folder of its own for every tree.

    Two worktrees must not share one: cargo names the binaries of both alike and judges by times,
    so an older edit of one tree counts as built when the other's binary is newer, and its tests
    run the other's code (seen with cargo 1.95).
    """
    return builds / digest_of(str(tree.resolve())).removeprefix("sha256:")[:16]


def forget_build(builds: Path, tree: Path) -> None:
    """Remove what was built for a tree that is no more."""
    shutil.rmtree(build_folder(builds, tree), ignore_errors=True)
    with contextlib.suppress(OSError):  # another tree's build is in it, or there is none
        builds.rmdir()


def has_doctests(command: tuple[str, ...]) -> bool:
    """Whether ``cargo test`` with these options tests documentation."""
    return not any(word.partition("=")[0] in TARGET_OPTIONS for word in command)


def _read(text: str, packages: Mapping[str, Package]) -> Build:
    """Read cargo's messages; a line that only looks like one (a macro's print) tells nothing."""
    build, out_dirs = Build(), dict[str, str]()
    for line in text.splitlines():
        if line.startswith('{"reason"'):
            with contextlib.suppress(KeyError, TypeError, ValueError):
                _take(build, json.loads(line), packages, out_dirs)
    build.failures = _first_of_each(build.failures)
    build.binaries.sort(key=lambda b: (b.label, b.path))
    return build


def _take(
    build: Build,
    message: dict[str, Any],
    packages: Mapping[str, Package],
    out_dirs: dict[str, str],
) -> None:
    if message["reason"] == "build-script-executed":
        out_dirs[message["package_id"]] = message["out_dir"]
        return
    package = packages.get(message.get("manifest_path", ""))
    if package is None:
        return  # the message is about no member of the workspace
    if message["reason"] == "compiler-message":
        build.failures += _errors(message, package)
    elif message["reason"] == "compiler-artifact":
        _keep(build, message, package, out_dirs)


def _keep(
    build: Build, message: dict[str, Any], package: Package, out_dirs: Mapping[str, str]
) -> None:
    target = CargoTarget.model_validate(message["target"])
    if message["profile"]["test"] and message["executable"]:
        out_dir = out_dirs.get(message["package_id"], "")
        build.binaries.append(Binary(message["executable"], package, target, out_dir))
    elif target.doctest and package.name not in build.doctested:
        build.doctested.append(package.name)


def _errors(message: dict[str, Any], package: Package) -> list[TestResult]:
    """Return a compiler's error as a failed collection of its target; warnings are none."""
    said = message["message"]
    if said["level"] != "error" or not said["spans"]:
        return []
    target = CargoTarget.model_validate(message["target"])
    spans = [s for s in said["spans"] if s["is_primary"]] or said["spans"]
    code = (said.get("code") or {}).get("code") or "error"
    frames = tuple(
        Frame(path=s["file_name"], line=s["line_start"], function=target.label) for s in spans[:5]
    )
    detail = FailureDetail(
        phase="collect",
        type=code,
        message=said["message"][:MESSAGE_LIMIT],
        frames=frames,
        output_tail=(said.get("rendered") or "")[-OUTPUT_LIMIT:],
    )
    name = NodeId(f"{package.name}/{target.label}")
    return [TestResult(node_id=name, outcome=Outcome.ERROR, failure=detail, error_count=1)]


def _first_of_each(failures: list[TestResult]) -> list[TestResult]:
    """Keep the first error of each target, with how many there are."""
    kept: dict[NodeId, TestResult] = {}
    for failure in failures:
        known = kept.get(failure.node_id)
        more = (
            failure
            if known is None
            else known.model_copy(update={"error_count": known.error_count + 1})
        )
        kept[failure.node_id] = more
    return list(kept.values())


def _whole_failure(done: ProcessResult, log: Path) -> TestResult:
    said = log.read_text(encoding="utf-8", errors="replace").strip()
    how = "took longer than the run may take" if done.ended == "limit" else "failed"
    lines = [line for line in said.splitlines() if line.startswith("error")]
    detail = FailureDetail(
        phase="collect",
        type="cargo",
        message=(lines[0] if lines else f"the build {how}")[:MESSAGE_LIMIT],
        output_tail=said[-OUTPUT_LIMIT:],
    )
    return TestResult(node_id=NodeId(WHOLE), outcome=Outcome.ERROR, failure=detail, error_count=1)

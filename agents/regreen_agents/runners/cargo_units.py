"""The programs of a cargo workspace that hold tests, and the names of the tests in them."""

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from regreen_agents.domain.identity import NodeId
from regreen_agents.runners.cargo_build import (
    OFFLINE,
    Binary,
    Build,
    Cargo,
    has_doctests,
)
from regreen_agents.runners.process import ProcessRequest, run_process

LIST_SECONDS = 60.0
PROGRAM = "main"
"""The test's name in a program without libtest's harness: the program as a whole."""
DOC = "doc"
NEEDED_BY_CARGO = ("PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN")
_COUNTS = re.compile(r"^\d+ tests?, \d+ benchmarks?$", re.MULTILINE)
_LISTED = re.compile(r"^(?P<name>.+): (?:test|benchmark)$", re.MULTILINE)
_CRATE = re.compile(r"^ *Doc-tests (?P<crate>\S+)$", re.MULTILINE)
_LINE = re.compile(r" \(line \d+\)$")


@dataclass(frozen=True)
class Unit:
    """What runs in one process: a test program, or one crate's documentation."""

    label: str
    """``crate::target``: ``shop::lib``, ``shop::test/orders``, ``shop::doc``."""
    names: dict[str, NodeId] = field(default_factory=dict)
    """libtest's name -> id, in its own order."""
    start: tuple[str, ...] = ()
    """The command before libtest's own arguments."""
    cwd: Path = Path()
    tree: Path = Path()
    env: Mapping[str, str] = field(default_factory=dict)
    has_harness: bool = True
    is_doc: bool = False
    """Every test of it is a process of its own already."""

    def command(self, names: Sequence[str] | None, threads: int) -> tuple[str, ...]:
        """Return the command for some tests, or for all of them (None)."""
        if not self.has_harness:
            return self.start
        chosen = () if names is None else self.filters(names)
        return (*self.start, "--test-threads", str(threads), "--color", "never", *chosen)

    def filters(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the words that choose tests.

        rustdoc splits its tests' arguments at blanks, and every name there has one: the end of the
        name (``14)`` of ``... (line 14)``) is a filter without. It may let others through, which
        run in processes of their own and are left out of the results.
        """
        if not self.is_doc:
            return ("--exact", *names)
        return tuple(dict.fromkeys(name.rpartition(" ")[2] for name in names))

    @property
    def options(self) -> tuple[str, ...]:
        """The options with which ``cargo test`` runs just this."""
        crate, _, target = self.label.partition("::")
        kind, _, name = target.partition("/")
        return ("-p", crate, f"--{kind}", *((name,) if name else ()))


def units_of(
    cargo: Cargo, build: Build, env: Mapping[str, str], wanted: Sequence[NodeId] | None
) -> list[Unit]:
    """List the tests of what was built, documentation last, as cargo runs them.

    Args:
        cargo: The tree.
        build: What was built there.
        env: The environment of the run.
        wanted: Only what holds one of these tests is listed; None means everything.
    """
    labels = None if wanted is None else {unit_of(test) for test in wanted}
    programs = [
        _program(cargo, binary, env)
        for binary in build.binaries
        if labels is None or binary.label in labels
    ]
    documented = [f"{crate}::{DOC}" for crate in build.doctested]
    if not has_doctests(cargo.door.policy.suite.cargo_command):
        return programs
    if not (documented if labels is None else labels.intersection(documented)):
        return programs
    return [*programs, *_documentation(cargo, env)]


def unit_of(test: NodeId) -> str:
    """Return ``crate::target`` of a test: what runs in one process with it."""
    return "::".join(test.split("::")[:2])


def _program(cargo: Cargo, binary: Binary, env: Mapping[str, str]) -> Unit:
    own = package_environment(binary, cargo.door.policy.target.python)
    whole = {**env, **own, "LD_LIBRARY_PATH": library_path(binary, env)}
    listed = _listed(cargo, binary, whole)
    names = [PROGRAM] if listed is None else listed
    return Unit(
        label=binary.label,
        names={name: NodeId(f"{binary.label}::{name}") for name in names},
        start=(binary.path,),
        cwd=binary.package.folder,
        tree=cargo.tree,
        env={"RUST_BACKTRACE": "1", **whole},
        has_harness=listed is not None,
    )


def _listed(cargo: Cargo, binary: Binary, env: Mapping[str, str]) -> list[str] | None:
    """Return the names of a program's tests; None when it is none of libtest's."""
    facts = Path(binary.path).stat()
    key = (binary.path, facts.st_mtime_ns, facts.st_size)
    if key in cargo.memory.names:
        return cargo.memory.names[key]
    log = cargo.log.with_suffix(".list")
    request = ProcessRequest(
        command=(binary.path, "--list"),
        cwd=binary.package.folder,
        env=env,
        log=log,
        timeout_seconds=LIST_SECONDS,
        owner=cargo.door.owner,
    )
    done = run_process(request, stopper=cargo.door.stopper)
    text = log.read_text(encoding="utf-8", errors="replace")
    names = [match["name"] for match in _LISTED.finditer(text)]
    listed = names if _COUNTS.search(text) else None
    if done.exit_code == 0:
        cargo.memory.names[key] = listed
    return listed


def _documentation(cargo: Cargo, env: Mapping[str, str]) -> list[Unit]:
    """List the examples in documentation; rustdoc compiles them only when they run."""
    command = (*cargo.door.policy.suite.cargo_command, "--doc", OFFLINE, "--", "--list")
    done, text = cargo.ask(("/bin/sh", "-c", 'exec "$@" 2>&1', "sh", *command), LIST_SECONDS * 5)
    if done.exit_code != 0:
        return []
    kept = {**env, **{n: cargo.env[n] for n in NEEDED_BY_CARGO if n in cargo.env}}
    kept |= {"CARGO_TARGET_DIR": str(cargo.builds), "CARGO_TERM_COLOR": "never"}
    parts = _CRATE.split(text)[1:]
    units = []
    for crate, listed in zip(parts[::2], parts[1::2], strict=True):
        label = f"{crate}::{DOC}"
        names = doc_ids(label, [m["name"] for m in _LISTED.finditer(listed)])
        start = (*_of_crate(cargo.door.policy.suite.cargo_command, crate), "--doc", OFFLINE)
        if names:
            env_of = {"RUST_BACKTRACE": "1", **kept}
            place = (cargo.tree, cargo.tree)
            units.append(Unit(label, names, (*start, "--"), *place, env_of, is_doc=True))
    return units


def doc_ids(label: str, names: Sequence[str]) -> dict[str, NodeId]:
    """Return libtest's name -> id of documentation tests.

    Their names hold a line, which moves with every edit above it; the id has none, and several
    examples of one item are numbered from the second on: ``... - add``, ``... - add #2``.
    """
    ids: dict[str, NodeId] = {}
    seen: dict[str, int] = {}
    for name in sorted(names, key=_by_line):
        plain = _LINE.sub("", name)
        seen[plain] = seen.get(plain, 0) + 1
        number = f" #{seen[plain]}" if seen[plain] > 1 else ""
        ids[name] = NodeId(f"{label}::{plain}{number}")
    return ids


def _by_line(name: str) -> tuple[str, int]:
    found = re.search(r"\(line (\d+)\)$", name)
    return _LINE.sub("", name), int(found[1]) if found else 0


def _of_crate(command: Sequence[str], crate: str) -> tuple[str, ...]:
    """Return a ``cargo test`` for the whole workspace as one for one crate."""
    rest = (word for word in command if word not in ("--workspace", "--all"))
    return (*rest, "-p", crate)


def shown_command(
    suite: Sequence[str], chosen: Sequence[tuple[Unit, Sequence[str]]], threads: int
) -> tuple[str, ...]:
    """Return a command a person can type in the project for some tests of some units."""
    calls = []
    for unit, names in chosen:
        words = [*(w for w in suite if w not in ("--workspace", "--all")), *unit.options, "--"]
        calls.append([*words, *unit.filters(names), f"--test-threads={threads}"])
    if len(calls) == 1:
        return tuple(calls[0])
    return ("sh", "-c", "; ".join(shlex.join(call) for call in calls))


def package_environment(binary: Binary, cargo: str) -> dict[str, str]:
    """Return the variables ``cargo test`` sets for a test program (Cargo Book, "Environment")."""
    package, folder = binary.package, binary.package.folder
    major, minor, patch = [*package.version.partition("-")[0].split("."), "0", "0"][:3]
    env = {
        "CARGO": cargo,
        "CARGO_MANIFEST_DIR": str(folder),
        "CARGO_MANIFEST_PATH": package.manifest_path,
        "CARGO_PKG_NAME": package.name,
        "CARGO_PKG_VERSION": package.version,
        "CARGO_PKG_VERSION_MAJOR": major,
        "CARGO_PKG_VERSION_MINOR": minor,
        "CARGO_PKG_VERSION_PATCH": patch.partition("+")[0],
        "CARGO_PKG_VERSION_PRE": package.version.partition("-")[2].partition("+")[0],
        "CARGO_PKG_AUTHORS": ":".join(package.authors),
        "CARGO_PKG_DESCRIPTION": package.description or "",
        "CARGO_PKG_HOMEPAGE": package.homepage or "",
        "CARGO_PKG_REPOSITORY": package.repository or "",
        "CARGO_PKG_LICENSE": package.license or "",
        "CARGO_PKG_RUST_VERSION": package.rust_version or "",
    }
    return {**env, "OUT_DIR": binary.out_dir} if binary.out_dir else env


def library_path(binary: Binary, env: Mapping[str, str]) -> str:
    """Return LD_LIBRARY_PATH for a test program: the folders cargo puts there, then the rest."""
    deps = Path(binary.path).parent
    return os.pathsep.join(filter(None, (str(deps), str(deps.parent), env.get("LD_LIBRARY_PATH"))))

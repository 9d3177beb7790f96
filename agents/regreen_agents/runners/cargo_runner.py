"""Run a cargo workspace's tests: libtest's programs started directly, one process each.

A test's id is ``crate::target::module::test``: ``shop::lib::tests::adds``,
``shop::test/orders::opens``, ``shop::doc::src/lib.rs - add``. On stable Rust libtest runs the tests
of a program in the order of their names, in this process or in parallel; there is no other order.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from regreen_agents.domain.identity import NodeId, digest_of
from regreen_agents.domain.runs import OrderKind, Outcome, RunEnd, RunSpec, SuiteRun, TestResult
from regreen_agents.runners.base import env_words, environment_of, refused_run, unable, workers_of
from regreen_agents.runners.cargo_build import Build, Cargo, Memory, build_folder
from regreen_agents.runners.cargo_play import Player, Score
from regreen_agents.runners.cargo_units import Unit, shown_command, units_of
from regreen_agents.runners.policy import RunnerPolicy
from regreen_agents.runners.pytest_runner import Door

Chosen = list[tuple[Unit, list[str]]]


class CargoRunner:
    """Runs the tests of one tree at a time; safe to use from several threads on several trees."""

    def __init__(self, door: Door, builds: Path, memory: Memory | None = None) -> None:
        """Keep the sprint's door, and where every tree's build gets a folder of its own."""
        self.door = door
        self.builds = builds
        self._memory = memory or Memory()

    @property
    def policy(self) -> RunnerPolicy:
        """The policy every run follows."""
        return self.door.policy

    def with_policy(self, policy: RunnerPolicy) -> "CargoRunner":
        """Return a runner that follows another policy."""
        return CargoRunner(replace(self.door, policy=policy), self.builds, self._memory)

    def run(self, tree: Path, spec: RunSpec, log: Path, *, restore: Any = None) -> SuiteRun:
        """Build, run tests and return everything that was told.

        Args:
            tree: The workspace's folder in a worktree.
            spec: What to run. Chosen tests of one program run in the order of their names.
            log: Where the output goes.
            restore: Not possible here: a process of Rust tells no state.

        Raises:
            RunnerError: No process could be started.
            StoppedError: The sprint was asked to stop.
        """
        reason = unable(spec, self.policy.suite) or ("state cannot be put back" if restore else "")
        if reason:
            return refused_run(spec, self.policy.suite.cargo_command, log, reason)
        log.parent.mkdir(parents=True, exist_ok=True)
        tree = tree.resolve()
        with tempfile.TemporaryDirectory(prefix=f"regreen-{self.door.owner}-") as scratch:
            env = environment_of(self.door, tree, spec, Path(scratch))
            cargo = Cargo(
                door=self.door,
                tree=tree,
                env=environment_of(self.door, tree, RunSpec(), Path(scratch)),
                builds=build_folder(self.builds, tree),
                log=Path(scratch) / "cargo.log",
                memory=self._memory,
            )
            return self._measured(cargo, env, spec, log)

    def _measured(self, cargo: Cargo, env: dict[str, str], spec: RunSpec, log: Path) -> SuiteRun:
        started = time.monotonic()
        build = cargo.build(self.policy.suite_timeout_seconds)
        log.write_bytes(cargo.log.read_bytes() if cargo.log.exists() else b"")
        units = units_of(cargo, build, env, spec.tests)
        self.door.meter.add(started, time.monotonic())
        score = Score(log, time.monotonic() + self.policy.suite_timeout_seconds)
        chosen, unknown = _chosen(units, spec, self.policy.select)
        player = Player(self.door, score)
        for unit, names in chosen:
            _play(player, unit, names, spec)
        for name in unknown:
            score.add(name, Outcome.NOT_RUN)
        command = self._command(chosen, spec, log)
        return _assemble(spec, build, score, command)

    def _command(self, chosen: Chosen, spec: RunSpec, log: Path) -> tuple[str, ...]:
        """Return a command a person can type in the project for the same run."""
        suite, threads, words = (
            self.policy.suite.cargo_command,
            workers_of(spec) or 1,
            env_words(spec),
        )
        if spec.tests is None and spec.order is not OrderKind.ISOLATED:
            return (*words, *suite, "--no-fail-fast", "--", f"--test-threads={threads}")
        names = [name for _, some in chosen for name in some]
        if spec.order is OrderKind.ISOLATED and len(names) > 1:
            path, checkout = log.with_suffix(".order.txt"), self.door.checkout
            path.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
            shown = path.relative_to(checkout) if path.is_relative_to(checkout) else path
            each = ("xargs", "-d", r"\n", "-n", "1", "-a", str(shown))
            return (*each, *words, *suite, "--no-fail-fast", "--", "--exact")
        if not chosen:
            return (*words, *suite)
        return (*words, *shown_command(suite, chosen, threads))


def _chosen(
    units: Sequence[Unit], spec: RunSpec, prefixes: Sequence[str]
) -> tuple[Chosen, list[NodeId]]:
    """Return the wanted tests of each unit, and wanted ids that no unit has."""
    if spec.tests is None:
        kept = [(u, [n for n, node in u.names.items() if _is_in(node, prefixes)]) for u in units]
        return [(unit, names) for unit, names in kept if names], []
    where = {node: (unit, name) for unit in units for name, node in unit.names.items()}
    chosen: dict[str, tuple[Unit, list[str]]] = {}
    again = spec.order is OrderKind.ISOLATED  # a process each, so a test may run several times
    for node in spec.tests if again else dict.fromkeys(spec.tests):
        if node in where:
            unit, name = where[node]
            chosen.setdefault(unit.label, (unit, []))[1].append(name)
    return list(chosen.values()), [node for node in spec.tests if node not in where]


def _is_in(node: NodeId, prefixes: Sequence[str]) -> bool:
    return not prefixes or any(node == p or node.startswith(f"{p}::") for p in prefixes)


def _play(player: Player, unit: Unit, names: list[str], spec: RunSpec) -> None:
    threads = workers_of(spec) or 1
    is_repeated = len(set(names)) < len(names)
    if spec.order is OrderKind.ISOLATED and (is_repeated or not unit.is_doc):
        for name in names:
            player.play(unit, [name], 1)
        return
    player.play(unit, None if len(names) == len(unit.names) else names, threads)


def _assemble(spec: RunSpec, build: Build, score: Score, command: tuple[str, ...]) -> SuiteRun:
    results: list[TestResult] = [*score.results, *build.failures]
    results.sort(key=lambda r: (r.position < 0, r.position))
    processes = [p for p in (build.process, *score.processes) if p is not None]
    codes = [p.exit_code for p in processes]
    tested = score.processes or processes
    strays = sum(p.strays for p in score.processes)
    left = [f"{strays} processes were left behind and killed"] if strays else []
    return SuiteRun(
        spec=spec,
        command=command,
        exit_code=None if None in codes else next((c for c in codes if c), 0),
        end=_end_of(build, score),
        results=tuple(results),
        collected=len(results),
        duration_seconds=sum(p.duration_seconds for p in tested),
        killer=score.killer,
        segments=max(1, len(score.processes)),
        notes=(*dict.fromkeys(score.notes), *left),
        peak_rss_kib=max(p.peak_rss_kib for p in tested),
        user_seconds=sum(p.user_seconds for p in tested),
        system_seconds=sum(p.system_seconds for p in tested),
        log_path=str(score.log),
        log_digest=digest_of(score.log.read_bytes()),
    )


def _end_of(build: Build, score: Score) -> RunEnd:
    if score.has_hung:
        return RunEnd.TIMEOUT
    if score.has_died:
        return RunEnd.CRASHED
    if not score.results:
        return RunEnd.COLLECTION_ERROR if build.failures else RunEnd.NO_TESTS
    return RunEnd.COMPLETE

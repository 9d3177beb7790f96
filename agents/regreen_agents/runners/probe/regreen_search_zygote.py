"""Judge mutants of code that runs at import: in children of processes forked before the import.

Runs in the target's interpreter: Python 3.8+, pytest 7+, no dependency. A *zygote* is a process
that waits where nothing of the mutant's file has been imported: *late*, when pytest is about to
collect; or *early*, before pytest reads the project's ``conftest.py`` and plugins. For each mutant
it forks a child that goes on from there: it imports the mutated text, collects the few test files
needed, runs the tests and leaves. There is one zygote of each kind per lane.
"""

import importlib
import json
import os
import pathlib
import sys
from typing import Any, Dict, Generator, List, Optional, Set

IMPORT_FUEL = 50_000_000
COLLECTING_SECONDS = 20.0
COLLECTING_TICKS = 100_000
"""What a child that collects is charged."""
EARLY, LATE = "early", "late"
Command = Dict[str, Any]


class Zygote:
    """One waiting process, seen from the process that asks it."""

    def __init__(self, pid: int, commands: int, answers: int) -> None:
        """Keep both pipes."""
        self.pid = pid
        self.commands = commands
        self.answers = answers


class Zygotes:
    """The waiting processes, and who of them can judge what."""

    def __init__(self, job: Any) -> None:
        """Have none yet."""
        self.job = job
        self.entered: Optional[Command] = None
        """In a zygote's child: what it is to run."""
        self._tell: Any = None
        self._kinds: Dict[str, List[Zygote]] = {EARLY: [], LATE: []}
        self._loaded: Set[str] = set()

    # --------------------------------------------------------------------- before collection

    def fork(self, kind: str, config: Any = None) -> None:
        """Leave zygotes here; returns in this process, and in each child that one of them forks.

        Args:
            kind: ``EARLY`` or ``LATE``.
            config: Pytest's configuration object, where there is one yet.
        """
        if self.entered is not None:
            return
        if kind == LATE:
            paths = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
            self._loaded = {os.path.realpath(path) for path in paths if isinstance(path, str)}
        for _ in range(self.job.lanes):
            if self._fork_one(kind, config):
                return

    def _fork_one(self, kind: str, config: Any) -> bool:
        command_reader, commands = os.pipe()
        answers, answer_writer = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = self.job.children.fork()
        if pid:
            os.close(command_reader)
            os.close(answer_writer)
            self._kinds[kind].append(Zygote(pid, commands, answers))
            return False
        for fd in [commands, answers, *self._descriptors()]:
            os.close(fd)
        self._serve(command_reader, answer_writer, config)
        return True

    def _descriptors(self) -> List[int]:
        every = [one for zygotes in self._kinds.values() for one in zygotes]
        return [fd for one in every for fd in (one.commands, one.answers)]

    def _serve(self, commands: int, writer: int, config: Any) -> None:
        """Fork a child per command until there are no more; returns only in the children."""
        children = self.job.children
        tell = children.teller(writer)
        os.setpgid(0, 0)
        if config is not None:
            rewrite_once(config, self.job.asked["failing"])
        with os.fdopen(commands, "rb") as file:
            for line in file:
                pid = children.fork()
                if pid == 0:
                    self._enter(json.loads(line), tell)
                    return
                tell({"pid": pid})
                os.waitpid(pid, 0)
                tell({"gone": pid})
        os._exit(0)

    # ---------------------------------------------------------------------- in a child of one

    def _enter(self, command: Command, tell: Any) -> None:
        job = self.job
        os.setpgid(0, 0)
        job.children.limit_resources()
        self.entered, self._tell = command, tell
        mutant = next(m for m in job.asked["mutants"] if m["id"] == command["mutant"])
        job.tank.fill(IMPORT_FUEL)
        job.overlay.cover(job.files())
        job.overlay.put(mutant, job.tree)

    def narrow(self, config: Any) -> None:
        """Collect only the files of the tests to run."""
        root = str(config.rootpath)
        wanted = {test.partition("::")[0] for test in (self.entered or {})["tests"]}
        files = {os.path.realpath(os.path.join(root, path)) for path in wanted}
        args = [arg for arg in config.args if os.path.realpath(arg.partition("::")[0]) in files]
        if args:
            config.args = args

    def run(self) -> None:
        """Run the tests asked for, tell how they ended, and leave."""
        job, command = self.job, self.entered or {}
        leave = os._exit  # a test may replace it for good
        try:
            folder = os.path.join(job.scratch, str(os.getpid()))
            job.children.use_temporary_folder(job.config, folder)
            items = job.chosen(command["tests"])
            if len(items) == len(command["tests"]):
                job.run_until_red(items, self._tell, command["fuel"].get)
            self._tell({"end": "complete"})
        finally:
            leave(0)

    # -------------------------------------------------------------------- in the asking process

    def judge(self, mutant: Dict[str, Any], measure: Any) -> Generator[Any, Any, Any]:
        """Judge one mutant: the first failing test, then all of them with the covering ones."""
        job = self.job
        kind = EARLY if job.path_of(mutant) in self._loaded else LATE
        if not self._kinds[kind]:
            return job.judging.judgement(mutant, "cold")
        covering = [test for test in mutant["tests"] if test in measure.seconds]
        tests = [item.nodeid for item in measure.failing] + covering
        charged = 0
        one: Dict[str, Any] = {}
        for asked in [tests[:1], tests] if len(tests) > 1 else [tests]:
            fuel = {test: measure.fuel(test) for test in asked}
            command = {"mutant": mutant["id"], "tests": asked, "fuel": fuel}
            limit = COLLECTING_SECONDS + measure.limit(asked)
            told, how = yield self._starter(kind, command, limit)
            one = job.judging.verdict_of(mutant, asked, measure, (told, how, 1))
            charged += one["ticks"] + COLLECTING_TICKS
            if one["verdict"] != "plausible":
                break
        return dict(one, ticks=charged)

    def _starter(self, kind: str, command: Command, limit: float) -> Any:
        def start(lane: int) -> Any:
            return ask(self.job, self._kinds[kind][lane], command, limit)

        return start

    def close(self) -> None:
        """End all zygotes."""
        for zygotes in self._kinds.values():
            for one in zygotes:
                os.close(one.commands)
                os.close(one.answers)
                self.job.children.end_group(one.pid)
            del zygotes[:]


def rewrite_once(config: Any, tests: List[str]) -> None:
    """Compile the files of these tests here, if no compiled file would keep it for each child."""
    if not sys.dont_write_bytecode:
        return
    try:
        rewrite: Any = importlib.import_module("_pytest.assertion.rewrite")
        original = rewrite._rewrite_test  # noqa: SLF001 - nothing public compiles one
    except (ImportError, AttributeError):
        return
    done: Dict[str, Any] = {}

    def remembered(path: Any, config: Any) -> Any:
        if str(path) not in done:
            done[str(path)] = original(path, config)
        return done[str(path)]

    rewrite._rewrite_test = remembered  # noqa: SLF001
    for name in sorted({test.partition("::")[0] for test in tests}):
        try:
            remembered(pathlib.Path(str(config.rootpath), name), config)
        except Exception:
            continue  # then the children say so


def ask(job: Any, zygote: Zygote, command: Command, limit: float) -> Any:
    """Give a zygote a command; return the child that follows it, as a `Told`."""
    line = (json.dumps(command) + "\n").encode("ascii")
    while line:
        line = line[os.write(zygote.commands, line) :]
    return job.children.Followed(zygote.answers, job.scratch, limit)

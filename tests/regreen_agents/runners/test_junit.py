"""Commands that write JUnit XML, run for real: node, pytest itself, and small hostile scripts."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Factor, OrderKind, Outcome, RunEnd, RunSpec, SuiteRun
from regreen_agents.lab.signatures import signatures_of
from regreen_agents.runners.junit_accounts import COMMAND
from regreen_agents.runners.junit_runner import JunitRunner
from regreen_agents.runners.policy import RunnerPolicy
from regreen_agents.runners.process import Stopper
from regreen_agents.runners.pytest_runner import Door, Meter
from regreen_agents.runners.suites import Suite
from regreen_agents.runners.target import Target
from target_projects import LEAN, OWNER, given, lean_policy, make_project, marked

NODE = shutil.which("node")
WRITES = """
import os, sys, pathlib, time
mode, path = sys.argv[1], pathlib.Path(sys.argv[2])
chosen = sys.argv[3:]
cases = {"a": "", "b": "<failure message='no'/>", "c": "<skipped/>"}
wanted = {n: x for n, x in cases.items() if not chosen or n in chosen}
case = "<testcase classname='S' name='{}' time='0.1'>{}</testcase>"
body = "".join(case.format(*one) for one in wanted.items())
text = f"<testsuite name='S'>{body}</testsuite>"
print("environment", os.environ.get("TZ", ""), *chosen)
if mode == "nothing":
    sys.exit(0)
if mode == "green":
    text = "<testsuite><testcase classname='S' name='a'/></testsuite>"
if mode == "dies":
    text = text[:70]
path.write_text(text)
if mode == "dies":
    os.kill(os.getpid(), 9)
if mode == "hangs":
    time.sleep(60)
sys.exit(3 if mode in ("green", "whole") else 0)
"""


@dataclass
class JunitProject:
    path: Path
    logs: Path
    suite: Suite
    env: Mapping[str, str]

    def run(self, spec: RunSpec | None = None, **limits: object) -> SuiteRun:
        target = Target(python="x", version="x", pytest_version="", plugins=(), chosen_by="x")
        policy = RunnerPolicy(target=target, env=dict(self.env), suite=self.suite)
        policy = policy.model_copy(update=limits)
        runner = JunitRunner(Door(policy, self.path, OWNER, Stopper(), Meter()))
        return runner.run(self.path, spec or RunSpec(), self.logs / "run.log")


def junit(path: Path, *command: str, **more: str) -> JunitProject:
    suite = Suite.model_validate({"runner": "junit", "command": command, **more})
    return JunitProject(path, path.parent / "logs", suite, LEAN)


def script(tmp_path: Path, mode: str, *words: str, **more: str) -> JunitProject:
    project = tmp_path / "project"
    project.mkdir()
    (project / "run.py").write_text(WRITES, encoding="utf-8")
    return junit(project, sys.executable, "run.py", mode, "{junit}", *words, **more)


def told(run: SuiteRun) -> dict[str, str]:
    return {r.node_id: r.outcome.value for r in run.results}


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    yield
    assert marked() == []


def test_a_report_becomes_a_run(tmp_path: Path) -> None:
    run = script(tmp_path, "whole").run()

    assert told(run) == {"S::a": "passed", "S::b": "failed", "S::c": "skipped"}
    assert (run.end, run.exit_code, run.notes) == (RunEnd.COMPLETE, 3, ())
    assert run.command[-1] == "junit.xml"


def test_a_command_that_fails_with_green_tests_is_red(tmp_path: Path) -> None:
    run = script(tmp_path, "green").run()

    assert told(run) == {"S::a": "passed", COMMAND: "error"}
    [red] = run.red()
    assert red.failure is not None
    assert "exit code 3" in red.failure.message


def test_a_command_without_a_report_is_red(tmp_path: Path) -> None:
    run = script(tmp_path, "nothing").run()

    assert told(run) == {COMMAND: "error"}
    assert run.end is RunEnd.CRASHED
    assert run.notes == ("the command wrote no report",)


def test_a_kill_in_the_middle_keeps_what_was_written(tmp_path: Path) -> None:
    run = script(tmp_path, "dies").run()

    assert told(run) == {"S::a": "crashed"}
    assert run.end is RunEnd.CRASHED
    assert run.killer == "S::a"


def test_tests_lost_between_two_cases_are_red_though_another_one_failed(tmp_path: Path) -> None:
    project = script(tmp_path, "whole")
    text = (project.path / "run.py").read_text(encoding="utf-8")
    (project.path / "run.py").write_text(text.replace("</testsuite>", ""), encoding="utf-8")

    run = project.run()

    assert told(run) == {
        "S::a": "passed", "S::b": "failed", "S::c": "skipped", COMMAND: "error",
    }  # fmt: skip


def test_a_hanging_command_is_ended_and_told(tmp_path: Path) -> None:
    run = script(tmp_path, "hangs").run(suite_timeout_seconds=1.5)

    assert run.end is RunEnd.TIMEOUT
    assert told(run)["S::b"] == "failed"


def test_without_a_selection_nothing_runs_alone_and_that_is_said(tmp_path: Path) -> None:
    project = script(tmp_path, "whole")

    alone = project.run(RunSpec(order=OrderKind.ISOLATED, tests=(NodeId("S::a"),)))
    chosen = project.run(given("S::a"))

    assert told(alone) == told(chosen) == {"S::a": "not-run"}
    assert "cannot run one test alone" in alone.notes[0]
    assert "cannot run chosen tests" in chosen.notes[0]


def test_with_a_selection_tests_run_chosen_and_alone(tmp_path: Path) -> None:
    project = script(tmp_path, "part", "{tests}", select="{name}")
    everyone = (NodeId("S::a"), NodeId("S::b"), NodeId("S::gone"))
    zone = Factor(name="time-zone", value="Asia/Tokyo")

    chosen = project.run(given("S::b", factors=(zone,)))
    said = Path(chosen.log_path).read_text()
    alone = project.run(RunSpec(order=OrderKind.ISOLATED, tests=everyone))

    assert told(chosen) == {"S::b": "failed"}
    assert "environment Asia/Tokyo b" in said
    assert chosen.command[0] == "env"
    assert told(alone) == {
        "S::a": "passed",
        "S::b": "failed",
        "S::gone": "not-run",
    }
    assert alone.segments == 3


@pytest.mark.parametrize(("mode", "ends"), [("hangs", "timeout"), ("dies", "crashed")])
def test_a_test_that_hangs_or_dies_alone_is_told_as_such(
    tmp_path: Path, mode: str, ends: str
) -> None:
    project = script(tmp_path, mode, "{tests}", select="{name}")

    run = project.run(given("S::gone"), test_timeout_seconds=1.5)

    assert told(run) == {"S::gone": ends}


def test_a_name_that_looks_like_an_option_never_reaches_the_command(tmp_path: Path) -> None:
    run = script(tmp_path, "part", "{tests}", select="{name}").run(given("S::--delete-all"))

    assert "for an option" in run.notes[0]
    assert told(run) == {"S::--delete-all": "not-run"}


def test_pytest_by_its_own_report_agrees_with_our_probe(tmp_path: Path) -> None:
    files = {
        "test_a.py": """
            import pytest

            def test_passes(): pass
            def test_fails(): assert sorted([2, 1]) == [2, 1]
            @pytest.mark.skip(reason="not now")
            def test_skips(): pass
            @pytest.mark.xfail
            def test_is_known(): assert 0
            @pytest.mark.parametrize("text", ["a b", "x::y"])
            def test_of_many(text): pass
            @pytest.fixture
            def broken(): raise OSError("gone")
            def test_needs_it(broken): pass
            class TestIn:
                def test_passes(self): pass
        """
    }
    project = make_project(tmp_path, files)
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")

    ours = project.run(policy=lean_policy())
    theirs = junit(project.path, *command, "--junitxml={junit}").run()

    as_report = {
        r.node_id.replace(".py", "", 1).replace("::TestIn", ".TestIn"): r.outcome.value
        for r in ours.results
    }
    assert told(theirs) == as_report
    assert len(as_report) == 8
    bug = next(r for r in theirs.results if r.node_id.endswith("test_fails"))
    assert bug.failure is not None
    assert [(f.path, f.line) for f in bug.failure.frames] == [("test_a.py", 5)]


@pytest.mark.skipif(NODE is None, reason="node is not installed here")
def test_node_is_measured_and_its_tests_run_alone(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.test.js").write_text(
        "const { test, describe, it } = require('node:test');\n"
        "const assert = require('node:assert');\n"
        "let open = false;\n"
        "test('opens', () => { open = true; });\n"
        "describe('the till', () => { it('is closed (at first)', () => {\n"
        "  assert.strictEqual(open, false); }); });\n"
        "test('later', { skip: 'not now' }, () => {});\n",
        encoding="utf-8",
    )
    node = junit(
        project, "node", "--test", "--test-reporter=junit",
        "--test-reporter-destination={junit}", "--test-name-pattern={tests}",
        select="^{name_regex}$", select_separator="|",
    )  # fmt: skip
    victim = "the till::is closed (at first)"

    full = node.run()
    alone = node.run(RunSpec(order=OrderKind.ISOLATED, tests=(NodeId(victim),)))
    [victim_signature] = [s for s in signatures_of([full], alone) if s.node_id == victim]

    assert told(full) == {"test::opens": "passed", victim: "failed", "test::later": "skipped"}
    assert told(alone) == {victim: "passed"}
    assert victim_signature.standing.value == "flaky"
    failure = next(r.failure for r in full.results if r.outcome is Outcome.FAILED)
    assert failure is not None
    assert [(f.path, f.line) for f in failure.frames] == [("a.test.js", 6)]

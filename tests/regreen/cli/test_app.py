"""The program as a person meets it: real processes, their exit codes and messages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from regreen.cli.app import app

ROOT = Path(__file__).parents[3]
TIME_LIMIT_SECONDS = 60
COMMANDS = ("sprint", "status", "plan", "commit", "resume", "report", "doctor", "demo")


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    sources = os.pathsep.join(str(ROOT / name) for name in ("agents", "orchestrator", "prompts"))
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": sources} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=TIME_LIMIT_SECONDS,
        check=False,
    )


def regreen(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return python("-m", "regreen.cli.app", *arguments, **environment)


def guarded(body: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a function of these lines behind the door that `main` uses."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return python(
        "-c",
        f"from regreen.cli.exits import *\nfrom regreen_agents.errors import *\n"
        f"def run():\n{lines}\nguard(run)\n",
        **environment,
    )


def test_help_names_every_command_within_80_columns() -> None:
    result = regreen("--help")

    assert result.returncode == 0
    assert result.stdout.startswith("Usage: regreen ")
    for command in COMMANDS:
        assert f"\n  {command} " in result.stdout
    assert "..." not in result.stdout.split("Commands:")[1]
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (
            ("sprint",),
            "--engine --runs --tests --max-parallel --time-budget --yes-plans --into --squash "
            "--deterministic --verbose",
        ),
        (("status",), "--repo --json"),
        (("resume",), "--repo --verbose"),
        (("report",), "--repo --output"),
        (("demo",), "--interactive --dir --keep"),
        (("plan", "list"), "--repo --json --sprint"),
        (("plan", "edit"), "--repo --file --sprint"),
        (("plan", "approve"), "--repo --option --no-continue"),
        (("plan", "reject"), "--repo --why --no-continue"),
        (("commit", "list"), "--repo --json"),
        (("commit", "show"), "--repo"),
        (("commit", "approve"), "--repo --all --no-continue"),
        (("commit", "reject"), "--repo --why --no-continue"),
    ],
)
def test_help_of_a_command_names_its_options(command: tuple[str, ...], options: str) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])

    assert result.exit_code == 0
    missing = [option for option in options.split() if option not in result.stdout]
    assert missing == []
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_help_loads_no_heavy_library() -> None:
    result = python(
        "-c",
        "import sys, regreen.cli.app as a, typer\n"
        "typer.main.get_command(a.app)\n"
        "heavy = {'pydantic', 'rich', 'langgraph', 'anthropic', 'git', 'libcst', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))",
    )

    assert result.stdout == "[]\n", result.stderr


def test_the_version_is_one_line() -> None:
    result = regreen("--version")

    assert result.returncode == 0
    assert result.stdout.startswith("regreen ")
    assert len(result.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sprint", "--time-budget", "soon"), "--time-budget 30m"),
        (("plan", "show", "../PR1"), "regreen plan list"),
        (("plan", "approve", "PR1", "--option", "PR2=B"), "PR2 is not among"),
        (("plan", "reject", "PR1", "--why", " "), "needs a reason"),
        (("commit", "approve"), "regreen commit approve --all"),
        (("commit", "approve", "PR1", "--all"), "Both names and --all"),
    ],
)
def test_a_wrong_argument_gets_what_why_and_fix_and_exit_2(
    arguments: tuple[str, ...], said: str
) -> None:
    result = regreen(*arguments)

    assert result.returncode == 2
    assert result.stdout == ""
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["error", "why", "fix"]
    assert said in result.stderr


def test_a_mistyped_command_is_answered_with_the_likely_one() -> None:
    result = regreen("sprnt")

    assert result.returncode == 2
    assert "sprint" in result.stderr


def test_a_rejection_without_a_reason_is_refused() -> None:
    result = regreen("plan", "reject", "PR1")

    assert result.returncode == 2
    assert "--why" in result.stderr


def test_an_editor_that_is_not_there_is_named() -> None:
    result = regreen("plan", "edit", "PR1", VISUAL="", EDITOR="no-such-editor --wait")

    assert result.returncode == 2
    assert "no-such-editor" in result.stderr
    assert "--file FILE" in result.stderr


def test_without_an_editor_and_without_a_person_nothing_is_opened() -> None:
    result = regreen("plan", "edit", "PR1", VISUAL="", EDITOR="")

    assert result.returncode == 2
    assert "There is no editor to open" in result.stderr


def test_the_demo_never_writes_into_a_folder_that_has_something_in_it(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    result = regreen("demo", "--dir", str(tmp_path))

    assert result.returncode == 2
    assert "There is something in it" in result.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("kind", "exit_code"),
    [
        ("RegreenError", 1),
        ("ConfigError", 2),
        ("MergeError", 3),
        ("TargetError", 4),
        ("DocumentError", 5),
        ("StoreError", 6),
        ("BusyError", 7),
    ],
)
def test_each_known_failure_has_its_exit_code_and_no_traceback(kind: str, exit_code: int) -> None:
    result = guarded(f"raise {kind}('It broke.', why='a\\x1b[2Jb', fix='Mend it.')")

    assert result.returncode == exit_code
    assert result.stderr == "error: It broke.\nwhy: ab\nfix: Mend it.\n"


def test_a_failure_in_a_pipe_is_not_wrapped_so_that_its_command_can_be_copied() -> None:
    result = guarded("raise RegreenError('x', fix='regreen ' + 'word ' * 60)")

    assert len(result.stderr.splitlines()) == 2


def test_a_failure_without_fix_has_no_empty_line() -> None:
    assert guarded("raise RegreenError('It broke.')").stderr == "error: It broke.\n"


def test_a_bug_keeps_its_traceback_and_asks_for_a_report() -> None:
    result = guarded("raise ZeroDivisionError('deep inside')")

    assert result.returncode == 1
    assert "Traceback (most recent call last)" in result.stderr
    assert "ZeroDivisionError: deep inside" in result.stderr
    assert "This is a bug in regreen" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "body",
    [
        "raise KeyboardInterrupt",
        "with resumable('regreen resume'): raise KeyboardInterrupt",
        "raise SystemExit(130)",
    ],
)
def test_ctrl_c_anywhere_exits_130_and_says_that_nothing_is_lost(body: str) -> None:
    result = guarded(body)

    assert result.returncode == 130
    said = "stopped; nothing is lost. Continue with: regreen resume"
    assert result.stderr.strip() == said


def test_an_ordinary_exit_code_passes_in_silence() -> None:
    result = guarded("raise SystemExit(3)")

    assert (result.returncode, result.stderr) == (3, "")


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}, {"PYTHONIOENCODING": "latin-1"}],
)
def test_a_stream_that_cannot_show_a_character_gets_its_code(environment: dict[str, str]) -> None:
    result = guarded("raise RegreenError('test_région[✓]')", **environment)

    assert result.stderr == "error: test_r\\xe9gion[\\u2713]\n"


def test_a_reader_that_leaves_is_no_failure() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    sources = os.pathsep.join(str(ROOT / name) for name in ("agents", "orchestrator", "prompts"))
    body = (
        "from regreen.cli import render\nfrom regreen.cli.progress import watching\n"
        "from regreen_agents.domain.progress import ProgressEvent\n"
        "from regreen.cli.exits import guard\n"
        "def run():\n"
        "    with watching() as progress:\n"
        "        for _ in range(3): progress(ProgressEvent('gate', 'note', 'x', 0.0, 'gate'))\n"
        "    render.document('x' * 100_000)\n"
        "guard(run)\n"
    )

    result = subprocess.run(
        [sys.executable, "-c", body],
        env=os.environ | {"PYTHONPATH": sources},
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=TIME_LIMIT_SECONDS,
        check=False,
    )
    os.close(writer)

    assert (result.returncode, result.stderr) == (0, b"")

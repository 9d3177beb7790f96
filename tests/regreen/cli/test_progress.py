"""Progress is one line per agent, from many threads, and leaves the terminal as it was."""

import io
import os
import pty
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest
from rich.cells import cell_len
from rich.console import Console

from regreen.cli.board import Board, clock
from regreen.cli.progress import LiveProgress, PlainProgress, event_line
from regreen.cli.terminal import ASCII, UNICODE, Screen
from regreen_agents.domain.progress import ProgressEvent, Stage

ROOT = Path(__file__).parents[3]
TIME_LIMIT_SECONDS = 60

State = Literal["start", "note", "done", "failed"]


def event(
    agent: str = "explorer(C1)",
    state: State = "note",
    text: str = "isolated run",
    elapsed: float = 3.2,
    stage: str = "explore",
) -> ProgressEvent:
    return ProgressEvent(agent, state, text, elapsed, stage)


def screen(*, plain: bool = False, height: int = 24) -> Screen:
    console = Console(file=io.StringIO(), width=80, height=height, markup=False, highlight=False)
    return Screen(console, ASCII if plain else UNICODE, plain=plain, live=False)


def written(on: Screen) -> str:
    assert isinstance(on.console.file, io.StringIO)
    return on.console.file.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0s"),
        (3.24, "3.2s"),
        (59.94, "59.9s"),
        (59.96, "1m 00s"),
        (125, "2m 05s"),
        (3599.6, "1h 00m"),
        (3840, "1h 04m"),
    ],
)
def test_a_duration_is_short_and_never_shows_60(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_an_event_is_one_plain_line() -> None:
    said = event(text="isolated run: passes\nalone \x1b[2J")

    assert event_line(said, screen()) == "[  3.2s] explorer(C1): isolated run: passes alone"


def test_a_failed_agent_is_called_so() -> None:
    assert event_line(event(state="failed", text=""), screen()) == "[  3.2s] explorer(C1): failed"


def test_lines_of_many_threads_do_not_mix() -> None:
    on = screen()
    progress = PlainProgress(on)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: progress(event(text=f"step {n} " + "x" * 200)), range(200)))

    lines = written(on).splitlines()
    assert sorted(lines) == sorted(
        f"[  3.2s] explorer(C1): step {n} " + "x" * 200 for n in range(200)
    )


def test_the_board_holds_running_agents_the_longest_running_first() -> None:
    board = Board()

    board.take(event("explorer(C1)", "start", "one", 0.0), now=10.0)
    board.take(event("explorer(C2)", "note", "joined late", 5.0), now=11.0)
    board.take(event("explorer(C1)", "note", "two", 3.0), now=13.0)

    assert [(a.name, a.text, a.began) for a in board.running()] == [
        ("explorer(C2)", "joined late", 6.0),
        ("explorer(C1)", "two", 10.0),
    ]
    assert board.stage is Stage.EXPLORE


def test_a_finished_agent_leaves_the_board_and_may_start_again() -> None:
    board = Board()
    board.take(event(state="start"), now=1.0)

    board.take(event(state="done", stage=""), now=2.0)
    assert board.running() == ()

    board.take(event(state="start", text="attempt 2", elapsed=0.0), now=9.0)
    assert [(a.text, a.began) for a in board.running()] == [("attempt 2", 9.0)]
    assert board.stage is Stage.EXPLORE


@pytest.mark.parametrize("plain", [False, True])
def test_the_live_picture_fits_80_by_24_with_any_number_of_agents(plain: bool) -> None:
    on = screen(plain=plain)
    progress = LiveProgress(on)
    for n in range(100):
        progress(event(f"implementer(PR{n}: {'日本' * 30})", "start", "bisecting " * 30, 0.0))

    on.console.print(progress.picture())

    lines = written(on).splitlines()
    assert len(lines) <= 23
    assert max(cell_len(line) for line in lines) < 80
    assert "and 80 more" in lines[-1]
    assert written(on).isascii() is False or plain


def test_a_finished_agent_scrolls_up_as_one_line() -> None:
    on = screen()
    progress = LiveProgress(on)
    progress(event(state="start"))

    progress(event(state="done", text="environment-leak: " + "y" * 100))

    lines = written(on).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("[  3.2s] explorer(C1): environment-leak: yyy")
    assert lines[0].endswith("…")


def test_ctrl_c_gives_the_cursor_back_and_says_how_to_go_on(tmp_path: Path) -> None:
    script = tmp_path / "stopped.py"
    script.write_text(
        textwrap.dedent("""
            import signal
            from regreen.cli.exits import guard, resumable
            from regreen.cli.progress import watching
            from regreen_agents.domain.progress import ProgressEvent

            def run():
                with resumable("regreen resume --repo ../shop"), watching() as progress:
                    progress(ProgressEvent("baseline", "start", "run 1 of 3", 0.0, "baseline"))
                    signal.raise_signal(signal.SIGINT)  # to this thread, not to the view's

            guard(run)
        """)
    )

    exit_code, out = run_in_terminal([sys.executable, str(script)])

    assert exit_code == 130
    assert "\x1b[?25l" in out
    assert out.rindex("\x1b[?25h") > out.rindex("\x1b[?25l")
    assert "stopped; nothing is lost. Continue with: regreen resume --repo ../shop" in out
    assert "Traceback" not in out


@pytest.mark.parametrize(
    ("environment", "redraws", "colours"),
    [
        ({"TERM": "xterm-256color"}, True, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_a_terminal_is_used_as_far_as_it_can(
    tmp_path: Path, environment: dict[str, str], redraws: bool, colours: bool
) -> None:
    script = tmp_path / "seen.py"
    script.write_text(
        textwrap.dedent("""
            from regreen.cli.progress import watching
            from regreen_agents.domain.progress import ProgressEvent

            with watching() as progress:
                progress(ProgressEvent("gate", "start", "full suite", 0.0, "gate"))
                progress(ProgressEvent("gate", "failed", "1 newly failing", 2.0, "gate"))
        """)
    )

    exit_code, out = run_in_terminal([sys.executable, str(script)], **environment)

    assert exit_code == 0
    assert "[  2.0s] gate: failed: 1 newly failing" in out
    assert ("\x1b[?25l" in out) is redraws
    assert ("\x1b[31m" in out) is colours


def run_in_terminal(command: list[str], **environment: str) -> tuple[int, str]:
    """Run a command in a pseudo-terminal of its own; return its exit code and what it wrote."""
    ours, theirs = pty.openpty()
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"NO_COLOR", "FORCE_COLOR", "COLORTERM"}
    }
    sources = os.pathsep.join(str(ROOT / name) for name in ("agents", "orchestrator", "prompts"))
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=inherited | {"PYTHONPATH": sources, "TERM": "xterm-256color"} | environment,
        start_new_session=True,
    )
    os.close(theirs)
    limit = threading.Timer(TIME_LIMIT_SECONDS, process.kill)
    limit.start()
    out = bytearray()
    try:
        while chunk := os.read(ours, 65536):
            out += chunk
    except OSError:  # Linux says EIO when the other side has closed
        pass
    finally:
        os.close(ours)
        limit.cancel()
    return process.wait(timeout=TIME_LIMIT_SECONDS), out.decode()

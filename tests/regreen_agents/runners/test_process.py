"""Processes under the supervisor: how they end, and what is left of them."""

import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from regreen_agents.errors import RunnerError, StoppedError
from regreen_agents.runners.bounded_log import HEAD_BYTES, TAIL_BYTES
from regreen_agents.runners.process import (
    ProcessRequest,
    ProcessResult,
    Stopper,
    end_marked,
    run_process,
)
from target_projects import OWNER, PLAIN, marked, wait_until

LONG = 60.0
DAEMONS = """
    import os, sys, time
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                open(sys.argv[1] + str(os.getpid()), "w").close()
                time.sleep(300)
            os._exit(0)
    while len(os.listdir(os.path.dirname(sys.argv[1]))) < 3:
        time.sleep(0.01)
"""


def request(tmp_path: Path, code: str, *more: str, **limits: float) -> ProcessRequest:
    return ProcessRequest(
        command=(sys.executable, "-S", "-c", textwrap.dedent(code), *more),
        cwd=tmp_path,
        env=PLAIN,
        log=tmp_path / "out.log",
        timeout_seconds=limits.get("seconds", LONG),
        owner=OWNER,
        memory_limit_mib=int(limits.get("mebibytes", 0)),
    )


def run(tmp_path: Path, code: str, *more: str, **limits: float) -> ProcessResult:
    return run_process(request(tmp_path, code, *more, **limits), stopper=Stopper())


def log_of(tmp_path: Path) -> str:
    return (tmp_path / "out.log").read_text()


@pytest.mark.parametrize("code", [0, 1, 5, 93])
def test_an_exit_code_is_told_as_it_is(tmp_path: Path, code: int) -> None:
    result = run(tmp_path, f"raise SystemExit({code})")

    assert (result.exit_code, result.ended, result.strays) == (code, "exited", 0)


def test_a_death_by_signal_is_a_negative_exit_code(tmp_path: Path) -> None:
    result = run(tmp_path, "import os; os.kill(os.getpid(), 11)")

    assert (result.exit_code, result.ended) == (-signal.SIGSEGV, "exited")


def test_output_errors_and_resources_are_kept(tmp_path: Path) -> None:
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.stdin.read()"

    result = run(tmp_path, code)

    assert log_of(tmp_path) == "out\nerr\n"
    assert result.log_bytes == 8
    assert result.peak_rss_kib > 1000


def test_only_the_environment_asked_for_is_there_and_the_mark(tmp_path: Path) -> None:
    run(tmp_path, "import os; print(sorted(n for n in os.environ if n != 'LC_CTYPE'))")

    assert log_of(tmp_path).strip() == str(sorted([*PLAIN, "REGREEN_RUN"]))


def test_a_command_that_does_not_exist_ends_without_a_report_and_says_so(tmp_path: Path) -> None:
    asked = ProcessRequest(("/nonexistent/python",), tmp_path, {}, tmp_path / "l", LONG, OWNER)

    result = run_process(asked, stopper=Stopper())

    assert result.exit_code is None
    assert "FileNotFoundError" in (tmp_path / "l").read_text()


def test_a_folder_that_does_not_exist_is_an_error_a_person_can_act_on(tmp_path: Path) -> None:
    asked = ProcessRequest((sys.executable,), tmp_path / "gone", {}, tmp_path / "l", LONG, OWNER)

    with pytest.raises(RunnerError, match="Could not start") as caught:
        run_process(asked, stopper=Stopper())

    assert caught.value.fix


IGNORES_SIGTERM = """
    import signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(300)
"""
FAMILY = """
    import subprocess, sys, time
    subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(300)"])
    time.sleep(300)
"""


@pytest.mark.parametrize("code", [IGNORES_SIGTERM, FAMILY], ids=["ignores SIGTERM", "a family"])
def test_the_time_limit_kills_the_whole_group(tmp_path: Path, code: str) -> None:
    result = run(tmp_path, code, seconds=0.4)

    assert (result.exit_code, result.ended) == (None, "limit")
    assert marked() == []


def test_daemons_that_left_the_session_are_gone_afterwards(tmp_path: Path) -> None:
    born = tmp_path / "born"
    born.mkdir()

    result = run(tmp_path, DAEMONS, f"{born}/")

    assert (result.exit_code, result.ended, result.strays) == (0, "exited", 3)
    assert len(list(born.iterdir())) == 3
    assert marked() == []


def test_a_child_that_kills_its_parent_loses_only_the_supervisor(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
        import os, signal, time
        if os.fork() == 0:
            os.setsid()
            time.sleep(300)
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(300)
        """,
    )

    assert (result.exit_code, result.ended) == (None, "lost")
    assert marked() == []


def test_a_flood_of_output_keeps_the_log_bounded_with_head_and_tail(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
        import os
        os.write(1, b"first line\\n")
        for _ in range(200):
            for _ in range(16):
                os.write(1, b"x" * 65535 + b"\\n")
        os.write(1, b"last line\\n")
        """,
    )

    text = log_of(tmp_path)
    assert result.exit_code == 0
    assert result.log_bytes == 200 * 2**20 + len("first line\nlast line\n")
    assert len(text) < HEAD_BYTES + 2 * TAIL_BYTES
    assert text.startswith("first line\n")
    assert text.endswith("last line\n")
    assert "bytes elided" in text


def test_output_just_above_the_head_is_kept_whole(tmp_path: Path) -> None:
    size = HEAD_BYTES + TAIL_BYTES // 2

    run(tmp_path, f"import os, sys; sys.stdout.write('y' * {size})")

    assert log_of(tmp_path) == "y" * size


def test_a_memory_limit_bounds_a_process_and_not_the_next(tmp_path: Path) -> None:
    hungry = "held = bytearray(150 * 2**20); print('fed')"

    bounded = run(tmp_path, hungry, mebibytes=80)
    starved = log_of(tmp_path)
    run(tmp_path, hungry)

    assert bounded.exit_code == 1
    assert "MemoryError" in starved
    assert log_of(tmp_path) == "fed\n"


def test_the_caller_can_end_a_run_early(tmp_path: Path) -> None:
    started = tmp_path / "started"
    code = f"import time; open({str(started)!r}, 'w').close(); time.sleep(300)"

    result = run_process(request(tmp_path, code), stopper=Stopper(), should_end=started.exists)

    assert (result.exit_code, result.ended) == (None, "stop")
    assert marked() == []


def test_a_stop_ends_what_runs_and_lets_nothing_start(tmp_path: Path) -> None:
    stopper = Stopper()
    asked = request(tmp_path, "print('in', flush=True); import time; time.sleep(300)")

    def stop_when_it_runs() -> bool:
        if (tmp_path / "out.log").exists() and log_of(tmp_path):
            stopper.stop()
        return False

    with pytest.raises(StoppedError):
        run_process(asked, stopper=stopper, should_end=stop_when_it_runs)
    (tmp_path / "out.log").unlink()
    with pytest.raises(StoppedError):
        run_process(asked, stopper=stopper)

    assert marked() == []
    assert not (tmp_path / "out.log").exists()


CALLER = """
import sys
from pathlib import Path
from regreen_agents.runners.process import ProcessRequest, Stopper, run_process
code, folder, owner = sys.argv[1:]
run_process(
    ProcessRequest((sys.executable, "-S", "-c", code, folder + "/"), Path(folder).parent, {},
                   Path(folder).parent / "out.log", 300.0, owner),
    stopper=Stopper(),
)
"""


def caller_environment() -> Mapping[str, str]:
    return {**PLAIN, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def test_when_regreen_is_killed_its_runs_end_with_it(tmp_path: Path) -> None:
    owner = f"{OWNER}-killed"
    born = tmp_path / "born"
    born.mkdir()
    code = textwrap.dedent(DAEMONS) + "time.sleep(300)\n"
    regreen = subprocess.Popen(
        [sys.executable, "-c", CALLER, code, str(born), owner], env=caller_environment()
    )

    all_there = wait_until(lambda: len(list(born.iterdir())) == 3)
    family = marked(owner)
    regreen.kill()
    regreen.wait()

    assert all_there
    assert len(family) >= 5
    assert wait_until(lambda: not marked(owner), family)


def sleeping(mark: str) -> subprocess.Popen[bytes]:
    code = "import time; time.sleep(300)"
    return subprocess.Popen([sys.executable, "-S", "-c", code], env={**PLAIN, "REGREEN_RUN": mark})


def test_what_a_lost_supervisor_left_is_found_by_its_mark(tmp_path: Path) -> None:
    owner = f"{OWNER}-left"
    mine, other = sleeping(f"{owner}/1"), sleeping(f"{OWNER}-other/1")
    both_run = wait_until(lambda: len(marked(owner)) == len(marked(f"{OWNER}-other")) == 1)

    ended = end_marked(f"{owner}/")
    still_there = other.poll()
    other.kill()

    assert both_run
    assert ended == 1
    assert mine.wait(timeout=LONG) == -signal.SIGKILL
    assert still_there is None
    other.wait()


def test_a_process_that_hides_and_outlives_the_supervisor_is_gone(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
        import os, signal, subprocess, sys
        sleeper = [sys.executable, "-S", "-c", "import time; time.sleep(300)"]
        hidden = subprocess.Popen(sleeper, env={}, start_new_session=True)
        print(hidden.pid, flush=True)
        os.kill(os.getppid(), signal.SIGKILL)
        """,
    )

    assert result.ended == "lost"
    assert not psutil.pid_exists(int(log_of(tmp_path)))


def test_output_held_by_a_process_out_of_our_reach_does_not_hold_us_up(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
        import os, signal, subprocess, sys
        sleeper = [sys.executable, "-S", "-c", "import time; time.sleep(300)"]
        hidden = subprocess.Popen(sleeper, env={}, start_new_session=True)
        print(hidden.pid, flush=True)
        parent = os.getppid()
        above = int(open(f"/proc/{parent}/stat").read().rpartition(")")[2].split()[1])
        os.kill(above, signal.SIGKILL)
        os.kill(parent, signal.SIGKILL)
        """,
    )

    os.kill(int(log_of(tmp_path)), signal.SIGKILL)
    assert result.ended == "lost"


def test_a_supervisor_that_a_test_has_stopped_goes_on(tmp_path: Path) -> None:
    code = "import os, signal; os.kill(os.getppid(), signal.SIGSTOP); raise SystemExit(5)"

    result = run(tmp_path, code)

    assert (result.exit_code, result.ended) == (5, "exited")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_a_full_disk_is_an_error_and_does_not_kill_the_run_by_its_output(tmp_path: Path) -> None:
    code = "import sys; sys.stdout.write('x' * 300_000); sys.stdout.flush(); open('end', 'w')"
    full = dataclasses.replace(request(tmp_path, code), log=Path("/dev/full"))

    with pytest.raises(RunnerError) as caught:
        run_process(full, stopper=Stopper())

    assert "No space left" in caught.value.why
    assert (tmp_path / "end").exists()

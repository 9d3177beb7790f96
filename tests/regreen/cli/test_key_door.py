"""The key door, with real processes: what a child of regreen can find of the key."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from model_calls import KEY

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a process cannot start itself anew")

PROGRAM = """
import json, os, signal, subprocess, sys
from pathlib import Path

folder = Path(sys.argv[1])
with (folder / "starts").open("a") as file:
    file.write(f"{os.getpid()} {'ANTHROPIC_API_KEY' in os.environ}\\n")
import regreen_agents
from importlib.util import module_from_spec, spec_from_file_location
where = Path(regreen_agents.__file__).parents[2] / "orchestrator/regreen/cli/key_door.py"
spec = spec_from_file_location("key_door", where)
door = module_from_spec(spec)
spec.loader.exec_module(door)
door.pass_door(sys.argv[1:])

from regreen_agents.llm.secret import take_key
search = [sys.executable, "-I", str(folder / "search.py"), str(os.getpid())]
found = subprocess.run(search, capture_output=True, text=True, check=True, close_fds=False).stdout
dumpable = None
if sys.platform == "linux":
    import ctypes
    dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
try:
    key = take_key(os.environ).reveal()
except Exception as error:
    key = type(error).__name__
print(json.dumps({
    "pid": os.getpid(), "argv": sys.argv, "cwd": os.getcwd(), "found": json.loads(found),
    "key": key, "dumpable": dumpable, "prefix": sys.prefix, "flags": list(sys.warnoptions),
    "left": [n for n in os.environ if n.startswith(("ANTHROPIC", "REGREEN"))],
    "said": sys.stdin.readline(), "other": os.environ.get("OTHER"),
}), flush=True)
if "--wait" in sys.argv:
    signal.pause()
sys.exit(7)
"""

SEARCH = f"""
import json, os, sys
from pathlib import Path

needle = {KEY[:6].encode()!r} + {KEY[6:].encode()!r}
found, looked = [], []

def look(path):
    try:
        text = Path(path).read_bytes()
    except OSError:
        return
    looked.append(path)
    if needle in text:
        found.append(path)

if needle.decode() in repr(dict(os.environ)):
    found.append("environ")
for number in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []:
    if int(number) > 2:
        try:
            os.set_blocking(int(number), False)
            if needle in os.read(int(number), 65536):
                found.append("fd " + number)
        except OSError:
            pass
pid = os.getpid()
while os.path.isdir("/proc") and pid > 1:
    look(f"/proc/{{pid}}/environ")
    look(f"/proc/{{pid}}/cmdline")
    try:
        for number in os.listdir(f"/proc/{{pid}}/fd"):
            target = os.readlink(f"/proc/{{pid}}/fd/{{number}}")
            if target.startswith("/memfd") or target.startswith("pipe") and pid != os.getpid():
                flags = os.open(f"/proc/{{pid}}/fd/{{number}}", os.O_RDONLY | os.O_NONBLOCK)
                if int(number) > 2 and needle in os.read(flags, 65536):
                    found.append(f"fd {{number}} of {{pid}}")
                os.close(flags)
    except OSError:
        pass
    if pid == int(sys.argv[1]):
        break
    pid = int(Path(f"/proc/{{pid}}/stat").read_text().rpartition(")")[2].split()[1])
print(json.dumps(found))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "search.py").write_text(SEARCH)
    (tmp_path / "regreen").write_text(PROGRAM)
    (tmp_path / "regreen.py").write_text(PROGRAM)
    (tmp_path / "other").write_text(PROGRAM)
    return tmp_path


def _start(
    folder: Path, program: tuple[str, ...], *words: str, **environ: str
) -> subprocess.Popen[str]:
    kept = {n: v for n, v in os.environ.items() if not n.startswith("ANTHROPIC_")}
    agents = str(Path(__file__).parents[3] / "agents")
    return subprocess.Popen(
        [sys.executable, *program, str(folder), *words],
        cwd=folder,
        env={**kept, "PYTHONPATH": agents, **environ},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _told(process: subprocess.Popen[str]) -> dict[str, object]:
    out, err = process.communicate("hello\n", timeout=60)
    assert out, err
    told: dict[str, object] = json.loads(out)
    return told


def _starts(folder: Path) -> list[str]:
    return (folder / "starts").read_text().splitlines()


@pytest.mark.parametrize("program", [("regreen",), ("-W", "error", "-m", "regreen")])
@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
def test_a_child_finds_the_key_nowhere_and_regreen_still_has_it(
    folder: Path, program: tuple[str, ...], name: str
) -> None:
    process = _start(folder, program, "sprint", "a b", "", **{name: KEY, "OTHER": "kept"})

    told = _told(process)

    assert told["found"] == []
    assert told["key"] == KEY
    assert told["left"] == []
    assert told["other"] == "kept"


@pytest.mark.parametrize("program", [("regreen",), ("-W", "error", "-m", "regreen")])
def test_the_process_stays_the_same_in_all_else(folder: Path, program: tuple[str, ...]) -> None:
    process = _start(folder, program, "sprint", "a b", "", ANTHROPIC_API_KEY=KEY)

    told = _told(process)

    assert [int(line.split()[0]) for line in _starts(folder)] == [process.pid] * 2
    assert told["pid"] == process.pid
    assert isinstance(told["argv"], list)
    assert told["argv"][1:] == [str(folder), "sprint", "a b", ""]
    assert told["cwd"] == str(folder)
    assert told["prefix"] == sys.prefix
    assert told["flags"] == (["error"] if "-m" in program else [])
    assert told["said"] == "hello\n"
    assert process.returncode == 7


@pytest.mark.skipif(sys.platform != "linux", reason="prctl")
def test_a_process_that_holds_the_key_gives_up_being_dumpable(folder: Path) -> None:
    with_key = _told(_start(folder, ("regreen",), "sprint", ANTHROPIC_API_KEY=KEY))
    without = _told(_start(folder, ("regreen",), "sprint"))

    assert (with_key["dumpable"], without["dumpable"]) == (0, 1)


def test_without_a_key_nothing_starts_anew(folder: Path) -> None:
    told = _told(_start(folder, ("regreen",), "sprint", ANTHROPIC_API_KEY=" "))

    assert len(_starts(folder)) == 1
    assert told["key"] == "UsageError"


def test_a_program_that_only_calls_regreen_is_not_started_anew(folder: Path) -> None:
    told = _told(_start(folder, ("other",), "sprint", ANTHROPIC_API_KEY=KEY))

    assert len(_starts(folder)) == 1
    assert told["key"] == KEY
    assert told["left"] == []
    # And this is why the door is needed: taking the variable out hides it from no child that looks.
    assert bool(told["found"]) == (sys.platform == "linux")


def test_help_is_not_started_twice(folder: Path) -> None:
    told = _told(_start(folder, ("regreen",), "sprint", "--help", ANTHROPIC_API_KEY=KEY))

    assert len(_starts(folder)) == 1
    assert told["left"] == []


def test_a_signal_reaches_the_process_that_started_anew(folder: Path) -> None:
    process = _start(folder, ("regreen",), "--wait", ANTHROPIC_API_KEY=KEY)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("hello\n")
    process.stdin.flush()
    assert process.stdout.readline()

    process.send_signal(signal.SIGTERM)

    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM


@pytest.mark.parametrize("number", ["0", "99", "x", "-1"])
def test_a_pipe_that_is_none_is_an_error_in_our_words(folder: Path, number: str) -> None:
    process = _start(folder, ("regreen",), "sprint", REGREEN_KEY_FD=number)

    _, err = process.communicate("", timeout=60)

    assert process.returncode == 1
    assert "UsageError: REGREEN_KEY_FD names no pipe" in err

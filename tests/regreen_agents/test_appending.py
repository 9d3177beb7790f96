"""Logs that grow by whole lines."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from regreen_agents import appending
from regreen_agents.appending import Torn, append

LITTLE_ROOM = """
import resource, sys
from pathlib import Path
from regreen_agents.appending import Torn, append
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    append(Path(sys.argv[1]), b"y" * 3000 + b"\\n", torn=Torn(sys.argv[2]))
except OSError as error:
    print(error.strerror)
"""


@pytest.mark.parametrize(
    ("torn", "expected"),
    [
        (Torn.CUT, b"one\ntwo\n"),
        (Torn.ENDED, b"one\n" + b"y" * 9000 + b"\ntwo\n"),
        (Torn.LEFT, b"one\n" + b"y" * 9000 + b"two\n"),
    ],
)
def test_each_log_says_what_becomes_of_a_torn_line(
    tmp_path: Path, torn: Torn, expected: bytes
) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\n" + b"y" * 9000)

    append(log, b"two\n", torn=torn)

    assert log.read_bytes() == expected


@pytest.mark.parametrize("torn", list(Torn))
def test_whole_lines_are_only_added_to(tmp_path: Path, torn: Torn) -> None:
    log = tmp_path / "log"

    for line in (b"one\n", b"two\nthree\n", b"four\n"):
        append(log, line, torn=torn)

    assert log.read_bytes() == b"one\ntwo\nthree\nfour\n"


@pytest.mark.parametrize(
    ("torn", "left"), [(Torn.CUT, b"one\n"), (Torn.ENDED, b"one\ntor"), (Torn.LEFT, b"one\ntor")]
)
def test_a_line_that_the_disk_takes_only_a_part_of_is_taken_back(
    tmp_path: Path, torn: Torn, left: bytes
) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\ntor")
    places = str(Path(appending.__file__).parents[1])

    full = subprocess.run(
        [sys.executable, "-c", LITTLE_ROOM, str(log), torn.value],
        env={"PYTHONPATH": places},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert full.stdout == "File too large\n"
    assert log.read_bytes() == left


def test_threads_never_mix_or_lose_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    lines = [b"%d-" % n + b"z" * (n * 37 % 5000) + b"\n" for n in range(100)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda line: append(log, line, torn=Torn.ENDED, durable=False), lines))

    assert sorted(log.read_bytes().splitlines(keepends=True)) == sorted(lines)


def test_a_log_is_made_with_the_permissions_asked_for(tmp_path: Path) -> None:
    append(tmp_path / "log", b"one\n", torn=Torn.LEFT, mode=0o600)

    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600

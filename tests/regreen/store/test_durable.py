"""Atomic files and logs that a kill cannot break."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from regreen.store import durable
from regreen_agents.errors import StoreError

_APPENDER = """
import sys
from pathlib import Path
from regreen.store.durable import append_line
print("ready", flush=True)
n = 0
while True:
    append_line(Path(sys.argv[1]), f"{n}:" + "x" * 5000)
    n += 1
"""


def test_a_written_file_holds_the_bytes_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"

    durable.write_atomically(path, b"one")
    durable.write_atomically(path, b"two")

    assert path.read_bytes() == b"two"
    assert [p.name for p in path.parent.iterdir()] == ["b.json"]


def test_a_write_that_fails_leaves_the_old_file_and_no_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    path.mkdir()
    (path / "inside").write_text("x")

    with pytest.raises(StoreError) as caught:
        durable.write_atomically(path, b"two")

    assert str(path) in caught.value.what
    assert caught.value.why
    assert caught.value.fix
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_a_log_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written") as caught:
        durable.append_line(tmp_path, "one")
    assert caught.value.fix
    with pytest.raises(StoreError, match="cannot be read"):
        durable.read_lines(tmp_path)


def test_a_file_behind_a_link_is_not_touched(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    link = tmp_path / "link"
    link.symlink_to(outside)

    durable.write_atomically(link, b"ours")

    assert outside.read_bytes() == b"precious"
    assert link.read_bytes() == b"ours"


def test_a_torn_last_line_is_ignored_and_cut_away_by_the_next(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    long = "y" * 9000
    log.write_text(f"one\n{long}")

    before = durable.read_lines(log)
    durable.append_line(log, "two")

    assert before == ("one",)
    assert durable.read_lines(log) == ("one", "two")


def test_a_log_of_nothing_but_a_torn_line_reads_as_empty(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    log.write_text("tor")

    assert durable.read_lines(log) == ()
    durable.append_line(log, "one", durable=True)
    assert log.read_text() == "one\n"


def test_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    log = tmp_path / "log"

    durable.append_line(log, "a\u2028b\x85c\rd")

    assert durable.read_lines(log) == ("a\u2028b\x85c\rd",)
    with pytest.raises(ValueError, match="one line at a time"):
        durable.append_line(log, "a\nb")


def test_threads_never_mix_or_lose_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    texts = [f"{n}-" + "z" * (n * 37 % 5000) for n in range(200)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: durable.append_line(log, text), texts))

    assert sorted(durable.read_lines(log)) == sorted(texts)


def test_a_killed_appender_leaves_only_whole_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", _APPENDER, str(log)], env=environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        while len(durable.read_lines(log)) < 20:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=20)

    durable.append_line(log, "after")

    *lines, last = durable.read_lines(log)
    assert last == "after"
    assert lines == [f"{n}:" + "x" * 5000 for n in range(len(lines))]


def test_bytes_that_are_no_utf8_are_named_by_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\n\xff\nthree\n")

    with pytest.raises(StoreError, match=r"log:2 is damaged"):
        durable.read_lines(log)

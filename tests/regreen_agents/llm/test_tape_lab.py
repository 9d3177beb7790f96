"""What the laboratory measured, on a tape: the same on replay, as it reads on that machine."""

import tempfile
from pathlib import Path

import pytest
from pydantic import JsonValue

from regreen_agents.domain.identity import Model
from regreen_agents.errors import TapeError
from regreen_agents.llm.redaction import REVERSIBLE, Redactor
from regreen_agents.llm.tape import LabRecorder, TapeFile
from regreen_agents.llm.tape_format import LAST, NoLabLog
from regreen_agents.llm.tape_orders import orders_named, put_back
from regreen_agents.llm.tape_player import Player
from regreen_agents.llm.tape_reading import read_tape
from regreen_agents.llm.taped import taped
from tape_parts import HEADER, PLAIN, caller, request

KEY = "a-secret-of-ann"
ANN = Redactor((KEY,), "/home/ann", "ann", temp=("/private/ann/tmp",), python="/opt/ann/bin/python")
BOB = Redactor((), home="/Users/bob", user="bob", python="/usr/bin/python3")
SPRINT = HEADER.model_copy(update={"sprint": "20260101T000000Z"})


class Seen(Model):
    """A measurement."""

    text: str
    counts: tuple[int, ...] = ()


def tape_of(path: Path, *seen: tuple[str, Seen], how: Redactor = PLAIN) -> Path:
    log = LabRecorder(TapeFile(path, SPRINT, how))
    for name, one in seen:
        assert log.measured(name, LAST) is None
        log.keep_measured(name, one)
    return path


def text_of(found: dict[str, JsonValue] | None) -> JsonValue:
    assert found is not None
    return found["text"]


def test_a_replay_takes_what_was_measured_and_measures_nothing(tmp_path: Path) -> None:
    seen = Seen(text="1 failed", counts=(1, 2))
    path = tape_of(tmp_path / "a.tape", ("baseline", seen))

    def never() -> Seen:
        raise AssertionError

    assert taped(Player(read_tape(path), PLAIN), "baseline", Seen, never) == seen


def test_while_recording_it_is_measured_once_and_kept(tmp_path: Path) -> None:
    log = LabRecorder(TapeFile(tmp_path / "a.tape", SPRINT, PLAIN))

    made = taped(log, "baseline", Seen, lambda: Seen(text="2 failed"))

    assert made.text == "2 failed"
    kept = Player(read_tape(tmp_path / "a.tape"), PLAIN).measured("baseline", LAST)
    assert text_of(kept) == "2 failed"


def test_without_a_tape_everything_is_measured() -> None:
    assert taped(NoLabLog(), "baseline", Seen, lambda: Seen(text="now")).text == "now"


def test_repeated_measurements_come_in_their_order_and_the_last_stands_for_more(
    tmp_path: Path,
) -> None:
    rows = [("claim", Seen(text=text)) for text in ("red", "green")]
    replay = Player(read_tape(tape_of(tmp_path / "a.tape", *rows)), PLAIN)

    assert [text_of(replay.measured("claim", n)) for n in (0, 1, 2, LAST)] == [
        "red",
        "green",
        "green",
        "green",
    ]


def test_what_is_a_machines_own_is_not_on_the_tape_and_reads_there_as_its_own(
    tmp_path: Path,
) -> None:
    told = (
        f"/home/ann/lib/x.py:3 /opt/ann/bin/python -m pytest {KEY} PATH=/opt/ann/bin "
        "~/.shop <tmp>/y .regreen/sprints/20260101T000000Z/runs /tmp/regreen-a-b/z "
        "/private/ann/tmp/x"
    )
    path = tape_of(tmp_path / "a.tape", ("baseline", Seen(text=told)), how=ANN)
    raw = path.read_text()

    replay = Player(read_tape(path), BOB, sprint="20260101T000000Z-2")
    seen = text_of(replay.measured("baseline", LAST))

    assert not [word for word in ("/home/ann", "/opt/ann", "/private", KEY) if word in raw]
    assert isinstance(seen, str)
    assert seen.startswith("/Users/bob/lib/x.py:3 /usr/bin/python3 -m pytest <key> PATH=/usr/bin ~")
    assert "sprints/20260101T000000Z-2/runs" in seen
    assert seen.endswith(f"/tmp/regreen-a-b/z {tempfile.gettempdir()}/x")
    assert "regreen:" not in seen


def test_on_the_same_machine_a_measurement_reads_as_it_was_written() -> None:
    told = (
        "/home/ann/lib/x.py ~/.shop <user> pytest-of-ann /opt/ann/bin/python "
        "PATH=/opt/ann/bin:/bin /opt/ann/bin/pip"
    )

    assert ANN.restored(ANN.reversible.text(told)) == told
    assert all(mark not in ANN.restored(" ".join(REVERSIBLE)) for mark in REVERSIBLE)


def test_what_was_never_measured_ends_the_replay(tmp_path: Path) -> None:
    replay = Player(read_tape(tape_of(tmp_path / "a.tape", ("baseline", Seen(text="")))), PLAIN)

    with pytest.raises(TapeError, match="never measured 'explore PR9 embedded'") as told:
        replay.measured("explore PR9 embedded", LAST)

    assert "baseline" in told.value.why
    with pytest.raises(TapeError, match="already differed"):
        replay.measured("baseline", LAST)
    with pytest.raises(TapeError, match="already differed"):
        replay.complete(request("Find it."), caller())


def test_a_tape_of_the_first_version_lets_everything_be_measured(tmp_path: Path) -> None:
    old = SPRINT.model_copy(update={"schema_version": 1})
    TapeFile(tmp_path / "a.tape", old, PLAIN)

    assert Player(read_tape(tmp_path / "a.tape"), PLAIN).measured("baseline", LAST) is None


def test_lists_that_commands_name_are_kept_and_put_back(tmp_path: Path) -> None:
    logs, there = tmp_path / "runs", tmp_path / "there" / "explore-C1"
    logs.mkdir()
    (logs / "006.order.txt").write_text("a::b\n")
    (logs / "007.order.txt").write_text("not named\n")
    told = f"xargs -a runs/006.order.txt env python {there.name}/factors/regreen_factors.py"

    orders = orders_named(told, logs)
    put_back(told, orders, there)

    assert orders == {"006.order.txt": "a::b\n"}
    assert (there / "006.order.txt").read_text() == "a::b\n"
    assert (there / "factors" / "regreen_factors.py").is_file()


@pytest.mark.parametrize("name", ["../x.order.txt", "/etc/x.order.txt", "a/b.order.txt", "x.py"])
def test_a_tape_puts_nothing_anywhere_else(tmp_path: Path, name: str) -> None:
    put_back(name, {name: "evil"}, tmp_path / "runs" / "explore-C1")

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_is_no_measurement_is_named_with_its_place(tmp_path: Path) -> None:
    replay = Player(read_tape(tape_of(tmp_path / "a.tape", ("claim", Seen(text="x")))), PLAIN)

    class Other(Model):
        """Something else."""

        number: int

    with pytest.raises(TapeError, match="'claim' is damaged") as told:
        taped(replay, "claim", Other, lambda: Other(number=1))

    assert "number: Field required" in told.value.why


def test_source_in_edits_is_on_the_tape_as_it_is_in_the_files(tmp_path: Path) -> None:
    class Made(Model):
        """A plan, as far as it matters here."""

        edits: tuple[dict[str, str], ...]

    line = f'open("/home/ann/data")  # {KEY}'
    log = LabRecorder(TapeFile(tmp_path / "a.tape", SPRINT, ANN))
    log.keep_measured("explore PR1", Made(edits=({"before": line},)))

    found = taped(Player(read_tape(tmp_path / "a.tape"), BOB), "explore PR1", Made, lambda: None)  # type: ignore[arg-type,return-value]  # never called

    assert found.edits == ({"before": 'open("/home/ann/data")  # <key>'},)


def test_a_header_that_a_kill_tore_is_written_again(tmp_path: Path) -> None:
    path = tape_of(tmp_path / "a.tape")
    whole = path.read_bytes()
    path.write_bytes(whole[:20])

    TapeFile(path, SPRINT, PLAIN)

    assert path.read_bytes() == whole


@pytest.mark.parametrize("name", ["a" * 300, ".", "/dev/full", "/dev/null/x"])
def test_a_place_that_takes_no_tape_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(TapeError, match="cannot be written"):
        TapeFile(tmp_path / name, SPRINT, PLAIN)


@pytest.mark.parametrize("text", ["hello", "x" * 5000])
def test_a_file_that_is_no_tape_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text)

    with pytest.raises(TapeError):
        TapeFile(path, SPRINT, PLAIN)

    assert path.read_text() == text

"""Tapes: what was recorded is what a replay gets, and nothing else."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from regreen_agents.domain.findings import Evidence
from regreen_agents.errors import AccountError, BudgetError, ModelError, TapeError
from regreen_agents.llm.messages import ToolUse, Turn
from regreen_agents.llm.protocol import Caller
from regreen_agents.llm.redaction import Redactor
from regreen_agents.llm.tape import Recorder, TapeFile
from regreen_agents.llm.tape_player import Player
from regreen_agents.llm.tape_reading import read_tape
from regreen_agents.llm.tools.base import ToolAnswer
from tape_parts import (
    HEADER,
    PLAIN,
    Answering,
    caller,
    conversation,
    recorder,
    reply,
    request,
    result,
    said,
)


def player(path: Path, how: Redactor = PLAIN) -> Player:
    return Player(read_tape(path), how)


def test_a_replay_answers_the_same_requests_with_the_recorded_replies(tmp_path: Path) -> None:
    tape = tmp_path / "a.tape"
    requests = conversation(tape)

    replay = player(tape)
    texts = [replay.complete(one, caller()).as_turn().text for one in requests]

    assert texts == ["I look.", "It is the clock."]
    assert replay.unused() == ()
    replay.require_all_used()


def test_the_words_of_a_replayed_reply_are_heard(tmp_path: Path) -> None:
    requests = conversation(tmp_path / "a.tape")
    heard: list[str] = []

    player(tmp_path / "a.tape").complete(
        requests[0], Caller(agent="explore-C1", role="explore", heard=heard.append)
    )

    assert heard == ["I look."]


def test_a_replay_serves_what_tools_gave_with_their_evidence(tmp_path: Path) -> None:
    evidence = Evidence(
        question="alone?", command="pytest a", exit_code=1, counts="1 failed", conclusion="red"
    )
    answer = ToolAnswer("1 failed", evidence=(evidence,))
    use = ToolUse(id="toolu_9", name="run_tests", input={"tests": ["a"]})
    box = recorder(tmp_path / "a.tape", [reply("I run.", use)])
    assert box.tool("explore-C1", use) is None
    box.complete(request("Why?"), caller())
    box.keep_tool("explore-C1", "toolu_9", answer)

    replay = player(tmp_path / "a.tape")
    replay.complete(request("Why?"), caller())

    assert replay.tool("explore-C1", use) == answer
    assert replay.tool("explore-C1", use.model_copy(update={"id": "toolu_10"})) is None
    assert replay.tool("explore-C2", use) is None


def test_calls_with_one_id_in_two_exchanges_keep_their_own_results(tmp_path: Path) -> None:
    use = ToolUse(id="toolu_1", name="run_tests")
    box = recorder(tmp_path / "a.tape", [reply("a", use), reply("b", use)])
    opening = request("Why?")
    later = request(*opening.turns, "Again.")
    for asked, text in ((opening, "red"), (later, "green")):
        box.complete(asked, caller())
        box.keep_tool("explore-C1", "toolu_1", ToolAnswer(text))

    replay = player(tmp_path / "a.tape")
    given = []
    for asked in (opening, later):
        replay.complete(asked, caller())
        given.append(replay.tool("explore-C1", use))

    assert given == [ToolAnswer("red"), ToolAnswer("green")]


def test_a_request_that_differs_is_shown_as_a_diff_of_its_first_part(tmp_path: Path) -> None:
    opening, going_on = conversation(tmp_path / "a.tape")
    replay = player(tmp_path / "a.tape")
    replay.complete(opening, caller())
    other = request(*going_on.turns[:2], result("toolu_1", "1: import random"))

    with pytest.raises(TapeError, match="something else than was recorded, at exchange 2") as seen:
        replay.complete(other, caller())

    assert "turn 3 (user) differs:" in seen.value.why
    assert "-1: import time\n+1: import random" in seen.value.why
    assert seen.value.fix


def test_only_the_part_of_a_long_line_that_differs_is_shown(tmp_path: Path) -> None:
    long = "x" * 5000
    recorder(tmp_path / "a.tape", [reply("a")]).complete(request(long + "A" + long), caller())

    with pytest.raises(TapeError) as caught:
        player(tmp_path / "a.tape").complete(request(long + "B" + long), caller())

    assert len(caught.value.why) < 2500
    assert "A" in caught.value.why
    assert "B" in caught.value.why


def test_a_difference_of_a_million_lines_is_told_in_a_few(tmp_path: Path) -> None:
    recorder(tmp_path / "a.tape", [reply("a")]).complete(request("a\n" * 200_000), caller())

    with pytest.raises(TapeError) as caught:
        player(tmp_path / "a.tape").complete(request("b\n" * 200_000), caller())

    assert caught.value.why.count("\n") <= 82


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"model": "claude-opus-5-5"}, "the model differs"),
        ({"max_tokens": 7}, "max_tokens differs"),
        ({"effort": "high"}, "the effort differs"),
        ({"system": "Do harm."}, "the system prompt differs"),
        ({"tools": ()}, "the list of tools differs"),
    ],
)
def test_every_part_of_a_request_is_compared(
    tmp_path: Path, changes: dict[str, object], part: str
) -> None:
    recorder(tmp_path / "a.tape", [reply("a")]).complete(request("Why?"), caller())

    with pytest.raises(TapeError) as caught:
        player(tmp_path / "a.tape").complete(request("Why?").model_copy(update=changes), caller())

    assert part in caught.value.why


def test_after_a_difference_the_whole_replay_is_over(tmp_path: Path) -> None:
    tape = TapeFile(tmp_path / "a.tape", HEADER, PLAIN)
    box = Recorder(Answering(reply("a"), reply("b")), tape)
    box.complete(request("one"), caller("explore-C1"))
    box.complete(request("two"), caller("explore-C2"))
    replay = player(tmp_path / "a.tape")
    with pytest.raises(TapeError):
        replay.complete(request("other"), caller("explore-C1"))

    with pytest.raises(TapeError, match="already differed"):
        replay.complete(request("two"), caller("explore-C2"))
    with pytest.raises(TapeError, match="already differed"):
        replay.tool("explore-C2", ToolUse(id="x", name="read_file"))


def test_an_agent_or_an_exchange_too_many_is_told(tmp_path: Path) -> None:
    requests = conversation(tmp_path / "a.tape")

    with pytest.raises(TapeError, match="explore-C7 asks, and is not on the tape"):
        player(tmp_path / "a.tape").complete(requests[0], caller("explore-C7"))

    replay = player(tmp_path / "a.tape")
    for one in requests:
        replay.complete(one, caller())
    with pytest.raises(TapeError, match="asks more than it did"):
        replay.complete(requests[1], caller())


def test_what_a_replay_does_not_use_is_told(tmp_path: Path) -> None:
    requests = conversation(tmp_path / "a.tape")
    replay = player(tmp_path / "a.tape")
    replay.complete(requests[0], caller())

    assert replay.unused() == ("explore-C1: 1 of 2 recorded exchanges were not used",)
    with pytest.raises(TapeError, match="ended before its tape did"):
        replay.require_all_used()


@pytest.mark.parametrize("kind", [ModelError, AccountError, BudgetError])
def test_errors_replay_as_what_they_were(tmp_path: Path, kind: type[ModelError]) -> None:
    error = kind("No credit is left.", why="402", fix="Add credit.")
    box = recorder(tmp_path / "a.tape", [error])
    with pytest.raises(kind):
        box.complete(request("Why?"), caller())

    with pytest.raises(kind) as caught:
        player(tmp_path / "a.tape").complete(request("Why?"), caller())

    assert type(caught.value) is kind
    assert str(caught.value) == str(error)


def test_a_class_of_error_this_regreen_does_not_have_is_still_a_model_error(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.tape"
    box = recorder(path, [ModelError("No.")])
    with pytest.raises(ModelError):
        box.complete(request("Why?"), caller())
    path.write_text(path.read_text().replace('"ModelError"', '"LaterError"'))

    with pytest.raises(ModelError, match="No"):
        player(path).complete(request("Why?"), caller())


def test_the_same_conversation_makes_the_same_bytes_without_the_servers_number(
    tmp_path: Path,
) -> None:
    for name, number in (("a", "req_1"), ("b", "req_2")):
        box = recorder(tmp_path / name, [reply("a", request_id=number)])
        box.complete(request("Why?"), caller())

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert b"req_" not in (tmp_path / "a").read_bytes()


def test_recording_a_replay_makes_the_same_tape(tmp_path: Path) -> None:
    requests = conversation(tmp_path / "a.tape")
    again = Recorder(player(tmp_path / "a.tape"), TapeFile(tmp_path / "b.tape", HEADER, PLAIN))

    for number, one in enumerate(requests):
        again.complete(one, caller())
        if number == 0:
            again.keep_tool("explore-C1", "toolu_1", ToolAnswer("1: import time"))

    assert (tmp_path / "a.tape").read_bytes() == (tmp_path / "b.tape").read_bytes()


def test_a_tape_grows_with_what_was_said_and_not_with_its_square(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    box = recorder(path, [reply("a")] * 40)
    turns: list[Turn] = []
    for number in range(40):
        turns.append(said(f"{number} " + "x" * 1000, "user" if number % 2 == 0 else "assistant"))
        box.complete(request(*turns), caller())

    assert path.stat().st_size < 3 * 40 * 1000
    assert len(read_tape(path).takes["explore-C1"][-1].request.turns) == 40


def test_a_shortened_conversation_replays_too(tmp_path: Path) -> None:
    asked = [request("a", "b", "c"), request("a", "summary"), request("a", "summary", "d")]
    box = recorder(tmp_path / "a.tape", [reply(str(n)) for n in range(3)])
    for one in asked:
        box.complete(one, caller())

    replay = player(tmp_path / "a.tape")

    assert [replay.complete(one, caller()).as_turn().text for one in asked] == ["0", "1", "2"]


def test_conversations_record_and_replay_beside_each_other(tmp_path: Path) -> None:
    tape = TapeFile(tmp_path / "a.tape", HEADER, PLAIN)
    agents = [f"explore-C{n}" for n in range(8)]

    def talk(model: Recorder | Player, agent: str, heard: dict[str, list[str]]) -> None:
        turns: list[Turn] = []
        for number in range(10):
            turns.append(said(f"{agent} {number}"))
            heard[agent].append(model.complete(request(*turns), caller(agent)).as_turn().text)

    def all_talk(models: dict[str, Recorder | Player]) -> dict[str, list[str]]:
        heard: dict[str, list[str]] = {agent: [] for agent in agents}
        threads = [
            threading.Thread(target=talk, args=(model, agent, heard))
            for agent, model in models.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return heard

    recorded = all_talk(
        {a: Recorder(Answering(*[reply(f"{a}-{n}") for n in range(10)]), tape) for a in agents}
    )
    replay = player(tmp_path / "a.tape")

    assert all_talk(dict.fromkeys(agents, replay)) == recorded
    assert replay.unused() == ()


def test_a_torn_last_line_is_forgiven(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    requests = conversation(path)
    path.write_bytes(path.read_bytes()[:-20])

    replay = player(path)

    assert replay.complete(requests[0], caller()).as_turn().text == "I look."
    with pytest.raises(TapeError, match="asks more"):
        replay.complete(requests[1], caller())


def test_a_damaged_line_is_named_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    conversation(path)
    lines = path.read_bytes().split(b"\n")
    lines[2] = b'{"kind":"tool","agent":"explore-C1"}'
    path.write_bytes(b"\n".join(lines))

    with pytest.raises(TapeError, match=r"Line 3 of the tape 'a.tape' is damaged") as caught:
        read_tape(path)

    assert "use_id" in caught.value.why


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"no json\n", "Line 1"),
        (b'{"schema_version":3}\n', "version 3"),
        (b'{"schema_version":1}\n', "Line 1"),
        (b"[]\n", "Line 1"),
    ],
)
def test_what_is_no_tape_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "a.tape"
    path.write_bytes(content)

    with pytest.raises(TapeError) as caught:
        read_tape(path)

    assert told in str(caught.value)


def test_a_line_that_refers_to_what_is_not_there_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    conversation(path)
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], lines[3], b""]))

    with pytest.raises(TapeError, match="Line 2"):
        read_tape(path)


def test_a_missing_tape_is_told(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="cannot be read"):
        read_tape(tmp_path / "none.tape")


def test_a_tape_is_never_written_over_another_sprints(tmp_path: Path) -> None:
    conversation(tmp_path / "a.tape")
    other = HEADER.model_copy(update={"started_at": "2026-11-23T10:15:00Z"})

    with pytest.raises(TapeError, match="another sprint"):
        TapeFile(tmp_path / "a.tape", other, PLAIN)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(TapeError, match="cannot be written"):
        TapeFile(tmp_path / "file" / "a.tape", HEADER, PLAIN)


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[2].split(os.pathsep)
from tape_parts import *
path = Path(sys.argv[1])
requests = conversation(path)
with path.open("ab") as file:
    file.write(b'{"kind":"exchange","agent":"explore-C1"')
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_recording_is_gone_on_with_and_replays_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    places = os.pathsep.join(p for p in sys.path if p)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), places], timeout=60, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    opening, going_on = conversation(tmp_path / "same.tape")

    # The last exchange was paid for and written, but not journalled: it is asked again.
    box = recorder(path, [reply("Another answer."), reply("Done.")])
    box.complete(going_on, caller())
    last = request(*going_on.turns, said("Another answer.", "assistant"), "Go on.")
    box.complete(last, caller())

    replay = player(path)
    told = [replay.complete(one, caller()).as_turn().text for one in (opening, going_on, last)]
    assert told == ["I look.", "Another answer.", "Done."]
    assert replay.unused() == ()


def test_a_replay_that_was_killed_goes_on_where_its_journal_ends(tmp_path: Path) -> None:
    _, going_on = conversation(tmp_path / "a.tape")
    replay = player(tmp_path / "a.tape")

    told = replay.complete(going_on, caller()).as_turn().text

    assert told == "It is the clock."
    assert replay.unused() == ()
    given = replay.tool("explore-C1", ToolUse(id="toolu_1", name="read_file"))
    assert given == ToolAnswer("1: import time")


def test_what_other_processes_of_a_sprint_played_counts_as_used(tmp_path: Path) -> None:
    tape = TapeFile(tmp_path / "a.tape", HEADER, PLAIN)
    box = Recorder(Answering(*[reply(str(n)) for n in range(3)]), tape)
    box.complete(request("one"), caller("explore-C1"))
    box.complete(request("two"), caller("implement-PR1"))
    box.complete(request("two", "three"), caller("implement-PR1"))
    played = tmp_path / "sprint" / "played.jsonl"

    first = Player(read_tape(tmp_path / "a.tape"), PLAIN, played)
    first.complete(request("one"), caller("explore-C1"))
    first.complete(request("two"), caller("implement-PR1"))
    with played.open("a") as file:
        file.write('\n["implement-PR1", ')  # a kill tore it
    second = Player(read_tape(tmp_path / "a.tape"), PLAIN, played)
    assert second.unused() == ("implement-PR1: 1 of 2 recorded exchanges were not used",)
    second.complete(request("two", "three"), caller("implement-PR1"))

    second.require_all_used()
    Player(read_tape(tmp_path / "a.tape"), PLAIN, played).require_all_used()

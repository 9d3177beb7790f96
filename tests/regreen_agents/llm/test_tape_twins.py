"""Properties of tapes: a replay is the recording's twin, and one changed request ends it."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regreen_agents.errors import TapeError
from regreen_agents.llm.messages import OtherBlock, Reply, Request, TextBlock, ToolUse, Turn
from regreen_agents.llm.tape import Recorder, TapeFile
from regreen_agents.llm.tape_player import Player
from regreen_agents.llm.tape_reading import read_tape
from tape_parts import HEADER, PLAIN, Answering, caller, reply, request, said

words = st.text(max_size=12)
blocks = st.one_of(
    words.map(lambda text: TextBlock(text=text)),
    words.map(lambda text: ToolUse(id="t", name="read_file", input={"path": text})),
    words.map(lambda text: ToolUse(id="t", name="x", broken=text)),
    words.map(lambda text: OtherBlock(raw={"type": "thinking", "signature": text})),
)
turns = st.builds(
    lambda role, content: Turn(role=role, content=tuple(content)),
    st.sampled_from(["user", "assistant"]),
    st.lists(blocks, max_size=3),
)
# Mostly growing conversations, as the loop has them, and now and then a shortened one.
steps = st.tuples(st.integers(0, 6), st.lists(turns, min_size=1, max_size=3), words)
conversations = st.lists(steps, min_size=1, max_size=5)


def requests_of(conversation: list[tuple[int, list[Turn], str]]) -> list[Request]:
    made: list[Request] = []
    so_far: tuple[Turn, ...] = ()
    for kept, more, system in conversation:
        so_far = (*so_far[: max(kept, 0)], *more)
        made.append(request(*so_far, system=system))
    return made


def record(path: Path, requests: list[Request]) -> list[Reply]:
    path.unlink(missing_ok=True)
    replies = [reply(f"reply {n}", request_id="") for n in range(len(requests))]
    box = Recorder(Answering(*replies), TapeFile(path, HEADER, PLAIN))
    for one in requests:
        box.complete(one, caller())
    return replies


@settings(derandomize=True, deadline=None, max_examples=30)
@given(conversations)
def test_a_replay_is_the_recordings_twin(
    conversation: list[tuple[int, list[Turn], str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, requests = Path(folder) / "a.tape", requests_of(conversation)
        replies = record(path, requests)

        tape = read_tape(path)
        replay = Player(tape, PLAIN)

        assert [take.request for take in tape.takes["explore-C1"]] == requests
        assert [replay.complete(one, caller()) for one in requests] == replies
        assert replay.unused() == ()


@settings(derandomize=True, deadline=None, max_examples=30)
@given(conversations, st.data())
def test_one_changed_request_ends_a_replay_for_good(
    conversation: list[tuple[int, list[Turn], str]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, requests = Path(folder) / "a.tape", requests_of(conversation)
        record(path, requests)
        at = data.draw(st.integers(0, len(requests) - 1))
        other = requests[at].model_copy(update={"turns": (*requests[at].turns, said("!"))})

        replay = Player(read_tape(path), PLAIN)
        for one in requests[:at]:
            replay.complete(one, caller())

        if at == 0 and other in requests:
            return  # a killed replay may begin there
        with pytest.raises(TapeError) as caught:
            replay.complete(other, caller())
        assert "+!" in caught.value.why
        with pytest.raises(TapeError, match="already differed"):
            replay.complete(requests[at], caller())


@settings(derandomize=True, deadline=None, max_examples=30)
@given(conversations, st.data())
def test_a_tape_torn_anywhere_holds_its_whole_lines_or_says_what_is_wrong(
    conversation: list[tuple[int, list[Turn], str]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, requests = Path(folder) / "a.tape", requests_of(conversation)
        record(path, requests)
        raw = path.read_bytes()
        torn = raw[: data.draw(st.integers(0, len(raw)))]
        path.write_bytes(torn)

        whole = torn.count(b"\n")
        if whole == 0:
            with pytest.raises(TapeError):
                read_tape(path)
            return
        takes = read_tape(path).takes.get("explore-C1", [])
        assert [take.request for take in takes] == requests[: whole - 1]

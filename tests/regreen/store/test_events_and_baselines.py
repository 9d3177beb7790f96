"""The event log, and the baseline that outlives a sprint."""

from datetime import datetime, timedelta

import pytest

from regreen.store import baselines
from regreen.store.baselines import RecordedBaseline
from regreen.store.events import EventLog
from regreen.store.folder import SprintFolder, SprintShelf
from regreen_agents.domain.identity import NodeId, SprintId
from regreen_agents.errors import StoreError


def test_events_are_read_in_order_with_their_fields(folder: SprintFolder) -> None:
    log = EventLog(folder)

    log.append("stage-started", stage="triage")
    log.append("agent-finished", agent="gate", counts={"passed": 2}, notes=["a\nb", None])

    assert [(e.kind, e.fields) for e in EventLog(folder).read()] == [
        ("stage-started", {"stage": "triage"}),
        ("agent-finished", {"agent": "gate", "counts": {"passed": 2}, "notes": ["a\nb", None]}),
    ]
    assert all(datetime.fromisoformat(e.at).utcoffset() == timedelta(0) for e in log.read())


def test_a_torn_last_event_is_lost_and_nothing_else(folder: SprintFolder) -> None:
    log = EventLog(folder)
    log.append("one")
    log.append("two")
    path = folder.path("events.jsonl")
    path.write_bytes(path.read_bytes()[:-5])

    assert [e.kind for e in log.read()] == ["one"]
    log.append("three")
    assert [e.kind for e in log.read()] == ["one", "three"]


def test_the_last_recorded_baseline_is_the_one_to_compare_with(shelf: SprintShelf) -> None:
    first = RecordedBaseline(
        commit="a" * 40, sprint=SprintId("20261122T101500Z"), red=(NodeId("a::b"),), collected=2
    )
    second = first.model_copy(update={"red": (), "commit": "b" * 40})

    before = baselines.load_previous(shelf.root)
    baselines.record(shelf.root, first)
    baselines.record(shelf.root, second)

    assert before is None
    assert baselines.load_previous(shelf.root) == second
    (shelf.root / "baseline.json").write_text('{"schema_version": 9}')
    with pytest.raises(StoreError, match="schema_version 9"):
        baselines.load_previous(shelf.root)

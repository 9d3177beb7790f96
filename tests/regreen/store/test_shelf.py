"""The shelf of sprints, and their names."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from regreen.store.folder import SprintFolder, SprintShelf, new_sprint_id
from regreen.store.record import SprintInfo
from regreen_agents.domain.identity import SprintId
from regreen_agents.errors import StoreError, UsageError


def test_making_a_sprint_again_is_harmless_but_not_another_one(
    shelf: SprintShelf, info: SprintInfo
) -> None:
    first = shelf.create(info)

    assert shelf.create(info).root == first.root
    with pytest.raises(StoreError, match="already"):
        shelf.create(info.model_copy(update={"seed": 2}))
    with pytest.raises(UsageError):
        shelf.create(info.model_copy(update={"id": "../../x"}))


def test_a_folder_that_tells_of_another_sprint_is_damaged(folder: SprintFolder) -> None:
    moved = folder.root.with_name("20261122T101500Z-2")
    folder.root.rename(moved)

    with pytest.raises(StoreError, match="belongs to the sprint"):
        SprintFolder(moved).load_info()


def test_sprints_are_found_by_id_by_beginning_or_as_the_latest(
    shelf: SprintShelf, info: SprintInfo
) -> None:
    assert shelf.latest() is None
    with pytest.raises(UsageError, match="no sprint"):
        shelf.find(None)
    names = ["20261123T000000Z", "20261122T101500Z-10", "20261122T101500Z-2", "20261122T101500Z"]
    for name in names:
        shelf.create(info.model_copy(update={"id": SprintId(name)}))
    (shelf.root / "sprints" / "20270101T000000Z").mkdir()

    assert [f.root.name for f in shelf.all()] == names[::-1]
    assert shelf.find(None).root.name == names[0]
    assert shelf.find("20261123").root.name == names[0]
    assert shelf.find("20261122T101500Z").root.name == names[3]
    for text in ("20261122", "1999", "", "../"):
        with pytest.raises(UsageError) as caught:
            shelf.find(text)
        assert "20261122T101500Z-10" in caught.value.why


def test_sprint_ids_are_utc_stamps_made_unique() -> None:
    moment = datetime(2026, 11, 22, 11, 15, tzinfo=timezone(timedelta(hours=1)))
    taken: list[str] = []

    for _ in range(3):
        taken.append(new_sprint_id(moment, taken))

    assert taken == ["20261122T101500Z", "20261122T101500Z-2", "20261122T101500Z-3"]
    assert new_sprint_id(datetime(2026, 1, 2, tzinfo=UTC), taken) == "20260102T000000Z"

"""The last recorded baseline of a repository, against which the next sprint says what is new."""

from pathlib import Path
from typing import Literal

from regreen.store.codec import find_model, save_model
from regreen_agents.domain.identity import Model, NodeId, SprintId


class RecordedBaseline(Model):
    """What a sprint's baseline found, in short."""

    schema_version: Literal[1] = 1
    commit: str
    sprint: SprintId
    red: tuple[NodeId, ...]
    """Tests that were red or flaky, by node id."""
    collected: int


def load_previous(regreen_root: Path) -> RecordedBaseline | None:
    """Return the last recorded baseline, or None when no sprint has recorded one.

    Raises:
        StoreError: When the file is damaged or of an unknown version.
    """
    return find_model(_path(regreen_root), RecordedBaseline)


def record(regreen_root: Path, baseline: RecordedBaseline) -> None:
    """Make this the baseline the next sprint is compared with."""
    save_model(_path(regreen_root), baseline)


def _path(regreen_root: Path) -> Path:
    return regreen_root / "baseline.json"

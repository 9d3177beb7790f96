"""The tape of a sprint: written while it runs, or asked instead of models and experiments."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue

from regreen.config import Config
from regreen.nodes.site import Site
from regreen.store.record import SprintInfo, SprintOptions
from regreen_agents.errors import TapeError
from regreen_agents.llm.protocol import LanguageModel
from regreen_agents.llm.redaction import Redactor
from regreen_agents.llm.secret import has_key, take_key
from regreen_agents.llm.tape import LabRecorder, Recorder, TapeFile
from regreen_agents.llm.tape_format import LabLog, NoLabLog, NoToolLog, TapeHeader, ToolLog
from regreen_agents.llm.tape_player import Player
from regreen_agents.llm.tape_reading import read_tape
from regreen_agents.llm.taped import damaged
from regreen_agents.runners.commands import shown_python

PLAYED = "played.jsonl"
"""In the sprint's folder: what a replay used of its tape, over all its processes."""
REPLAYED = ("engine", "second_opinion", "runs", "tests", "deterministic")
"""Options that decide what is asked and measured: a replay needs those of the recording."""


JUDGED = (
    *("protected_paths", "high_risk_paths", "low_risk_paths", "owner", "known_flaky"),
    *("pytest_args", "runner", "command", "select", "test_timeout_seconds"),
)
"""Settings that decide what is measured and what plans say of it."""


class SprintTape:
    """A sprint's tape, where it has one: a file that is written, a player, or neither."""

    def __init__(self, site: Site, models: Mapping[str, str]) -> None:
        """Open it.

        Args:
            site: Of the sprint.
            models: Role -> model id, as configured.

        Raises:
            TapeError: It cannot be read or written, or is another sprint's.
        """
        options = site.info.options
        self.player: Player | None = None
        self._file: TapeFile | None = None
        self.lab: LabLog = NoLabLog()
        if options.replay:
            tape = read_tape(Path(options.replay))
            require_same(tape.header, site.repository.tree_of(site.info.base), told_of(site))
            here = Redactor.of_this_machine((), _python(site))
            self.lab = self.player = Player(tape, here, site.folder.path(PLAYED), site.info.id)
        elif options.record:
            keys = (take_key(os.environ).reveal(),) if has_key(os.environ) else ()
            tree = site.repository.tree_of(site.info.base)
            header = _header(site.info, tree, told_of(site), models)
            redactor = Redactor.of_this_machine(keys, _python(site))
            self._file = TapeFile(Path(options.record), header, redactor)
            self.lab = LabRecorder(self._file)

    def around(self, client: LanguageModel) -> tuple[LanguageModel, ToolLog]:
        """Return a model whose exchanges are written down, where this sprint is recorded."""
        if self._file is None:
            return client, NoToolLog()
        recorder = Recorder(client, self._file)
        return recorder, recorder


def told_of(site: Site) -> dict[str, JsonValue]:
    """Return the options and settings that a sprint and its replays share."""
    return options_told(site.info.options, site.config)


def options_told(options: SprintOptions, config: Config) -> dict[str, JsonValue]:
    """Return the options and settings that a sprint and its replays share."""
    asked, settings = options.model_dump(mode="json"), config.model_dump(mode="json")
    told = {name: asked[name] for name in REPLAYED}
    return told | {name: settings[name] for name in JUDGED}


def require_same(header: TapeHeader, tree: str, told: Mapping[str, JsonValue]) -> None:
    """Refuse to replay a tape of another sprint.

    Args:
        header: Of the tape.
        tree: Of the commit the replay starts from.
        told: See `options_told`.

    Raises:
        TapeError: The files, or an option or a setting that decides what is asked and measured,
            are not those recorded.
    """
    others = [
        f"{name}: recorded {header.options.get(name)!r}, here {value!r}"
        for name, value in told.items()
        if header.options.get(name) != value and (name in header.options or name in REPLAYED)
    ]
    if header.tree != tree:
        others.insert(0, f"the files: recorded tree {header.tree[:10]}, here {tree[:10]}")
    if others:
        raise TapeError(
            "The tape is of another sprint.",
            why="; ".join(others) + ".",
            fix="Replay it on the commit and with the options it was recorded with.",
        )


def began(header: TapeHeader) -> datetime:
    """Return when the recorded sprint began.

    Raises:
        TapeError: The header does not say.
    """
    try:
        moment = datetime.fromisoformat(header.started_at)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise damaged("started_at", f"{header.started_at!r} is no moment: {error}.") from error


def _python(site: Site) -> str:
    """Return the suite's interpreter as commands show it."""
    return shown_python(site.repository.root, site.load_policy())[0]


def _header(
    info: SprintInfo, tree: str, told: Mapping[str, JsonValue], models: Mapping[str, str]
) -> TapeHeader:
    return TapeHeader(
        regreen=info.regreen_version,
        base=info.base,
        tree=tree,
        sprint=info.id,
        seed=info.seed,
        started_at=info.started_at,
        options=dict(told),
        models=dict(models),
    )

"""The tape of a sprint: written while it runs, or asked instead of models and experiments."""

import os
from collections.abc import Mapping
from pathlib import Path

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
from regreen_agents.runners.commands import shown_python

PLAYED = "played.jsonl"
"""In the sprint's folder: what a replay used of its tape, over all its processes."""
REPLAYED = ("engine", "second_opinion", "runs", "tests", "deterministic")
"""Options that decide what is asked and measured: a replay needs those of the recording."""


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
            here = Redactor.of_this_machine((), _python(site))
            self.lab = self.player = Player(tape, here, site.folder.path(PLAYED), site.info.id)
        elif options.record:
            keys = (take_key(os.environ).reveal(),) if has_key(os.environ) else ()
            tree = site.repository.tree_of(site.info.base)
            header = _header(site.info, tree, models)
            redactor = Redactor.of_this_machine(keys, _python(site))
            self._file = TapeFile(Path(options.record), header, redactor)
            self.lab = LabRecorder(self._file)

    def around(self, client: LanguageModel) -> tuple[LanguageModel, ToolLog]:
        """Return a model whose exchanges are written down, where this sprint is recorded."""
        if self._file is None:
            return client, NoToolLog()
        recorder = Recorder(client, self._file)
        return recorder, recorder


def require_same(header: TapeHeader, tree: str, options: SprintOptions) -> None:
    """Refuse to replay a tape of another sprint.

    Raises:
        TapeError: The files or an option that decides what is asked are not those recorded.
    """
    told = options.model_dump(mode="json")
    others = [
        f"{name}: recorded {header.options.get(name)!r}, here {told[name]!r}"
        for name in REPLAYED
        if header.options.get(name) != told[name]
    ]
    if header.tree != tree:
        others.insert(0, f"the files: recorded tree {header.tree[:10]}, here {tree[:10]}")
    if others:
        raise TapeError(
            "The tape is of another sprint.",
            why="; ".join(others) + ".",
            fix="Replay it on the commit and with the options it was recorded with.",
        )


def _python(site: Site) -> str:
    """Return the suite's interpreter as commands show it."""
    return shown_python(site.repository.root, site.load_policy())[0]


def _header(info: SprintInfo, tree: str, models: Mapping[str, str]) -> TapeHeader:
    told = info.options.model_dump(mode="json")
    return TapeHeader(
        regreen=info.regreen_version,
        base=info.base,
        tree=tree,
        sprint=info.id,
        seed=info.seed,
        started_at=info.started_at,
        options={name: told[name] for name in REPLAYED},
        models=dict(models),
    )

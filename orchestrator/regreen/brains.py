"""Which engine a sprint has: what the names mean, what each needs, how the parts are put together.

Engines are made where a sprint is run, and nowhere else: looking at one needs no key.
"""

import os
from collections.abc import MutableMapping
from contextlib import ExitStack
from decimal import Decimal

from regreen.config import Config
from regreen.nodes.site import Site
from regreen.store.record import SprintOptions
from regreen.store.spending import SPENDING
from regreen.tapes import SprintTape
from regreen_agents.engines import Engine
from regreen_agents.engines.auto import AutoEngine, SecondBrain
from regreen_agents.engines.command import CommandEngine, CommandRooms
from regreen_agents.engines.command_presets import chosen
from regreen_agents.engines.command_run import Surroundings
from regreen_agents.engines.model import ModelEngine, ModelRooms, Role
from regreen_agents.engines.second_opinion import SecondOpinionEngine
from regreen_agents.engines.taped import TapedEngine
from regreen_agents.errors import UsageError
from regreen_agents.llm.budget import Limits, Purse
from regreen_agents.llm.client import AnthropicModel
from regreen_agents.llm.estimate import Estimate
from regreen_agents.llm.estimate import estimate as estimate_for
from regreen_agents.llm.prices import Prices, load_prices
from regreen_agents.llm.protocol import LanguageModel
from regreen_agents.llm.retrying import Transport
from regreen_agents.llm.secret import KEY_NAMES, has_key, take_key
from regreen_agents.llm.tape_format import LabLog, ToolLog
from regreen_agents.repair.means import COMMAND

EMBEDDED, CLAUDE, AUTO = "embedded", "claude", "auto"
BUILT_IN = (EMBEDDED, CLAUDE, AUTO)
CONVERSATIONS = "conversations"
"""In the sprint's folder: what each conversation paid for."""


class Brain:
    """The engine of one run of a sprint, with what has to be closed after it."""

    def __init__(self, site: Site) -> None:
        """Put the engine of a sprint together.

        Raises:
            RegreenError: It cannot work: no such name, no key, no price, no tape.
        """
        self._site = site
        self._closing = ExitStack()
        self._model: tuple[LanguageModel, ToolLog] | None = None
        models = {name: role.model for name, role in _roles(site.config).items()}
        self._tape = SprintTape(site, models)
        options = site.info.options
        first = self._engine(options.engine)
        if options.second_opinion:
            second = self._engine(options.second_opinion)
            self.engine: Engine = SecondOpinionEngine(first, second, first.name)
        else:
            self.engine = first

    @property
    def lab_log(self) -> LabLog:
        """Where what is measured goes, or comes from."""
        return self._tape.lab

    def close(self) -> None:
        """Close connections."""
        self._closing.close()

    def require_whole_replay(self) -> None:
        """Refuse a sprint that has ended before the tape it replays.

        Raises:
            TapeError: Exchanges were not used.
        """
        if self._tape.player is not None:
            self._tape.player.require_all_used()

    def _engine(self, name: str) -> Engine:
        require_name(name, self._site.config)
        if name == EMBEDDED:
            return TapedEngine(self.lab_log)
        if name == AUTO:
            second = self._second(self._site.config.auto)
            return AutoEngine(second, embedded=TapedEngine(self.lab_log))
        return self._second(name)

    def _second(self, name: str) -> SecondBrain:
        site = self._site
        if name != CLAUDE:
            name, settings = chosen(name, site.config.engines)
            asked = has_key(os.environ) and not set(KEY_NAMES).isdisjoint(settings.env)
            key = take_key(os.environ) if asked else None
            around = Surroundings(os.environ, site.stopper, site.owner, key)
            rooms = CommandRooms(around, site.info.prefix)
            return CommandEngine(name, settings, rooms)
        model, tape = self._speaker()
        model_rooms = ModelRooms(
            model=model,
            roles=_roles(site.config),
            journals=site.folder.path(CONVERSATIONS),
            stopper=site.stopper,
            owner=site.owner,
            prefix=site.info.prefix,
            tape=tape,
            lab_log=self.lab_log,
        )
        return ModelEngine(model_rooms)

    def _speaker(self) -> tuple[LanguageModel, ToolLog]:
        """Return who answers, once for all engines: a tape's player, or a client behind a purse."""
        if self._model is None:
            player = self._tape.player
            self._model = self._asked() if player is None else (player, player)
        return self._model

    def _asked(self) -> tuple[LanguageModel, ToolLog]:
        site = self._site
        secret = take_key(os.environ)
        purse = Purse(
            limits_of(site.info.options, site.config),
            prices_of(site.config),
            site.folder.path(SPENDING),
        )
        client = AnthropicModel(secret, purse, Transport.from_environ(os.environ))
        self._closing.callback(client.close)
        return self._tape.around(client)


def require_name(name: str, config: Config) -> None:
    """Refuse an engine nobody knows.

    Raises:
        UsageError: It is neither built in nor configured.
    """
    if name in BUILT_IN or name in config.engines:
        return
    if name.partition(":")[0] == COMMAND:
        chosen(name, config.engines)
        return
    raise UsageError(
        f"There is no engine {name!r}.",
        why=f"Known here: {', '.join((*BUILT_IN, *config.engines))}.",
        fix="Use one of them, or describe a coding agent's command (docs/engines.md).",
    )


def require_usable(
    options: SprintOptions, config: Config, environ: MutableMapping[str, str]
) -> None:
    """Refuse, before anything is begun, an engine that could not say a word.

    Raises:
        RegreenError: No such engine, no key, no price for a budget in USD.
    """
    names = [name for name in (options.engine, options.second_opinion) if name]
    for name in names:
        require_name(name, config)
    if options.second_opinion == options.engine:
        raise UsageError(
            f"The engine {options.engine!r} cannot give a second opinion on its own plans.",
            why="--engine and --second-opinion name the same one.",
            fix="Name another engine for one of them.",
        )
    if options.record and options.replay:
        raise UsageError(
            "A replay cannot be recorded.",
            why="--record and --replay were given together; the tape is there already.",
            fix="Leave one of them out.",
        )
    if (options.record or options.replay) and _runs_commands(names, config):
        raise UsageError(
            "What a coding agent's command does cannot be recorded or replayed.",
            why="It talks to its model itself, and its next run may do something else.",
            fix='Use --engine embedded, claude or auto (with `auto = "claude"`).',
        )
    if not _asks_models(names, config) or options.replay:
        return
    take_key(environ)
    Transport.from_environ(environ)
    limits = limits_of(options, config)
    if limits.needs_prices:
        prices = prices_of(config)
        for role in _roles(config).values():
            prices.of(role.model)


def _runs_commands(names: list[str], config: Config) -> bool:
    asked = {config.auto if name == AUTO else name for name in names}
    return not asked <= {EMBEDDED, CLAUDE}


def _asks_models(names: list[str], config: Config) -> bool:
    asked = [config.auto if name == AUTO else name for name in names]
    return CLAUDE in asked


def limits_of(options: SprintOptions, config: Config) -> Limits:
    """Return what a sprint may spend: as asked for, else as configured."""
    usd = options.budget_usd or config.budget_usd
    return Limits(
        usd=Decimal(str(usd)),
        tokens=options.budget_tokens or config.budget_tokens,
        agent_usd=Decimal(str(config.agent_budget_usd)),
        agent_tokens=config.agent_budget_tokens,
    )


def prices_of(config: Config) -> Prices:
    """Return the dated list with what the project adds."""
    return load_prices(config.prices)


def estimate_of(clusters: int, config: Config) -> Estimate:
    """Return what so many clusters may cost."""
    models = {name: role.model for name, role in _roles(config).items()}
    return estimate_for(clusters, models, prices_of(config))


def _roles(config: Config) -> dict[str, Role]:
    models = config.models
    return {
        "explore": Role(models.explore, models.explore_effort),
        "implement": Role(models.implement, models.implement_effort),
        "summarise": Role(models.summarise, models.summarise_effort),
    }

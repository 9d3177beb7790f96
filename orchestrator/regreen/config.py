"""What a project tells regreen: ``[tool.regreen]`` in pyproject.toml, or ``regreen.toml``."""

import difflib
import json
import tomllib
from pathlib import Path

from pydantic import ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from regreen_agents.domain.engine_settings import CommandSettings
from regreen_agents.domain.identity import Model
from regreen_agents.domain.model_settings import ModelSettings
from regreen_agents.domain.risk import RiskPolicy
from regreen_agents.engines.command_presets import problem_of as problem_of_command
from regreen_agents.errors import ConfigError
from regreen_agents.llm.prices import Price
from regreen_agents.runners.suites import RunnerKind, Suite, problem_of

OWN_FILE = "regreen.toml"
SHARED_FILE = "pyproject.toml"


class Config(Model):
    """The configuration of one project; every field has a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    python: str = ""
    """Path of the interpreter that runs the suite; empty means regreen finds it."""
    runs: int = Field(default=3, ge=1)
    """Full runs of the suite in a baseline and in a gate."""
    test_timeout_seconds: float = Field(default=300.0, gt=0)
    suite_timeout_seconds: float = Field(default=1800.0, gt=0)
    max_parallel: int = Field(default=0, ge=0)
    """Agents at once; 0 means one per core."""
    env_passthrough: tuple[str, ...] = ()
    """Names or globs of variables that the suite gets from regreen's own environment."""
    env: dict[str, str] = Field(default_factory=dict)
    """Variables set for the suite."""
    pytest_args: tuple[str, ...] = ()
    """Added to every pytest command."""
    runner: RunnerKind = "pytest"
    """What runs the suite; see docs/runners.md for this and the four keys below."""
    command: tuple[str, ...] = ()
    """junit: the command with its placeholders; cargo: ``cargo test`` with its options."""
    junit: str = ""
    """Glob of the reports the command writes, where it chooses their names."""
    select: str = ""
    """How one test is named where `command` has ``{tests}``."""
    select_separator: str = " "
    """Between tests where ``{tests}`` is a part of a longer word."""
    protected_paths: tuple[str, ...] = ()
    """Changes here are a critical risk."""
    high_risk_paths: tuple[str, ...] = ()
    low_risk_paths: tuple[str, ...] = ()
    pass_rate_floor: float = Field(default=0.99, ge=0.0, le=1.0)
    """Share of tests that must pass in the worst run of a gate."""
    memory_limit_mib: int = Field(default=0, ge=0)
    """Of each run of the suite; 0 means none."""
    owner: str = "unassigned"
    """Who owns the plans."""
    known_flaky: tuple[str, ...] = ()
    """Node ids of tests the project already knows to flake."""

    models: ModelSettings = ModelSettings()
    """Model ids and efforts by role, for the engines claude and auto."""
    budget_usd: float = Field(default=0.0, ge=0.0)
    """What models may cost in one sprint; 0 means no limit, as below."""
    budget_tokens: int = Field(default=0, ge=0)
    agent_budget_usd: float = Field(default=0.0, ge=0.0)
    """What one agent's conversation may cost."""
    agent_budget_tokens: int = Field(default=0, ge=0)
    prices: dict[str, Price] = Field(default_factory=dict)
    """Model id -> USD per million tokens, over those regreen knows."""
    engines: dict[str, CommandSettings] = Field(default_factory=dict)
    """Coding agents by the name `--engine` takes: their command lines."""
    auto: str = "claude"
    """Who gets what the embedded engine refuses with --engine auto: claude, or one of `engines`."""

    def suite(self) -> Suite:
        """Return which runner the project has, and how it is called."""
        return Suite(
            runner=self.runner,
            command=self.command,
            junit=self.junit,
            select=self.select,
            select_separator=self.select_separator,
        )

    def risk_policy(self) -> RiskPolicy:
        """Return the paths the project calls dangerous or harmless."""
        return RiskPolicy(
            protected_paths=self.protected_paths,
            high_risk_paths=self.high_risk_paths,
            low_risk_paths=self.low_risk_paths,
        )


_TABLES: dict[str, type[Model]] = {
    "models": ModelSettings,
    "prices": Price,
    "engines": CommandSettings,
}


def load_config(project: Path) -> Config:
    """Return the configuration of a project; the defaults when it has none.

    Args:
        project: The folder that holds pyproject.toml or regreen.toml.

    Raises:
        ConfigError: When a file is not TOML, both configure regreen, or a key does not validate;
            names the file and the line or key.
    """
    own, shared = project / OWN_FILE, project / SHARED_FILE
    table = _tool_table(shared)
    if not own.is_file():
        return _validated(table or {}, shared, "tool.regreen.")
    if table is not None:
        raise ConfigError(
            f"{project} configures regreen twice.",
            why=f"There are both {OWN_FILE} and [tool.regreen] in {SHARED_FILE}.",
            fix=f"Keep one of them; {OWN_FILE} takes the keys without a heading.",
        )
    return _validated(_read_toml(own), own, "")


def _tool_table(path: Path) -> dict[str, object] | None:
    """Return ``[tool.regreen]``, or None when the file or the table is not there."""
    if not path.is_file():
        return None
    table: object = _read_toml(path)
    for name in ("tool", "regreen"):
        if not isinstance(table, dict):
            raise _not_a_table(path)
        if name not in table:
            return None
        table = table[name]
    if not isinstance(table, dict):
        raise _not_a_table(path)
    return table


def _not_a_table(path: Path) -> ConfigError:
    return ConfigError(
        f"{path}: tool.regreen is not a table.",
        why="The keys of regreen stand below a heading of their own.",
        fix="Write them below the line [tool.regreen].",
    )


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read.",
            why=error.strerror or str(error),
            fix="Make the file readable.",
        ) from error
    except ValueError as error:  # not TOML, or not UTF-8; both messages name the place
        raise ConfigError(
            f"{path} is not valid TOML.", why=f"{error}.", fix="Correct the file at that place."
        ) from error


def _validated(table: dict[str, object], path: Path, prefix: str) -> Config:
    try:
        # JSON is the strict form in which a list may become a tuple.
        config = Config.model_validate_json(json.dumps(table, default=_other_value))
    except ValidationError as error:
        details = error.errors(include_url=False)
        lines = [f"{prefix}{_place(d)}: {_complaint(d)}" for d in details]
        raise ConfigError(
            f"{path} does not validate: {lines[0]}",
            why="\n".join(lines),
            fix=f"Correct the keys named above in {path.name}.",
        ) from error
    _require_suite(config, path, prefix)
    _require_engines(config, path, prefix)
    return config


def _require_suite(config: Config, path: Path, prefix: str) -> None:
    """Refuse keys of the runner that do not fit together."""
    problem = problem_of(config.suite(), config.env.values())
    if not problem and config.pytest_args and config.runner != "pytest":
        problem = f"pytest_args: runner is {config.runner!r}; its options go to command"
    if problem:
        raise ConfigError(
            f"{path} does not validate: {prefix}{problem}",
            why=f"{prefix}runner is {config.runner!r}.",
            fix=f"Correct that key in {path.name}; docs/runners.md has whole examples.",
        )


def _require_engines(config: Config, path: Path, prefix: str) -> None:
    """Refuse commands that cannot be run as they are written."""
    for name, settings in config.engines.items():
        problem = problem_of_command(name, settings)
        if problem:
            raise ConfigError(
                f"{path} does not validate: {prefix}engines.{name}.{problem}",
                why=f"{prefix}engines.{name} describes a coding agent's command line.",
                fix=f"Correct it in {path.name}; docs/engines.md has whole examples.",
            )
    if config.auto != "claude" and config.auto not in config.engines:
        raise ConfigError(
            f"{path} does not validate: {prefix}auto: there is no engine {config.auto!r}",
            why=f"Engines here: {', '.join(('claude', *config.engines))}.",
            fix=f"Name one of them in {path.name}.",
        )


def _other_value(value: object) -> dict[str, str]:
    """Stand in for a TOML date or time: no key takes one."""
    return {type(value).__name__: str(value)}


def _place(detail: ErrorDetails) -> str:
    return ".".join(str(part) for part in detail["loc"])


def _complaint(detail: ErrorDetails) -> str:
    if detail["type"] != "extra_forbidden":
        said = detail["msg"].replace("Input should", "should")
        return f"{said.replace('an object', 'a table')}, found {detail['input']!r}"
    place = detail["loc"]
    table = _TABLES.get(str(place[0]), Config) if len(place) > 1 else Config
    close = difflib.get_close_matches(str(place[-1]), table.model_fields, n=1)
    return "unknown key" + (f", did you mean {close[0]!r}?" if close else "")

"""The keys of models, budgets and commands, and what is said about wrong ones."""

from decimal import Decimal
from pathlib import Path

import pytest

from regreen.config import Config, load_config
from regreen_agents.errors import ConfigError

WHOLE = """
budget_usd = 2.5
budget_tokens = 1_000_000
agent_budget_usd = 1
agent_budget_tokens = 200_000
auto = "mine"

[models]
explore = "claude-opus-5-5"
implement_effort = "low"

[prices."my-model"]
input = 0.5
cache_write = 0.5
cache_read = 0.05
output = "1.25"

[engines.mine]
command = ["agent", "--in", "{prompt_file}", "{{literal}}"]
env = ["AGENT_KEY"]
timeout_seconds = 60
memory_limit_mib = 2048
own_files = [".agent/"]

[engines.claude-code]
preset = "claude-code"
"""


def load(folder: Path, text: str) -> Config:
    (folder / "regreen.toml").write_text(text, encoding="utf-8")
    return load_config(folder)


def test_every_key_of_models_and_commands_is_read(tmp_path: Path) -> None:
    config = load(tmp_path, WHOLE)

    assert (config.budget_usd, config.budget_tokens) == (2.5, 1_000_000)
    assert (config.agent_budget_usd, config.agent_budget_tokens) == (1.0, 200_000)
    assert (config.models.explore, config.models.implement_effort) == ("claude-opus-5-5", "low")
    assert config.prices["my-model"].output == Decimal("1.25")
    assert config.engines["mine"].command[-1] == "{{literal}}"
    assert config.engines["mine"].env == ("AGENT_KEY",)
    assert config.engines["mine"].timeout_seconds == 60.0
    assert config.engines["claude-code"].preset == "claude-code"
    assert config.auto == "mine"


def test_without_them_there_is_no_command_and_no_limit() -> None:
    assert Config().engines == {}
    assert (Config().budget_usd, Config().budget_tokens) == (0.0, 0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("budget_usd = -1", "budget_usd: should be greater than or equal to 0"),
        ("budget_usd = inf", "budget_usd:"),
        ("budget_tokens = 1.5", "budget_tokens: should be a valid integer"),
        ("[models]\nexplor = 'x'", "models.explor: unknown key, did you mean 'explore'?"),
        ("[models]\nexplore = ''", "models.explore: String should have at least 1 character"),
        ("[models]\nexplore_effort = 'huge'", "models.explore_effort: should be 'low'"),
        ("[prices.m]\ninput = 1", "prices.m.cache_write: Field required"),
        ("[prices.m]\ninptu = 1", "prices.m.inptu: unknown key, did you mean 'input'?"),
        ("[engines.a]\ncomand = ['x']", "engines.a.comand: unknown key, did you mean 'command'?"),
        ("[engines.a]\ncommand = 'x'", "engines.a.command: should be a valid array"),
        ("[engines.a]\ncommand = ['x']\nenv = [1]", "engines.a.env.0: should be a valid string"),
        ("[engines.a]\ncommand = ['x']\ntimeout_seconds = 0", "engines.a.timeout_seconds:"),
        ("[engines.a]", "engines.a.command: say either `command` or `preset`"),
        ("[engines.a]\ncommand=['x']\npreset='aider'", "engines.a.command: say either"),
        ("[engines.a]\ncommand = ['']", "engines.a.command: its first word is the program"),
        (
            "[engines.a]\ncommand = ['x', '{promt_file}']",
            "engines.a.command: unknown placeholder {promt_file}, did you mean {prompt_file}?",
        ),
        ("[engines.a]\ncommand = ['x', '{zzz}']", "unknown placeholder {zzz}; there are"),
        ("[engines.a]\ncommand = ['x', '{']", "engines.a.command: "),
        ("[engines.a]\ncommand = ['x', '{prompt:x}']", "takes no format"),
        ("[engines.a]\ncommand = ['{prompt}', '{prompt_file}']", "the prompt is given once"),
        ("[engines.a]\npreset = 'aidr'", "there is no preset 'aidr', did you mean 'aider'?"),
        ("[engines.a]\npreset = 'zzz'", "there is no preset 'zzz'; there are claude-code"),
        ("[engines.embedded]\npreset = 'aider'", "engines.embedded.an engine's name is"),
        ("[engines.'A b']\npreset = 'aider'", "an engine's name is small letters"),
        ("auto = 'aider'", "auto: there is no engine 'aider'"),
    ],
)
def test_a_wrong_key_is_named_with_what_would_do(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)

    assert told in caught.value.what + caught.value.why
    assert caught.value.fix

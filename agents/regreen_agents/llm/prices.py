"""What tokens cost: the dated list, and what a project adds to it."""

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field

from regreen_agents.domain.identity import Model
from regreen_agents.errors import ConfigError
from regreen_agents.llm.messages import Usage

LIST = Path(__file__).with_name("prices.toml")
MILLION = Decimal(1_000_000)
_DATED_ID = re.compile(r"-20\d{6}$")


class Rates(Model):
    """USD per million tokens."""

    input: Decimal = Field(ge=0)
    cache_write: Decimal = Field(ge=0)
    """Kept for 5 minutes, the only kind we ask for."""
    cache_read: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)

    def cost(self, usage: Usage) -> Decimal:
        """Return what a call cost, in USD, exact."""
        return (
            self.input * usage.input_tokens
            + self.cache_write * usage.cache_write_tokens
            + self.cache_read * usage.cache_read_tokens
            + self.output * usage.output_tokens
        ) / MILLION

    @property
    def dearest_input(self) -> Decimal:
        """The most a token that is sent may cost."""
        return max(self.input, self.cache_write, self.cache_read)


class LongPrompt(Rates):
    """The rates of a whole call that sends more than so many tokens."""

    above_tokens: int = Field(ge=0)


class Price(Rates):
    """What one model costs."""

    long_prompt: LongPrompt | None = None

    def rates(self, all_input: int) -> Rates:
        """Return the rates of a call that sends so many tokens, cached ones counted."""
        if self.long_prompt and all_input > self.long_prompt.above_tokens:
            return self.long_prompt
        return self


class Prices(Model):
    """A dated list of prices."""

    schema_version: Literal[1] = 1
    dated: str
    """The day the list was read, YYYY-MM-DD."""
    source: str
    models: dict[str, Price]

    def find(self, model: str) -> Price | None:
        """Return a model's price; an id that ends in a date has the price of the one without."""
        return self.models.get(model) or self.models.get(_DATED_ID.sub("", model))

    def of(self, model: str) -> Price:
        """Return a model's price.

        Raises:
            ConfigError: The list does not have it, so no budget in USD can be kept.
        """
        price = self.find(model)
        if price is None:
            raise ConfigError(
                f"What {model!r} costs is not known, so no budget in USD can be kept.",
                why=f"The price list of {self.dated} has: {', '.join(sorted(self.models))}.",
                fix=f'Add [tool.regreen.prices."{model}"] with input, cache_write, cache_read and '
                "output in USD per million tokens, or limit the tokens instead of the USD.",
            )
        return price

    def cost(self, model: str, usage: Usage) -> Decimal | None:
        """Return what a call cost in USD; None where the model's price is not known."""
        price = self.find(model)
        return price.rates(usage.all_input).cost(usage) if price else None


def load_prices(added: Mapping[str, Price] | None = None) -> Prices:
    """Return the list that comes with regreen, with a project's own prices over it."""
    table = tomllib.loads(LIST.read_text(encoding="utf-8"), parse_float=Decimal)
    prices = Prices.model_validate(table)
    return prices.model_copy(update={"models": {**prices.models, **(added or {})}})

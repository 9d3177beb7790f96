"""What a project says about the models that may think for it."""

from typing import Literal

from pydantic import ConfigDict, Field

from regreen_agents.domain.identity import Model

Effort = Literal["low", "medium", "high", "max"]


class ModelSettings(Model):
    """``[tool.regreen.models]``: a model id for each role, and how hard it thinks."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    explore: str = Field(default="claude-opus-5-5", min_length=1)
    implement: str = Field(default="claude-sonnet-5-5", min_length=1)
    summarise: str = Field(default="claude-haiku-5-5", min_length=1)
    explore_effort: Effort | None = None
    """None leaves it to the server, as below."""
    implement_effort: Effort | None = None
    summarise_effort: Effort | None = None

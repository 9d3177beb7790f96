"""Who does the thinking: an engine explores clusters and implements plans."""

from regreen_agents.engines.base import Engine
from regreen_agents.engines.embedded import EmbeddedEngine

__all__ = ["EmbeddedEngine", "Engine"]

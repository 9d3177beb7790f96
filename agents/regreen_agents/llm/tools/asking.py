"""The base of every tool's input."""

from pydantic import ConfigDict

from regreen_agents.domain.identity import Model


class Asked(Model):
    """What a model asks of a tool; the line below a field is its description in the schema."""

    model_config = ConfigDict(use_attribute_docstrings=True)

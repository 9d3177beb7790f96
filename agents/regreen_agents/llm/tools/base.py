"""A tool: a name, a validated input, and a function that answers in text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from regreen_agents.domain.findings import Evidence
from regreen_agents.domain.identity import Model
from regreen_agents.llm.messages import ToolSpec, ToolUse


@dataclass(frozen=True)
class ToolAnswer:
    """What a call gave."""

    text: str
    is_error: bool = False
    evidence: tuple[Evidence, ...] = ()
    """Experiments it ran; the loop numbers them (``E1``) and tells the model the number."""


class ToolProblemError(Exception):
    """The call cannot be done as asked; the message tells the model why and what would do."""


Asked = TypeVar("Asked", bound=Model)


@dataclass(frozen=True)
class Tool(Generic[Asked]):
    """One thing a model may do."""

    name: str
    description: str
    asked: type[Asked]
    """Validates the input; its JSON schema is what the model is shown."""
    run: Callable[[Asked], ToolAnswer]
    """May raise ToolProblemError; any other exception is told in one line, without a traceback."""
    parallel: bool = False
    """Whether calls may run beside each other: it neither changes the tree nor runs tests in it."""
    experiment: bool = False
    """Whether it runs code of the target: then a resumed or replayed conversation takes what it
    gave from the record. Everything else is cheap, gives the same again, and is done again."""

    def spec(self) -> ToolSpec:
        """Return it as the model is told of it."""
        schema: dict[str, Any] = self.asked.model_json_schema()
        return ToolSpec(name=self.name, description=self.description, input_schema=schema)

    def answer(self, use: ToolUse) -> ToolAnswer:
        """Validate a call's input and run it; what is wrong with it is the answer."""
        if use.broken:
            return ToolAnswer(f"The input is no JSON object: {use.broken[:200]!r}", is_error=True)
        try:
            asked = self.asked.model_validate(use.input)
        except ValidationError as error:
            return ToolAnswer(problems_of(error), is_error=True)
        try:
            return self.run(asked)
        except ToolProblemError as problem:
            return ToolAnswer(str(problem), is_error=True)


def problems_of(error: ValidationError) -> str:
    """Return what a model's input lacks: one line for each place, exact."""
    lines = [
        f"- {'.'.join(str(part) for part in detail['loc']) or 'input'}: {detail['msg']}"
        for detail in error.errors(include_url=False, include_input=False)
    ]
    return "\n".join(["The input does not validate:", *lines])

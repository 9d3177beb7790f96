"""From a model's edits to a validated commit: regreen judges, the model only asks."""

from regreen_agents.domain.changes import Attempt, Change
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.engines.proposals import ChangeProposal, RefusalProposal
from regreen_agents.engines.vanished import vanished
from regreen_agents.implement import (
    MAX_ATTEMPTS,
    Workshop,
    attempted,
    change_of,
    refusal_after,
)
from regreen_agents.llm.draft import Draft
from regreen_agents.llm.tools.base import Tool, ToolAnswer
from regreen_agents.repair.means import MODEL
from regreen_agents.repair.tries import Try

FINISH = "finish_change"
GIVE_UP = "give_up"


class ChangeFinisher:
    """Takes what an implementer finishes with; holds the change or the refusal at the end.

    Args:
        earlier: Attempts at the same plan by another engine; the numbers go on from there.
    """

    def __init__(
        self, plan: Plan, workshop: Workshop, draft: Draft, earlier: tuple[Attempt, ...] = ()
    ) -> None:
        """Prepare for one plan."""
        self.result: Change | Refusal | None = None
        self._plan = plan
        self._workshop = workshop
        self._draft = draft
        self._attempts = list(earlier)
        self._tried = 0

    def tools(self) -> tuple[Tool[ChangeProposal], Tool[RefusalProposal]]:
        """Return the two ways to finish."""
        return (
            Tool(
                FINISH,
                "Finish: regreen validates your edits on the base commit. What fails comes back.",
                ChangeProposal,
                self._finish,
            ),
            Tool(
                GIVE_UP,
                "Finish without a change: say what was tried and what would help.",
                RefusalProposal,
                self._give_up,
            ),
        )

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every try so far, numbered over the whole plan."""
        return tuple(self._attempts)

    def _give_up(self, asked: RefusalProposal) -> ToolAnswer:
        refusal = refusal_after(self._plan, self._attempts)
        self.result = refusal.model_copy(update={"reason": asked.reason, "needs": asked.needs})
        return ToolAnswer("Taken.")

    def _finish(self, asked: ChangeProposal) -> ToolAnswer:
        edits = self._draft.edits()
        if not edits:
            return ToolAnswer("Nothing is edited yet.", is_error=True)
        # Whatever recipe was tried before, these edits are a model's.
        own = self._plan.option().model_copy(update={"recipe": MODEL, "edits": ()})
        tried = Try(own, asked.summary, edits)
        number = len(self._attempts) + 1
        attempt, validation = attempted(self._plan, tried, number, self._workshop)
        gone = vanished(validation) if validation is not None else ""
        if gone:
            validation = None
            told = {"result": "failed", "reason": gone, "next_action": "try again"}
            attempt = attempt.model_copy(update=told)
        self._attempts.append(attempt)
        self._tried += 1
        self._workshop.record(self.attempts)
        if validation is not None and attempt.result == "committed":
            self.result = change_of(self._plan, tried, validation, self.attempts, self._workshop)
            return ToolAnswer("Validated and committed.")
        self._workshop.lab.bench.reset()  # the draft is read against the base
        if self._tried >= MAX_ATTEMPTS:
            self.result = refusal_after(self._plan, self._attempts)
        return ToolAnswer(f"It does not hold: {attempt.reason}", is_error=True)

"""What do polluters and setters pass on? Put back what they changed, and see what decides."""

from collections.abc import Sequence

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec, StateChange, StateKind
from regreen_agents.lab.inquiry import Inquiry, Setting
from regreen_agents.lab.lab import is_red
from regreen_agents.lab.minimise import ddmin

MAX_SINGLE_STATES = 16
NOT_RESTORABLE = (StateKind.THREAD, StateKind.OPEN_FILE)


def state_passed_on(
    inquiry: Inquiry,
    setting: Setting,
    helpers: tuple[NodeId, ...],
    *,
    red_when_restored: bool,
) -> tuple[StateChange, ...]:
    """Put back what a helper changed, one piece at a time, and see which piece decides."""
    for helper in reversed(helpers):
        changes = [
            c for c in inquiry.lab.measured.changes_by(helper) if c.kind not in NOT_RESTORABLE
        ]
        if not changes:
            continue
        experiment = _Restoring(inquiry, setting, helpers, helper, red_when_restored)
        if not experiment.decides(changes):
            continue
        whole = [c for c in changes if c.container == "module"]
        if whole and experiment.decides(whole):
            experiment.write(whole)
            return tuple(whole)
        single = next((c for c in changes[:MAX_SINGLE_STATES] if experiment.decides([c])), None)
        if single is not None:
            experiment.write([single])
            return (single,)
        budget = max(4, inquiry.lab.runs_left - 4)
        chosen = tuple(ddmin(changes, experiment.decides, budget=budget).items)
        experiment.write(chosen)
        return chosen
    return _files_left(inquiry, helpers)


def _files_left(inquiry: Inquiry, helpers: tuple[NodeId, ...]) -> tuple[StateChange, ...]:
    """Return files the helpers made: seen, though not put back to prove it."""
    return tuple(
        change
        for helper in helpers
        for change in inquiry.lab.measured.changes_by(helper)
        if change.kind is StateKind.FILE
    )


class _Restoring:
    """The intervention: run helpers and victim, with some state put back in between."""

    def __init__(
        self,
        inquiry: Inquiry,
        setting: Setting,
        helpers: tuple[NodeId, ...],
        helper: NodeId,
        red_when_restored: bool,  # noqa: FBT001 - a fact, not a switch
    ) -> None:
        self._inquiry = inquiry
        self._order = (*helpers, inquiry.victim)
        self._spec: RunSpec = setting.spec.model_copy(
            update={"order": OrderKind.GIVEN, "tests": self._order}
        )
        self._helper = helper
        self._expected = red_when_restored

    def decides(self, changes: Sequence[StateChange]) -> bool:
        """Whether putting these changes back turns the victim's outcome."""
        run = self._inquiry.lab.run(self._spec, restore=self._restore(changes))
        return is_red(run.outcome_of(self._inquiry.victim)) == self._expected

    def write(self, changes: Sequence[StateChange]) -> None:
        """Keep the decisive experiment."""
        run = self._inquiry.lab.run(self._spec, restore=self._restore(changes))
        word = "fails" if self._expected else "passes"
        names = ", ".join(f"`{c.target}`" for c in changes)
        self._inquiry.notebook.write(
            f"What is passed on? The same order, with {names} put back after {self._helper}.",
            run,
            self._inquiry.victim,
            f"With {names} put back it {word}: that state is what the test depends on. "
            "(Plain pytest, as printed, runs the same order without putting it back.)",
        )

    def _restore(self, changes: Sequence[StateChange]) -> dict[str, object]:
        targets = [c.model_dump(mode="json") for c in changes]
        return {"after": self._helper, "targets": targets}

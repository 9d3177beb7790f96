"""Is it order? Minimal polluters and state-setters, and the very state they pass on."""

from collections import Counter
from collections.abc import Callable, Sequence

from regreen_agents.domain.findings import Category, Cause, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec, StateChange, StateKind
from regreen_agents.lab.inquiry import Inquiry, Setting
from regreen_agents.lab.lab import is_red
from regreen_agents.lab.minimise import Minimised, ddmin

CAUSE_OF_STATE = {
    StateKind.ENVIRONMENT: Cause.ENVIRONMENT_LEAK,
    StateKind.CWD: Cause.CWD_LEAK,
}
MAX_SINGLE_STATES = 16
RARE_TESTS = 5
"""A state changed by no more tests than this, or a tenth of the suite, is suspected first."""
MAX_ONE_BY_ONE = 8
"""Other victims confirmed one by one; more are run after the polluters together."""
RESERVED_RUNS = 25
"""Runs kept back from the minimisation for the state experiments."""


def suffers_from_a_polluter(inquiry: Inquiry) -> Finding | None:
    """Passes alone, fails after others: find the smallest set of them, and what they leave."""
    settings = inquiry.settings(red=True)
    if inquiry.alone_red or not settings or not settings[0].prefix:
        return None
    setting = settings[0]
    if not _replays(inquiry, setting, red=True):
        return None
    found = _minimise(inquiry, setting, lambda ended_red: ended_red)
    polluters = tuple(found.items)
    _write_minimum(inquiry, setting, polluters, f"fails after {_named(polluters)}, passes alone")
    state = _state_passed_on(inquiry, setting, polluters, red_when_restored=False)
    victims = _others_with(inquiry, setting, polluters, red=True)
    cause = CAUSE_OF_STATE.get(state[0].kind, Cause.GLOBAL_STATE) if state else Cause.GLOBAL_STATE
    return inquiry.finding(
        Category.OD_VICTIM,
        cause,
        f"{inquiry.victim} is a victim: it passes alone and fails after {_named(polluters)}, "
        + _state_words(state),
        victims=victims,
        polluters=polluters,
        all_polluters=_inventory(inquiry, state, polluters),
        state=state,
        replay=(*polluters, inquiry.victim),
        hash_seed=setting.run.spec.hash_seed,
    )


def needs_a_setter(inquiry: Inquiry) -> Finding | None:
    """Fails alone, passes after others: find the smallest set of them, and what they set."""
    settings = inquiry.settings(red=False)
    if not inquiry.alone_red or not settings or not settings[0].prefix:
        return None
    setting = settings[0]
    if not _replays(inquiry, setting, red=False):
        return None
    found = _minimise(inquiry, setting, lambda ended_red: not ended_red)
    setters = tuple(found.items)
    _write_minimum(inquiry, setting, setters, f"passes after {_named(setters)}, fails alone")
    state = _state_passed_on(inquiry, setting, setters, red_when_restored=True)
    victims = _others_with(inquiry, setting, setters, red=False)
    left = sorted(set(inquiry.members) - set(victims))
    but = f" That is not shown for {', '.join(left)}." if left else ""
    return inquiry.finding(
        Category.OD_BRITTLE,
        Cause.MISSING_STATE_SETTER,
        f"{inquiry.victim} is brittle: it fails alone and passes only after a state-setter such "
        f"as {_named(setters)}, " + _state_words(state) + but,
        victims=victims,
        state_setters=setters,
        state=state,
        replay=(inquiry.victim,),
        hash_seed=setting.run.spec.hash_seed,
    )


def _replays(inquiry: Inquiry, setting: Setting, *, red: bool) -> bool:
    """Run the same order again, up to the victim; a different end means it is not order."""
    order = (*setting.prefix, inquiry.victim)
    ended_red = is_red(inquiry.lab.outcome(order, setting.spec))
    word = "fails" if ended_red else "passes"
    inquiry.notebook.write(
        f"Does it repeat? Run {setting.index + 1} of the baseline again, up to this test.",
        inquiry.lab.last_run(order, setting.spec),
        inquiry.victim,
        f"After {_the_same(setting)} it {word} again."
        if ended_red == red
        else f"After {_the_same(setting)} it {word} this time: order alone does not decide.",
    )
    return ended_red == red


def _the_same(setting: Setting) -> str:
    count = len(setting.prefix)
    return f"the same {count} tests" if count > 1 else "the same test"


def _minimise(
    inquiry: Inquiry, setting: Setting, wanted: Callable[[bool], bool]
) -> Minimised[NodeId]:
    """Delta-debug the prefix; tests that are known to leave state behind are tried first."""

    def shows(subset: Sequence[NodeId]) -> bool:
        outcome = inquiry.lab.outcome((*subset, inquiry.victim), setting.spec)
        return wanted(is_red(outcome))

    start: Sequence[NodeId] = setting.prefix
    for suspects in (_rare_writers(inquiry, setting), _writers(inquiry, setting)):
        if 0 < len(suspects) < len(start) and shows(suspects):
            start = suspects
            break
    budget = max(8, inquiry.lab.runs_left - RESERVED_RUNS)
    return ddmin(start, shows, budget=budget)


def _writers(inquiry: Inquiry, setting: Setting) -> list[NodeId]:
    """Return the tests before the victim that leave any state changed."""
    return [t for t in setting.prefix if inquiry.lab.measured.changes_by(t)]


def _rare_writers(inquiry: Inquiry, setting: Setting) -> list[NodeId]:
    """Return those that change what few tests change, and those that failed before the victim.

    A state that every other test changes is rarely the one; a test that fails often skips its own
    clean-up and so becomes the second of two polluters.
    """
    isolated = inquiry.lab.measured.isolated
    changes = () if isolated is None else isolated.state_changes
    counts = Counter((c.kind, c.target) for c in changes)
    few = max(RARE_TESTS, len(setting.run.results) // 10)
    rare = {c.node_id for c in changes if counts[c.kind, c.target] <= few}
    red = {r.node_id for r in setting.run.red()}
    return [t for t in setting.prefix if t in rare or t in red]


def _write_minimum(
    inquiry: Inquiry, setting: Setting, helpers: tuple[NodeId, ...], conclusion: str
) -> None:
    order = (*helpers, inquiry.victim)
    inquiry.notebook.write(
        f"Which of the {len(setting.prefix)} tests before it matter? Delta debugging, cold runs.",
        inquiry.lab.last_run(order, setting.spec),
        inquiry.victim,
        f"It {conclusion}.",
    )


def _state_passed_on(
    inquiry: Inquiry,
    setting: Setting,
    helpers: tuple[NodeId, ...],
    *,
    red_when_restored: bool,
) -> tuple[StateChange, ...]:
    """Put back what a helper changed, one piece at a time, and see which piece decides."""
    for helper in reversed(helpers):
        changes = [
            c for c in inquiry.lab.measured.changes_by(helper) if c.kind is not StateKind.FILE
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


def _others_with(
    inquiry: Inquiry, setting: Setting, helpers: tuple[NodeId, ...], *, red: bool
) -> tuple[NodeId, ...]:
    """Return the victim and the members that end like it after the same polluters or setters."""
    others = [m for m in inquiry.members if m != inquiry.victim and m not in helpers]
    if len(others) > MAX_ONE_BY_ONE:
        run = inquiry.lab.last_run((*helpers, *others), setting.spec)
        alike = [other for other in others if is_red(run.outcome_of(other)) == red]
    else:
        alike = [
            other
            for other in others
            if is_red(inquiry.lab.outcome((*helpers, other), setting.spec)) == red
        ]
    return tuple(sorted([inquiry.victim, *alike]))


def _inventory(
    inquiry: Inquiry, state: tuple[StateChange, ...], polluters: tuple[NodeId, ...]
) -> tuple[NodeId, ...]:
    """Return every test that leaves the same state changed; the polluters when none is known."""
    isolated = inquiry.lab.measured.isolated
    targets = {(c.kind, c.target) for c in state}
    seen = () if isolated is None else isolated.state_changes
    found = {c.node_id for c in seen if (c.kind, c.target) in targets}
    return tuple(sorted(found)) if found else polluters


def _named(tests: Sequence[NodeId]) -> str:
    return " and ".join(tests)


def _state_words(state: tuple[StateChange, ...]) -> str:
    if not state:
        return "which leaves no state behind that was seen."
    parts = [f"`{c.target}` changed from {c.before} to {c.after}" for c in state[:3]]
    return f"which leaves {', '.join(parts)}."

"""Is it order? Minimal polluters and state-setters, and the very state they pass on."""

from collections.abc import Sequence

from regreen_agents.domain.findings import Category, Cause, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import StateChange, StateKind
from regreen_agents.lab.campaign import Found
from regreen_agents.lab.campaign_inquiry import Explained, explained_by_order
from regreen_agents.lab.inquiry import Inquiry, Setting
from regreen_agents.lab.lab import is_red
from regreen_agents.lab.oracle import Question
from regreen_agents.lab.passed_state import state_passed_on

CAUSE_OF_STATE = {
    StateKind.ENVIRONMENT: Cause.ENVIRONMENT_LEAK,
    StateKind.CWD: Cause.CWD_LEAK,
}
MAX_OTHER_STATES = 3
"""Further polluters of which it is asked what they pass on, where that is something else."""
AGAIN = 3
"""More runs of each way where nothing but the outcomes speaks for order."""
MAX_ONE_BY_ONE = 8
"""Other victims confirmed one by one; more are run after the polluters together."""


def suffers_from_a_polluter(inquiry: Inquiry) -> Finding | None:
    """Passes alone, fails after others: find the smallest set of them, and what they leave."""
    settings = inquiry.settings(red=True)
    if inquiry.varies or inquiry.alone_red or not settings or not settings[0].prefix:
        return None
    setting = settings[0]
    if not _replays(inquiry, setting, red=True):
        return None
    explained = explained_by_order(inquiry, setting, red_after=True)
    if explained is None:
        return None
    found, polluters = explained.found, explained.found.helpers
    _write_minimum(inquiry, setting, explained, f"fails after {_named(polluters)}, passes alone")
    _write_cleaners(inquiry, setting, found)
    first = state_passed_on(inquiry, setting, polluters, red_when_restored=False)
    if not first and _is_chance(inquiry, setting, polluters, red_after=True):
        return None
    more = _left_by_others(inquiry, setting, found, first)
    state = (*first, *more)
    victims = _others_with(inquiry, setting, explained, red=True)
    cause = CAUSE_OF_STATE.get(state[0].kind, Cause.GLOBAL_STATE) if state else Cause.GLOBAL_STATE
    return inquiry.finding(
        Category.OD_VICTIM,
        cause,
        f"{inquiry.victim} is a victim: it passes alone and fails after {_named(polluters)}, "
        + _state_words(first)
        + (f" Others by themselves: {_state_words(more)[6:]}" if more else ""),
        victims=victims,
        polluters=polluters,
        cleaners=found.cleaners,
        all_polluters=_inventory(inquiry, state, found),
        state=state,
        replay=(*polluters, inquiry.victim),
        hash_seed=setting.run.spec.hash_seed,
    )


def needs_a_setter(inquiry: Inquiry) -> Finding | None:
    """Fails alone, passes after others: find the smallest set of them, and what they set."""
    settings = inquiry.settings(red=False)
    if inquiry.varies or not inquiry.alone_red or not settings or not settings[0].prefix:
        return None
    setting = settings[0]
    if not _replays(inquiry, setting, red=False):
        return None
    explained = explained_by_order(inquiry, setting, red_after=False)
    if explained is None:
        return None
    setters = explained.found.helpers
    _write_minimum(inquiry, setting, explained, f"passes after {_named(setters)}, fails alone")
    state = state_passed_on(inquiry, setting, setters, red_when_restored=True)
    if not state and _is_chance(inquiry, setting, setters, red_after=False):
        return None
    victims = _others_with(inquiry, setting, explained, red=False)
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


def _is_chance(
    inquiry: Inquiry, setting: Setting, helpers: Sequence[NodeId], *, red_after: bool
) -> bool:
    """Whether order only seemed to decide: where no state is seen, each way is run again."""
    lab, victim = inquiry.lab, inquiry.victim
    after = setting.spec.model_copy(update={"tests": (*helpers, victim)})
    alone = setting.spec.model_copy(update={"tests": (victim,)})
    ways = [(spec, red_after is (spec is after)) for _ in range(AGAIN) for spec in (after, alone)]
    for spec, red in ways:
        run = lab.run(spec)
        if is_red(run.outcome_of(victim)) is not red:
            inquiry.varies = True
            question = f"Is it order? After {_named(helpers)} and alone, {AGAIN} times more."
            said = "The same run ended both ways: order does not decide."
            inquiry.notebook.write(question, run, victim, said)
            return True
    return False


def _the_same(setting: Setting) -> str:
    count = len(setting.prefix)
    return f"the same {count} tests" if count > 1 else "the same test"


def _write_cleaners(inquiry: Inquiry, setting: Setting, found: Found) -> None:
    for cleaner in found.cleaners[:1]:
        order = (*found.helpers, cleaner, inquiry.victim)
        inquiry.notebook.write(
            "Does any test clean up, run in between?",
            inquiry.lab.last_run(order, setting.spec),
            inquiry.victim,
            f"After {cleaner} it passes: what is left behind can be put back.",
        )


def _write_minimum(
    inquiry: Inquiry, setting: Setting, explained: Explained, conclusion: str
) -> None:
    order = (*explained.found.helpers, inquiry.victim)
    runs = "cold runs" if explained.is_cold else "warm runs, confirmed cold"
    inquiry.notebook.write(
        f"Which of the {len(setting.prefix)} tests before it matter? Delta debugging, {runs}.",
        inquiry.lab.last_run(order, setting.spec),
        inquiry.victim,
        f"It {conclusion}.",
    )


def _others_with(
    inquiry: Inquiry, setting: Setting, explained: Explained, *, red: bool
) -> tuple[NodeId, ...]:
    """Return the victim and the members that end like it after the same polluters or setters."""
    helpers = explained.found.helpers
    others = [m for m in inquiry.members if m != inquiry.victim and m not in helpers]
    if not explained.is_cold:
        answers = explained.oracle.ask([Question(helpers, other) for other in others])
        others = [o for o, is_red_now in zip(others, answers, strict=True) if is_red_now == red]
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


def _left_by_others(
    inquiry: Inquiry, setting: Setting, found: Found, known: tuple[StateChange, ...]
) -> tuple[StateChange, ...]:
    """Return what further polluters pass on, where the state that is known does not explain it.

    Otherwise they hide: with the first polluters repaired, the victim still fails after these.
    """
    seen = {(c.kind, c.target) for c in known}
    left: list[StateChange] = []
    for tests in found.alternatives[:MAX_OTHER_STATES] if known else ():
        changes = [c for test in tests for c in inquiry.lab.measured.changes_by(test)]
        if seen.isdisjoint((c.kind, c.target) for c in changes):
            more = state_passed_on(inquiry, setting, tests, red_when_restored=False)
            left += more
            seen |= {(c.kind, c.target) for c in more}
    return tuple(left)


def _inventory(
    inquiry: Inquiry, state: tuple[StateChange, ...], polluters: Found
) -> tuple[NodeId, ...]:
    """Return every test that leaves the same state changed, and every polluter seen."""
    isolated = inquiry.lab.measured.isolated
    targets = {(c.kind, c.target) for c in state}
    seen = () if isolated is None else isolated.state_changes
    found = {c.node_id for c in seen if (c.kind, c.target) in targets}
    further = {test for tests in polluters.alternatives for test in tests}
    return tuple(sorted((found or {*polluters.helpers}) | further))


def _named(tests: Sequence[NodeId]) -> str:
    return " and ".join(tests)


def _state_words(state: tuple[StateChange, ...]) -> str:
    if not state:
        return "which leaves no state behind that was seen."
    parts = [f"`{c.target}` changed from {c.before} to {c.after}" for c in state[:3]]
    return f"which leaves {', '.join(parts)}."

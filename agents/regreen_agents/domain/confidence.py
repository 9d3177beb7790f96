"""How sure a change is to be right, and why: what a person reads before trusting it.

The levels are calibrated on ``ci/bench/injected_bugs.py``: of the edits found by search that are
marked high, at least 95 % equal the code before the bug was put in, or behave like it.
"""

from enum import StrEnum

from regreen_agents.domain.identity import Model

ENOUGH_CALLS = 12
"""Observed calls below which behaviour counts as hardly seen."""
BROKEN_SHARE = 0.2
"""Of the calls: where more crash that are answered today, it breaks things; arguments made up at
random may well be such that any right code refuses them."""
ENOUGH_MUTANTS = 3
GOOD_SCORE = 0.7
POOR_SCORE = 0.2
"""Below it the tests hardly watch the place at all."""


class ConfidenceLevel(StrEnum):
    """How sure."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Confidence(Model):
    """A level with the reasons for and against it."""

    level: ConfidenceLevel
    reasons: tuple[str, ...]
    """What speaks for it, most telling first."""
    doubts: tuple[str, ...] = ()
    """What speaks against it."""

    def __str__(self) -> str:
        """Return ``high: reason; reason; but doubt``."""
        doubts = f"; but {'; '.join(self.doubts)}" if self.doubts else ""
        return f"{self.level.value}: {'; '.join(self.reasons)}{doubts}"


class Share(Model):
    """So many of so many."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """From 0 to 1; 0 when there is nothing."""
        return self.part / self.whole if self.whole else 0.0

    def __str__(self) -> str:
        """Return ``7 of 9``."""
        return f"{self.part} of {self.whole}"


class SearchFacts(Model):
    """What was measured about an edit found by search."""

    rivals: int
    """Other behaviours that make every test pass."""
    calls: int
    """Calls whose behaviour under the edit could be observed."""
    changed: int
    """Of these, how many behave otherwise than in the code as it is."""
    broken: int
    """Calls that the code as it is answers, and that crash or hang under the edit."""
    oddities: tuple[str, ...]
    """Static signs of an edit that fits the tests and not the intent."""
    killed: Share | None
    """Mutants of the repaired function that its tests notice; None: not asked."""
    held_out: Share | None
    """Edits found with half of the tests that pass the other half; None: not enough tests."""
    elsewhere: str = ""
    """A call, with arguments unlike those of the tests, where edits that are alike else differ."""
    lesser: int = 0
    """Other behaviours that make every test pass, by edits that are far less likely."""
    edits: int = 1
    """Places that are edited."""
    invasive: bool
    """It inserts or removes code, or edits two places, rather than correcting an expression."""
    complete: bool
    """The search looked at all it would have, and was not cut by its budget."""


def search_confidence(facts: SearchFacts) -> Confidence:
    """Judge an edit found by search."""
    doubts = (*facts.oddities, *_behaviour_doubts(facts), *_test_doubts(facts))
    level = ConfidenceLevel.MEDIUM if doubts else ConfidenceLevel.HIGH
    known = facts.killed is not None and facts.killed.whole >= ENOUGH_MUTANTS
    unwatched = facts.killed is not None and known and facts.killed.value < POOR_SCORE
    unsure = facts.edits > 1 and len(doubts) > 1  # that two places were meant is a doubt itself
    breaks = facts.broken > BROKEN_SHARE * facts.calls
    if facts.rivals or facts.oddities or breaks or unwatched or unsure:
        level = ConfidenceLevel.LOW
    reasons = [f"every failing test passes, {facts.calls} calls observed"]
    if not facts.rivals and not facts.lesser:
        reasons.append("no other behaviour was found that passes the tests")
    if known:
        reasons.append(f"the tests notice {facts.killed} further mistakes there")
    if facts.held_out is not None:
        reasons.append(f"found with half of the tests, {facts.held_out} edits pass the rest")
    return Confidence(level=level, reasons=tuple(reasons), doubts=doubts)


def _behaviour_doubts(facts: SearchFacts) -> list[str]:
    found = []
    if facts.rivals:
        other = "another behaviour passes" if facts.rivals == 1 else "other behaviours pass"
        found.append(f"{facts.rivals} {other} the same tests")
    if facts.lesser:
        found.append(
            f"behaviours by far less likely edits that pass the same tests: {facts.lesser}"
        )
    if facts.broken:
        found.append(f"{facts.broken} calls that are answered today crash or hang")
    if facts.calls < ENOUGH_CALLS or not facts.changed:
        found.append("its behaviour could hardly be observed")
    if facts.elsewhere:
        found.append(f"edits that are alike else differ on `{facts.elsewhere}`, as no test calls")
    if facts.invasive:
        found.append("it adds or removes code, where more than one way could be meant")
    return found


def _test_doubts(facts: SearchFacts) -> list[str]:
    found = []
    killed = facts.killed
    if killed is not None and killed.whole < ENOUGH_MUTANTS:
        found.append("too few mistakes could be planted to judge the tests")
    elif killed is not None and killed.value < GOOD_SCORE:
        found.append(f"the tests notice only {killed} further mistakes there")
    if facts.held_out is not None and facts.held_out.value < 1:
        found.append("half of the tests would have let a wrong edit pass")
    if not facts.complete:
        found.append("the search was cut by its budget")
    return found


class RecipeFacts(Model):
    """What was measured about a change made by a recipe."""

    cause_shown: bool
    """An experiment made the failure come and go by the cause the recipe removes."""
    failing_context: bool
    """Validated in the order, seeds and surroundings that showed the failure."""
    whole_suite: bool
    """Validated in the whole suite too."""
    policy: bool
    """It skips or loosens something."""
    changes: int
    """Files it touches."""


def recipe_confidence(facts: RecipeFacts) -> Confidence:
    """Judge a change made by a recipe after its validation."""
    reasons: list[str] = []
    doubts: list[str] = []
    for holds, reason, doubt in (
        (facts.cause_shown, "the cause was shown by control", "the cause was not shown by control"),
        (facts.failing_context, "it holds where it failed", "it was not run where it failed"),
        (facts.whole_suite, "the whole suite holds", "the whole suite is left to the gate"),
    ):
        (reasons if holds else doubts).append(reason if holds else doubt)
    if facts.policy:
        doubts.append("it is a policy decision, not a repair")
    if facts.policy or not facts.failing_context:
        level = ConfidenceLevel.LOW
    elif facts.cause_shown:
        level = ConfidenceLevel.HIGH
    else:
        level = ConfidenceLevel.MEDIUM
    return Confidence(level=level, reasons=tuple(reasons), doubts=tuple(doubts))

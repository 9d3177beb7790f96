"""The regression gate: the whole train in one tree, judged against the baseline, test by test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from regreen_agents.domain.changes import Change
from regreen_agents.domain.identity import NodeId, PlanId
from regreen_agents.domain.runs import Outcome, RunSpec, SuiteRun
from regreen_agents.domain.verdicts import Delta, Ejection, TestComparison, Verdict, VerdictKind
from regreen_agents.lab.chance import ALONE, INNOCENCE_SEEDS
from regreen_agents.lab.comparison import compare, history_of, pass_rate
from regreen_agents.lab.lab import Lab, Measured, is_red

MAX_SERIES = 10
"""Newly failing tests examined for randomness of their own."""


class Built(NamedTuple):
    """A train as built in the integration worktree."""

    head: str
    tree: str
    commits: tuple[str, ...]
    conflict: PlanId | None
    """The first member that does not apply; the train ends before it."""


@dataclass(frozen=True)
class Track:
    """What the gate works on; git and storage are somebody else's business."""

    base: str
    measured: Measured
    build: Callable[[Sequence[Change]], Built]
    """Put these commits onto the base in the integration worktree, in order."""
    measure: Callable[[], tuple[tuple[SuiteRun, ...], SuiteRun | None]]
    """Run the suite there as the baseline was run."""
    rerun: Callable[[RunSpec], SuiteRun]
    """One run there."""
    base_lab: Lab
    """A laboratory on the base's tree."""
    store: Callable[[Sequence[SuiteRun]], tuple[str, ...]]
    note: Callable[[str], None]
    known_flaky: frozenset[NodeId] = frozenset()
    """Tests the project itself lists as intermittent (R43)."""
    pass_rate_floor: float = 0.0
    """Below it the verdict says so (R42), in [0, 1]."""


@dataclass
class _Judging:
    track: Track
    train: list[Change]
    ejected: list[Ejection] = field(default_factory=list)
    conflicting: list[Change] = field(default_factory=list)
    """Ejected because of a member before them; they get a second chance when one leaves."""


def judge(changes: Sequence[Change], track: Track) -> Verdict:
    """Gate the train; take out what breaks it and gate the rest, until it holds or is empty.

    A newly failing, newly skipped or vanished test is red unless the base shows it too. The culprit
    is the first member after which the breakage shows; one that fixes nothing it claimed in the
    full suite is taken out as well.
    """
    judging = _Judging(track, list(changes))
    while True:
        verdict = _round(judging)
        if verdict is not None:
            return verdict


def _round(judging: _Judging) -> Verdict | None:
    """Gate once; return a verdict, or None after an ejection."""
    track, train = judging.track, judging.train
    track.note(f"building a train of {len(train)}")
    built = track.build(train)
    if built.conflict is not None:
        judging.conflicting += [c for c in train if c.plan == built.conflict]
        _eject(judging, built.conflict, (), "it conflicts with changes before it")
        return None
    if not train:
        return _verdict(judging, built, _Outcome.empty())
    outcome = _measured(judging)
    if outcome.broken:
        culprit = _culprit(judging, outcome)
        if culprit is None:
            return _verdict(judging, built, outcome)
        _eject(judging, culprit, outcome.broken, "it breaks tests that passed before")
        _readmit(judging)
        return None
    useless = next((c for c in train if not set(c.fixed) & outcome.fixed), None)
    if useless is not None:
        _eject(judging, useless.plan, useless.fixed, "it fixes nothing in the full suite")
        return None
    return _verdict(judging, built, outcome)


@dataclass(frozen=True)
class _Outcome:
    runs: tuple[SuiteRun, ...]
    isolated: SuiteRun | None
    comparisons: tuple[TestComparison, ...]
    broken: tuple[NodeId, ...]

    @classmethod
    def empty(cls) -> "_Outcome":
        return cls((), None, (), ())

    @property
    def fixed(self) -> set[NodeId]:
        better = (Delta.FIXED, Delta.STILL_FLAKY, Delta.RE_ENABLED, Delta.DECIDED)
        return {c.node_id for c in self.comparisons if c.delta in better}


def _measured(judging: _Judging) -> _Outcome:
    track = judging.track
    runs, isolated = track.measure()
    before = history_of(track.measured.runs, track.measured.isolated)
    comparisons = compare(before, history_of(runs, isolated))
    green = _green_where_shown(judging)
    judged = tuple(_excused(judging, _with_setting(c, green)) for c in comparisons)
    broken = tuple(c.node_id for c in judged if c.delta.is_red)
    return _Outcome(runs, isolated, judged, broken)


def _green_where_shown(judging: _Judging) -> frozenset[NodeId]:
    """Return the tests that no run of the suite shows red, and that pass now where one was."""
    green: set[NodeId] = set()
    for change in judging.train:
        if change.shown_by is None:
            continue
        judging.track.note(f"do the tests of {change.plan} pass where they failed?")
        run = judging.track.rerun(change.shown_by)
        green |= {name for name in change.fixed if run.outcome_of(name) is Outcome.PASSED}
    return frozenset(green)


def _with_setting(comparison: TestComparison, green: frozenset[NodeId]) -> TestComparison:
    if comparison.delta is not Delta.UNCHANGED or comparison.node_id not in green:
        return comparison
    note = "red before in a changed setting only, and green there now"
    return comparison.model_copy(update={"delta": Delta.FIXED, "note": note})


def _excused(judging: _Judging, comparison: TestComparison) -> TestComparison:
    """A test that also fails on the base, or that a person decided about, is no news."""
    if comparison.delta in (Delta.NEWLY_SKIPPED, Delta.VANISHED):
        if any(comparison.node_id in change.decided for change in judging.train):
            return comparison.model_copy(update={"delta": Delta.DECIDED})
        return comparison
    if comparison.delta is not Delta.NEWLY_FAILING or not comparison.before:
        return comparison
    lab, name = judging.track.base_lab, comparison.node_id
    if name in judging.track.known_flaky:
        note = "listed as known_flaky in the configuration"
        return comparison.model_copy(update={"delta": Delta.STILL_FLAKY, "note": note})
    judging.track.note(f"is {name} red on the base too?")
    series = lab.random_series(name, INNOCENCE_SEEDS, ALONE)
    if not any(series.values()):
        return comparison
    note = f"red on the base too, alone, for {sum(series.values())} of {len(series)} random seeds"
    return comparison.model_copy(update={"delta": Delta.STILL_FLAKY, "note": note})


def _culprit(judging: _Judging, outcome: _Outcome) -> PlanId | None:
    """Find the first member whose tree shows the breakage, by halving; None when none does."""
    train, track = judging.train, judging.track
    specs = _specs_that_show(outcome)
    low, high = 0, len(train)
    if not _shows(judging, train, outcome.broken, specs):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        track.note(f"looking for the culprit among {high - low}")
        if _shows(judging, train[:middle], outcome.broken, specs):
            high = middle
        else:
            low = middle
    return train[high - 1].plan


def _specs_that_show(outcome: _Outcome) -> list[RunSpec]:
    """Return the specs of runs in which something broke; any run shows a vanished test."""
    every = [*outcome.runs, *([outcome.isolated] if outcome.isolated else [])]
    broken = set(outcome.broken)
    shown = [run.spec for run in every if any(r.node_id in broken for r in run.red())]
    return shown[:2] or [every[0].spec]


def _shows(
    judging: _Judging, train: Sequence[Change], broken: Sequence[NodeId], specs: Sequence[RunSpec]
) -> bool:
    if judging.track.build(train).conflict is not None:
        return True
    for spec in specs:
        run = judging.track.rerun(spec)
        if any(_is_broken(run, name, judging) for name in broken):
            return True
    return False


def _is_broken(run: SuiteRun, name: NodeId, judging: _Judging) -> bool:
    outcome = run.outcome_of(name)
    before = history_of(judging.track.measured.runs, None).get(name, ())
    return is_red(outcome) or (outcome is not None and outcome not in before)


def _eject(judging: _Judging, plan: PlanId, broke: Sequence[NodeId], reason: str) -> None:
    member = next(c for c in judging.train if c.plan == plan)
    judging.track.note(f"{plan} is ejected: {reason}")
    judging.ejected.append(
        Ejection(plan=plan, commit=member.commit, broke=tuple(broke), reason=reason)
    )
    judging.train = [c for c in judging.train if c.plan != plan]


def _readmit(judging: _Judging) -> None:
    """Give members that only conflicted one more chance, now that another has left."""
    back, judging.conflicting = judging.conflicting, []
    names = {change.plan for change in back}
    judging.ejected = [e for e in judging.ejected if e.plan not in names]
    judging.train = sorted([*judging.train, *back], key=lambda c: _number(c.plan))


def _number(plan: PlanId) -> int:
    return int(plan.removeprefix("PR"))


def _verdict(judging: _Judging, built: Built, outcome: _Outcome) -> Verdict:
    track = judging.track
    kind, reason = _kind_of(judging, outcome)
    changed = tuple(c for c in outcome.comparisons if c.delta is not Delta.UNCHANGED)
    runs = [*outcome.runs, *([outcome.isolated] if outcome.isolated else [])]
    return Verdict(
        kind=kind,
        reason=reason,
        base=track.base,
        head=built.head,
        tree=built.tree,
        train=tuple(c.plan for c in judging.train),
        commits=built.commits,
        ejected=tuple(judging.ejected),
        comparisons=changed,
        unchanged=len(outcome.comparisons) - len(changed),
        counts_before=track.measured.runs[0].counts(),
        counts_after=outcome.runs[0].counts() if outcome.runs else {},
        pass_rate=pass_rate(outcome.runs),
        run_files=track.store(runs),
    )


def _also(outcome: _Outcome) -> str:
    """Say what happened besides repairs."""
    ways = (
        (Delta.RE_ENABLED, "re-enabled"),
        (Delta.DECIDED, "skipped, moved or split as a person decided"),
    )
    counts = ((sum(c.delta is d for c in outcome.comparisons), words) for d, words in ways)
    return "".join(f" {count} {words}." for count, words in counts if count)


def _kind_of(judging: _Judging, outcome: _Outcome) -> tuple[VerdictKind, str]:
    if not judging.train:
        return VerdictKind.FAIL, "No change is left in the train."
    if outcome.broken:
        names = ", ".join(outcome.broken[:5])
        return (
            VerdictKind.INCONCLUSIVE,
            f"{names} broke once, and running the same again did not show it: no culprit.",
        )
    fixed = sum(1 for c in outcome.comparisons if c.delta is Delta.FIXED)
    said = f"{fixed} tests fixed, none newly failing, skipped or vanished."
    said += _also(outcome)
    rate, floor = pass_rate(outcome.runs), judging.track.pass_rate_floor
    if rate < floor:
        said += f" Alert: the worst run passes {rate:.1%}, below the floor of {floor:.1%}."
    return VerdictKind.PASS, said

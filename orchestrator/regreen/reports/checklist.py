"""The success checklist: a box is ticked by evidence and by nothing else (R19, R77)."""

from collections.abc import Iterable

from regreen.approvals import Decision
from regreen.reports.facts import Facts, Shown
from regreen.reports.plan_results import kept_prediction
from regreen.reports.tallies import Tally
from regreen_agents.domain.verdicts import VerdictKind

MINIMUM_RUNS = 2
"""Full runs that flakiness can show in."""


AUTOMATIC = ("beforehand, by", "by the demo")
"""How the reason of a decision begins that no person took at the door."""


def checklist_section(facts: Facts) -> str:
    """Return one box per criterion; ``not shown`` is no tick."""
    boxes = "\n".join(_line(text, answer) for text, answer in criteria(facts))
    return f"{_summary(facts)}\n\n{boxes}"


def _how(facts: Facts) -> str:
    """Say by whom, as the decisions themselves tell it."""
    said = {
        a.why for a in facts.record.approvals if a.door == "plan" and a.why.startswith(AUTOMATIC)
    }
    return f" ({'; '.join(sorted(said))})" if said else " by a person"


def criteria(facts: Facts) -> tuple[tuple[str, Shown], ...]:
    """Return each criterion with what the evidence says to it."""
    return (
        ("The base was measured in at least two full runs", _measured(facts.before)),
        ("Every cluster has a plan or a refusal", _answered(facts)),
        (f"Every plan was decided on{_how(facts)}", _plans_decided(facts)),
        ("The gate's verdict is pass", _verdict_passed(facts)),
        ("A receipt is stored for the verdict", _receipt(facts)),
        ("No test is worse than before (failing, vanished, skipped)", _not_worse(facts)),
        ("No test is red in any run of the candidate", _none_red(facts.after)),
        ("No test is flaky in the candidate", _none_flaky(facts.after)),
        ("Alone and in the full suite the candidate's tests agree", _agree(facts.after)),
        ("Every gated plan fixed what it predicted", _predictions(facts)),
        ("No diff weakens the suite", _no_flags(facts)),
        ("Every merged commit was approved by a person", _commits_approved(facts)),
        ("The branch stands at the tested tree", _merged_as_tested(facts)),
        ("The target's formatter, linter and build pass", Shown.UNKNOWN),
    )


def _line(text: str, answer: Shown) -> str:
    tick = "x" if answer is Shown.YES else " "
    suffix = {Shown.YES: "", Shown.NO: ": **no**", Shown.UNKNOWN: ": not shown"}[answer]
    return f"- [{tick}] {text}{suffix}"


def _yes(holds: bool) -> Shown:  # noqa: FBT001 - turns a bool into a word
    return Shown.YES if holds else Shown.NO


def _measured(tally: Tally | None) -> Shown:
    return _yes(len(tally.runs) >= MINIMUM_RUNS) if tally else Shown.UNKNOWN


def _answered(facts: Facts) -> Shown:
    triage = facts.record.triage
    if triage is None:
        return Shown.UNKNOWN
    answered = {p.cluster for p in facts.plans} | {r.cluster for r in facts.refusals}
    return _yes(all(c.id in answered for c in triage.clusters))


def _plans_decided(facts: Facts) -> Shown:
    if not facts.plans:
        return Shown.UNKNOWN
    return _yes(all(facts.said(p.id, "plan") or facts.refusal(p.id) for p in facts.plans))


def _verdict_passed(facts: Facts) -> Shown:
    verdict = facts.record.verdict
    if verdict is None or verdict.kind is VerdictKind.INCONCLUSIVE:
        return Shown.UNKNOWN
    return _yes(verdict.kind is VerdictKind.PASS)


def _receipt(facts: Facts) -> Shown:
    if facts.record.verdict is None:
        return Shown.UNKNOWN
    return _yes(bool(facts.record.verdict_receipts))


def _not_worse(facts: Facts) -> Shown:
    worse = facts.regressions
    return Shown.UNKNOWN if worse is None else _yes(worse.total() == 0)


def _none_red(tally: Tally | None) -> Shown:
    return _yes(not tally.red) if tally else Shown.UNKNOWN


def _none_flaky(tally: Tally | None) -> Shown:
    if tally is None or (len(tally.runs) < MINIMUM_RUNS and not tally.flaky):
        return Shown.UNKNOWN
    return _yes(not tally.flaky)


def _agree(tally: Tally | None) -> Shown:
    if tally is None or tally.isolated is None:
        return Shown.UNKNOWN
    return _yes(not tally.disagreeing)


def _predictions(facts: Facts) -> Shown:
    train = facts.record.verdict.train if facts.record.verdict else ()
    return _together(kept_prediction(facts, p) for p in facts.plans if p.id in train)


def _no_flags(facts: Facts) -> Shown:
    changes = facts.record.changes
    return _yes(not any(c.policy_flags for c in changes)) if changes else Shown.UNKNOWN


def _commits_approved(facts: Facts) -> Shown:
    merge = facts.record.merge
    if merge is None or not merge.plans:
        return Shown.UNKNOWN
    return _yes(all(facts.said(p, "commit") is Decision.APPROVED for p in merge.plans))


def _merged_as_tested(facts: Facts) -> Shown:
    merge, verdict = facts.record.merge, facts.record.verdict
    if merge is None or verdict is None:
        return Shown.UNKNOWN
    return _yes(merge.tree == verdict.tree)


def _together(answers: Iterable[Shown]) -> Shown:
    kinds = set(answers)
    if Shown.NO in kinds:
        return Shown.NO
    return Shown.YES if kinds == {Shown.YES} else Shown.UNKNOWN


def _summary(facts: Facts) -> str:
    answers = [answer for _, answer in criteria(facts)]
    met, missed = answers.count(Shown.YES), answers.count(Shown.NO)
    total = f"{len(answers)} criteria"
    return f"{met} of {total} met, {missed} missed, {answers.count(Shown.UNKNOWN)} not shown."

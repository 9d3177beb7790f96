"""Plans of one defect put together: what the repair of one repairs for others as well."""

from regreen.nodes.site import Site
from regreen.store import documents
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.matrix import with_rows_of
from regreen_agents.domain.plans import Plan
from regreen_agents.domain.runs import StateKind
from regreen_agents.repair.means import SEARCH

LEAKS = (Cause.GLOBAL_STATE, Cause.ENVIRONMENT_LEAK, Cause.CWD_LEAK, Cause.LEFT_FILE)
ENDING = (StateKind.THREAD, StateKind.OPEN_FILE)
"""State that goes with what holds it."""


def join_same_causes(site: Site) -> None:
    """Join plans whose findings and recommended recipes are about the same things."""
    keep: dict[tuple[str, ...], Plan] = {}
    for loaded in site.folder.plans():
        plan = loaded.plan
        key = _cause_key(plan)
        first = keep.get(key) if key else None
        if first is None:
            keep[key or (plan.id,)] = plan
            continue
        keep[key] = _joined(first, plan)
        documents.save_plan(site.folder, keep[key])
        documents.remove_plan(site.folder, plan.id)


def join_self_polluters(site: Site) -> None:
    """Put a test that trips over what it leaves itself to the plan that stops it leaving that."""
    plans = [loaded.plan for loaded in site.folder.plans()]
    leaks = {plan.id: plan for plan in plans if plan.finding.cause in LEAKS and _is_free(plan)}
    for plan in plans:
        if plan.finding.cause is not Cause.SELF_POLLUTION or not _is_free(plan):
            continue
        home = next((one for one in leaks.values() if _covers(one.finding, plan.finding)), None)
        if home is not None:
            leaks[home.id] = _joined(home, plan)
            documents.save_plan(site.folder, leaks[home.id])
            documents.remove_plan(site.folder, plan.id)


def _is_free(plan: Plan) -> bool:
    """Whether nothing has been said about a plan, and it needs no person."""
    return not plan.chosen and not plan.option().policy_decision and bool(plan.finding.state)


def _covers(leak: Finding, own: Finding) -> bool:
    """Whether the repair of a leak repairs what its polluter does to itself."""
    stopped = {(change.kind, change.target) for change in leak.state}
    passed_on = {(change.kind, change.target) for change in own.state if change.kind not in ENDING}
    return (
        bool(passed_on)
        and passed_on <= stopped
        and set(own.victims) <= {*leak.polluters, *leak.all_polluters}
    )


def join_what_one_edit_repairs(site: Site) -> None:
    """Put tests that a searched edit was seen to repair to its plan, and drop their own.

    A plan that may be applied covers one that a person would have to decide, and a refusal.
    """
    searched = [one.plan for one in site.folder.plans() if _is_searched(one.plan)]
    homes = sorted(searched, key=lambda plan: (plan.option().rival, -len(plan.finding.victims)))
    dropped: set[str] = set()
    for home in homes:
        covered = set(home.finding.victims)
        for plan in searched if home.id not in dropped else ():
            if plan.id not in {home.id, *dropped} and set(plan.finding.victims) <= covered:
                dropped.add(plan.id)
                documents.save_plan(site.folder, _joined(_latest(site, home), plan))
                documents.remove_plan(site.folder, plan.id)
        for refusal in site.folder.refusals() if home.id not in dropped else ():
            if refusal.tests and set(refusal.tests) <= covered:
                site.folder.remove_refusal(refusal.id)


def _latest(site: Site, plan: Plan) -> Plan:
    return documents.load_plan(site.folder, plan.id).plan


def _is_searched(plan: Plan) -> bool:
    return plan.option().recipe == SEARCH and not plan.chosen


def _cause_key(plan: Plan) -> tuple[str, ...]:
    """Return what makes two findings one; empty when nothing does."""
    finding = plan.finding
    if finding.cause is Cause.UPGRADE:
        return (finding.cause.value,)  # one loop follows the errors of all of them
    if finding.cause in (Cause.CODE_BUG, Cause.UNEXPLAINED):
        return ()
    state = sorted({f"{c.kind}:{c.target}" for c in finding.state})
    files = sorted({name.partition("::")[0] for name in finding.all_polluters})
    shared = [*state, *finding.missing, *files]
    return (finding.cause.value, plan.options[0].recipe, *shared) if shared else ()


def _joined(first: Plan, second: Plan) -> Plan:
    """Return the first plan with the second's victims, evidence and scope added."""
    victims = tuple(sorted({*first.finding.victims, *second.finding.victims}))
    finding = first.finding.model_copy(
        update={
            "victims": victims,
            "all_polluters": tuple(
                sorted({*first.finding.all_polluters, *second.finding.all_polluters})
            ),
            "evidence": (*first.finding.evidence, *second.finding.evidence),
            "repeats": max(first.finding.repeats, second.finding.repeats),
            "matrix": with_rows_of(first.finding.matrix, second.finding.matrix),
            "summary": f"{first.finding.summary} The same holds for {second.cluster} "
            f"({', '.join(second.finding.victims[:3])}).",
        }
    )
    prediction = first.prediction.model_copy(
        update={
            "fixed": victims if first.prediction.fixed else (),
            "red_after": max(0, first.prediction.red_before - len(victims))
            if first.prediction.fixed
            else first.prediction.red_after,
        }
    )
    return first.model_copy(
        update={
            "finding": finding,
            "prediction": prediction,
            "tasks": tuple(
                task.model_copy(update={"expected": f"{len(victims)} red -> 0 red"})
                for task in first.tasks
            ),
            "scope": tuple(sorted({*first.scope, *second.scope})),
            "validation": tuple(dict.fromkeys([*first.validation, *second.validation])),
        }
    )

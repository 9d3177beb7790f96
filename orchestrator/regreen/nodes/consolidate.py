"""One defect, one plan: clusters that turned out to share a cause are put together."""

from regreen.approvals import Approval, Decision
from regreen.nodes.site import Site
from regreen.state import SprintState
from regreen.store import decisions, documents
from regreen.store.clockwork import utc_now
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.matrix import with_rows_of
from regreen_agents.domain.plans import Plan, refusal_of
from regreen_agents.domain.runs import StateKind
from regreen_agents.repair.search.options import undecided

BEFOREHAND = "beforehand, by --yes-plans"

LEAKS = (Cause.GLOBAL_STATE, Cause.ENVIRONMENT_LEAK, Cause.CWD_LEAK, Cause.LEFT_FILE)
ENDING = (StateKind.THREAD, StateKind.OPEN_FILE)
"""State that goes with what holds it."""


def consolidate(_state: SprintState, site: Site) -> SprintState:
    """Merge plans with one cause, then approve what --yes-plans covers."""
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
    _join_self_polluters(site)
    _doubt_setters(site)
    if site.info.options.yes_plans:
        _approve_all(site)
    return {}


def _join_self_polluters(site: Site) -> None:
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


def _doubt_setters(site: Site) -> None:
    """A state-setter that another plan calls a polluter may only hide what is wrong.

    Setting its state in the brittle test is then nothing a machine may recommend: a person decides.
    """
    plans = [loaded.plan for loaded in site.folder.plans()]
    polluted = {
        (change.kind, change.target): plan.id
        for plan in plans
        if not plan.finding.state_setters
        for change in plan.finding.state
    }
    for plan in plans:
        if not plan.finding.state_setters:
            continue
        keys = ((change.kind, change.target) for change in plan.finding.state)
        others = sorted({polluted[key] for key in keys if key in polluted})
        if others:
            documents.save_plan(site.folder, _doubted(plan, ", ".join(others)))


def _doubted(plan: Plan, others: str) -> Plan:
    con = (
        f"{others} calls the same state pollution: the test may fail alone because the code is "
        "wrong, and setting the state would hide that."
    )
    options = tuple(
        option.model_copy(
            update={
                "policy_decision": True,
                "cons": tuple(dict.fromkeys((con, *option.cons))),
            }
        )
        for option in plan.options
    )
    return plan.model_copy(update={"options": options})


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


def _refuse_rivals(site: Site, plan: Plan) -> None:
    """Nobody is there to choose among edits that all pass the tests: say so, and apply none."""
    needs = (
        "A person's choice: `regreen sprint` without --yes-plans shows each edit, and `regreen "
        f"plan approve {plan.id} --option {plan.id}=B` takes one.",
        "Or a test that says what one of these calls must answer.",
    )
    refusal = refusal_of(plan, undecided(plan.options, plan.telling), needs)
    site.folder.save_refusal(refusal.model_copy(update={"stage": "explore"}))
    documents.remove_plan(site.folder, plan.id)


def _approve_all(site: Site) -> None:
    """Record what the person said beforehand; what needs a person is never among it."""
    for loaded in site.folder.plans():
        plan = loaded.plan
        if plan.option().rival and not plan.chosen:
            _refuse_rivals(site, plan)
            continue
        said = decisions.plan_decision(site.folder, plan.id)
        if said is None and not plan.option().policy_decision:
            decisions.record(
                site.folder,
                Approval(
                    door="plan",
                    plan=plan.id,
                    subject=loaded.digest,
                    decision=Decision.APPROVED,
                    by=site.repository.identity(),
                    at=utc_now(),
                    why=BEFOREHAND,
                ),
            )

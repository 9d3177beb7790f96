"""One defect, one plan: clusters that turned out to share a cause are put together."""

from regreen.approvals import Approval, Decision
from regreen.nodes.joining import (
    join_same_causes,
    join_self_polluters,
    join_what_one_edit_repairs,
)
from regreen.nodes.site import Site
from regreen.state import SprintState
from regreen.store import decisions, documents
from regreen.store.clockwork import utc_now
from regreen_agents.domain.plans import Plan, refusal_of
from regreen_agents.repair.search.options import undecided

BEFOREHAND = "beforehand, by --yes-plans"


def consolidate(_state: SprintState, site: Site) -> SprintState:
    """Merge plans with one cause, then approve what --yes-plans covers."""
    join_same_causes(site)
    join_self_polluters(site)
    join_what_one_edit_repairs(site)
    _doubt_setters(site)
    if site.info.options.yes_plans:
        _approve_all(site)
    return {}


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

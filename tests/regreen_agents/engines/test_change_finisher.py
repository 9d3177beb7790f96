"""What an implementer finishes with is validated by regreen, and committed only then."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from engine_wards import CART_VICTIM
from model_clinic import Clinic
from regreen_agents.domain.changes import Attempt, Change
from regreen_agents.domain.findings import Cause
from regreen_agents.domain.plans import Plan, PlanOption, Refusal
from regreen_agents.engines.change_finisher import ChangeFinisher
from regreen_agents.llm.draft import Draft
from regreen_agents.llm.messages import ToolUse
from regreen_agents.llm.paths import Confined
from regreen_agents.llm.tools.base import ToolAnswer
from sprint_parts import plan as some_plan

CART, TEST = "shop/cart.py", "tests/test_cart.py"
EARLIER = Attempt(number=1, option="A", recipe="seed_random", result="failed", reason="no seed")


@dataclass
class Bench:
    """Where one plan's implementer finishes."""

    draft: Draft
    finisher: ChangeFinisher
    kept: list[tuple[Attempt, ...]] = field(default_factory=list)

    def edit(self, path: str, old: str, new: str) -> None:
        self.draft.replace(path, self.draft.present(path).replace(old, new))

    def finish(self) -> ToolAnswer:
        finish, _ = self.finisher.tools()
        use = ToolUse(id="t1", name="finish_change", input={"summary": "It is repaired."})
        return finish.answer(use)


def bench(clinic: Clinic, earlier: tuple[Attempt, ...] = ()) -> Bench:
    clinic.measurement.reset()
    workshop, plan = clinic.workshop(), a_plan(clinic)
    draft = Draft(Confined(workshop.project), plan.scope)
    kept: list[tuple[Attempt, ...]] = []
    finisher = ChangeFinisher(plan, replace(workshop, record=kept.append), draft, earlier)
    return Bench(draft, finisher, kept)


def a_plan(clinic: Clinic) -> Plan:
    member = clinic.measurement.cluster_with(CART_VICTIM).members[0]
    made = some_plan(1, member.node_id, Cause.CODE_BUG)
    option = PlanOption(key="A", title="Subtract", recipe="seed_random", pros=(), cons=())
    finding = made.finding.model_copy(update={"polluters": (), "state": (), "locations": ()})
    return made.model_copy(update={"finding": finding, "options": (option,), "scope": (CART, TEST)})


@pytest.fixture(autouse=True)
def _clean(sick_shop: Clinic) -> object:
    yield
    sick_shop.measurement.reset()


def test_edits_that_hold_are_committed_as_a_models(sick_shop: Clinic) -> None:
    at = bench(sick_shop, (EARLIER,))
    at.edit(CART, "+ discount", "- discount")

    answer = at.finish()

    assert not answer.is_error, answer.text
    change = at.finisher.result
    assert isinstance(change, Change)
    assert [(a.number, a.recipe) for a in change.attempts] == [(1, "seed_random"), (2, "model")]
    assert change.policy_flags == ()
    assert at.kept == [change.attempts]
    assert "- discount" in sick_shop.file_at(change.commit, CART)


def test_nothing_edited_is_nothing_to_finish(sick_shop: Clinic) -> None:
    at = bench(sick_shop)

    answer = at.finish()

    assert (answer.text, answer.is_error) == ("Nothing is edited yet.", True)
    assert at.finisher.result is None
    assert at.kept == []


def test_the_third_try_that_does_not_hold_is_a_refusal_with_all_of_them(
    sick_shop: Clinic,
) -> None:
    at = bench(sick_shop, (EARLIER,))
    at.edit(CART, "+ discount", "* discount")

    told = [at.finish() for _ in range(3)]

    assert all(answer.is_error and "Does it pass alone?" in answer.text for answer in told)
    refusal = at.finisher.result
    assert isinstance(refusal, Refusal)
    assert refusal.reason.startswith("Nothing held in 4 attempts: 1. no seed; 2. It is repaired.:")


def test_what_weakens_the_suite_is_flagged_in_the_change(sick_shop: Clinic) -> None:
    at = bench(sick_shop)
    at.edit(TEST, "    assert total([10], 3) == 7\n", "    total([10], 3)\n")

    assert not at.finish().is_error

    change = at.finisher.result
    assert isinstance(change, Change)
    assert [flag.rule for flag in change.policy_flags] == ["weaker-assertions"]


def test_a_test_that_is_gone_is_not_repaired(sick_shop: Clinic, tmp_path: Path) -> None:
    at = bench(sick_shop)
    at.edit(TEST, "def test_a_discount_is_taken_off", "def helper")

    answer = at.finish()

    assert answer.is_error
    assert "the failing test is gone" in answer.text
    assert at.finisher.result is None
    assert not list(tmp_path.iterdir())


def test_who_gives_up_says_why_and_what_would_help(sick_shop: Clinic) -> None:
    at = bench(sick_shop, (EARLIER,))
    _, give_up = at.finisher.tools()

    give_up.answer(ToolUse(id="t1", name="give_up", input={"reason": "No.", "needs": ["A", "B"]}))

    refusal = at.finisher.result
    assert isinstance(refusal, Refusal)
    assert (refusal.stage, refusal.reason, refusal.needs) == ("implement", "No.", ("A", "B"))

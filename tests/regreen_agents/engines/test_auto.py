"""Which engine gets a cluster: what is found, and what it costs, decides."""

from pathlib import Path
from typing import Any

import pytest

from engine_wards import ASSET, CART_VICTIM, PACKAGE, REGION, call, does, proposes, refuses, ward
from model_clinic import Clinic
from regreen_agents.domain.changes import Attempt, Change
from regreen_agents.domain.findings import Cause, Cluster
from regreen_agents.domain.plans import LineEdit, Plan, PlanOption, Refusal
from regreen_agents.engines.auto import AutoEngine
from regreen_agents.explore import Assignment
from regreen_agents.implement import Workshop
from regreen_agents.lab.lab import Lab
from regreen_agents.llm.budget import Limits as Money
from regreen_agents.repair.means import BY_HAND
from sprint_parts import plan as some_plan

ASSET_PLAN: dict[str, Any] = {
    "title": "Make the logo in the test",
    "category": "resource",
    "cause": "missing-resource",
    "summary": "The test reads a logo that nobody added.",
    "options": [{"title": "Write a logo", "pros": ["whole"], "cons": ["no real logo"]}],
    "scope": ["tests/test_asset.py"],
}


def test_a_plan_of_recipes_is_kept_and_no_model_is_asked(sick_shop: Clinic, tmp_path: Path) -> None:
    with ward(sick_shop, tmp_path, []) as shop:
        found = shop.explored(AutoEngine(shop.model), REGION)

        assert shop.paid == 0
    assert isinstance(found, Plan), found
    assert found.engine == "embedded"
    assert found.routing == f"embedded: {found.option().recipe} applies, and costs nothing"


def test_what_no_edit_can_end_is_not_sent_to_a_model(sick_shop: Clinic, tmp_path: Path) -> None:
    with ward(sick_shop, tmp_path, []) as shop:
        found = shop.explored(AutoEngine(shop.model), PACKAGE)

        assert shop.paid == 0
    assert isinstance(found, Plan), found
    assert found.finding.cause is Cause.MISSING_DEPENDENCY
    assert found.routing == "embedded: no edit of the repository would help"


def test_what_the_embedded_engine_refuses_goes_on_with_its_evidence(
    sick_shop: Clinic, tmp_path: Path
) -> None:
    with ward(sick_shop, tmp_path, [proposes(**ASSET_PLAN)]) as shop:
        found = shop.explored(AutoEngine(shop.model), ASSET)
        opening = shop.at.requests[0].turns[0].text

        assert shop.at.server.accounting().unmatched == ()
    assert isinstance(found, Plan), found
    assert found.engine == "claude"
    assert found.routing.startswith("claude: the embedded engine refused (1 test needs ")
    assert len(found.finding.evidence) == 2
    assert "## What the embedded engine found" in opening
    assert found.finding.evidence[1].conclusion in opening
    assert str(sick_shop.repository.path.parent) not in opening


def test_two_refusals_become_one_with_what_both_said(sick_shop: Clinic, tmp_path: Path) -> None:
    with ward(sick_shop, tmp_path, [refuses("The logo is art.", "The artist.")]) as shop:
        found = shop.explored(AutoEngine(shop.model), ASSET)

    assert isinstance(found, Refusal), found
    assert found.engine == "embedded, claude"
    assert found.reason.startswith("1 test needs ")
    assert found.reason.endswith(" claude, asked next: The logo is art.")
    assert found.finding is not None
    assert found.needs[-1] == "The artist."
    assert len(found.needs) == 2
    assert len(found.evidence) == len(set(found.evidence)) > 0


@pytest.mark.parametrize("money", [Money(tokens=20_000), Money(agent_tokens=20_000)])
def test_a_conversation_that_cannot_be_paid_for_is_not_begun(
    sick_shop: Clinic, tmp_path: Path, money: Money
) -> None:
    with ward(sick_shop, tmp_path, [], money) as shop:
        found = shop.explored(AutoEngine(shop.model), ASSET)

        assert shop.paid == 0
    assert isinstance(found, Refusal), found
    assert "claude, asked next: The budget has no room for a conversation of explore-C" in (
        found.reason
    )
    assert "tokens; left are 20,000 tokens." in found.reason
    assert "--budget-tokens" in found.needs[-1]


class Handy:
    """Finds that a person has to do it, as the embedded engine says where only policy is left."""

    name = "embedded"

    def explore(self, _cluster: Cluster, _lab: Lab, asked: Assignment) -> Plan:
        made = some_plan(1, _cluster.members[0].node_id, Cause.MISSING_RESOURCE)
        option = PlanOption(key="A", title="Add it", recipe=BY_HAND, pros=(), cons=())
        return made.model_copy(update={"options": (option,), "engine": asked.engine})

    def implement(self, _plan: Plan, _workshop: Workshop) -> Refusal:
        raise NotImplementedError


@pytest.mark.parametrize("refused", [False, True])
def test_a_plan_only_a_person_can_carry_out_goes_on_and_is_kept_where_nothing_better_comes(
    sick_shop: Clinic, tmp_path: Path, *, refused: bool
) -> None:
    says = refuses("It is art.") if refused else proposes(**ASSET_PLAN)
    with ward(sick_shop, tmp_path, [says]) as shop:
        found = shop.explored(AutoEngine(shop.model, embedded=Handy()), ASSET)

    assert isinstance(found, Plan), found
    if refused:
        assert found.option().recipe == BY_HAND
        assert found.routing == "embedded: claude refused too (It is art.)"
    else:
        assert found.option().recipe == "model"
        assert found.routing.startswith("claude: the embedded engine refused (")


def a_plan(shop_clinic: Clinic, *options: PlanOption, chosen: str = "") -> Plan:
    """Return an embedded plan for the cart."""
    member = shop_clinic.measurement.cluster_with(CART_VICTIM).members[0]
    made = some_plan(1, member.node_id, Cause.CODE_BUG)
    finding = made.finding.model_copy(update={"polluters": (), "state": (), "locations": ()})
    return made.model_copy(
        update={
            "finding": finding,
            "options": options,
            "scope": ("shop/cart.py",),
            "chosen": chosen,
        }
    )


def an_option(key: str, recipe: str, after: str = "") -> PlanOption:
    line = "    return sum(prices) + discount\n"
    edit = LineEdit(path="shop/cart.py", line=5, before=line, after=after)
    edits = (edit,) if after else ()
    return PlanOption(key=key, title=f"Do {key}", recipe=recipe, pros=(), cons=(), edits=edits)


REPAIRS = (
    does(call("edit_file", path="shop/cart.py", old="+ discount", new="- discount")),
    does(call("finish_change", summary="The discount is taken off.")),
)


def test_what_no_recipe_manages_the_model_goes_on_with_knowing_the_attempts(
    sick_shop: Clinic, tmp_path: Path
) -> None:
    wrong = an_option("B", "edits", "    return sum(prices) * discount\n")
    made = a_plan(sick_shop, an_option("A", "seed_random"), wrong)
    kept: list[tuple[Attempt, ...]] = []
    with ward(sick_shop, tmp_path, REPAIRS) as shop:
        workshop = sick_shop.workshop()
        found = AutoEngine(shop.model).implement(
            made, Workshop(workshop.lab, workshop.signatures, workshop.commit, kept.append)
        )
        opening = shop.at.requests[0].turns[0].text

    assert isinstance(found, Change), found
    assert [(a.number, a.recipe, a.result) for a in found.attempts] == [
        (1, "edits", "failed"),
        (2, "model", "committed"),
    ]
    assert kept[-1] == found.attempts
    assert "1. Do B: Does it pass alone?" in opening


@pytest.mark.parametrize("chosen", ["", "A"])
def test_edits_a_plan_shows_line_by_line_are_followed_by_no_others(
    sick_shop: Clinic, tmp_path: Path, chosen: str
) -> None:
    wrong = an_option("A", "edits", "    return sum(prices) * discount\n")
    with ward(sick_shop, tmp_path, REPAIRS) as shop:
        made = a_plan(sick_shop, wrong, chosen=chosen)
        found = AutoEngine(shop.model).implement(made, sick_shop.workshop())

        assert shop.paid == 0
    assert isinstance(found, Refusal), found
    assert "Nothing held in 1 attempt: 1. Do A" in found.reason


def test_a_persons_choice_stands_alone(sick_shop: Clinic, tmp_path: Path) -> None:
    with ward(sick_shop, tmp_path, REPAIRS) as shop:
        made = a_plan(sick_shop, an_option("A", "seed_random"), chosen="A")
        found = AutoEngine(shop.model).implement(made, sick_shop.workshop())

        assert shop.paid == 0
    assert isinstance(found, Refusal), found


def test_what_a_model_planned_a_model_carries_out(sick_shop: Clinic, tmp_path: Path) -> None:
    with ward(sick_shop, tmp_path, REPAIRS) as shop:
        made = a_plan(sick_shop, an_option("A", "model"))
        found = AutoEngine(shop.model).implement(made, sick_shop.workshop())

        assert shop.paid == 2
    assert isinstance(found, Change), found
    assert "sum(prices) - discount" in sick_shop.file_at(found.commit, "shop/cart.py")

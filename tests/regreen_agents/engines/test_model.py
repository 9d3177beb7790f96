"""The model engine: what it asks first, and which engine does what is planned."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine_wards import CART_VICTIM, FILES, call, does, proposes, refuses, runs, ward
from model_clinic import Clinic
from regreen_agents.domain.changes import Change
from regreen_agents.domain.findings import Cause
from regreen_agents.domain.plans import LineEdit, Plan, PlanOption, Refusal
from regreen_agents.engines import EmbeddedEngine
from regreen_agents.llm.budget import Limits as Money
from regreen_agents.llm.fake.scenario import Exchange, ShownUsage
from sprint_parts import plan as some_plan

BEFORE, AFTER = "    return sum(prices) + discount\n", "    return sum(prices) - discount\n"


def planned(clinic: Clinic, recipe: str) -> Plan:
    """Return a plan for the cart whose option names a recipe."""
    member = clinic.measurement.cluster_with(CART_VICTIM).members[0]
    made = some_plan(1, member.node_id, Cause.CODE_BUG)
    edit = LineEdit(path="shop/cart.py", line=5, before=BEFORE, after=AFTER)
    edits = (edit,) if recipe == "edits" else ()
    option = PlanOption(key="A", title="Subtract", recipe=recipe, pros=(), cons=(), edits=edits)
    finding = made.finding.model_copy(update={"polluters": (), "state": (), "locations": ()})
    return made.model_copy(
        update={"finding": finding, "options": (option,), "scope": ("shop/cart.py",)}
    )


def test_the_first_request_is_the_same_on_another_machine(
    sick_shop: Clinic, tmp_path: Path
) -> None:
    other = Clinic.open(tmp_path / "other place", FILES)
    asked = []
    for number, clinic in enumerate((sick_shop, sick_shop, other)):
        with ward(clinic, tmp_path / str(number), [refuses("No.")]) as shop:
            shop.explored(shop.model, CART_VICTIM)
            asked.append(shop.at.requests[0])

    assert asked[0] == asked[1] == asked[2]
    assert str(tmp_path) not in asked[2].model_dump_json()


def test_tools_and_prompts_follow_no_hash_seed() -> None:
    code = (
        "import hashlib\n"
        "from regreen_agents.engines.proposals import PlanProposal, ChangeProposal\n"
        "from regreen_agents.llm.tools import experiments, reading, searching, history, editing\n"
        "from regreen_agents.llm.messages import ToolSpec\n"
        "rooms = (experiments, reading, searching, history, editing)\n"
        "kinds = [k for r in rooms for n, k in sorted(vars(r).items()) if isinstance(k, type)]\n"
        "asked = [k for k in kinds if hasattr(k, 'model_json_schema')]\n"
        "text = repr([k.model_json_schema() for k in (PlanProposal, ChangeProposal, *asked)])\n"
        "print(hashlib.sha256(text.encode()).hexdigest())\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=env | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(told) == 1
    assert len(told.pop().strip()) == hashlib.sha256().digest_size * 2


def test_exact_edits_and_recipes_cost_no_word(sick_shop: Clinic, tmp_path: Path) -> None:
    with ward(sick_shop, tmp_path, []) as shop:
        done = shop.model.implement(planned(sick_shop, "edits"), sick_shop.workshop())
        failed = shop.model.implement(planned(sick_shop, "seed_random"), sick_shop.workshop())

        assert shop.paid == 0
    assert isinstance(done, Change), done
    assert [attempt.recipe for attempt in done.attempts] == ["edits"]
    assert isinstance(failed, Refusal)


@pytest.mark.parametrize("recipe", ["edits", "model", "command:codex"])
def test_the_embedded_engine_does_what_needs_no_model_and_says_what_does(
    sick_shop: Clinic, recipe: str
) -> None:
    sick_shop.measurement.reset()

    found = EmbeddedEngine().implement(planned(sick_shop, recipe), sick_shop.workshop())

    sick_shop.measurement.reset()
    if recipe == "edits":
        assert isinstance(found, Change), found
    else:
        assert isinstance(found, Refusal), found
        assert found.reason == (
            f"This sprint's engine does not carry out what the plan names: {recipe}."
        )


def test_a_command_of_a_plan_is_none_of_a_models_business(
    sick_shop: Clinic, tmp_path: Path
) -> None:
    with ward(sick_shop, tmp_path, []) as shop:
        found = shop.model.implement(planned(sick_shop, "command:codex"), sick_shop.workshop())

    assert isinstance(found, Refusal), found
    assert found.reason == "The plan names a command (command:codex), and not claude."


def dear(exchange: Exchange) -> Exchange:
    """Return an answer that costs 30,000 tokens."""
    return exchange.model_copy(update={"usage": ShownUsage(output_tokens=30_000)})


def test_a_budget_that_runs_out_keeps_the_attempts_and_says_so(
    sick_shop: Clinic, tmp_path: Path
) -> None:
    wrong = does(
        call("edit_file", path="shop/cart.py", old="+ discount", new="* discount"),
        call("finish_change", summary="Multiplied."),
    )
    with ward(sick_shop, tmp_path, [dear(wrong)], Money(tokens=36_000)) as shop:
        found = shop.model.implement(planned(sick_shop, "model"), sick_shop.workshop())

    assert isinstance(found, Refusal), found
    assert found.reason.startswith("The budget has no room for the next call of implement-PR1.")
    assert "Nothing held in 1 attempt: 1. Multiplied.: Does it pass alone?" in found.reason


def test_a_conversation_that_runs_out_of_money_keeps_its_evidence(
    sick_shop: Clinic, tmp_path: Path
) -> None:
    with ward(
        sick_shop, tmp_path, [dear(runs(CART_VICTIM)), proposes()], Money(tokens=36_000)
    ) as shop:
        found = shop.explored(shop.model, CART_VICTIM)

        assert shop.paid == 1
    assert isinstance(found, Refusal), found
    assert found.reason.startswith("The budget has no room for the next call of explore-C")
    assert [page.conclusion for page in found.evidence] == [f"{CART_VICTIM}: failed."]
    assert "--budget-tokens" in found.needs[0]

"""Two engines on one cluster: where they agree is in the plan, and a refusal hides no plan."""

from pathlib import Path
from typing import Any

import pytest

from engine_wards import ASSET, PACKAGE, call, does, proposes, refuses, ward
from model_clinic import Clinic
from regreen.store import plan_text
from regreen.store.plan_text import digest_of_finding
from regreen_agents.domain.findings import Cause, Cluster
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.engines import EmbeddedEngine
from regreen_agents.engines.auto import AutoEngine
from regreen_agents.engines.second_opinion import SecondOpinionEngine, opinion_of
from regreen_agents.errors import RunnerError
from regreen_agents.explore import Assignment
from regreen_agents.implement import Workshop
from regreen_agents.lab.lab import Lab
from sprint_parts import plan as some_plan
from sprint_parts import refusal as some_refusal

VICTIM = NodeId("tests/test_a.py::test_it")
MISSING: dict[str, Any] = {
    "cause": "missing-dependency",
    "category": "environment",
    "options": [{"title": "Import it late", "pros": ["a"], "cons": ["b"]}],
    "scope": ["tests/test_package.py"],
}


def document(plan: Plan) -> str:
    """Return a plan's document, which must read back as the plan."""
    text = plan_text.render(plan, digest_of_finding(plan.finding))
    read = plan_text.parse(text, source=Path("PR1.md"), load_finding=lambda _: plan.finding)
    assert read == plan
    return text


@pytest.mark.parametrize("embedded_first", [True, False])
def test_the_first_engines_plan_says_what_the_second_one_found(
    sick_shop: Clinic, tmp_path: Path, *, embedded_first: bool
) -> None:
    with ward(
        sick_shop, tmp_path, [does(call("run_tests", tests=[PACKAGE])), proposes(**MISSING)]
    ) as shop:
        pair = (EmbeddedEngine(), shop.model) if embedded_first else (shop.model, EmbeddedEngine())
        found = shop.explored(SecondOpinionEngine(pair[0], pair[1], pair[0].name), PACKAGE)

        assert shop.paid == 2
    assert isinstance(found, Plan), found
    names = ["embedded", "claude"]
    assert found.engine == names[not embedded_first]
    [opinion] = found.opinions
    assert opinion.engine == names[embedded_first]
    assert opinion.agrees
    assert opinion.told.startswith("Both name the same mechanism, missing-dependency.")
    text = document(found)
    assert f"### Second opinion: {opinion.engine}" in text
    assert "Agrees. Mechanism: missing-dependency." in text


def test_where_the_first_refuses_the_seconds_plan_is_taken_and_says_so(
    sick_shop: Clinic, tmp_path: Path
) -> None:
    told = proposes(**MISSING | {"scope": ["tests/test_asset.py"]})
    with ward(sick_shop, tmp_path, [does(call("run_tests", tests=[ASSET])), told]) as shop:
        both = SecondOpinionEngine(EmbeddedEngine(), shop.model, "embedded")
        found = shop.explored(both, ASSET)

    assert isinstance(found, Plan), found
    assert found.engine == "claude"
    [opinion] = found.opinions
    assert (opinion.engine, opinion.cause, opinion.agrees) == ("embedded", "refused", False)
    assert opinion.summary.startswith("1 test needs ")
    assert "No opinion. Mechanism: refused." in document(found)


def test_two_refusals_are_one_with_the_needs_and_evidence_of_both(
    sick_shop: Clinic, tmp_path: Path
) -> None:
    says = [does(call("run_tests", tests=[ASSET])), refuses("It is art.", "The artist.")]
    with ward(sick_shop, tmp_path, says) as shop:
        both = SecondOpinionEngine(EmbeddedEngine(), shop.model, "embedded")
        found = shop.explored(both, ASSET)

    assert isinstance(found, Refusal), found
    assert "claude, asked for its own opinion: It is art." in found.reason
    assert found.needs[-1] == "The artist."
    assert len(found.evidence) >= 2
    assert found.finding is not None


class Fixed:
    """An engine that always says the same, or always fails."""

    def __init__(self, name: str, found: Plan | Refusal | RunnerError) -> None:
        self.name = name
        self.implemented: list[Plan] = []
        self._found = found

    def explore(self, _cluster: Cluster, _lab: Lab, _assignment: Assignment) -> Plan | Refusal:
        if isinstance(self._found, RunnerError):
            raise self._found
        return self._found

    def examine(
        self, cluster: Cluster, lab: Lab, assignment: Assignment, _earlier: Refusal | None
    ) -> Plan | Refusal:
        return self.explore(cluster, lab, assignment)

    def implement(self, plan: Plan, _workshop: Workshop) -> Refusal:
        self.implemented.append(plan)
        return some_refusal(1, (VICTIM,))

    def carry_out(self, plan: Plan, workshop: Workshop, _earlier: object) -> Refusal:
        return self.implement(plan, workshop)


def plan_of(engine: str, cause: Cause = Cause.CODE_BUG, scope: str = "shop/a.py") -> Plan:
    made = some_plan(1, VICTIM, cause)
    return made.model_copy(update={"engine": engine, "scope": (scope,)})


def test_an_engine_that_fails_takes_no_plan_with_it(sick_shop: Clinic, tmp_path: Path) -> None:
    broken = RunnerError("The runs are used up.", why="There were 120.", fix="Narrow it.")
    with ward(sick_shop, tmp_path, []) as shop:
        first = SecondOpinionEngine(Fixed("a", plan_of("a")), Fixed("b", broken), "a")
        second = SecondOpinionEngine(Fixed("b", broken), Fixed("a", plan_of("a")), "b")
        found = [shop.explored(engine, ASSET) for engine in (first, second)]

    for plan in found:
        assert isinstance(plan, Plan), plan
        assert plan.engine == "a"
        assert (
            plan.opinions[0].summary == "It could not go on: The runs are used up. There were 120."
        )


@pytest.mark.parametrize(
    ("cause", "scope", "told"),
    [
        (
            Cause.CODE_BUG,
            "shop/",
            "Both name the same mechanism, code-bug. Both would edit shop/a.py.",
        ),
        (
            Cause.TIME,
            "tests/b.py",
            "They disagree on the mechanism: a says code-bug, b says time-dependence. It would "
            "edit other files: tests/b.py.",
        ),
    ],
)
def test_agreement_and_disagreement_are_told_in_words(cause: Cause, scope: str, told: str) -> None:
    opinion = opinion_of(plan_of("a"), plan_of("b", cause, scope))

    assert opinion.told == told
    assert opinion.agrees is (cause is Cause.CODE_BUG)


@pytest.mark.parametrize(
    ("engine", "whose"),
    [("a", "a"), ("auto", "auto"), ("embedded", "auto"), ("c", "auto"), ("x", "a")],
)
def test_the_engine_whose_plan_it_is_carries_it_out(
    sick_shop: Clinic, engine: str, whose: str
) -> None:
    a, c = Fixed("a", plan_of("a")), Fixed("c", plan_of("c"))
    embedded = Fixed("embedded", plan_of("embedded"))
    both = SecondOpinionEngine(a, AutoEngine(c, embedded=embedded), "a")

    both.implement(plan_of(engine), sick_shop.workshop())

    assert len(a.implemented) == (whose == "a")
    assert len(embedded.implemented) == (whose == "auto")


def test_auto_and_its_own_brain_as_second_opinion_keep_two_journals(
    sick_shop: Clinic, tmp_path: Path
) -> None:
    says = [
        refuses("It is art."),
        does(call("run_tests", tests=[ASSET])),
        refuses("It is still art."),
    ]
    with ward(sick_shop, tmp_path, says) as shop:
        both = SecondOpinionEngine(AutoEngine(shop.model), shop.model, "auto")
        found = shop.explored(both, ASSET)
        again = shop.explored(both, ASSET)

        assert shop.paid == 3
    assert again == found
    assert len(list((tmp_path / "journals").iterdir())) == 2

"""A model's proposal becomes a plan only when everything it claims was checked."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from model_clinic import CART, SICK_SHOP, VICTIM, Clinic
from regreen.store import plan_text
from regreen.store.plan_text import digest_of_finding
from regreen_agents.domain.findings import Evidence
from regreen_agents.domain.identity import NodeId, PlanId, SprintId
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.domain.risk import RiskPolicy
from regreen_agents.engines.plan_finisher import SHOWN_AGAIN, PlanFinisher
from regreen_agents.explore import Assignment
from regreen_agents.llm.evidence_book import EvidenceBook
from regreen_agents.llm.messages import ToolUse
from regreen_agents.llm.tools.base import ToolAnswer
from regreen_agents.repair.search.line_edits import file_edits
from regreen_agents.workspace.patching import apply_edits

POLLUTES = "tests/test_order.py::test_that_pollutes"
POLLUTED = "tests/test_order.py::test_that_is_polluted"
DICE = "tests/test_dice.py::test_a_throw"
PAGE = Evidence(
    question="Does it fail alone?",
    command="python -m pytest",
    exit_code=1,
    counts="1 failed",
    conclusion="It fails alone.",
)
CRLF = "A = 1\r\nNAME = 'Zoë'\r\nB = 2\r\n"
FILES = SICK_SHOP | {
    "shop/state.py": "SEEN = []\n",
    "shop/umlaut.py": "NAME = 'Zoë'\nSIGN = '€'\n",
    "shop/mixed.py": "A = 1\r\nB = 2\nC = 3\r\n",
    "tests/test_order.py": (
        "from shop import state\n\n\ndef test_that_pollutes():\n    state.SEEN.append(1)\n\n\n"
        "def test_that_is_polluted():\n    assert not state.SEEN\n"
    ),
    "tests/test_dice.py": (
        "import random\n\n\ndef test_a_throw():\n    assert random.randint(1, 6) == 7\n"
    ),
}
BYTES = {
    "shop/crlf.py": CRLF.encode(),
    "shop/latin.py": "# -*- coding: latin-1 -*-\nNAME = 'Zoë'\nB = 2\n".encode("latin-1"),
    "shop/marked.py": b"\xef\xbb\xbfNAME = 'Zo\xc3\xab'\nB = 2\n",
}


@dataclass
class Desk:
    """Where an explorer of one cluster finishes."""

    clinic: Clinic
    finisher: PlanFinisher

    def propose(self, **changes: Any) -> ToolAnswer:
        propose, _ = self.finisher.tools()
        return propose.answer(ToolUse(id="t1", name="propose_plan", input=proposal(**changes)))

    def taken(self, **changes: Any) -> Plan:
        answer = self.propose(**changes)
        assert not answer.is_error, answer.text
        assert isinstance(self.finisher.result, Plan)
        return self.finisher.result

    def refused(self, **changes: Any) -> list[str]:
        answer = self.propose(**changes)
        assert answer.is_error
        assert self.finisher.result is None
        return answer.text.splitlines()


Desks = Callable[[str], Desk]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    folder = tmp_path_factory.mktemp("clinic")
    odd = {path: raw.decode("utf-8", "surrogateescape") for path, raw in BYTES.items()}
    return Clinic.open(folder, {**FILES, **odd, "shop/prices.txt": ""})


@pytest.fixture
def desk(clinic: Clinic) -> Desks:
    def at(victim: str) -> Desk:
        measurement = clinic.measurement
        link = clinic.repository.path / "shop" / "link.py"
        if not link.is_symlink():
            link.symlink_to("cart.py")
        assignment = Assignment(
            plan=PlanId("PR1"),
            sprint=SprintId("20261122T101500Z"),
            engine="claude",
            risk=RiskPolicy(),
            red_before=3,
        )
        cluster, book = measurement.cluster_with(victim), EvidenceBook((PAGE,))
        return Desk(clinic, PlanFinisher(cluster, measurement.lab(), assignment, book))

    return at


def option(**changes: Any) -> dict[str, Any]:
    return {"title": "Subtract it", "pros": ["small"], "cons": ["none"]} | changes


def edit(path: str = "shop/cart.py", old: str = "+ discount", new: str = "- discount") -> Any:
    return {"path": path, "old": old, "new": new}


def proposal(**changes: Any) -> dict[str, Any]:
    return {
        "title": "Take the discount off",
        "category": "real-bug",
        "cause": "code-bug",
        "summary": "`total` adds the discount.",
        "evidence": ["E1"],
        "strategy": "Subtract it.",
        "options": [option(edits=[edit()])],
        "scope": ["shop/cart.py"],
    } | changes


WEAKER = edit("tests/test_cart.py", "    assert total([10], 3) == 7\n", "    pass\n")
TEST_SCOPE = ["shop/cart.py", "tests/test_cart.py"]
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a test of another cluster": (
        {"victims": [POLLUTED]},
        f"- victims: {POLLUTED!r} is not in this cluster.",
    ),
    "a victim twice": ({"victims": [VICTIM] * 2}, f"- victims: {VICTIM!r} is there twice."),
    "a polluter nobody has": (
        {"polluters": ["tests/x.py::y"], "replay": ["tests/x.py::y", VICTIM]},
        "- polluters: there is no test 'tests/x.py::y'.",
    ),
    "an order of tests nobody has": (
        {"replay": ["tests/x.py::y", VICTIM]},
        "- replay: there is no test 'tests/x.py::y'.",
    ),
    "an order that ends with another test": (
        {"replay": [VICTIM, POLLUTES]},
        "- replay: its last test must be a victim.",
    ),
    "a test twice in an order": (
        {"replay": [POLLUTES, POLLUTES, VICTIM]},
        f"- replay: {POLLUTES!r} is there twice.",
    ),
    "a polluter without an order": (
        {"polluters": [POLLUTES]},
        f"- polluters: {POLLUTES!r} must run in `replay`, the order that shows the failure.",
    ),
    "a victim that pollutes itself": (
        {"polluters": [VICTIM], "replay": [VICTIM]},
        f"- polluters: {VICTIM!r} is a victim, and cannot be its own polluter.",
    ),
    "evidence nobody has": (
        {"evidence": ["E1", "E9"]},
        "- evidence: there is no 'E9'; there are: E1.",
    ),
    "a hash seed Python does not take": (
        {"hash_seed": "4294967296"},
        "- hash_seed: at most 4294967295.",
    ),
    "the whole repository": (
        {"scope": ["./"]},
        "- scope: The path './' is refused: it is the whole repository; name files and folders.",
    ),
    "a folder that is not there": (
        {"scope": ["shop/cart.py", "nowhere/"]},
        "- scope: The path 'nowhere' is refused: it does not exist.",
    ),
    "a link": (
        {"scope": ["shop/cart.py", "shop/link.py"]},
        "- scope: The path 'shop/link.py' is refused: it is a symbolic link, or lies behind one.",
    ),
    "an edit beside the scope": (
        {"scope": ["tests/"]},
        "- scope: 'shop/cart.py' is edited by an option and is not in the scope.",
    ),
    "a line that is not there": (
        {"locations": [{"path": "shop/cart.py", "line": 99}]},
        "- locations: 'shop/cart.py' has 6 lines, not 99.",
    ),
    "a file that is not there": (
        {"locations": [{"path": "shop/no.py", "line": 1}]},
        "- locations: The path 'shop/no.py' is refused: it does not exist.",
    ),
    "text that is not in the file": (
        {"options": [option(edits=[edit(old="sum(price)")])]},
        "- options.1: `old` does not stand in 'shop/cart.py': 'sum(price)'.",
    ),
    "text that is twice in the file": (
        {"options": [option(edits=[edit(old="discount")])]},
        "- options.1: `old` stands 2 times in 'shop/cart.py': 'discount'. Give more of the lines "
        "around it.",
    ),
    "an edit that changes nothing": (
        {"options": [option(edits=[edit(new="+ discount")])]},
        "- options.1: its edits change nothing.",
    ),
    "a weaker test": (
        {"options": [option(edits=[WEAKER])], "scope": TEST_SCOPE},
        "- options.1: it weakens the suite (tests/test_cart.py:8 weaker-assertions: "
        "test_a_discount_is_taken_off had 1 assertions, now 0): mark it `policy_decision`.",
    ),
    "a policy decision that is recommended": (
        {"options": [option(edits=[WEAKER], policy_decision=True)], "scope": TEST_SCOPE},
        "- recommended: a policy decision cannot be recommended; recommend another option, or "
        "refuse and name the decision in `needs`.",
    ),
    "an option that is not there": ({"recommended": 2}, "- recommended: there are 1 options."),
    "a recipe that is not there": (
        {"options": [option(recipe="pray")]},
        "- options.1: there is no recipe 'pray'; leave `recipe` empty.",
    ),
    "a recipe for something else": (
        {"options": [option(recipe="seed_random")]},
        "- options.1: the recipe 'seed_random' does not apply to this code-bug; leave `recipe` "
        "empty.",
    ),
    "a recipe and edits": (
        {"options": [option(recipe="seed_random", edits=[edit()])]},
        "- options.1: give `edits` or a `recipe`, not both.",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_exactly(desk: Desks, name: str) -> None:
    changes, told = WRONG[name]

    lines = desk(VICTIM).refused(**changes)

    assert lines[0] == "The plan cannot be taken:"
    assert any(line.startswith(told) for line in lines), lines


def test_everything_that_is_wrong_is_told_at_once(desk: Desks) -> None:
    lines = desk(VICTIM).refused(evidence=["E7"], scope=["./"], recommended=4)

    assert [line.partition(":")[0] for line in lines[1:]] == [
        "- evidence",
        "- scope",
        "- scope",
        "- recommended",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"title": " \u202e\x1b[2J"},
        {"random_seed": -1},
        {"random_seed": 2**32},
        {"hash_seed": "random"},
        {"cause": "bad luck"},
        {"options": []},
        {"evidence": []},
        {"scope": []},
        {"engine": "embedded"},
    ],
)
def test_what_the_form_does_not_allow_is_told_with_its_place(desk: Desks, changes: Any) -> None:
    lines = desk(VICTIM).refused(**changes)

    assert lines[0] == "The input does not validate:"
    assert lines[1].startswith(f"- {next(iter(changes))}: ")


def test_a_plan_that_holds_is_taken_with_the_failure_run_again(desk: Desks) -> None:
    plan = desk(VICTIM).taken(
        title="Take the\ndiscount \x1b[31moff",
        locations=[{"path": "shop/cart.py", "line": 5}],
        scope=["./shop//cart.py", "shop/"],
    )

    assert plan.title == "Take the discount off"
    assert plan.engine == "claude"
    assert [page.question for page in plan.finding.evidence] == [SHOWN_AGAIN, PAGE.question]
    assert plan.finding.evidence[0].counts == "1 failed"
    assert plan.finding.locations[0].text == "return sum(prices) + discount"
    assert plan.finding.failure is not None
    assert plan.option().recipe == "edits"
    assert plan.option().edits[0].line == 5
    assert plan.scope == ("shop/", "shop/cart.py")
    assert plan.prediction.red_after == 2
    assert "test_cart.py" in plan.validation[0]


def test_a_failure_that_was_claimed_and_passes_is_refused(desk: Desks) -> None:
    lines = desk(POLLUTED).refused(replay=[POLLUTED])

    assert lines == [
        f"regreen ran it again, and {POLLUTED} passes there. Give in `replay`, `hash_seed` and "
        "`random_seed` the run in which it fails, or refuse."
    ]


def test_a_flaky_test_that_passes_just_now_was_red_in_the_baseline(desk: Desks) -> None:
    plan = desk(POLLUTED).taken()

    assert plan.finding.evidence == (PAGE,)


def test_a_polluter_is_believed_once_its_victim_passes_without_it(desk: Desks) -> None:
    plan = desk(POLLUTED).taken(polluters=[POLLUTES], replay=[POLLUTES, POLLUTED])

    assert plan.finding.polluters == (POLLUTES,)
    assert plan.finding.evidence[0].counts == "1 failed, 1 passed"


def test_a_polluter_of_a_test_that_fails_alone_is_refused(desk: Desks) -> None:
    [line, *_] = desk(VICTIM).refused(polluters=[POLLUTES], replay=[POLLUTES, VICTIM])

    assert line.startswith(f"- polluters: {VICTIM} fails alone, too")


def test_a_policy_decision_may_stand_beside_a_repair(desk: Desks) -> None:
    options = [option(edits=[edit()]), option(edits=[WEAKER], policy_decision=True)]

    plan = desk(VICTIM).taken(options=options, scope=TEST_SCOPE)

    assert [o.policy_decision for o in plan.options] == [False, True]
    assert plan.recommended == "A"


def test_a_recipe_that_applies_is_an_option(desk: Desks) -> None:
    changes: dict[str, Any] = {
        "cause": "unseeded-randomness",
        "category": "NOD",
        "options": [option(recipe="seed_random")],
    }

    lines = desk(DICE).refused(**changes)
    plan = desk(DICE).taken(**changes, scope=["tests/"])

    assert lines[1].endswith("outside the scope.")
    assert plan.option().recipe == "seed_random"


def test_an_option_without_edits_is_left_to_an_implementer(desk: Desks) -> None:
    plan = desk(VICTIM).taken(options=[option()], scope=["shop/"])

    assert plan.option().recipe == "model"
    assert plan.option().edits == ()


EXACT = {
    "CR LF": ("shop/crlf.py", "A = 1\nNAME = 'Zoë'\n", "A = 1\nNAME = 'Zoé'\nMORE = 3\n"),
    "CR LF as it is": ("shop/crlf.py", "NAME = 'Zoë'\r\nB", "NAME = 'Ζωή'\r\nB"),
    "beyond ASCII": ("shop/umlaut.py", "'€'", "'£'"),
    "latin-1": ("shop/latin.py", "'Zoë'", "'Noé'"),
    "a byte order mark": ("shop/marked.py", "NAME = 'Zoë'", "NAME = 'Zoé'"),
    "mixed line ends": ("shop/mixed.py", "B = 2\n", "B = 22\n"),
}


@pytest.mark.parametrize("name", EXACT)
def test_edits_are_applied_exactly_as_shown(desk: Desks, clinic: Clinic, name: str) -> None:
    path, old, new = EXACT[name]
    tree = clinic.repository.path
    before = (tree / path).read_bytes()

    plan = desk(VICTIM).taken(options=[option(edits=[edit(path, old, new)])], scope=[path])
    [read] = [again(plan)]
    edits = file_edits(tree, read.option().edits)
    assert edits is not None
    try:
        apply_edits(tree, edits)
        after = (tree / path).read_bytes()
    finally:
        clinic.measurement.reset()

    code = "latin-1" if "latin" in path else "utf-8"
    ends = "\r\n" if b"\r\n" in before and "mixed" not in path else "\n"
    plain_old, plain_new = (t.replace("\r\n", "\n").replace("\n", ends) for t in (old, new))
    assert after == before.replace(plain_old.encode(code), plain_new.encode(code))
    assert after != before


def again(plan: Plan) -> Plan:
    """Return a plan as read back from its document."""
    text = plan_text.render(plan, digest_of_finding(plan.finding))
    read = plan_text.parse(text, source=Path("PR1.md"), load_finding=lambda _: plan.finding)
    assert read == plan
    return read


def test_a_refusal_keeps_the_evidence_and_every_need(desk: Desks) -> None:
    at = desk(VICTIM)
    _, refuse = at.finisher.tools()

    answer = refuse.answer(
        ToolUse(id="t1", name="refuse", input={"reason": "Unclear.", "needs": ["A", "B"]})
    )

    assert not answer.is_error
    refusal = at.finisher.result
    assert isinstance(refusal, Refusal)
    assert refusal.needs == ("A", "B")
    assert refusal.evidence == (PAGE,)
    assert refusal.tests == (NodeId(VICTIM),)


def test_the_file_of_the_clinic_is_as_the_proposals_expect(clinic: Clinic) -> None:
    assert (clinic.repository.path / "shop/cart.py").read_text() == CART

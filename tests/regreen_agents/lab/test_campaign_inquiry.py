"""The steps of order on a real project, asked cold, through a warm oracle, and through a wrong one.

The warm oracle here makes a cold run of every question; what matters is that the steps cannot
know, so they treat its answers as those of forks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from measured_projects import Measurement, measured, untouched
from regreen_agents.domain.findings import Category
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import RunSpec
from regreen_agents.errors import RunnerError
from regreen_agents.lab.campaign_cases import cases_of
from regreen_agents.lab.inquiry import Inquiry, open_inquiry
from regreen_agents.lab.lab import Bench, ColdOracle, Lab
from regreen_agents.lab.oracle import Oracle, Question
from regreen_agents.lab.order import needs_a_setter, suffers_from_a_polluter
from target_projects import make_project

FILES = {
    "state.py": """
        seen = set()

        def check():
            assert not {"first", "second"} <= seen
    """,
    "test_a.py": """
        import state

        def test_plain():
            pass

        def test_first():
            state.seen.add("first")

        def test_third():
            state.seen.add("third")
    """,
    "test_b.py": """
        import state

        def test_second():
            state.seen.add("second")

        def test_victim():
            state.check()

        def test_other():
            state.check()

        def test_needy():
            assert "third" in state.seen

        def test_clean():
            state.seen.clear()
    """,
}
DEADLY = """
    import os

    def test_a():
        pass

    def test_b():
        os._exit(3)

    def test_c():
        pass
"""
PLAIN, FIRST, THIRD = (NodeId(f"test_a.py::test_{n}") for n in ("plain", "first", "third"))
SECOND, VICTIM, OTHER, NEEDY, CLEAN = (
    NodeId(f"test_b.py::test_{n}") for n in ("second", "victim", "other", "needy", "clean")
)
Answering = Callable[[Lab, RunSpec], Oracle]


@dataclass(frozen=True)
class Warm:
    """Another oracle than the cold one, as far as anybody can see."""

    cold: ColdOracle

    def ask(self, questions: Sequence[Question]) -> list[bool]:
        return self.cold.ask(questions)


class Wrong(Warm):
    """Blames one test alone for what others do."""

    def ask(self, questions: Sequence[Question]) -> list[bool]:
        return [PLAIN in question.prefix for question in questions]


class Open(Lab):
    """A laboratory whose oracle can be chosen."""

    answering: Answering = ColdOracle

    def oracle(self, spec: RunSpec) -> Oracle:
        return type(self).answering(self, spec)


@pytest.fixture(scope="module")
def measurement(tmp_path_factory: pytest.TempPathFactory) -> Measurement:
    project = make_project(tmp_path_factory.mktemp("order"), FILES)
    return measured(project, runs=1, sweeping=False)


@pytest.fixture(scope="module")
def lab(measurement: Measurement) -> Lab:
    """One laboratory for all, so that a run that was made is not made again."""
    project = measurement.project
    bench = Bench(project.runner(), project.path, project.logs / "lab", untouched)
    return Open(bench, measurement.measured, max_runs=400)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answering], None]:
    """Choose who answers."""
    return lambda answering: monkeypatch.setattr(Open, "answering", staticmethod(answering))


def inquiry(measurement: Measurement, lab: Lab, name: NodeId) -> Inquiry:
    opened = open_inquiry(measurement.cluster_with(name), lab)
    opened.alone_red = name == NEEDY
    return opened


def test_polluters_cleaner_and_state_are_found_by_cold_runs(
    measurement: Measurement, lab: Lab
) -> None:
    asked = inquiry(measurement, lab, VICTIM)

    finding = suffers_from_a_polluter(asked)

    assert finding is not None
    assert finding.category is Category.OD_VICTIM
    assert finding.polluters == (FIRST, SECOND)
    assert finding.victims == (OTHER, VICTIM)
    assert finding.cleaners == (CLEAN,)
    assert [change.target for change in finding.state] == ["state.seen"]
    told = [page.question for page in finding.evidence]
    assert any("Delta debugging, cold runs" in question for question in told)
    assert any("clean up" in question for question in told)


def test_a_setter_is_found_by_cold_runs(measurement: Measurement, lab: Lab) -> None:
    finding = needs_a_setter(inquiry(measurement, lab, NEEDY))

    assert finding is not None
    assert finding.category is Category.OD_BRITTLE
    assert finding.state_setters == (THIRD,)


def test_what_a_warm_oracle_finds_is_confirmed_cold(
    measurement: Measurement, lab: Lab, answer: Callable[[Answering], None]
) -> None:
    answer(lambda lab, spec: Warm(ColdOracle(lab, spec)))

    finding = suffers_from_a_polluter(inquiry(measurement, lab, VICTIM))

    assert finding is not None
    assert finding.polluters == (FIRST, SECOND)
    assert finding.victims == (OTHER, VICTIM)
    assert finding.cleaners == (CLEAN,)
    told = [page.question for page in finding.evidence]
    assert any("Delta debugging, warm runs, confirmed cold" in question for question in told)


def test_what_only_the_warm_oracle_saw_is_found_anew_by_cold_runs(
    measurement: Measurement, lab: Lab, answer: Callable[[Answering], None]
) -> None:
    answer(lambda lab, spec: Wrong(ColdOracle(lab, spec)))

    finding = suffers_from_a_polluter(inquiry(measurement, lab, VICTIM))

    assert finding is not None
    assert finding.polluters == (FIRST, SECOND)
    told = [page.conclusion for page in finding.evidence]
    assert any(f"{PLAIN} decides was seen warm only" in conclusion for conclusion in told)


def test_a_test_that_is_red_alone_under_the_same_seeds_is_not_blamed_on_order(
    measurement: Measurement, lab: Lab
) -> None:
    asked = inquiry(measurement, lab, NEEDY)
    asked.alone_red = False  # as it was under another hash seed
    red = lab.measured.runs[0].outcome_of(NEEDY)

    finding = suffers_from_a_polluter(asked)

    assert red is not None
    assert finding is None


def test_cases_come_from_what_was_measured(measurement: Measurement) -> None:
    assert measurement.measured.isolated is not None

    cases = cases_of(measurement.measured.runs, measurement.measured.isolated)

    assert {(case.victim, case.red_after) for case in cases} == {
        (VICTIM, True),
        (OTHER, True),
        (NEEDY, False),
    }


def test_runs_that_are_used_up_end_the_search(measurement: Measurement) -> None:
    project = measurement.project
    bench = Bench(project.runner(), project.path, project.logs / "few", untouched)
    few = Lab(bench, measurement.measured, max_runs=3)

    with pytest.raises(RunnerError, match="used up"):
        suffers_from_a_polluter(inquiry(measurement, few, VICTIM))


def test_a_cold_oracle_knows_only_what_ran_in_the_first_process(
    measurement: Measurement, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = make_project(tmp_path_factory.mktemp("deadly"), {"test_d.py": DEADLY})
    bench = Bench(project.runner(), project.path, project.logs / "lab", untouched)
    lab = Lab(bench, measurement.measured)
    order = [NodeId(f"test_d.py::test_{letter}") for letter in "abc"]

    ends = ColdOracle(lab, RunSpec()).ends(order)

    assert ends == {order[0]: False, order[1]: True}

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pollution_graphs import Behaviour, PollutionGraph, named, planted, small_graphs
from pollution_graphs import Planted as PlantedSuite
from regreen_agents.errors import RunnerError
from regreen_agents.lab.campaign import Campaign, Options
from regreen_agents.lab.crew import Crew, side_by_side
from regreen_agents.lab.oracle import Question

PATIENCE_SECONDS = 30
ALONE = [Question((), named(number)) for number in range(8)]


def twin(graph: PollutionGraph) -> PollutionGraph:
    return PollutionGraph(graph.behaviours)


def harmless(count: int = 8) -> PollutionGraph:
    return PollutionGraph({named(number): Behaviour() for number in range(count)})


@given(graph=small_graphs(), workers=st.integers(1, 3), data=st.data())
def test_a_crew_answers_as_one_of_it_would_and_each_question_once(
    graph: PollutionGraph, workers: int, data: st.DataObject
) -> None:
    tests = st.sampled_from(graph.order)
    drawn = st.builds(Question, st.lists(tests, unique=True).map(tuple), tests)
    questions = data.draw(st.lists(drawn, max_size=12))
    members = [twin(graph) for _ in range(workers)]

    answers = Crew(members).ask(questions)

    assert answers == graph.ask(questions)
    asked = [question for member in members for question in member.asked]
    assert sorted(asked) == sorted(set(questions))


@given(suite=planted(60))
def test_a_campaign_finds_with_a_crew_what_it_finds_without(suite: PlantedSuite) -> None:
    graph, options = suite.graph, Options(inventory=True, cleaners=True)
    cases = graph.cases()

    report = Campaign(Crew([twin(graph), twin(graph)]), cases, budget=10**6, options=options).run()

    assert report == Campaign(graph, cases, budget=10**6, options=options).run()


@dataclass
class Meeting:
    """Answers only while another is asked too."""

    graph: PollutionGraph
    barrier: threading.Barrier

    def ask(self, questions: Sequence[Question]) -> list[bool]:
        self.barrier.wait(PATIENCE_SECONDS)
        return self.graph.ask(questions)


def test_members_answer_at_the_same_time() -> None:
    barrier = threading.Barrier(2)
    crew = Crew([Meeting(harmless(), barrier), Meeting(harmless(), barrier)])

    assert crew.ask(ALONE[:2]) == [False, False]


@dataclass
class Board:
    """What all members together have answered."""

    answered: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, count: int) -> None:
        with self.changed:
            self.answered += count
            self.changed.notify_all()


@dataclass
class Member:
    """Notes what it answers; a slow one answers when everything else is answered."""

    board: Board
    total: int
    is_slow: bool
    graph: PollutionGraph = field(default_factory=harmless)

    def ask(self, questions: Sequence[Question]) -> list[bool]:
        if self.is_slow:
            with self.board.changed:
                others = self.total - len(self.graph.asked) - len(questions)
                assert self.board.changed.wait_for(
                    lambda: self.board.answered >= others, PATIENCE_SECONDS
                )
        self.board.add(0 if self.is_slow else len(questions))
        return self.graph.ask(questions)


def test_a_member_that_has_nothing_left_takes_over_from_a_slow_one() -> None:
    board = Board()
    slow, quick = (Member(board, len(ALONE), is_slow) for is_slow in (True, False))

    assert Crew([slow, quick]).ask(ALONE) == [False] * len(ALONE)
    assert len(slow.graph.asked) <= len(ALONE) // 4


@dataclass
class Failing:
    """Has no more runs."""

    def ask(self, questions: Sequence[Question]) -> list[bool]:
        raise RunnerError("The runs are used up.", why=f"{len(questions)} questions")


def test_an_error_of_a_member_is_that_of_the_crew() -> None:
    with pytest.raises(RunnerError, match="used up"):
        Crew([Failing(), Failing()]).ask(ALONE)


def test_an_error_is_told_when_the_calls_beside_it_have_ended() -> None:
    other = harmless()

    with pytest.raises(RunnerError, match="used up"):
        side_by_side(lambda: Failing().ask(ALONE), lambda: other.ask(ALONE))

    assert other.asked == ALONE


def test_calls_side_by_side_return_in_their_order() -> None:
    barrier = threading.Barrier(3)

    def call(number: int) -> int:
        barrier.wait(PATIENCE_SECONDS)
        return number

    assert side_by_side(*(lambda n=n: call(n) for n in range(3))) == [0, 1, 2]

"""Questions that share beginnings go on in paused forks, where that is sound."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given as hypothetical
from hypothesis import strategies

from regreen_agents.domain.identity import NodeId
from regreen_agents.runners.warm_runner import WarmRunner
from regreen_agents.runners.warm_snapshots import branches, common
from target_projects import make_project
from warm_projects import warm

TESTS = 12
SHARED = """
    import os, socket, subprocess, tempfile, threading
    from pathlib import Path
    import pytest
    SEEN = []
    HERE = Path(__file__).parent

    @pytest.fixture(scope="module")
    def log(tmp_path_factory):
        path = tmp_path_factory.mktemp("logs") / "log.txt"
        path.write_text("")
        yield path
        path.unlink()

    @pytest.mark.parametrize("i", range(12))
    def test_step(i, log, tmp_path):
        SEEN.append(i)
        log.write_text(log.read_text() + f"{i},")
        assert log.read_text() == "".join(f"{j}," for j in SEEN)
        assert tmp_path.name == f"test_step_{i}_0"

    def test_few():
        assert len(SEEN) < 6
    def test_not_both():
        assert not {2, 9} <= set(SEEN)
    def test_all_before(log):
        assert SEEN == list(range(len(SEEN))) and SEEN

    def test_dirty():
        (HERE / "left.txt").write_text("x")
    def test_socket():
        SEEN.append(socket.socketpair())
    def test_temporary_file():
        SEEN.append(tempfile.mkdtemp())
    def test_thread():
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    def test_child():
        SEEN.append(subprocess.Popen(["sleep", "300"]))
    def test_closed_file():
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
    def test_last():
        pass
"""
STEPS = tuple(NodeId(f"test_a.py::test_step[{i}]") for i in range(TESTS))


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> object:
    project = make_project(tmp_path_factory.mktemp("shared"), {"test_a.py": SHARED})
    with warm(project) as opened:
        yield opened


def test(name: str) -> NodeId:
    return NodeId(f"test_a.py::test_{name}")


test.__test__ = False  # type: ignore[attr-defined]  # a function of ours


def test_answers_are_those_of_whole_orders(runner: WarmRunner) -> None:
    victims = ("few", "not_both", "all_before")
    questions = [(STEPS[:length], test(name)) for length in range(TESTS + 1) for name in victims]
    run = runner.keep(STEPS, range(2, TESTS, 3))
    kept = runner.snapshots

    answers = runner.ask(questions)

    assert run.counts() == {"passed": TESTS}
    assert kept == 4
    assert runner.snapshots >= kept
    assert answers == [
        wrong for length in range(TESTS + 1) for wrong in (length >= 6, length >= 10, length == 0)
    ]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("dirty", 0),
        ("socket", 0),
        ("temporary_file", 0),
        ("thread", 0),
        ("child", 0),
        ("closed_file", 1),
    ],
)
def test_a_snapshot_is_left_only_where_a_fork_is_a_true_copy(
    runner: WarmRunner, name: str, kept: int
) -> None:
    before = runner.snapshots

    run = runner.keep([test(name), test("last")], [1])

    assert run.counts() == {"passed": 2}
    assert runner.snapshots - before == kept


def test_a_snapshot_survives_what_later_tests_do_to_the_tree(runner: WarmRunner) -> None:
    order = (STEPS[5], STEPS[6])
    runner.keep([*order, test("dirty")], [1])
    alive = runner.snapshots

    answers = runner.ask([(order, test("few")), ((*order, test("dirty")), test("all_before"))])

    assert answers == [False, True]
    assert runner.snapshots >= alive


def test_the_least_used_snapshots_go_first(tmp_path: Path) -> None:
    text = """
        import pytest
        @pytest.mark.parametrize("i", range(31))
        def test_step(i):
            pass
    """
    project = make_project(tmp_path, {"test_a.py": text})

    with warm(project) as runner:
        names = runner.collected
        for start in (0, 10):
            runner.keep(names[start:], range(1, 21))
        alive = runner.snapshots

    assert alive == 32


@hypothetical(strategies.lists(strategies.lists(strategies.sampled_from("abc"), max_size=6)))
def test_every_shared_beginning_is_kept_once_where_it_is_first_run(listed: list[list[str]]) -> None:
    orders = [tuple(NodeId(letter) for letter in order) for order in listed]

    planned = branches(orders)

    assert sorted(order for order, _ in planned) == sorted(set(orders))
    kept = {order[: position + 1] for order, positions in planned for position in positions}
    names = [order for order, _ in planned]
    shared = {one[:n] for one, other in pairwise(names) if (n := common(one, other)) >= 2}
    assert kept == shared
    earlier: set[tuple[NodeId, ...]] = set()
    for order, positions in planned:
        for position in positions:
            assert order[: position + 1] not in earlier or order[: position + 1] in kept
        earlier |= {order[:n] for n in range(len(order) + 1)}

from pathlib import Path

import pytest

from recipe_cases import assert_repairs, make_finding, write_tree
from regreen_agents.domain.findings import Category, Cause
from regreen_agents.repair.honesty import policy_flags
from regreen_agents.repair.recipes.registry import proposals, propose
from value_cases import METHOD, TEST, outcomes, red_of, repaired, text_after

HURRIED = make_finding(Cause.CONCURRENCY, TEST, category=Category.NOD)
SHOP = """
    import threading
    import time


    class Server:
        def __init__(self):
            self.ready = False

        def start(self):
            threading.Thread(target=self._serve, daemon=True).start()

        def _serve(self):
            time.sleep(0.3)
            self.ready = True


    def slow(found):
        time.sleep(0.3)
        found.append(1)
    """
THREAD = """
    import threading
    import time

    from shop import slow


    def test_it():
        found = []
        worker = threading.Thread(target=slow, args=(found,))
        worker.start()
        # it needs a moment
        {}
        assert found == [1]
    """


def test_a_sleep_becomes_a_join_of_the_thread(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path, {"shop.py": SHOP, "tests/test_a.py": THREAD.format("time.sleep(0.01)")}
    )
    before = outcomes(tmp_path)

    assert_repairs(
        tree,
        "wait_for_condition=1",
        HURRIED,
        {"tests/test_a.py": THREAD.format("worker.join(timeout=10)")},
    )

    assert red_of(before) == {"test_it"}
    assert not red_of(outcomes(tmp_path))


MANY = """
    import subprocess
    import sys
    import threading
    import time
    import unittest
    from concurrent.futures import ThreadPoolExecutor

    from shop import Server, slow


    def test_list():
        found = []
        threads = [threading.Thread(target=slow, args=(found,)) for _ in range(3)]
        for t in threads:
            t.start()
        assert len(found) == 3


    def test_future():
        found = []
        with ThreadPoolExecutor() as pool:
            future = pool.submit(slow, found)
            assert found


    def test_process(tmp_path):
        code = "import time; time.sleep(0.1); open('a', 'w').close()"
        process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
        time.sleep(0.01)
        assert (tmp_path / "a").exists()


    def test_polled():
        server = Server()
        server.start()
        time.sleep(0.01)
        assert server.ready


    class TestIt(unittest.TestCase):
        def test_it(self):
            server = Server()
            server.start()
            time.sleep(0.01)
            self.assertEqual(server.ready, True)
    """


def test_lists_futures_processes_and_conditions_are_waited_for(tmp_path: Path) -> None:
    write_tree(tmp_path, {"shop.py": SHOP, "tests/test_a.py": MANY})
    before = outcomes(tmp_path)
    started = [f"tests/test_a.py::test_{n}" for n in ("list", "future", "process")]

    first = make_finding(Cause.CONCURRENCY, *started, category=Category.NOD)
    repaired(tmp_path, "wait_for_condition=1", first)
    polled = ("tests/test_a.py::test_polled", METHOD)
    second = make_finding(Cause.CONCURRENCY, *polled, category=Category.NOD)
    proposal = repaired(tmp_path, "wait_for_condition=2", second)

    after = outcomes(tmp_path)
    assert len(red_of(before)) == 5
    assert not red_of(after)
    assert len(after) == 5
    assert "    for t in threads:\n        t.join(timeout=10)\n" in text_after(proposal)
    assert not [flag for edit in proposal.edits for flag in policy_flags(edit)]


def test_both_ways_are_offered_the_join_first(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path, {"shop.py": SHOP, "tests/test_a.py": THREAD.format("time.sleep(0.01)")}
    )

    found = [p.recipe for p in proposals(HURRIED, tree)]

    assert found == ["wait_for_condition=1", "wait_for_condition=2"]


@pytest.mark.parametrize(
    "lines",
    [
        "server.start()\n    time.sleep(1)\n    assert not server.ready",
        "server.start()\n    time.sleep(1)\n    assert server.ready != 1",
        "server.start()\n    assert server.ready",
        "worker = threading.Thread()\n    worker.start()\n    worker.join()\n    assert server",
        "time.sleep(1)\n    server.start()",
    ],
)
def test_a_wait_that_would_prove_nothing_is_not_offered(tmp_path: Path, lines: str) -> None:
    text = f"import threading\nimport time\n\n\ndef test_it(server):\n    {lines}\n"
    tree = write_tree(tmp_path, {"tests/test_a.py": text})

    assert propose("wait_for_condition", HURRIED, tree) is None


def test_what_fails_always_is_no_matter_of_waiting(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path, {"shop.py": SHOP, "tests/test_a.py": THREAD.format("time.sleep(0.01)")}
    )

    constant = make_finding(Cause.UNEXPLAINED, TEST, category=Category.UD)

    assert not proposals(constant, tree)

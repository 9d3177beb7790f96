"""Tests of every kind judge mutants, and what a mutant does to its process costs only itself."""

from pathlib import Path

from search_projects import build, verdicts

KINDS_OF_TESTS = """
import asyncio
import unittest
import pytest
from shop.core import half

MADE = []

@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("all") / "number"
    path.write_text(str(half(8)))
    return path

@pytest.fixture(scope="module")
def of_module():
    MADE.append(half(6))
    yield MADE[-1]
    MADE.pop()

def test_session(whole): assert whole.read_text() == "4"
def test_module(of_module): assert of_module == 3 and len(MADE) == 1
def test_printed(capsys):
    print(half(4))
    assert capsys.readouterr().out == "2\\n"
def test_logged(caplog, tmp_path, monkeypatch):
    import logging
    monkeypatch.chdir(tmp_path)
    logging.warning("%s", half(4))
    assert caplog.messages == ["2"]
@pytest.mark.parametrize("n", [2, 4])
def test_each(n): assert half(n) * 2 == n
def test_awaited():
    async def ask(): return half(10)
    assert asyncio.run(ask()) == 5

class TestClass:
    @classmethod
    def setup_class(cls): cls.six = half(12)
    def test_class(self): assert self.six == 6

class Case(unittest.TestCase):
    def setUp(self): self.two = half(4)
    def test_unit(self): self.assertEqual(self.two, 2)
    def test_sub(self):
        for n in (2, 6):
            with self.subTest(n=n):
                self.assertEqual(half(n) * 2, n)
"""
KINDS = ["test_session", "test_module", "test_printed", "test_logged", "test_each[2]",
         "test_each[4]", "test_awaited", "TestClass::test_class", "Case::test_unit",
         "Case::test_sub"]  # fmt: skip


def test_tests_of_every_kind_judge(tmp_path: Path) -> None:
    made = build(tmp_path, "def half(n):\n    return n // 3 + 9\n", KINDS_OF_TESTS)
    edits = [("n // 3 + 9", after) for after in ("n // 4", "n // 2", "0", "n >> 1", "n / 0")]
    mutants = made.mutants(*edits)

    reports = [made.judge(made.suite([name]), mutants) for name in KINDS[::5]]
    every = made.runner.judge(made.suite(KINDS), mutants, seconds=600, enough=5, every_failing=True)

    for report in [*reports, every]:
        assert verdicts(report) == ["red", "plausible", "red", "plausible", "red"], report
    assert [one.green for one in every.judgements] == [0, len(KINDS), 0, len(KINDS), 0]


def test_a_mutant_that_starts_a_thread_or_eats_memory_costs_only_itself(tmp_path: Path) -> None:
    made = build(
        tmp_path,
        "import threading\ndef size(n):\n    return n + 1\n",
        "from shop.core import size\ndef test_two(): assert size(2) == 2\n",
    )
    edits = [
        ("return n + 1", after)
        for after in (
            "threading.Thread(target=threading.Event().wait).start(); return n + 2",
            "threading.Thread(target=threading.Event().wait, daemon=True).start(); return n",
            "return len(bytearray(1 << 40))",
            "raise SystemExit",
            "raise KeyboardInterrupt",
            "return n",
            "return size(n)",
        )
    ]

    report = made.judge(made.suite(["test_two"]), made.mutants(*edits))

    told = verdicts(report)
    assert [told[1], told[5]] == ["plausible", "plausible"]
    assert told.count("plausible") == 2


def test_skipped_and_expected_failures_are_not_green(tmp_path: Path) -> None:
    made = build(
        tmp_path,
        "def two():\n    return 3\n",
        """
        import pytest
        from shop.core import two
        def test_two():
            if two() == 4: pytest.skip("four")
            if two() == 5: pytest.xfail("five")
            assert two() == 2
        """,
    )
    edits = [("return 3", f"return {n}") for n in (4, 5, 6, 2)]

    report = made.judge(made.suite(["test_two"]), made.mutants(*edits))

    assert verdicts(report) == ["red", "red", "red", "plausible"]


def test_a_test_that_needs_more_than_its_phases_is_run_whole(tmp_path: Path) -> None:
    made = build(
        tmp_path,
        "def two():\n    return 3\n",
        """
        import os
        from shop.core import two
        def test_two():
            assert os.environ["READY"] == "1"
            assert two() == 2
        """,
    )
    (made.tree / "conftest.py").write_text(
        "import os, pytest\n"
        "@pytest.hookimpl(hookwrapper=True)\n"
        "def pytest_runtest_protocol():\n"
        "    os.environ['READY'] = '1'\n"
        "    yield\n"
        "    del os.environ['READY']\n"
    )

    report = made.judge(
        made.suite(["test_two"]), made.mutants(("return 3", "return 4"), ("return 3", "return 2"))
    )

    assert verdicts(report) == ["red", "plausible"]

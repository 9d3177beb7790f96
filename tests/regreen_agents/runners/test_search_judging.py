"""Verdicts on mutants: many in one process, the same as each in its own."""

from pathlib import Path

import pytest

from regreen_agents.runners.search_runner import JudgeReport
from search_projects import SearchProject, build, ids, verdicts

COUNTING = """
def steps(n):
    count = 0
    while n > 0:
        n -= 2
        count += 1
    return count
"""
COUNTING_TESTS = """
from shop.core import steps
def test_three(): assert steps(3) == 3
def test_none(): assert steps(0) == 0
def test_five():
    assert steps(5) == 5
"""
COUNTING_EDITS = (
    ("n -= 2", "n += 2"),
    ("n -= 2", "n -= 1"),
    ("n > 0", "True"),
    ("count = 0", "count = 1"),
    ("return count", "import os; os._exit(0)"),
    ("return count", "return sum(1 for _ in iter(int, 1))"),
    ("n -= 2", "n -= 1; count += 0"),
    ("return count", "return [] + 1"),
)


def counting(folder: Path) -> SearchProject:
    return build(folder, COUNTING, COUNTING_TESTS)


def test_each_mutant_gets_its_verdict_whatever_the_others_do(tmp_path: Path) -> None:
    made = counting(tmp_path)
    mutants = made.mutants(*COUNTING_EDITS, tests=["test_none"])

    report = made.judge(made.suite(["test_three", "test_five"], ["test_none"]), mutants)

    assert verdicts(report) == [
        "killed", "plausible", "killed", "red", "died", "killed", "plausible", "red",
    ]  # fmt: skip
    assert report.ended == "all"
    assert report.ticks == sum(one.ticks for one in report.judgements)
    red = report.judgements[7]
    assert (red.failure.partition(":")[0], red.line) == ("TypeError", 2)
    assert report.baseline is not None
    assert (report.baseline.mutant, report.baseline.line) == (-1, 2)


def test_the_number_of_workers_and_the_repetition_change_nothing(tmp_path: Path) -> None:
    made = counting(tmp_path)
    suite = made.suite(["test_three", "test_five"], ["test_none"])
    mutants = made.mutants(*COUNTING_EDITS * 8, tests=["test_none"])
    mutants = tuple(m.model_copy(update={"id": n}) for n, m in enumerate(mutants))

    reports = [
        made.runner.judge(suite, mutants, seconds=600, enough=9, workers=workers)
        for workers in (1, 3)
    ]

    assert reports[0] == reports[1]
    assert reports[0].ended == "enough"
    assert verdicts(reports[0]).count("plausible") == 9


def test_a_budget_of_ticks_cuts_the_list_at_the_same_rank(tmp_path: Path) -> None:
    made = counting(tmp_path)
    suite = made.suite(["test_three"], ["test_none"])
    mutants = made.mutants(*COUNTING_EDITS, tests=["test_none"])

    whole = made.judge(suite, mutants)
    budget = sum(one.ticks for one in whole.judgements[:4])
    cut = made.runner.judge(suite, mutants, seconds=600, enough=10, ticks=budget, workers=2)

    assert cut.ended == "ticks"
    assert cut.judgements == whole.judgements[:4]


def test_all_failing_tests_can_be_counted_for_each_mutant(tmp_path: Path) -> None:
    made = build(
        tmp_path,
        "def price(n, club):\n    return n * 3\n",
        """
        from shop.core import price
        def test_club(): assert price(2, True) == 2
        def test_plain():
            x = price(1, False)
            assert x == 2
        def test_many(): assert price(5, False) == 10
        """,
    )
    suite = made.suite(["test_club", "test_plain", "test_many"])
    mutants = made.mutants(("n * 3", "n * 2"), ("n * 3", "n"), ("n * 3", "n * 4"))

    report = made.runner.judge(suite, mutants, seconds=600, enough=3, every_failing=True)

    assert [one.green for one in report.judgements] == [2, 1, 0]
    assert [one.test for one in report.judgements] == [
        *ids(["test_club", "test_plain"]),
        *ids(["test_club"]),
    ]
    assert [one.line for one in report.judgements] == [2, 5, 2]


SPOILED = {
    "memo": """
        MEMO = {}
        def double(n):
            if n not in MEMO:
                MEMO[n] = n * 3
            return MEMO[n]
        """,
    "lru_cache": """
        import functools
        @functools.lru_cache(maxsize=None)
        def double(n):
            return n * 3
        """,
    "closure": """
        def remembering(function):
            known = {}
            def inner(n):
                if n not in known:
                    known[n] = function(n)
                return known[n]
            return inner
        @remembering
        def double(n):
            return n * 3
        """,
    "default argument": """
        def double(n, known=[]):
            if not known:
                known.append(n * 3)
            return known[0]
        """,
    "global name": """
        last = None
        def double(n):
            global last
            if last is None:
                last = n * 3
            return last
        """,
    "class attribute": """
        class Doubler:
            last = None
        def double(n):
            if Doubler.last is None:
                Doubler.last = n * 3
            return Doubler.last
        """,
    "environment": """
        import os
        def double(n):
            os.environ.setdefault("DOUBLED", str(n * 3))
            return int(os.environ["DOUBLED"])
        """,
    "attribute of an instance": """
        class Doubler:
            __slots__ = ("last",)
            def __init__(self):
                self.last = 0
        doubler = Doubler()
        def double(n):
            doubler.last = doubler.last or n * 3
            return doubler.last
        """,
}


@pytest.mark.parametrize("kind", SPOILED)
def test_what_a_mutant_leaves_behind_does_not_judge_the_next(tmp_path: Path, kind: str) -> None:
    made = build(
        tmp_path,
        SPOILED[kind],
        "from shop.core import double\ndef test_two(): assert double(2) == 4\n",
    )
    edits = [("n * 3", after) for after in ("n * 4", "n + 3", "n * 2", "n", "n + n", "n - 1")]

    report = made.judge(made.suite(["test_two"]), made.mutants(*edits))

    assert verdicts(report) == ["red", "red", "plausible", "red", "plausible", "red"]


def test_code_that_the_test_itself_imports_is_judged(tmp_path: Path) -> None:
    made = build(
        tmp_path,
        "KNOWN = []\ndef two():\n    KNOWN.append(3)\n    return KNOWN[0]\n",
        "def test_two():\n    from shop.core import two\n    assert two() == 2\n",
    )

    report = made.judge(
        made.suite(["test_two"]),
        made.mutants(("append(3)", "append(4)"), ("append(3)", "append(2)")),
    )

    assert verdicts(report) == ["red", "plausible"]


def test_a_suite_that_cannot_be_collected_gives_an_empty_report(tmp_path: Path) -> None:
    made = build(tmp_path, "def two():\n    return 3\n", "import nowhere\ndef test_two(): pass\n")

    report = made.judge(made.suite(["test_two"]), made.mutants(("return 3", "return 2")))

    assert report.judgements == ()
    assert any("not collected" in note for note in report.notes)
    assert isinstance(report, JudgeReport)


def test_many_mutants_share_a_process_and_survivors_do_not(tmp_path: Path) -> None:
    made = build(
        tmp_path,
        "def two():\n    return 3\n",
        """
        import os
        from shop.core import two
        def test_two():
            with open(os.path.join(os.path.dirname(__file__), "pids"), "a") as file:
                print(os.getpid(), two(), file=file)
            assert two() == 2
        """,
    )
    mutants = made.mutants(*[("return 3", f"return {n}") for n in (*range(10, 34), 2)])

    report = made.runner.judge(made.suite(["test_two"]), mutants, seconds=600, enough=1)

    lines = (made.tree / "tests" / "pids").read_text().splitlines()
    process_of = {value: pid for pid, value in map(str.split, lines)}
    assert verdicts(report) == ["red"] * 24 + ["plausible"]
    assert len({process_of[str(n)] for n in range(10, 34)}) <= 2  # one is judged again as a sample
    assert report.notes == ()


def test_tests_of_several_classes_and_messages_with_addresses_share_a_process_too(
    tmp_path: Path,
) -> None:
    made = build(
        tmp_path,
        "def two():\n    return 3\n",
        """
        import abc
        import os
        from shop.core import two
        class Kind(abc.ABC):
            pass
        class Box(Kind):
            def __init__(self, size): self.size = size
            def __eq__(self, other): return self.size == other.size
        def told(name):
            with open(os.path.join(os.path.dirname(__file__), name), "a") as file:
                print(os.getpid(), two(), file=file)
            return isinstance(two(), Kind)  # asked once, it is remembered
        class TestOne:
            def test_two(self): assert told("one") or Box(two()) == Box(2)
        class TestOther:
            @classmethod
            def setup_class(cls): cls.size = 2
            def test_two(self): assert told("other") or two() == self.size
        """,
    )
    mutants = made.mutants(*[("return 3", f"return {n}") for n in (*range(10, 34), 2)])
    suite = made.suite(["TestOne::test_two", "TestOther::test_two"])

    report = made.runner.judge(suite, mutants, seconds=600, enough=1, every_failing=True)

    assert verdicts(report) == ["red"] * 24 + ["plausible"]
    for name in ("one", "other"):
        rows = map(str.split, (made.tree / "tests" / name).read_text().splitlines())
        pids = {pid for pid, value in rows if int(value) >= 10}
        assert len(pids) <= 2, name  # one is judged again as a sample
    assert report.notes == ()


def test_the_tests_of_a_budget_are_charged_before_what_they_burn(tmp_path: Path) -> None:
    made = counting(tmp_path)
    mutants = made.mutants(*COUNTING_EDITS, tests=["test_none"])

    report = made.runner.judge(made.suite(["test_three"]), mutants, seconds=600, enough=9, ticks=1)

    assert (report.ended, len(report.judgements)) == ("ticks", 1)

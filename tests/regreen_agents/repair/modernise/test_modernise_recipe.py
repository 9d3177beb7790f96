"""What a failure is recognised by, and what the plan offers."""

from pathlib import Path

from regreen_agents.domain.findings import Category, Cause, Finding
from regreen_agents.domain.identity import ClusterId, NodeId
from regreen_agents.domain.runs import FailureDetail, Frame
from regreen_agents.repair.modernise.recipe import FAMILY, NARROW, WHOLESALE, answering
from regreen_agents.repair.recipes.registry import proposals
from regreen_agents.repair.source import SourceTree

CLOCK = "import time\n\n\ndef now():\n    return time.clock()\n"
GONE = FailureDetail(
    phase="call", type="AttributeError", message="module 'time' has no attribute 'clock'"
)


def tree_of(tmp_path: Path, **files: str) -> SourceTree:
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    return SourceTree(tmp_path)


def finding(failure: FailureDetail, broken_files: int = 0) -> Finding:
    return Finding(
        cluster=ClusterId("C1"),
        category=Category.ENVIRONMENT,
        cause=Cause.UPGRADE,
        summary="",
        victims=(NodeId("test_a.py::test_a"),),
        failure=failure,
        broken_files=broken_files,
    )


def test_a_removed_name_that_the_sources_use_is_recognised(tmp_path: Path) -> None:
    found = answering(GONE, tree_of(tmp_path, shop=CLOCK))

    assert found is not None
    assert found[0].id == "time-clock"
    assert "time.perf_counter()" in found[1][0].after


def test_a_removed_name_that_only_a_dependency_uses_is_not_ours(tmp_path: Path) -> None:
    assert answering(GONE, tree_of(tmp_path, shop="import time\n")) is None


def test_a_fallback_is_left_alone(tmp_path: Path) -> None:
    first, second = "from time import clock", "from time import time as clock"
    text = f"try:\n    {first}\nexcept ImportError:\n    {second}\n"

    assert answering(GONE, tree_of(tmp_path, shop=text)) is None


def test_a_weak_row_needs_its_source_where_the_failure_went_through(tmp_path: Path) -> None:
    old = "class TestA:\n    def setup(self):\n        self.x = 1\n"
    tree = tree_of(tmp_path, test_a=old, test_b="def test_b():\n    assert False\n")
    here = FailureDetail(
        phase="call",
        type="AttributeError",
        message="'TestA' object has no attribute 'x'",
        frames=(Frame(path="test_a.py", line=5, function="test_a"),),
    )
    elsewhere = FailureDetail(
        phase="call",
        type="AssertionError",
        message="assert False",
        frames=(Frame(path="test_b.py", line=2, function="test_b"),),
    )

    found = answering(here, tree)

    assert found is not None
    assert found[0].id == "nose-setup"
    assert answering(elsewhere, tree) is None


def test_what_a_unittest_case_inherits_keeps_its_names(tmp_path: Path) -> None:
    mixin = "class Base(object):\n    def setUp(self):\n        self.x = 1\n\n\n"
    between = "class Folder(Base):\n    pass\n\n\n"
    case = "class TestA(Folder, unittest.TestCase):\n    def test_a(self):\n        self.y\n"
    tree = tree_of(tmp_path, test_a=f"import unittest\n\n\n{mixin}{between}{case}")
    failure = FailureDetail(
        phase="call",
        type="AttributeError",
        message="'TestA' object has no attribute 'y'",
        frames=(Frame(path="test_a.py", line=15, function="test_a"),),
    )

    assert answering(failure, tree) is None


def test_pyupgrade_first_is_offered_only_where_many_files_cannot_be_collected(
    tmp_path: Path,
) -> None:
    tree = tree_of(tmp_path, shop=CLOCK)

    few = [p.recipe for p in proposals(finding(GONE), tree)]
    many = [made.recipe for r in FAMILY if (made := r.propose(finding(GONE, 5), tree))]

    assert few == [NARROW]
    assert many == [WHOLESALE, NARROW]


def test_the_plan_may_reach_all_sources_and_no_installed_ones(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, shop=CLOCK, test_a="")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "other.py").write_text(CLOCK)

    made = FAMILY[1].propose(finding(GONE), tree)

    assert made is not None
    assert made.reach == ("shop.py", "test_a.py")
    assert made.policy_decision is False

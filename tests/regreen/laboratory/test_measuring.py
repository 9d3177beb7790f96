"""What a series of runs says about itself."""

from regreen.laboratory.measuring import uncollected
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec
from suite_runs import BUG, OK, run


def test_tests_that_a_later_process_does_not_collect_are_counted() -> None:
    changing, lost = NodeId("tests/test_a.py::test_x[7391]"), NodeId("tests/test_g.py::test_y")
    asked = RunSpec(order=OrderKind.GIVEN, tests=(OK, changing, BUG, lost))
    broken_module = NodeId("tests/test_g.py")

    told = run({OK: "P", BUG: "-", broken_module: "E"})

    assert uncollected(asked, told) == 1

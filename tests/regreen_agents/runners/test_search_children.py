"""What waits for forked children does not block, and endless code under test is traced, too."""

import importlib.util
import os
from pathlib import Path
from typing import Any

from regreen_agents.runners import probe
from search_projects import build

PLACE = Path(probe.__file__).with_name("regreen_search_children.py")


def load() -> Any:
    spec = importlib.util.spec_from_file_location("children_under_test", PLACE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHILDREN = load()


def test_a_child_that_told_nothing_is_read_without_waiting() -> None:
    reader, writer = os.pipe()
    told = CHILDREN.Told(reader, os.getpid(), 0.0)

    assert told.receive() == []
    CHILDREN.teller(writer)({"mutant": 3})
    assert told.receive() == [{"mutant": 3}]
    os.close(writer)
    assert told.receive() == [{"end": "died"}]
    os.close(reader)


def test_code_that_never_ends_is_traced_and_told(tmp_path: Path) -> None:
    made = build(
        tmp_path,
        """
        def down(n):
            while n > 0:
                m = n
            return n
        """,
        """
        from shop.core import down
        def test_two(): assert down(2) == 0
        def test_none(): assert down(0) == 0
        """,
    )

    report = made.runner.trace(made.suite(["test_two"], ["test_none"]), 600.0)

    ends = {one.test.partition("::")[2]: one for one in report.tests}
    assert ends["test_two"].outcome == "killed"
    assert ends["test_two"].lines["shop/core.py"] == {2, 3}
    assert ends["test_none"].outcome == "passed"

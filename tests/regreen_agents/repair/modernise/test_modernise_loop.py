"""The loop on real little projects, with real runs: layers, steps on trial, lost tests, tools."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Outcome, RunEnd, RunSpec, SuiteRun, TestResult
from regreen_agents.repair.modernise.judging import Effect, count, effect
from regreen_agents.repair.modernise.loop import Ground, Modernised, merged, modernise
from regreen_agents.repair.modernise.rows import Row
from regreen_agents.repair.modernise.tools import (
    PYUPGRADE,
    Starter,
    Tool,
    is_installed,
    tool_edits,
)
from regreen_agents.repair.source import SourceTree
from regreen_agents.runners.process import Stopper
from target_projects import TargetProject, make_project

SHOP = """
    import collections
    import inspect


    def names(function):
        return inspect.getargspec(function).args


    def is_mapping(value):
        return isinstance(value, collections.Mapping)
"""
TESTS = """
    from nose.tools import eq_
    from shop import is_mapping, names


    def price(net, rate):
        return net * rate


    def test_names():
        eq_(names(price), ["net", "rate"])


    def test_mapping():
        eq_(is_mapping({}), True)
"""
GREEN = """
    def test_green():
        assert True
"""


@dataclass
class Bench:
    """A project whose committed texts are put back before every run."""

    project: TargetProject
    texts: dict[str, str]

    def show(self, edits: Sequence[FileEdit]) -> None:
        self.project.write(self.texts)
        for edit in edits:
            assert (self.project.path / edit.path).read_text() == edit.before
            (self.project.path / edit.path).write_text(edit.after)

    def run(self, edits: Sequence[FileEdit]) -> SuiteRun:
        self.show(edits)
        return self.project.run(RunSpec())

    def tool(self, tool: Tool) -> tuple[FileEdit, ...]:
        starter = Starter(Stopper(), "test-modernise")
        return tool_edits(tool, SourceTree(self.project.path), starter, lambda _text: None)

    def modernise(self, *, tools_first: bool = False) -> Modernised:
        ground = Ground(self.project.path, self.show, self.run, self.tool)
        return modernise(ground, self.run(()), tools_first=tools_first)


def bench(tmp_path: Path, **texts: str) -> Bench:
    files = {f"{name}.py": text for name, text in texts.items()}
    return Bench(make_project(tmp_path, files), files)


def causes(made: Modernised) -> list[str]:
    return [s.cause.id if isinstance(s.cause, Row) else s.cause.name for s in made.steps]


@pytest.fixture(scope="module")
def peeled(tmp_path_factory: pytest.TempPathFactory) -> Modernised:
    folder = tmp_path_factory.mktemp("peeled")
    return bench(folder, shop=SHOP, test_shop=TESTS, test_green=GREEN).modernise()


def test_failures_are_peeled_layer_by_layer_one_step_for_each_cause(peeled: Modernised) -> None:
    made = peeled

    assert causes(made)[0] == "nose"
    assert sorted(causes(made)[1:]) == ["collections-abcs", "getargspec"]
    assert count(made.first) == (1, 0, 1)
    assert count(made.last) == (3, 0, 0)


def test_the_steps_together_are_one_edit_for_each_file(peeled: Modernised) -> None:
    whole = merged([step.edits for step in peeled.steps])

    assert [edit.path for edit in whole] == ["test_shop.py", "shop.py"]
    assert "collections.abc.Mapping" in whole[1].after
    assert "getfullargspec" in whole[1].after


def test_a_step_that_only_uncovers_the_next_error_goes_when_none_passes_in_the_end(
    tmp_path: Path,
) -> None:
    test = "import StringIO\nimport nowhere_to_be_found\ndef test_a(): pass\n"

    made = bench(tmp_path, test_a=test).modernise()

    assert made.steps == ()
    assert "python2-modules: its error went, but no more tests pass" in made.tried
    assert made.last is made.first


def test_a_row_that_would_lose_a_passing_test_stays_near_the_failure(tmp_path: Path) -> None:
    far = """
        class Old:
            iteritems = "kept"


        def test_far():
            assert hasattr(Old, "iteritems") and Old.iteritems == "kept"
    """
    near = """
        def test_near():
            assert list({"a": 1}.iteritems()) == [("a", 1)]
    """

    made = bench(tmp_path, test_far=far, test_near=near).modernise()

    assert causes(made) == ["dict-iterators"]
    assert [edit.path for edit in made.steps[0].edits] == ["test_near.py"]


def test_a_suite_that_needs_nothing_gets_nothing(tmp_path: Path) -> None:
    made = bench(tmp_path, test_green=GREEN).modernise(tools_first=False)

    assert made.steps == ()
    assert made.tried == ()


def test_a_conftest_that_cannot_be_imported_is_repaired(tmp_path: Path) -> None:
    made = bench(tmp_path, conftest="import ConfigParser\n", test_green=GREEN).modernise()

    assert [r.node_id for r in made.first.red()] == ["conftest.py"]
    assert causes(made) == ["python2-modules"]
    assert count(made.last) == (1, 0, 0)


def test_what_a_module_of_the_project_hands_on_is_followed_to_where_it_comes_from(
    tmp_path: Path,
) -> None:
    compat = "try:\n    import inspect as meta\nexcept ImportError:\n    meta = None\n"
    test = """
        from compat import meta


        def test_a():
            assert meta.getargspec(lambda x: x).args == ["x"]
    """

    made = bench(tmp_path, compat=compat, test_a=test).modernise()

    assert causes(made) == ["getargspec"]
    assert count(made.last) == (1, 0, 0)


def test_an_error_the_project_hides_behind_its_own_is_found_by_its_line(tmp_path: Path) -> None:
    shop = """
        import base64


        def packed(data):
            try:
                return base64.encodestring(data)
            except Exception as error:
                error.args = ("cannot pack",)
                raise
    """
    test = "import shop\ndef test_a():\n    assert shop.packed(b'a') == b'YQ==\\n'\n"

    made = bench(tmp_path, shop=shop, test_a=test).modernise()

    assert causes(made) == ["base64-strings"]
    assert count(made.last) == (1, 0, 0)


def test_pyupgrade_goes_first_as_a_step_of_its_own(tmp_path: Path) -> None:
    assert is_installed(PYUPGRADE)
    test = "from collections import Mapping\ndef test_a():\n    assert isinstance({}, Mapping)\n"

    made = bench(tmp_path, test_a=test).modernise(tools_first=True)

    assert causes(made) == ["pyupgrade"]
    assert count(made.last) == (1, 0, 0)


def test_a_refused_section_of_setup_cfg_is_renamed(tmp_path: Path) -> None:
    project = bench(tmp_path, test_green=GREEN)
    project.texts["setup.cfg"] = "[pytest]\naddopts = -q\n"

    made = project.modernise()

    assert [r.node_id for r in made.first.red()] == ["setup.cfg"]
    assert causes(made) == ["pytest-setup-cfg"]
    assert count(made.last) == (1, 0, 0)


def test_a_test_known_to_be_flaky_counts_neither_as_gained_nor_as_lost() -> None:
    def run(**ends: str) -> SuiteRun:
        results = tuple(
            TestResult(node_id=NodeId(f"test_a.py::{name}"), outcome=Outcome(end))
            for name, end in ends.items()
        )
        return SuiteRun(
            spec=RunSpec(),
            command=(),
            exit_code=1,
            end=RunEnd.COMPLETE,
            results=results,
            collected=len(results),
            duration_seconds=0.0,
        )

    flaky = frozenset({NodeId("test_a.py::flaky")})
    before = run(repaired="failed", flaky="passed")

    assert effect(before, run(repaired="passed", flaky="failed"), flaky) is Effect.BETTER
    assert effect(before, run(repaired="failed", flaky="failed"), flaky) is Effect.SAME
    assert effect(before, run(repaired="passed", flaky="failed"), frozenset()) is Effect.WORSE

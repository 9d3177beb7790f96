from functools import partial
from pathlib import Path

import pytest

from measured_projects import measured
from regreen_agents.domain.findings import Category, Cause
from regreen_agents.domain.runs import Factor
from regreen_agents.lab.chance import depends_on_random_seed, varies_by_itself
from regreen_agents.lab.clock import ends_in_a_changed_setting
from regreen_agents.lab.constant import is_wrong_everywhere
from regreen_agents.lab.diagnosis import classified
from regreen_agents.lab.interpreter import outlives_the_project
from regreen_agents.lab.surroundings import leans_on_the_environment
from target_projects import TargetProject, make_project

OLD = "[metadata]\nclassifiers =\n    Programming Language :: Python :: 3.5\n"
CURRENT = "[metadata]\nclassifiers =\n    Programming Language :: Python :: 3.99\n"
WRONG = "def test_adds():\n    assert 1 + 1 == 3\n"
WITH_FILES = {
    "test_a.py": """
        from pathlib import Path

        PRICES = Path(__file__).with_name("prices.txt")

        def test_saves():
            PRICES.write_text("3")

        def test_loads():
            assert PRICES.read_text() == "3"
    """
}


def remade(project: TargetProject) -> None:
    """Bring a project back: what its tests made goes."""
    (project.path / "prices.txt").unlink(missing_ok=True)


def test_what_fails_everywhere_on_an_interpreter_never_claimed_is_likely_its_fault(
    tmp_path: Path,
) -> None:
    project = make_project(tmp_path, {"test_a.py": WRONG, "setup.cfg": OLD})

    finding = measured(project).diagnosed("test_adds")

    assert (finding.category, finding.cause) == (Category.ENVIRONMENT, Cause.INTERPRETER)
    assert "claims support up to 3.5 (classifiers in setup.cfg)" in finding.summary
    assert "Likely" in finding.summary
    assert "not shown" in finding.summary


def test_a_project_that_claims_the_interpreter_has_a_bug(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"test_a.py": WRONG, "setup.cfg": CURRENT})

    inquiry = measured(project).inquiry("test_adds", alone_red=True)

    assert outlives_the_project(inquiry) is None
    finding = is_wrong_everywhere(inquiry)
    assert finding is not None
    assert (finding.category, finding.cause) == (Category.REAL_BUG, Cause.CODE_BUG)
    assert classified(inquiry, finding).category is Category.REAL_BUG


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (
            "import inspect\ndef test_a():\n    inspect.getargspec(print)\n",
            "`inspect.getargspec`, which Python 3.11 took away",
        ),
        (
            "from collections import Mapping\ndef test_a(): pass\n",
            "`collections.Mapping`, which Python 3.10 took away",
        ),
    ],
)
def test_a_name_the_interpreter_took_away_is_named_without_any_further_run(
    tmp_path: Path, source: str, name: str
) -> None:
    files = {"test_a.py": source, "test_b.py": "def test_b(): pass\n"}
    found = measured(make_project(tmp_path, files))
    [cluster] = found.clusters()
    lab = found.lab()

    finding = found.diagnosed(cluster.members[0].node_id, lab)

    assert finding.cause is Cause.INTERPRETER
    assert name in finding.summary
    assert lab.runs_made == 0


def test_a_test_that_varies_with_nothing_changed_is_not_deterministic(tmp_path: Path) -> None:
    count = tmp_path / "count"
    count.write_text("0")
    source = f"""
        from pathlib import Path

        def test_turns():
            count = Path({str(count)!r})
            count.write_text(str(int(count.read_text()) + 1))
            assert int(count.read_text()) % 3
    """

    inquiry = measured(make_project(tmp_path, {"test_a.py": source}), runs=3).inquiry("turns")

    assert depends_on_random_seed(inquiry) is None
    finding = varies_by_itself(inquiry)
    assert finding is not None
    assert (finding.category, finding.cause) == (Category.NOD, Cause.UNEXPLAINED)
    assert "varies by itself" in finding.summary
    assert "in 3/10 " in finding.summary or "in 4/10 " in finding.summary


def test_a_process_that_pytest_timeout_ended_ran_into_a_time_limit(tmp_path: Path) -> None:
    source = """
        import os, sys

        def test_a(request):
            request.config.pluginmanager.getplugin("capturemanager").suspend_global_capture()
            print("+" * 30, "Timeout", "+" * 30, file=sys.stderr, flush=True)
            os._exit(1)
    """

    finding = measured(make_project(tmp_path, {"test_a.py": source})).diagnosed("test_a")

    assert (finding.category, finding.cause) == (Category.TIMEOUT, Cause.TIME_LIMIT)
    assert "the limit pytest-timeout has" in finding.summary


def test_a_test_that_needs_a_file_of_another_is_brittle_by_a_left_file(tmp_path: Path) -> None:
    project = make_project(tmp_path, WITH_FILES)

    finding = measured(project, reset=partial(remade, project)).diagnosed("test_loads")

    assert (finding.category, finding.cause) == (Category.OD_BRITTLE, Cause.LEFT_FILE)
    assert finding.state_setters == ("test_a.py::test_saves",)


def test_a_zone_set_where_the_suite_starts_makes_the_failure_time_zone_dependent(
    tmp_path: Path,
) -> None:
    source = "import os\ndef test_a():\n    assert 'TZ' not in os.environ\n"
    project = make_project(tmp_path, {"test_a.py": source})

    found = measured(project, env={"TZ": "America/New_York"})

    finding = leans_on_the_environment(found.inquiry("test_a", alone_red=True))

    assert finding is not None
    assert (finding.category, finding.cause) == (Category.TZD, Cause.ENVIRONMENT_VARIABLE)
    assert "`TZ`" in finding.summary


def test_a_failure_that_ends_under_a_factor_follows_it_backwards(tmp_path: Path) -> None:
    source = """
        import os

        def test_a():
            assert os.environ.get("LC_ALL") == "C"
    """
    found = measured(
        make_project(tmp_path, {"test_a.py": source}), factors=(Factor(name="locale", value="C"),)
    )

    finding = ends_in_a_changed_setting(found.inquiry("test_a", alone_red=True))

    assert finding is not None
    assert (finding.category, finding.cause) == (Category.ENVIRONMENT, Cause.LOCALE)
    assert "fails as the suite is run here and passes with locale=C" in finding.summary


def test_a_date_that_has_passed_is_time_dependence(tmp_path: Path) -> None:
    source = """
        import datetime

        def test_offer_is_valid():
            assert datetime.date.today() < datetime.date(2026, 1, 1)
    """

    found = measured(make_project(tmp_path, {"test_a.py": source}))

    finding = ends_in_a_changed_setting(found.inquiry("is_valid", alone_red=True))

    assert finding is not None
    assert (finding.category, finding.cause) == (Category.TD, Cause.TIME)
    assert "passes with date=-" in finding.summary

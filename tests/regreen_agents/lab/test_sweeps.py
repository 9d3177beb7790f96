import shlex
import subprocess
from pathlib import Path

import pytest

from measured_projects import Measurement, measured
from regreen_agents.domain.findings import Category, Cause, Standing
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Factor, OrderKind, RunSpec, StateKind
from regreen_agents.lab.again import fails_when_run_again, twice_command
from regreen_agents.lab.clock import needs_a_changed_setting
from regreen_agents.lab.signatures import dependent_on, signatures_of
from regreen_agents.lab.sweeps import SWEPT, is_single, setting_of
from target_projects import given, make_project, outcomes

LOCALE = Factor(name="locale", value="C")

SHOP = {
    "stock.py": "SOLD = []\nLABELS = {}\n",
    "test_again.py": """
        import os
        import stock

        def test_sells_once():
            stock.SOLD.append("apple")
            assert stock.SOLD.count("apple") == 1

        def test_labels_anew():
            stock.LABELS["apple"] = "red"
            assert stock.LABELS == {"apple": "red"}

        def test_sets_a_variable():
            assert "SHOP_OPEN" not in os.environ
            os.environ["SHOP_OPEN"] = "yes"
    """,
    "test_place.py": """
        import datetime, os, time

        MADE = os.stat(__file__).st_mtime

        def test_opens_at_midnight_utc():
            assert datetime.datetime.fromtimestamp(0).hour == 0

        def test_opens_in_january():
            assert time.localtime(0).tm_year == 1970

        def test_prints_a_price(tmp_path):
            (tmp_path / "price").write_text("3 \\N{EURO SIGN}")

        def test_is_of_this_month():
            assert datetime.date.today() < datetime.date.fromtimestamp(MADE + 20 * 86400)

        def test_writes_a_fresh_file(tmp_path):
            (tmp_path / "bill").write_text("3")
            assert time.time() - (tmp_path / "bill").stat().st_mtime < 3600

        def test_always_passes():
            pass
    """,
    "test_wrong.py": "def test_adds():\n    assert 1 + 1 == 3\n",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Measurement:
    """A little suite with one test per hidden dependence, measured once."""
    project = make_project(tmp_path_factory.mktemp("sweeps"), SHOP)
    return measured(project, sweeping=True, factors=SWEPT)


def test_a_test_red_only_in_a_sweep_is_dependent_and_its_rate_is_that_of_the_control(
    shop: Measurement,
) -> None:
    found = shop.measured

    signatures = signatures_of(found.runs, found.isolated, found.sweeps)

    dependent = {s.node_id.partition("::")[2]: s for s in signatures if dependent_on(s) is not None}
    assert sorted(dependent) == [
        "test_is_of_this_month",
        "test_opens_at_midnight_utc",
        "test_opens_in_january",
        "test_prints_a_price",
        "test_sells_once",
        "test_sets_a_variable",
    ]
    assert {s.standing for s in dependent.values()} == {Standing.FLAKY}
    assert {(s.flake_rate.failures, s.flake_rate.runs) for s in dependent.values()} == {(0, 2)}
    assert all(s.failure for s in dependent.values())


def test_without_sweeps_the_same_tests_are_steady(shop: Measurement) -> None:
    found = shop.measured

    signatures = signatures_of(found.runs, found.isolated)

    red = {s.node_id for s in signatures if s.standing is not Standing.STABLE_PASS}
    assert red == {"test_wrong.py::test_adds"}


def test_dependent_tests_are_clustered_by_the_setting_they_need(shop: Measurement) -> None:
    clusters = {c.title: [m.node_id.partition("::")[2] for m in c.members] for c in shop.clusters()}

    by_setting = {title.partition(", only ")[2]: names for title, names in clusters.items()}
    assert by_setting["with time-zone=America/New_York"] == [
        "test_opens_at_midnight_utc",
        "test_opens_in_january",
    ]
    assert by_setting["with locale=C"] == ["test_prints_a_price"]
    assert by_setting["with date=+40d"] == ["test_is_of_this_month"]
    assert by_setting[""] == ["test_adds"]
    assert sum("only when it runs twice in a row" in title for title in clusters) == 2


def test_a_test_that_trips_over_itself_is_shown_with_the_state_it_leaves(shop: Measurement) -> None:
    finding = shop.diagnosed("test_sells_once")

    assert (finding.category, finding.cause) == (Category.NIO, Cause.SELF_POLLUTION)
    assert [change.target for change in finding.state] == ["stock.SOLD"]
    assert "By the decision table" not in finding.summary
    assert "with that put back it passes" in finding.summary
    assert (finding.replay, finding.repeats) == (("test_again.py::test_sells_once",), 2)


def test_a_variable_left_set_is_what_a_test_trips_over(shop: Measurement) -> None:
    finding = fails_when_run_again(shop.inquiry("test_sets_a_variable"))

    assert finding is not None
    assert finding.category is Category.NIO
    assert [(c.kind, c.target) for c in finding.state] == [(StateKind.ENVIRONMENT, "SHOP_OPEN")]


@pytest.mark.parametrize(
    ("test", "category", "cause", "factor"),
    [
        ("test_opens_in_january", Category.TZD, Cause.TIME_ZONE, "time-zone=America/New_York"),
        ("test_prints_a_price", Category.ENVIRONMENT, Cause.LOCALE, "locale=C"),
        ("test_is_of_this_month", Category.TD, Cause.TIME, "date=+40d"),
    ],
)
def test_a_factor_is_shown_alone_with_both_rates(
    shop: Measurement, test: str, category: Category, cause: Cause, factor: str
) -> None:
    finding = needs_a_changed_setting(shop.inquiry(test))

    assert finding is not None
    assert (finding.category, finding.cause) == (category, cause)
    assert f"fails with {factor}" in finding.summary
    assert [str(held) for held in finding.factors] == [factor]
    assert "Red in 0/2" in finding.summary
    assert "3/3" in finding.summary


def test_only_what_flipped_is_run_again_under_each_factor(shop: Measurement) -> None:
    again, group, *singles = shop.measured.sweeps

    assert (again.spec.repeats, again.spec.order) == (2, OrderKind.ISOLATED)
    assert len(group.spec.factors) == len(singles) > 1
    assert all(is_single(run.spec) and len(run.results) <= 5 for run in singles)


def test_a_suite_without_hidden_dependence_costs_two_more_runs(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"test_a.py": "def test_a(): pass\ndef test_b(): pass\n"})

    found = measured(project, sweeping=True, factors=SWEPT).measured

    assert setting_of(found.sweeps[0].spec) == "when it runs twice in a row"
    assert len(found.sweeps) == 2
    assert not any(run.red() for run in found.sweeps)


def test_a_module_lost_under_a_factor_takes_its_tests_with_it(tmp_path: Path) -> None:
    files = {
        "test_a.py": "import os\nassert os.environ.get('LC_ALL') != 'C'\ndef test_a(): pass\n",
        "test_b.py": "def test_b(): pass\n",
    }

    found = measured(make_project(tmp_path, files), factors=(LOCALE,))

    [cluster] = found.clusters()
    assert [member.node_id for member in cluster.members] == ["test_a.py::test_a"]
    assert cluster.title.endswith(", only with locale=C")


def test_a_test_that_needs_others_is_not_blamed_on_a_factor(tmp_path: Path) -> None:
    """Red together with the few that flipped, and without any factor, too: order, not locale."""
    files = {
        "test_a.py": """
            import os
            seen = []

            def test_first():
                seen.append(1)

            def test_second():
                assert seen or os.environ.get("PYTEST_XDIST_WORKER")

            def test_locale():
                assert os.environ.get("LC_ALL") != "C"
        """
    }

    found = measured(make_project(tmp_path, files), factors=(LOCALE,))

    titles = [cluster.title for cluster in found.clusters()]
    assert sum("only with locale=C" in title for title in titles) == 1
    assert len(titles) == 2


def test_settings_are_told_in_words() -> None:
    factors = (Factor(name="locale", value="C"), Factor(name="date", value="+40d"))

    assert setting_of(RunSpec()) == ""
    assert setting_of(RunSpec(factors=factors)) == "with locale=C, with date=+40d"
    assert setting_of(RunSpec(repeats=2)) == "when it runs twice in a row"
    assert not is_single(RunSpec())
    assert is_single(RunSpec(repeats=2))
    assert not is_single(RunSpec(repeats=2, factors=factors[:1]))


def test_the_printed_command_runs_a_test_twice_without_regreen(tmp_path: Path) -> None:
    project = make_project(
        tmp_path, {"test_a.py": SHOP["test_again.py"], "stock.py": SHOP["stock.py"]}
    )
    once = project.run(given("test_a.py::test_sells_once"))

    command = twice_command(once.command, NodeId("test_a.py::test_sells_once"))

    done = subprocess.run(
        shlex.split(command), cwd=project.path, capture_output=True, text=True, check=False
    )
    assert outcomes(once) == {"test_sells_once": "passed"}
    assert "1 failed, 1 passed" in done.stdout

"""The lab on a real cargo workspace: measured, sorted and diagnosed with what its runner can do."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from cargo_workspaces import NO_CARGO, SICK_WORKSPACE, CargoProject, cargo_project, has_cargo
from regreen_agents.domain.findings import Category, Cause, Cluster, Finding, TestSignature
from regreen_agents.errors import TargetError
from regreen_agents.lab.clusters import clusters_of
from regreen_agents.lab.concurrency import LOOKS, SIGNIFICANT
from regreen_agents.lab.diagnosis import diagnose
from regreen_agents.lab.lab import Bench, Lab, Measured
from regreen_agents.lab.measure import (
    Measuring,
    collected_ids,
    confirmed_alone,
    first_run,
    further_runs,
    isolated_run,
)
from regreen_agents.lab.other_settings import full_specs
from regreen_agents.lab.signatures import signatures_of
from regreen_agents.lab.statistics import fisher_exact
from regreen_agents.runners.base import capabilities_of, limits_of
from regreen_agents.runners.suites import Suite

needs_cargo = pytest.mark.skipif(not has_cargo(), reason=NO_CARGO)
CARGO = Suite(runner="cargo")
DOC = "till::doc::crates/till/src/lib.rs - add"


@dataclass
class Baseline:
    project: CargoProject
    measured: Measured
    signatures: dict[str, TestSignature]
    clusters: tuple[Cluster, ...]

    def cluster_of(self, name: str) -> Cluster:
        return next(c for c in self.clusters if any(m.node_id.endswith(name) for m in c.members))

    def diagnosed(self, name: str) -> Finding:
        project = self.project
        bench = Bench(project.runner(), project.path, project.logs, reset=lambda: None)
        return diagnose(self.cluster_of(name), Lab(bench, self.measured))


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    project = cargo_project(tmp_path_factory.mktemp("sick"), SICK_WORKSPACE)
    where = Measuring(
        project.runner(), project.path, project.logs, lambda: None, lambda _text: None
    )
    first, _ = first_run(where)
    runs = [first, *further_runs(where, first, 2, seed=1)]
    alone = isolated_run(where, first, watch=True)
    assert alone is not None
    alone = confirmed_alone(where, first, alone)
    signatures = signatures_of(runs, alone)
    clusters, _ = clusters_of(signatures, previous=None)
    short = {s.node_id.rpartition("::")[2]: s for s in signatures}
    return Baseline(project, Measured(tuple(runs), alone), short, clusters)


@needs_cargo
def test_every_test_stands_as_it_was_made(baseline: Baseline) -> None:
    standings = {name: s.standing.value for name, s in baseline.signatures.items()}

    assert standings == {
        "every_second_time_it_rains": "flaky",
        "an_order_is_opened": "flaky",
        "an_order_is_shipped": "flaky",
        "cargo_tells_where_it_is": "stable-pass",
        "a_customer_opens_it": "stable-pass",
        "b_it_is_closed_at_first": "flaky",
        "c_the_rate_is_set": "stable-pass",
        "d_the_rate_is_read": "flaky",
        "e_prices_are_rounded_up": "stable-fail",
        "f_receipts_are_printed": "stable-skip",
        "g_negative_prices_are_refused": "stable-pass",
        "crates/till/src/lib.rs - add": "stable-pass",
        "crates/till/src/lib.rs - add #2": "stable-fail",
    }
    assert len(collected_ids(baseline.measured.runs[0])) == 13
    assert baseline.signatures["e_prices_are_rounded_up"].flake_rate.failures == 3


@needs_cargo
def test_a_victim_is_told_with_its_polluter_and_what_cannot_be_seen(baseline: Baseline) -> None:
    found = baseline.diagnosed("b_it_is_closed_at_first")

    assert (found.category, found.cause) == (Category.OD_VICTIM, Cause.GLOBAL_STATE)
    assert found.polluters == ("till::lib::tests::a_customer_opens_it",)
    assert "cannot be seen with this runner" in found.summary
    commands = [e.command for e in found.evidence]
    assert (
        "cargo test -p till --lib -- --exact tests::a_customer_opens_it "
        "tests::b_it_is_closed_at_first --test-threads=1"
    ) in commands
    assert any("cannot order tests" in e.conclusion for e in found.evidence)


@needs_cargo
def test_a_brittle_test_is_told_with_its_setter(baseline: Baseline) -> None:
    found = baseline.diagnosed("d_the_rate_is_read")

    assert (found.category, found.cause) == (Category.OD_BRITTLE, Cause.MISSING_STATE_SETTER)
    assert found.state_setters == ("till::lib::tests::c_the_rate_is_set",)


@needs_cargo
def test_tests_that_disturb_one_another_in_parallel_are_told_by_two_rates(
    baseline: Baseline,
) -> None:
    found = baseline.diagnosed("an_order_is_shipped")

    assert (found.category, found.cause) == (Category.NOD, Cause.CONCURRENCY)
    assert len(found.victims) == 2
    assert "one by one in 0/8" in found.summary


@needs_cargo
def test_chance_is_told_by_equal_runs_alone(baseline: Baseline) -> None:
    found = baseline.diagnosed("every_second_time_it_rains")

    assert (found.category, found.cause) == (Category.NOD, Cause.UNEXPLAINED)
    assert found.flake_rate is not None
    assert (found.flake_rate.failures, found.flake_rate.runs) == (5, 10)


@needs_cargo
@pytest.mark.parametrize("name", ["e_prices_are_rounded_up", "add #2"])
def test_what_always_fails_is_a_bug_with_its_line(baseline: Baseline, name: str) -> None:
    found = baseline.diagnosed(name)

    assert (found.category, found.cause) == (Category.REAL_BUG, Cause.CODE_BUG)
    assert found.locations[0].path == "crates/till/src/lib.rs"


@needs_cargo
def test_a_workspace_that_does_not_build_is_no_target(tmp_path: Path) -> None:
    broken = SICK_WORKSPACE | {"crates/till/src/lib.rs": "fn"}
    project = cargo_project(tmp_path, broken)
    where = Measuring(
        project.runner(), project.path, project.logs, lambda: None, lambda _text: None
    )

    with pytest.raises(TargetError) as caught:
        first_run(where)

    assert "expected identifier" in caught.value.why
    assert "cargo test --workspace" in caught.value.fix


def test_full_runs_follow_what_a_runner_can(tmp_path: Path) -> None:
    junit = Suite(runner="junit", command=("x", "{junit}"))

    cargo = full_specs(CARGO, 3, seed=5)
    pytests = full_specs(Suite(), 3, seed=5)

    assert [len(spec.factors) for spec in cargo] == [0, 1, 1]
    assert cargo[1] == cargo[2]
    assert [spec.order.value for spec in pytests] == ["file", "random", "reverse-random"]
    assert len(set(full_specs(junit, 3, seed=5))) == 1


def test_what_is_left_out_is_said_for_each_runner() -> None:
    junit = Suite(runner="junit", command=("x", "{junit}"))
    chosen = junit.model_copy(update={"select": "{name}"})

    assert limits_of(Suite()) == ()
    assert "order experiments run chosen subsets" in limits_of(CARGO)[0]
    assert "order experiments are left out" in limits_of(junit)[0]
    assert capabilities_of(chosen).isolates
    assert not capabilities_of(junit).isolates


def test_the_looks_at_two_rates_tell_what_their_docstring_says() -> None:
    first, second = LOOKS

    assert fisher_exact(6, first - 6, 0, first) < SIGNIFICANT < fisher_exact(5, first - 5, 0, first)
    assert fisher_exact(6, second - 6, 0, second) < SIGNIFICANT

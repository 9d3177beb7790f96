"""A real cargo workspace, built and run: outcomes, selection, isolation, deaths, broken builds."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cargo_workspaces import NO_CARGO, SICK_WORKSPACE, CargoProject, cargo_project, has_cargo
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Factor, OrderKind, Outcome, RunEnd, RunSpec
from regreen_agents.errors import StoppedError
from regreen_agents.runners.cargo_build import build_folder
from regreen_agents.runners.process import Stopper
from target_projects import given, marked

pytestmark = pytest.mark.skipif(not has_cargo(), reason=NO_CARGO)

TILL = "till::lib::tests::"
ORDERS = "shop::test/orders::"
PARALLEL = Factor(name="workers", value="4")
DEADLY = """
pub fn zone() -> String {
    std::env::var("TZ").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_passes() {
        assert_eq!(super::zone(), std::env::var("WANTED").unwrap_or_default());
    }

    #[test]
    fn b_aborts() {
        if std::env::var("CALM").is_err() {
            std::process::abort();
        }
    }

    #[test]
    fn c_exits() {
        if std::env::var("CALM").is_err() {
            std::process::exit(7);
        }
    }

    #[test]
    fn d_hangs() {
        while std::env::var("CALM").is_err() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    #[test]
    fn e_writes_over_the_lines() {
        let flood = "yes 'noise ... ok' | head -c 4000000";
        std::process::Command::new("sh").args(["-c", flood]).status().unwrap();
    }
}
"""
PROGRAM = """fn main() {
    std::process::exit(if std::env::var("CALM").is_ok() { 0 } else { 3 });
}
"""
CRATE = '[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n[workspace]\n'
DEADLY_CRATE = {
    "Cargo.toml": CRATE.format(name="deadly")
    + '[[test]]\nname = "own"\nharness = false\n[profile.dev]\ndebug = false\n',
    "src/lib.rs": DEADLY,
    "tests/own.rs": PROGRAM,
}


@pytest.fixture(scope="module")
def sick(tmp_path_factory: pytest.TempPathFactory) -> CargoProject:
    return cargo_project(tmp_path_factory.mktemp("sick"), SICK_WORKSPACE)


@pytest.fixture(scope="module")
def deadly(tmp_path_factory: pytest.TempPathFactory) -> CargoProject:
    return cargo_project(tmp_path_factory.mktemp("deadly"), DEADLY_CRATE)


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    yield
    assert marked() == []


def outcomes(project: CargoProject, spec: RunSpec, **limits: object) -> dict[str, str]:
    run = project.run(spec, **limits)
    return {result.node_id: result.outcome.value for result in run.results}


def test_unit_integration_and_documentation_tests_are_run_and_named(sick: CargoProject) -> None:
    run = sick.run()

    told = {r.node_id: r.outcome.value for r in run.results}
    assert told == {
        "shop::test/chance::every_second_time_it_rains": "passed",
        ORDERS + "an_order_is_opened": "passed",
        ORDERS + "an_order_is_shipped": "passed",
        ORDERS + "cargo_tells_where_it_is": "passed",
        TILL + "a_customer_opens_it": "passed",
        TILL + "b_it_is_closed_at_first": "failed",
        TILL + "c_the_rate_is_set": "passed",
        TILL + "d_the_rate_is_read": "passed",
        TILL + "e_prices_are_rounded_up": "failed",
        TILL + "f_receipts_are_printed": "skipped",
        TILL + "g_negative_prices_are_refused": "passed",
        "till::doc::crates/till/src/lib.rs - add": "passed",
        "till::doc::crates/till/src/lib.rs - add #2": "failed",
    }
    assert (run.end, run.exit_code, run.notes) == (RunEnd.COMPLETE, 101, ())
    assert [r.position for r in run.results] == list(range(13))
    bug = next(r for r in run.results if r.node_id == TILL + "e_prices_are_rounded_up")
    assert bug.failure is not None
    assert bug.failure.message.startswith("assertion `left == right` failed: a price")
    assert bug.failure.frames[-1].path == "crates/till/src/lib.rs"
    ignored = next(r for r in run.results if r.outcome is Outcome.SKIPPED)
    assert ignored.skip_reason == "needs a printer"


def test_chosen_tests_run_alone_and_a_gone_one_did_not_run(sick: CargoProject) -> None:
    victim, setter, brittle = (
        TILL + name
        for name in ("b_it_is_closed_at_first", "c_the_rate_is_set", "d_the_rate_is_read")
    )
    doc = "till::doc::crates/till/src/lib.rs - add #2"

    told = outcomes(sick, given(victim, brittle, doc, "till::lib::gone"))
    together = outcomes(sick, given(setter, brittle))

    assert told == {
        victim: "passed",
        brittle: "failed",
        doc: "failed",
        "till::lib::gone": "not-run",
    }
    assert together == {setter: "passed", brittle: "passed"}


def test_each_alone_is_a_process_of_its_own_with_a_duration(sick: CargoProject) -> None:
    names = [TILL + n for n in ("a_customer_opens_it", "b_it_is_closed_at_first")]
    spec = RunSpec(order=OrderKind.ISOLATED, tests=tuple(map(NodeId, names)))

    run = sick.run(spec)

    assert [r.outcome.value for r in run.results] == ["passed", "passed"]
    assert all(r.duration_seconds > 0 for r in run.results)
    assert run.segments == 2


def test_workers_make_tests_run_beside_one_another(sick: CargoProject) -> None:
    names = [ORDERS + n for n in ("an_order_is_opened", "an_order_is_shipped")]

    one_by_one = outcomes(sick, given(*names))
    in_parallel = sick.run(given(*names, factors=(PARALLEL,)))

    assert set(one_by_one.values()) == {"passed"}
    assert len(in_parallel.red()) >= 1
    assert "--test-threads=4" in in_parallel.command


@pytest.mark.parametrize(
    "asked",
    [
        RunSpec(order=OrderKind.RANDOM, seed=1, tests=(NodeId(TILL + "a_customer_opens_it"),)),
        RunSpec(repeats=2),
        RunSpec(random_seed=3),
        RunSpec(factors=(Factor(name="date", value="+40d"),)),
    ],
)
def test_what_libtest_cannot_do_is_refused_in_words_and_runs_nothing(
    sick: CargoProject, asked: RunSpec
) -> None:
    run = sick.run(asked)

    assert len(run.notes) == 1
    assert all(r.outcome is Outcome.NOT_RUN for r in run.results)


def test_two_trees_never_share_a_build(sick: CargoProject, tmp_path: Path) -> None:
    assert build_folder(sick.builds, sick.path) != build_folder(sick.builds, tmp_path)


def test_a_part_of_the_suite_can_be_chosen_by_the_front_of_its_ids(sick: CargoProject) -> None:
    told = outcomes(sick, RunSpec(), select=("shop::test/orders",))

    assert set(told) == {
        ORDERS + n for n in ("an_order_is_opened", "an_order_is_shipped", "cargo_tells_where_it_is")
    }


def test_deaths_and_hangs_cost_only_the_tests_they_happen_in(deadly: CargoProject) -> None:
    run = deadly.run(test_timeout_seconds=1.0)

    told = {r.node_id.rpartition("::")[2]: r for r in run.results}
    assert {name: r.outcome.value for name, r in told.items()} == {
        "a_passes": "passed",
        "b_aborts": "crashed",
        "c_exits": "crashed",
        "d_hangs": "timeout",
        "e_writes_over_the_lines": "passed",
        "main": "failed",
    }
    aborted, exited = told["b_aborts"].failure, told["c_exits"].failure
    assert aborted is not None
    assert exited is not None
    assert "signal 6" in aborted.message
    assert "exit code 7" in exited.message
    assert run.end is RunEnd.TIMEOUT
    assert run.killer == "deadly::lib::tests::b_aborts"
    assert told["main"].node_id == "deadly::test/own::main"


def test_a_death_in_parallel_is_repeated_one_by_one_to_find_who(deadly: CargoProject) -> None:
    run = deadly.run(RunSpec(factors=(PARALLEL,)), test_timeout_seconds=1.0)

    dead = {r.node_id.rpartition("::")[2] for r in run.results if r.outcome is Outcome.CRASHED}
    assert dead == {"b_aborts", "c_exits"}
    assert any("run again one by one" in note for note in run.notes)


def test_a_stop_ends_the_tests_at_once(deadly: CargoProject) -> None:
    project = replace(deadly, stopper=Stopper())
    hangs = given("deadly::lib::tests::d_hangs")
    project.run(given("deadly::lib::tests::a_passes"))  # built from here on
    timer = threading.Timer(0.5, project.stopper.stop)
    timer.start()

    with pytest.raises(StoppedError):
        project.run(hangs)

    timer.join()


def test_variables_reach_the_tests_and_not_the_build(deadly: CargoProject) -> None:
    zone = Factor(name="time-zone", value="Asia/Kolkata")
    calm = (("CALM", "1"), ("WANTED", "Asia/Kolkata"))

    run = deadly.run(RunSpec(factors=(zone,), extra_env=calm, drop_env=("HOME",)))

    assert {r.outcome for r in run.results} == {Outcome.PASSED}
    assert run.command[:3] == ("env", "-u", "HOME")
    assert "TZ=Asia/Kolkata" in run.command


def test_what_does_not_compile_is_a_failed_collection_and_the_rest_runs(tmp_path: Path) -> None:
    project = cargo_project(
        tmp_path,
        {
            "Cargo.toml": CRATE.format(name="half"),
            "src/lib.rs": "pub fn one() -> u32 { 1 }\n",
            "tests/broken.rs": '#[test]\nfn it() { let x: u32 = "1"; }\n',
            "tests/whole.rs": "#[test]\nfn it() { assert_eq!(half::one(), 1); }\n",
        },
    )

    run = project.run()

    told = {str(r.node_id): r for r in run.results}
    assert told["half::test/whole::it"].outcome is Outcome.PASSED
    broken = told["half/test/broken"]
    assert broken.outcome is Outcome.ERROR
    assert broken.failure is not None
    assert (broken.failure.phase, broken.failure.type) == ("collect", "E0308")
    assert (broken.failure.message, broken.failure.frames[0].line) == ("mismatched types", 2)
    assert broken.failure.frames[0].path == "tests/broken.rs"


def test_a_folder_without_a_crate_says_what_cargo_says(tmp_path: Path) -> None:
    run = cargo_project(tmp_path, {"README.md": "nothing\n"}).run()

    assert run.end is RunEnd.COLLECTION_ERROR
    [failed] = run.results
    assert failed.failure is not None
    assert "Cargo.toml" in failed.failure.message

"""Measure the suite as it is, before anything is touched."""

from regreen.nodes.site import Site
from regreen.state import SprintState
from regreen.store.record import Baseline
from regreen_agents.domain.identity import Model
from regreen_agents.domain.progress import Stage
from regreen_agents.domain.runs import SuiteRun
from regreen_agents.lab.comparison import pass_rate
from regreen_agents.lab.measure import (
    Measuring,
    collected_ids,
    confirmed_alone,
    first_run,
    further_runs,
    isolated_run,
    require_own_code,
)
from regreen_agents.lab.seed_sweep import sweep_seeds
from regreen_agents.lab.sweeps import Control, sweep_again, sweep_surroundings
from regreen_agents.llm.tape_format import LAST
from regreen_agents.llm.tape_orders import orders_named, put_back
from regreen_agents.llm.taped import as_measured, damaged

FORK_SECONDS = 0.05
"""What a test alone in a fork costs, beyond the test itself, with its state watched."""
ALONE_SHARE = 0.2
SWEEP_SHARE = 0.1
ON_TAPE = "baseline"
LOGS = "runs/baseline"
FROM_TAPE = "replayed: measured when the tape was recorded; the gate compares with runs of its own"


class MeasuredOnce(Model):
    """A baseline as a tape holds it: without logs, with the lists that its commands name."""

    baseline: Baseline
    orders: dict[str, str]


def baseline(_state: SprintState, site: Site) -> SprintState:
    """Run the suite N times, and every test alone; keep it as the reference of the sprint."""
    if site.folder.has("baseline.json"):
        return {}
    recorded = site.lab_log.measured(ON_TAPE, LAST)
    if recorded is None:
        measured = measure_base(site, site.info.base, "baseline", sweeping=True)
        orders = orders_named(measured.model_dump_json(), site.folder.path(LOGS))
        on_tape = MeasuredOnce(baseline=_without_logs(measured), orders=orders)
        site.lab_log.keep_measured(ON_TAPE, on_tape)
    else:
        measured = _replayed(site, as_measured(ON_TAPE, MeasuredOnce, recorded))
    site.folder.save_baseline(measured)
    return {}


def _replayed(site: Site, once: MeasuredOnce) -> Baseline:
    """Return what the recording measured; one run here shows how the suite is run here."""
    recorded = once.baseline
    if not recorded.runs:
        raise damaged(ON_TAPE, "It has no run.")
    with (
        site.agent("baseline", Stage.BASELINE) as agent,
        site.tree("baseline", site.info.base) as tree,
    ):
        first, runner = first_run(agent.measuring(tree, "baseline", "runs/replay"))
        require_own_code(first, "A worktree", "the main checkout")
        site.save_policy(runner.policy)
        agent.result = f"{len(collected_ids(recorded.runs[0]))} tests, {FROM_TAPE}"
    put_back(recorded.model_dump_json(), once.orders, site.folder.path(LOGS))
    notes = (*recorded.notes, FROM_TAPE)
    return recorded.model_copy(update={"commit": site.info.base, "notes": notes})


def _without_logs(measured: Baseline) -> Baseline:
    """Return a baseline as a tape holds it: logs stay in the folder of the sprint."""

    def bare(run: SuiteRun) -> SuiteRun:
        return run.model_copy(update={"log_path": ""})

    return measured.model_copy(
        update={
            "runs": tuple(bare(run) for run in measured.runs),
            "isolated": None if measured.isolated is None else bare(measured.isolated),
            "sweeps": tuple(bare(run) for run in measured.sweeps),
        }
    )


def measure_base(site: Site, commit: str, name: str, *, sweeping: bool = False) -> Baseline:
    """Measure one commit, in a worktree of its own.

    Args:
        site: Where.
        commit: What.
        name: Of the worktree and of the folder with the runs' logs.
        sweeping: Run it in changed settings, too; a comparison has no use for that.

    Raises:
        TargetError: There is nothing to measure there, or it would not be that commit's code.
    """
    with site.agent(name, Stage.BASELINE) as agent, site.tree(name, commit) as tree:
        where = agent.measuring(tree, name, f"runs/{name}")
        first, runner = first_run(where)
        require_own_code(first, "A worktree", "the main checkout")
        site.save_policy(runner.policy)
        where = agent.measuring(tree, name, f"runs/{name}")
        runs = [first, *further_runs(where, first, site.info.options.runs, site.info.seed)]
        alone = isolated_run(where, first, watch=True) if _is_affordable(site, first) else None
        if alone is not None:
            alone = confirmed_alone(where, first, alone)
        sweeping = sweeping and runner.policy.suite.is_pytest
        sweeps = _sweeps(site, where, Control(tuple(runs), alone)) if sweeping else ()
        red = {r.node_id for run in runs for r in run.red()}
        agent.result = (
            f"{len(collected_ids(first))} tests, {len(runs)} runs and each alone: "
            f"{len(red)} red in some run, worst pass rate {pass_rate(runs):.1%}" + _disturbed(first)
        )
        return Baseline(
            commit=commit,
            runs=tuple(site.relative(run) for run in runs),
            isolated=None if alone is None else site.relative(alone),
            sweeps=tuple(site.relative(run) for run in sweeps),
            notes=(*runner.policy.notes, *_copies(first), *_not_alone(alone, first))
            + (_unswept(sweeps) if sweeping else ()),
        )


def _is_affordable(site: Site, first: SuiteRun) -> bool:
    """Whether running every test alone leaves most of the time budget to the rest."""
    expected = first.duration_seconds + FORK_SECONDS * len(collected_ids(first))
    return expected < ALONE_SHARE * site.info.options.time_budget_seconds


def _sweeps(site: Site, where: Measuring, control: Control) -> tuple[SuiteRun, ...]:
    """Run the suite in changed settings too, where that leaves most of the time to the rest."""
    allowed = SWEEP_SHARE * site.info.options.time_budget_seconds
    once = control.runs[0].duration_seconds
    twice = 2 * once + FORK_SECONDS * len(collected_ids(control.runs[0]))
    again = sweep_again(where, control) if twice < allowed else ()
    around = sweep_surroundings(where, control) if once < allowed else ()
    return (*again, *around, *sweep_seeds(where, control, allowed))


def _unswept(sweeps: tuple[SuiteRun, ...]) -> tuple[str, ...]:
    if sweeps:
        return ()
    return (
        "no test was run twice in a row or in other surroundings (too slow for the time budget): "
        "tests that fail only there are not seen",
    )


def _not_alone(alone: SuiteRun | None, first: SuiteRun) -> tuple[str, ...]:
    if alone is not None:
        return ()
    if not collected_ids(first):
        return ("nothing can be collected yet: what the files hold will show once they can be",)
    return (
        "no test was run alone (too many for the time budget, or no fork): tests that fail "
        "only alone are not seen",
    )


def _disturbed(run: SuiteRun) -> str:
    """Return how many tests the guards named in a run, in words; nothing for none."""
    tests = {one.where for one in run.disturbances or () if "::" in one.where}
    return f"; surroundings left changed: {len(tests)}" if tests else ""


def _copies(run: SuiteRun) -> tuple[str, ...]:
    if not run.installed_copies:
        return ()
    names = ", ".join(run.installed_copies)
    return (
        f"the tests import an installed copy of {names} from site-packages, not this tree's: "
        "repairs of that code cannot show (pip install -e . helps)",
    )

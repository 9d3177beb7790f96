"""Measure the suite as it is, before anything is touched."""

from regreen.nodes.site import Site
from regreen.state import SprintState
from regreen.store.record import Baseline
from regreen_agents.domain.progress import Stage
from regreen_agents.domain.runs import SuiteRun
from regreen_agents.errors import TargetError
from regreen_agents.lab.comparison import pass_rate
from regreen_agents.lab.measure import (
    collected_ids,
    confirmed_alone,
    first_run,
    further_runs,
    isolated_run,
)

FORK_SECONDS = 0.05
"""What a test alone in a fork costs, beyond the test itself, with its state watched."""
ALONE_SHARE = 0.2


def baseline(_state: SprintState, site: Site) -> SprintState:
    """Run the suite N times, and every test alone; keep it as the reference of the sprint."""
    if not site.folder.has("baseline.json"):
        site.folder.save_baseline(measure_base(site, site.info.base, "baseline"))
    return {}


def measure_base(site: Site, commit: str, name: str) -> Baseline:
    """Measure one commit, in a worktree of its own.

    Raises:
        TargetError: There is nothing to measure there, or it would not be that commit's code.
    """
    with site.agent(name, Stage.BASELINE) as agent, site.tree(name, commit) as tree:
        where = agent.measuring(tree, name, f"runs/{name}")
        first, runner = first_run(where)
        if first.foreign_modules:
            raise TargetError(
                "A worktree does not import its own code.",
                why=f"{', '.join(first.foreign_modules[:5])} came from the main checkout.",
                fix="Install the project in a way that follows the current folder (for example "
                "`pip install -e .` with a plain path entry), or set PYTHONPATH.",
            )
        site.save_policy(runner.policy)
        where = agent.measuring(tree, name, f"runs/{name}")
        runs = [first, *further_runs(where, first, site.info.options.runs, site.info.seed)]
        alone = isolated_run(where, first, watch=True) if _is_affordable(site, first) else None
        if alone is not None:
            alone = confirmed_alone(where, first, alone)
        red = {r.node_id for run in runs for r in run.red()}
        agent.result = (
            f"{len(collected_ids(first))} tests, {len(runs)} runs and each alone: "
            f"{len(red)} red in some run, worst pass rate {pass_rate(runs):.1%}"
        )
        return Baseline(
            commit=commit,
            runs=tuple(site.relative(run) for run in runs),
            isolated=None if alone is None else site.relative(alone),
            notes=(*runner.policy.notes, *_copies(first), *_not_alone(alone)),
        )


def _is_affordable(site: Site, first: SuiteRun) -> bool:
    """Whether running every test alone leaves most of the time budget to the rest."""
    expected = first.duration_seconds + FORK_SECONDS * len(collected_ids(first))
    return expected < ALONE_SHARE * site.info.options.time_budget_seconds


def _not_alone(alone: SuiteRun | None) -> tuple[str, ...]:
    if alone is not None:
        return ()
    return (
        "no test was run alone (too many for the time budget, or no fork): tests that fail "
        "only alone are not seen",
    )


def _copies(run: SuiteRun) -> tuple[str, ...]:
    if not run.installed_copies:
        return ()
    names = ", ".join(run.installed_copies)
    return (
        f"the tests import an installed copy of {names} from site-packages, not this tree's: "
        "repairs of that code cannot show (pip install -e . helps)",
    )

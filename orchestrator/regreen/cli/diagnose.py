"""``regreen diagnose``: why a test fails, shown by experiments; needs no sprint."""

from typing import Annotated

import typer

from regreen.cli import arguments
from regreen.cli.arguments import HERE, JsonOption, RepoOption, VerboseOption

TestsArgument = Annotated[
    list[str], typer.Argument(metavar="TEST...", help="Node ids, as pytest prints them.")
]
MatrixOption = Annotated[
    bool, typer.Option("--matrix", help="Also change every other factor, one at a time.")
]
RunsOption = Annotated[
    int, typer.Option(min=1, metavar="N", help="Full runs before the experiments.")
]
BudgetOption = Annotated[str, typer.Option(metavar="TIME", help="For example 90, 45s, 30m, 1h.")]
UNEXPLAINED_EXIT_CODE = 1


def diagnose(  # noqa: PLR0913 - Typer reads a command's options from its signature
    *,
    tests: TestsArgument,
    repo: RepoOption = HERE,
    matrix: MatrixOption = False,
    runs: RunsOption = 3,
    time_budget: BudgetOption = "30m",
    json: JsonOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Show by experiments why tests fail."""
    from regreen.cli import experiments
    from regreen.laboratory.diagnosing import Depth
    from regreen.laboratory.opening import Wish

    budget = arguments.seconds(time_budget, option="--time-budget")
    wish = Wish(path=repo, command="diagnose", time_budget_seconds=budget)
    shown = experiments.Shown(as_json=json, verbosity=verbose)
    if not experiments.diagnose(wish, shown, tests, Depth(runs, matrix)):
        raise typer.Exit(UNEXPLAINED_EXIT_CODE)

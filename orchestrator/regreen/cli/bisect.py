"""``regreen bisect``: which tests before it make a test fail, or pass; needs no sprint."""

from pathlib import Path
from typing import Annotated

import typer

from regreen.cli import arguments
from regreen.cli.arguments import HERE, JsonOption, RepoOption, VerboseOption
from regreen_agents.errors import UsageError

TestArgument = Annotated[
    str | None, typer.Argument(metavar="TEST", help="A node id, as pytest prints it.")
]
AllOption = Annotated[
    bool, typer.Option("--all", help="Every order-dependent test of the suite, in one campaign.")
]
OrderFileOption = Annotated[
    Path | None,
    typer.Option("--order-file", metavar="FILE", help="An order in which it fails: ids, by line."),
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", min=0, metavar="N", help="Of a random order it fails in.")
]
BudgetOption = Annotated[str, typer.Option(metavar="TIME", help="For example 90, 45s, 30m, 1h.")]
NOT_REPRODUCED_EXIT_CODE = 1


def bisect(  # noqa: PLR0913 - Typer reads a command's options from its signature
    *,
    test: TestArgument = None,
    repo: RepoOption = HERE,
    every: AllOption = False,
    order_file: OrderFileOption = None,
    seed: SeedOption = None,
    time_budget: BudgetOption = "30m",
    json: JsonOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Find the fewest tests that make another one fail, or pass."""
    _require_one(test, every=every)
    if order_file is not None and seed is not None:
        raise UsageError(
            "--order-file and --seed are both given.",
            why="Each names the order in which the test is looked at.",
            fix="Leave one of them out.",
        )
    from regreen.cli import experiments
    from regreen.laboratory.bisecting import Order
    from regreen.laboratory.opening import Wish

    budget = arguments.seconds(time_budget, option="--time-budget")
    wish = Wish(path=repo, command="bisect", time_budget_seconds=budget)
    shown = experiments.Shown(as_json=json, verbosity=verbose)
    if not experiments.bisect(wish, shown, test, Order(order_file, seed)):
        raise typer.Exit(NOT_REPRODUCED_EXIT_CODE)


def _require_one(test: str | None, *, every: bool) -> None:
    if (test is None) is every:
        return
    raise UsageError(
        "A test and --all are both given." if every else "No test is named.",
        why="Either one test is looked at, or every order-dependent one of the suite.",
        fix="Write regreen bisect tests/test_shop.py::test_total, or regreen bisect --all.",
    )

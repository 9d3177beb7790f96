"""``regreen flaky``: which tests do not always end alike; needs no sprint and changes nothing."""

from typing import Annotated

import typer

from regreen.cli import arguments
from regreen.cli.arguments import HERE, JsonOption, PathArgument, VerboseOption

RunsOption = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Full runs; default: for --rate, else configured."),
]
CheckOption = Annotated[
    int | None,
    typer.Option(
        "--flakiness-check", min=2, metavar="[N]", help="Only N identical runs, 3 when left out."
    ),
]
DeterministicOption = Annotated[
    bool,
    typer.Option("--deterministic", help="File order, fixed seeds, one thread for numerics."),
]
TestsOption = Annotated[
    list[str] | None,
    typer.Option(metavar="SELECT", help="Only these tests, as pytest takes them; repeatable."),
]
RateOption = Annotated[
    float | None,
    typer.Option(metavar="R", help="Run often enough to see a failure rate of R, like 0.1."),
]
ConfidenceOption = Annotated[
    float, typer.Option(metavar="C", help="With this probability; for --rate.")
]
SeedOption = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="Of the random orders; default: another each time."),
]
BudgetOption = Annotated[str, typer.Option(metavar="TIME", help="For example 90, 45s, 30m, 1h.")]
FLAKY_EXIT_CODE = 1


def flaky(  # noqa: PLR0913 - Typer reads a command's options from its signature
    *,
    path: PathArgument = HERE,
    runs: RunsOption = None,
    rate: RateOption = None,
    confidence: ConfidenceOption = 0.95,
    flakiness_check: CheckOption = None,
    deterministic: DeterministicOption = False,
    seed: SeedOption = None,
    tests: TestsOption = None,
    time_budget: BudgetOption = "30m",
    json: JsonOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Find the tests that do not always end alike."""
    arguments.share(rate, option="--rate")
    arguments.share(confidence, option="--confidence")
    from regreen.cli import experiments
    from regreen.laboratory.flaky import Precision
    from regreen.laboratory.opening import Wish

    wish = Wish(
        path=path,
        command="flaky",
        select=tuple(tests or ()),
        deterministic=deterministic,
        time_budget_seconds=arguments.seconds(time_budget, option="--time-budget"),
    )
    shown = experiments.Shown(as_json=json, verbosity=verbose)
    if flakiness_check is not None:
        found = experiments.check(wish, shown, runs=flakiness_check)
    else:
        found = experiments.flaky(wish, shown, Precision(runs or 0, rate or 0.0, confidence, seed))
    if found:
        raise typer.Exit(FLAKY_EXIT_CODE)

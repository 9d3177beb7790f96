"""``regreen sprint`` and ``regreen resume``: the commands that let a sprint run."""

from pathlib import Path
from typing import Annotated

import typer

from regreen.cli import arguments
from regreen.cli.arguments import HERE, PathArgument, RepoOption, SprintArgument, VerboseOption

EngineOption = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="Who thinks: embedded, claude, auto, or a configured command's name."
    ),
]
OpinionOption = Annotated[
    str,
    typer.Option(metavar="ENGINE", help="Have this engine explore every cluster, too."),
]
UsdOption = Annotated[
    float, typer.Option(min=0, metavar="USD", help="What models may cost; 0: as configured.")
]
TokensOption = Annotated[
    int, typer.Option(min=0, metavar="N", help="Tokens models may use; 0: as configured.")
]
EstimateOption = Annotated[
    bool, typer.Option("--estimate", help="Only say what models may cost; nothing is run.")
]
RecordOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write what is answered and measured to this tape."),
]
ReplayOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Let this tape answer and measure instead."),
]
RunsOption = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Full runs in baseline and gate; default: configured, else 3."
    ),
]
TestsOption = Annotated[
    list[str] | None,
    typer.Option(metavar="SELECT", help="Only these tests, as pytest takes them; repeatable."),
]
ParallelOption = Annotated[
    int, typer.Option(min=0, metavar="N", help="Agents at once; 0 means one per core.")
]
BudgetOption = Annotated[str, typer.Option(metavar="TIME", help="For example 90, 45s, 30m, 1h.")]
YesPlansOption = Annotated[
    bool,
    typer.Option("--yes-plans", help="Approve every recommended plan without policy decisions."),
]
IntoOption = Annotated[
    str, typer.Option(metavar="BRANCH", help="Merge into this branch; default: the current one.")
]
SquashOption = Annotated[bool, typer.Option("--squash", help="Merge as one commit.")]
DeterministicOption = Annotated[
    bool, typer.Option("--deterministic", help="Fix every seed: same tree, same plans and diffs.")
]


def sprint(  # noqa: PLR0913 - Typer reads a command's options from its signature
    *,
    path: PathArgument = HERE,
    engine: EngineOption = "embedded",
    runs: RunsOption = None,
    tests: TestsOption = None,
    max_parallel: ParallelOption = 0,
    time_budget: BudgetOption = "30m",
    yes_plans: YesPlansOption = False,
    into: IntoOption = "",
    squash: SquashOption = False,
    deterministic: DeterministicOption = False,
    second_opinion: OpinionOption = "",
    budget_usd: UsdOption = 0.0,
    budget_tokens: TokensOption = 0,
    estimate: EstimateOption = False,
    record: RecordOption = None,
    replay: ReplayOption = None,
    verbose: VerboseOption = 0,
) -> None:
    """Measure the suite, plan fixes, and merge what you approve."""
    from regreen.cli import journey
    from regreen.store.record import SprintOptions

    options = SprintOptions(
        engine=engine,
        runs=runs or 0,
        tests=tuple(tests or ()),
        max_parallel=max_parallel,
        time_budget_seconds=arguments.seconds(time_budget, option="--time-budget"),
        yes_plans=yes_plans,
        into=into,
        squash=squash,
        deterministic=deterministic,
        second_opinion=second_opinion,
        budget_usd=arguments.usd(budget_usd),
        budget_tokens=budget_tokens,
        record=arguments.tape(record),
        replay=arguments.tape(replay),
    )
    if estimate:
        journey.estimate(path, options)
        return
    journey.start(path, options, verbosity=verbose)


def resume(
    *, sprint: SprintArgument = None, repo: RepoOption = HERE, verbose: VerboseOption = 0
) -> None:
    """Go on after a decision, a crash, a kill or a reboot."""
    from regreen.cli import journey

    journey.resume(repo, sprint, verbosity=verbose)

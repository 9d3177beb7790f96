"""Tools for whole experiments: which tests before it decide, and which surroundings do."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from regreen_agents.domain.findings import Evidence, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.matrix import Matrix
from regreen_agents.lab.chance import ALONE
from regreen_agents.lab.inquiry import Inquiry
from regreen_agents.lab.lab import Lab, Notebook, evidence_of, is_red
from regreen_agents.lab.matrix import run_matrix
from regreen_agents.lab.matrix_factors import CATALOGUE, available, diagnosis_factors
from regreen_agents.lab.matrix_runs import Settings
from regreen_agents.lab.matrix_trial import told
from regreen_agents.lab.order import needs_a_setter, suffers_from_a_polluter
from regreen_agents.lab.watched import Watched
from regreen_agents.llm.tools.asking import Asked
from regreen_agents.llm.tools.base import Tool, ToolAnswer, ToolProblemError
from regreen_agents.llm.tools.selection import one_test
from regreen_agents.llm.tools.workbench import Toolbench
from regreen_agents.runners.base import capabilities_of

KEPT_RUNS = 15
"""Left in the laboratory for what comes after a matrix."""
MOST_RUNS = 60
FEWEST_RUNS = 8
TIME_SHARE = 0.2
"""Of the seconds left, for one matrix."""


class FindPolluter(Asked):
    """A test whose outcome may depend on those before it."""

    test: str
    """One of this cluster's tests."""


class PerturbationMatrix(Asked):
    """A test, and what to change around it."""

    test: str
    factors: tuple[str, ...] = Field(default=(), max_length=30)
    """Names of factors to try, such as date, time-zone, locale, hash-seed; all when empty."""
    max_runs: int = Field(default=40, ge=FEWEST_RUNS, le=MOST_RUNS)


def find_polluter(bench: Toolbench) -> Tool[FindPolluter]:
    """Return the tool that finds the smallest set of tests that decides how another ends."""

    def run(asked: FindPolluter) -> ToolAnswer:
        inquiry_of = _inquiry(one_test(asked.test, bench), bench)
        with bench.experimenting() as lab:
            inquiry = inquiry_of(lab)
            found = _by_order(inquiry)
        pages = inquiry.notebook.pages
        return bench.answer(_order_text(inquiry, found), pages)

    return Tool(
        name="find_polluter",
        description=(
            "Find the minimal set of tests after which a test fails though it passes alone "
            "(polluters), or passes though it fails alone (state-setters), the state they pass on, "
            "and tests that clean it up. Takes many runs; delta debugging on a failing order."
        ),
        asked=FindPolluter,
        run=run,
        experiment=True,
    )


def perturbation_matrix(bench: Toolbench) -> Tool[PerturbationMatrix]:
    """Return the tool that changes one thing about a test's surroundings at a time."""

    def run(asked: PerturbationMatrix) -> ToolAnswer:
        test = one_test(asked.test, bench)
        unknown = sorted(set(asked.factors) - set(CATALOGUE))
        if unknown:
            raise ToolProblemError(
                f"There is no factor {unknown[0][:60]!r}; there are {', '.join(CATALOGUE)}."
            )
        with bench.experimenting() as lab:
            watched = Watched(lab)
            matrix = _matrix(asked, test, watched)
        return bench.answer(_matrix_text(matrix, test), _matrix_page(matrix, test, watched))

    return Tool(
        name="perturbation_matrix",
        description=(
            "Change the surroundings of one test, one factor at a time, all else held and always "
            "beside control runs; tells which factors flip its outcome, with the rates."
        ),
        asked=PerturbationMatrix,
        run=run,
        experiment=True,
    )


@dataclass(frozen=True)
class _Inquirer:
    """Begins an inquiry about one member in whichever laboratory it is to be made in."""

    test: NodeId
    bench: Toolbench

    def __call__(self, lab: Lab) -> Inquiry:
        cluster = self.bench.cluster
        [signature] = [m for m in cluster.members if m.node_id == self.test]
        return Inquiry(cluster, lab, Notebook(lab), self.test, signature)


def _inquiry(test: NodeId, bench: Toolbench) -> _Inquirer:
    members = [m.node_id for m in bench.cluster.members]
    if test not in members:
        raise ToolProblemError(
            f"{test} is none of this cluster's tests, which are: {', '.join(members[:10])}."
        )
    can = capabilities_of(bench.lab.bench.runner.policy.suite)
    if not can.orders or not can.is_python:
        raise ToolProblemError("This suite's runner cannot order tests; use run_tests.")
    return _Inquirer(test, bench)


def _by_order(inquiry: Inquiry) -> Finding | None:
    """Run the test alone, then look for polluters or, where it fails alone, for setters."""
    lab, victim = inquiry.lab, inquiry.victim
    inquiry.alone_red = is_red(lab.outcome([victim], ALONE))
    word = "fails" if inquiry.alone_red else "passes"
    inquiry.notebook.write(
        "How does it end alone?", lab.last_run([victim], ALONE), victim, f"Alone it {word}."
    )
    return needs_a_setter(inquiry) if inquiry.alone_red else suffers_from_a_polluter(inquiry)


def _order_text(inquiry: Inquiry, found: Finding | None) -> str:
    shown = [f"- {page.question} {page.conclusion}" for page in inquiry.notebook.pages]
    if found is None:
        opposite = "passed" if inquiry.alone_red else "failed"
        seen = inquiry.settings(red=not inquiry.alone_red)
        why = (
            "the order in which that was seen does not show it again, or does not decide"
            if any(setting.prefix for setting in seen)
            else f"in no run of the baseline has it {opposite} after other tests"
        )
        return "\n".join([f"Order is not shown to decide: {why}.", *shown])
    names = (
        ("polluters", found.polluters),
        ("state-setters", found.state_setters),
        ("cleaners", found.cleaners),
        ("all tests seen to do the same", found.all_polluters),
    )
    lists = [f"{word}: {', '.join(tests)}" for word, tests in names if tests]
    state = [f"state: {c.kind.value} {c.target}: {c.before} -> {c.after}" for c in found.state]
    return "\n".join([found.summary, *lists, *state, *shown])


def _matrix(asked: PerturbationMatrix, test: NodeId, watched: Watched) -> Matrix:
    bench = watched.lab.bench
    allowed = min(asked.max_runs, watched.lab.runs_left - KEPT_RUNS)
    if allowed < FEWEST_RUNS:
        raise ToolProblemError(f"Only {watched.lab.runs_left} runs are left, too few for a matrix.")
    wanted = [f for f in diagnosis_factors(test) if not asked.factors or f.name in asked.factors]
    kept, missing = available(wanted, bench.runner.policy.target)
    settings = Settings(max_runs=allowed, max_seconds=TIME_SHARE * bench.seconds_left())
    matrix = run_matrix(watched, [test], kept, settings)
    return matrix.model_copy(update={"untried": (*matrix.untried, *missing)})


def _matrix_text(matrix: Matrix, test: NodeId) -> str:
    cells = [cell for cell in matrix.cells if cell.node_id == test]
    control = cells[0].control if cells else None
    lines = [f"{test}: {len(matrix.tried)} factors tried, {matrix.control_runs} control runs"]
    if control is not None:
        lines.append(f"with nothing changed it fails in {control}")
    lines += [f"FLIPS: {told(cell)}" for cell in cells if cell.flips]
    lines += [f"doubtful: {cell.factor}: {cell.note}" for cell in cells if cell.note]
    calm = [str(cell.factor) for cell in cells if not cell.flips and not cell.note]
    lines.append(f"no flip: {', '.join(calm) or 'none'}")
    lines += [f"not tried: {one.factor}: {_reason(one.reason)}" for one in matrix.untried]
    return "\n".join([*lines, *matrix.notes])


def _reason(reason: str) -> str:
    """Return why a factor was left out, without seconds: they differ between machines."""
    return "the time for a matrix was used up before" if "s were used up" in reason else reason


def _matrix_page(matrix: Matrix, test: NodeId, watched: Watched) -> Sequence[Evidence]:
    """Return the matrix as one experiment: a run that shows a flip, else the last one made."""
    if not watched.runs:
        return ()
    flips = matrix.flipped(test)
    shown = next((run for cell in flips if (run := watched.showing(cell))), watched.runs[-1])
    question = (
        f"Which surroundings turn it? {len(matrix.tried)} factors, one at a time, beside "
        f"{matrix.control_runs} runs with nothing changed."
    )
    conclusion = "; ".join(told(cell) for cell in flips) or "None of them turns it."
    return (evidence_of(question, shown, test, conclusion),)

"""Tools that run tests: the laboratory's knobs, and the evidence so far."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from regreen_agents.domain.findings import Evidence
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Outcome, SuiteRun, TestResult
from regreen_agents.lab.lab import Lab, counts_text, evidence_of, is_red
from regreen_agents.llm.tools.asking import Asked
from regreen_agents.llm.tools.base import Tool, ToolAnswer
from regreen_agents.llm.tools.knobs import Knobs, spec_of
from regreen_agents.llm.tools.selection import chosen_tests
from regreen_agents.llm.tools.stable import failure_text, stable
from regreen_agents.llm.tools.workbench import Toolbench
from regreen_prompts.text import clean_text, one_line

MAX_FAILURES = 8
"""Failures told in full."""
MAX_ROWS = 300
OUTPUT_TAIL = 1500
"""Characters of what a failing test printed."""
MAX_CHANGES = 40


class RunTests(Knobs):
    """Tests to run, and how."""

    tests: tuple[str, ...] = Field(min_length=1, max_length=300)
    """Test ids in the order in which they are to run; a file stands for its tests in file order."""
    question: str = Field(default="", max_length=300)
    """What you want to find out: it heads the evidence a person reads."""
    each_alone: bool = False
    """Run every test in a process of its own instead of one after another in the same."""
    times: int = Field(default=1, ge=1, le=20)
    """Fresh processes with the same settings, to see whether the outcome varies."""
    show_state: bool = False
    """Tell what each test leaves changed in process-wide state."""


class LastEvidence(Asked):
    """Which experiments."""

    numbers: tuple[int, ...] = Field(default=(), max_length=50)
    """Such as 3 for E3; all of them when empty."""


def run_tests(bench: Toolbench) -> Tool[RunTests]:
    """Return the tool that runs chosen tests in the order given, on the tree with the draft."""

    def run(asked: RunTests) -> ToolAnswer:
        tests = chosen_tests(asked.tests, bench)
        spec = spec_of(asked, tests, bench, alone=asked.each_alone)
        spec = spec.model_copy(update={"watch_state": asked.show_state})
        with bench.experimenting() as lab:
            runs = [lab.run(spec) for _ in range(asked.times)]
            about = _about(runs, tests)
            text = _told(runs, tests, lab)
        shown = next((r for r in runs if is_red(r.outcome_of(about))), runs[-1])
        question = one_line(asked.question) or f"How do {len(tests)} tests end like this?"
        page = evidence_of(question, shown, about, _conclusion(runs, about))
        return bench.answer(text, [page])

    return Tool(
        name="run_tests",
        description=(
            "Run tests in the order given, in one process, with the seeds, folder, variables and "
            "surroundings you choose. The tree is as committed (with your edits) before each run. "
            "Every call is kept as evidence."
        ),
        asked=RunTests,
        run=run,
        experiment=True,
    )


def last_evidence(bench: Toolbench) -> Tool[LastEvidence]:
    """Return the tool that tells the experiments so far again."""

    def run(asked: LastEvidence) -> ToolAnswer:
        pages = list(enumerate(bench.evidence(), start=1))
        wanted = [(n, page) for n, page in pages if not asked.numbers or n in asked.numbers]
        text = "\n\n".join(evidence_text(page, f"E{n}") for n, page in wanted)
        return bench.answer(text or "There is no such evidence.")

    return Tool(
        name="last_evidence",
        description="Tell again what the experiments so far have shown, by their numbers.",
        asked=LastEvidence,
        run=run,
        parallel=True,
    )


def evidence_text(page: Evidence, number: str) -> str:
    """Return one experiment in words, without its command."""
    head = f"{number}: {page.question} ({page.counts}) -> {page.conclusion}"
    return head if not page.output else f"{head}\n{_indented(page.output)}"


def _about(runs: Sequence[SuiteRun], tests: Sequence[NodeId]) -> NodeId:
    """Return the test the evidence is about: the first that was red, else the last one asked."""
    red = {r.node_id for run in runs for r in run.red()}
    return next((test for test in tests if test in red), tests[-1])


def _conclusion(runs: Sequence[SuiteRun], about: NodeId) -> str:
    ends = Counter(_word(run.outcome_of(about)) for run in runs)
    told = ", ".join(f"{word} {n} times" for word, n in sorted(ends.items()))
    return f"{about}: {told if len(runs) > 1 else next(iter(ends))}."


def _word(outcome: Outcome | None) -> str:
    return "did not run" if outcome is None else outcome.value


def _told(runs: Sequence[SuiteRun], tests: Sequence[NodeId], lab: Lab) -> str:
    """Return what runs with equal settings say: a row per test, failures, notes."""
    first = runs[0]
    title = f"{counts_text(first)} (run: {first.end.value}, exit {_exit(first)})"
    if len(runs) > 1:
        title = f"{len(runs)} runs: " + "; ".join(counts_text(run) for run in runs)
    rows = [_row(test, runs) for test in _in_order(runs, tests)[:MAX_ROWS]]
    parts = [title, *rows, *_failures(runs, lab), *_changes(first)]
    parts += [f"note: {note}" for note in first.notes]
    if first.killer is not None:
        parts.append(f"The process died or hung in {first.killer}.")
    if first.foreign_modules:
        parts.append(f"Not loaded from this tree: {', '.join(first.foreign_modules[:10])}")
    if not first.results:
        parts += ["Nothing ran. The output:", stable(_log_tail(first), lab)]
    return "\n".join(parts)


def _exit(run: SuiteRun) -> str:
    return "by a limit or in several processes" if run.exit_code is None else str(run.exit_code)


def _in_order(runs: Sequence[SuiteRun], tests: Sequence[NodeId]) -> list[NodeId]:
    ran = [r.node_id for run in runs for r in run.results]
    return list(dict.fromkeys((*tests, *ran)))


def _row(test: NodeId, runs: Sequence[SuiteRun]) -> str:
    ends = [_ends(test, run) for run in runs]
    told = ends[0] if len(set(ends)) == 1 else " | ".join(ends)
    return f"{told}  {clean_text(test)}"


def _ends(test: NodeId, run: SuiteRun) -> str:
    result = next((r for r in run.results if r.node_id == test), None)
    if result is None:
        return "did-not-run"
    return ",".join(outcome.value for outcome in (*result.earlier, result.outcome))


def _failures(runs: Sequence[SuiteRun], lab: Lab) -> list[str]:
    """Return each different failure once, the first in full."""
    seen: dict[str, str] = {}
    for result in (result for run in runs for result in run.red()):
        text = _failure(result, lab)
        if text:
            seen.setdefault(text, result.node_id)
    told = [f"\n{clean_text(test)}\n{text}" for text, test in list(seen.items())[:MAX_FAILURES]]
    more = len(seen) - MAX_FAILURES
    return [*told, f"({more} more different failures)"] if more > 0 else told


def _failure(result: TestResult, lab: Lab) -> str:
    if result.failure is None:
        return ""
    text = failure_text(result.failure, lab)
    output = result.failure.output_tail[-OUTPUT_TAIL:].strip()
    printed = f"\nprinted:\n{stable(clean_text(output), lab)}" if output else ""
    return _indented(text + printed)


def _changes(run: SuiteRun) -> list[str]:
    told = [
        f"{c.node_id} changed {c.kind.value} {c.target}: {c.before} -> {c.after}"
        for c in run.state_changes[:MAX_CHANGES]
    ]
    return ["\nstate left changed:", *told] if told else []


def _log_tail(run: SuiteRun) -> str:
    raw = Path(run.log_path).read_bytes()[: OUTPUT_TAIL * 4]
    return clean_text(raw.decode("utf-8", "replace"))[-OUTPUT_TAIL:]


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())

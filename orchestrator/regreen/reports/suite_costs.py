"""What tests cost in time, processor and memory, and which to run in a chunk of their own."""

from collections.abc import Sequence

from regreen.reports.markdown import NOT_SHOWN, counted, paragraphs, seconds, share, table
from regreen.reports.tallies import Tally
from regreen_agents.domain.runs import SuiteRun
from regreen_agents.lab.telemetry import (
    Chunk,
    Chunking,
    Measure,
    chunk,
    chunk_commands,
    hungriest,
    measures,
    module_totals,
)
from regreen_agents.runners.target import quote
from regreen_prompts import code_span, fence

SLOWEST_SHOWN = 10
HUNGRIEST_SHOWN = 5
MODULES_SHOWN = 5
LEAST_GROWTH_KIB = 1024
"""A test that raised the peak by less is not worth a line."""


def costs(tally: Tally, select: Sequence[str]) -> str:
    """Return the slowest tests and files, those that raised the memory, and the slow chunk.

    Args:
        tally: One tree's runs.
        select: The arguments that chose its suite.
    """
    found = measures(tally.runs)
    if not found:
        return f"What tests cost: {NOT_SHOWN}, no run timed any."
    return paragraphs(
        (_slowest(found), _files(tally), _memory(tally, found), _apart(tally, select))
    )


def _slowest(found: Sequence[Measure]) -> str:
    ordered = sorted(found, key=lambda m: (-m.seconds, m.node_id))[:SLOWEST_SHOWN]
    total = sum(m.seconds for m in found)
    rows = [(code_span(m.node_id), seconds(m.seconds), _cpu(m), str(m.position)) for m in ordered]
    title = f"Slowest {len(rows)} of {counted(len(found), 'test')} ({seconds(total)} in all):"
    return paragraphs((title, table(("Test", "Time", "Processor", "Position"), rows)))


def _cpu(measure: Measure) -> str:
    return NOT_SHOWN if measure.cpu_seconds is None else seconds(measure.cpu_seconds)


def _files(tally: Tally) -> str:
    told = [
        f"{code_span(t.path)} {seconds(t.seconds)} ({100 * t.share:.0f} %)"
        for t in module_totals(tally.runs)[:MODULES_SHOWN]
    ]
    return f"By file: {', '.join(told)}."


def _memory(tally: Tally, found: Sequence[Measure]) -> str:
    if all(m.grown_kib is None for m in found):
        return f"Memory: {NOT_SHOWN}, no run in one process measured it."
    grew = [m for m in hungriest(tally.runs, HUNGRIEST_SHOWN) if _kib(m) >= LEAST_GROWTH_KIB]
    if not grew:
        return "Memory: no test raised the peak of its process by 1 MiB or more."
    rows = [(code_span(m.node_id), f"{_kib(m) / 1024:.1f} MiB") for m in grew]
    return paragraphs(("Memory:", table(("Test", "Raised the peak of its process by"), rows)))


def _kib(measure: Measure) -> int:
    return measure.grown_kib or 0


def _apart(tally: Tally, select: Sequence[str]) -> str:
    found = chunk(tally.runs)
    if found.verdict is Chunking.NONE:
        return "No test is so slow that a chunk of its own would pay."
    number = share(len(found.slow), len(measures(tally.runs)))
    told = (
        f"**Slow tests apart** ({number}): {seconds(found.slow_seconds)} for them, "
        f"{seconds(found.rest_seconds)} for the rest, {seconds(found.saved_seconds)} saved when "
        f"both run side by side; {found.rest_limits.test_seconds:.0f} s would then do as the time "
        "limit of every other test."
    )
    return paragraphs((told, _commands(found, tally.reference, select)))


def _commands(found: Chunk, suite: SuiteRun | None, select: Sequence[str]) -> str:
    if suite is None:
        return ""
    tests = [result.node_id for result in suite.results]
    told = chunk_commands(found, suite.command, tests, select)
    return fence("\n".join(map(quote, told)), "bash") if told else ""

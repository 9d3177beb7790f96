"""The trail behind the numbers: verdict, receipts, decisions, doubts, files (R23, R39)."""

from collections.abc import Iterator

from regreen.reports.facts import Facts
from regreen.reports.markdown import bullets, paragraphs, short, table
from regreen.reports.tallies import Tally
from regreen.store.record import SprintRecord
from regreen_agents.domain.runs import RunEnd, SuiteRun
from regreen_agents.domain.verdicts import Verdict
from regreen_prompts import code_span, prose


def audit_section(facts: Facts) -> str:
    """Return verdict, receipts, decisions, notes, and where stored numbers disagree."""
    return paragraphs(
        (
            _verdict(facts.record),
            _receipts(facts.record),
            _decisions(facts.record),
            "**Runs**",
            _runs(facts),
            "**Doubts**",
            bullets(doubts(facts)),
        )
    )


def _verdict(record: SprintRecord) -> str:
    verdict = record.verdict
    if verdict is None:
        return "**Verdict:** not reached."
    return (
        f"**Verdict:** {verdict.kind}: {prose(verdict.reason)} Tree {code_span(verdict.tree)}, "
        f"head {code_span(short(verdict.head))}, on {code_span(short(verdict.base))}; train "
        f"{', '.join(verdict.train) or 'empty'}."
    )


def _receipts(record: SprintRecord) -> str:
    listed = ", ".join(code_span(path) for path in record.verdict_receipts)
    return f"**Receipts:** {listed or 'none stored'}."


def _decisions(record: SprintRecord) -> str:
    rows = [
        (
            a.door,
            a.plan,
            a.decision.value,
            prose(a.by),
            prose(a.at),
            code_span(a.subject[:19]),
            prose(a.why),
        )
        for a in record.approvals
    ]
    if not rows:
        return "**Decisions:** none recorded."
    header = ("Door", "Plan", "Decision", "By", "At", "Subject", "Why")
    note = "Whether a decision fits the text or tree as it is now is checked when it is used."
    return paragraphs(("**Decisions**", table(header, rows), note))


def _runs(facts: Facts) -> str:
    sides = (("base", facts.before), ("candidate", facts.after))
    rows = [_run_row(name, run) for name, tally in sides for run in _every(tally)]
    header = ("Tree", "Order", "Seed", "End", "Exit", "Tests", "Log", "Log digest")
    return table(header, rows) if rows else "- none recorded"


def _every(tally: Tally | None) -> tuple[SuiteRun, ...]:
    if tally is None:
        return ()
    return (*tally.runs, tally.isolated) if tally.isolated else tally.runs


def _run_row(tree: str, run: SuiteRun) -> tuple[str, ...]:
    return (
        tree,
        run.spec.order.value,
        "-" if run.spec.seed is None else str(run.spec.seed),
        run.end.value,
        "killed" if run.exit_code is None else str(run.exit_code),
        str(len(run.results)),
        code_span(run.log_path) if run.log_path else "not kept",
        code_span(run.log_digest[:19]) if run.log_digest else "none",
    )


def doubts(facts: Facts) -> Iterator[str]:
    """Yield every place where the record contradicts itself or a run went wrong."""
    for name, tally in (("base", facts.before), ("candidate", facts.after)):
        for run in _every(tally):
            yield from _run_doubts(name, run)
    baseline, verdict = facts.record.baseline, facts.record.verdict
    yield from (f"base: {prose(note)}" for note in (baseline.notes if baseline else ()))
    if verdict:
        yield from _verdict_doubts(facts, verdict)


def _run_doubts(name: str, run: SuiteRun) -> Iterator[str]:
    label = f"{name}, {run.spec.order} run"
    if run.collected != len(run.results):
        yield (
            f"{label}: the stored total says {run.collected} collected, the results list "
            f"{len(run.results)}; the report counts the results."
        )
    if run.end is not RunEnd.COMPLETE:
        killer = f", during {code_span(run.killer)}" if run.killer else ""
        yield f"{label}: ended as {run.end}{killer}."
    if run.foreign_modules:
        modules = ", ".join(code_span(module) for module in run.foreign_modules)
        yield f"{label}: project modules loaded from outside the tree: {modules}."
    yield from (f"{label}: {prose(note)}" for note in run.notes)


def _verdict_doubts(facts: Facts, verdict: Verdict) -> Iterator[str]:
    pairs = (
        ("before", verdict.counts_before, facts.before),
        ("after", verdict.counts_after, facts.after),
    )
    for name, stored, tally in pairs:
        counted = {o.value: n for o, n in tally.counts.items()} if tally else None
        if counted is None:
            yield f"the verdict's counts {name} have no runs to check them against."
        elif {k: v for k, v in stored.items() if v} != counted:
            yield (
                f"the verdict's stored counts {name} ({_told(stored)}) differ from the runs' "
                f"results ({_told(counted)}); the report counts the results."
            )
    if facts.record.merge and facts.record.merge.tree != verdict.tree:
        yield "the merged tree is not the tree of the last verdict."


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "nothing"


def index_section(facts: Facts) -> str:
    """Return the files of the sprint's folder that this record implies."""
    record = facts.record
    files = [("sprint.json", "how the sprint began"), ("events.jsonl", "what happened, in order")]
    if record.baseline:
        files.append(("baseline.json", "the base's runs"))
    if record.triage:
        files += [
            ("triage.json", "signatures and clusters"),
            ("failures.json", "red tests, for programs"),
            ("cluster_mapping.md", "red tests by cluster, for people"),
        ]
    files += [(f"plans/{p.id}.md", f"plan {p.id}") for p in facts.plans]
    files += [(f"refusals/{r.id}.json", f"refusal {r.id}") for r in facts.refusals]
    files += [(f"evidence/{p.id}/", f"evidence of {p.id}") for p in facts.plans]
    files += [(path, "receipt of a verdict") for path in record.verdict_receipts]
    files += [
        ("fix_plan.md", "ledger of attempts"),
        ("reports/report.md", "this report"),
        ("reports/next_steps.md", "what is left, and what it needs"),
    ]
    return table(("File", "What it is"), [(code_span(path), prose(what)) for path, what in files])

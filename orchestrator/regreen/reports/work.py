"""Who did what: agents per phase, stages with their state, files changed."""

from collections import defaultdict

from regreen.approvals import Decision
from regreen.reports.facts import Facts
from regreen.reports.markdown import (
    NOT_REACHED,
    NOT_RECORDED,
    bullets,
    counted,
    paragraphs,
    seconds,
    table,
)
from regreen.reports.plan_results import is_live
from regreen.reports.spending import spending
from regreen.store.record import AgentRecord
from regreen_agents.domain.changes import FileStat
from regreen_prompts import code_span, prose

PHASES = ("baseline", "triage", "explore", "implement", "gate", "merge")

_DOCUMENTS = (".md", ".rst", ".txt")
_SETTINGS = (".toml", ".cfg", ".ini", ".yml", ".yaml", ".json", ".lock")


def agents_section(facts: Facts) -> str:
    """Return agents, times and result lines per phase, and the sprint's totals (R1, R4, R24)."""
    agents = facts.record.agents
    if not agents:
        return f"{NOT_RECORDED.capitalize()}: no agent has finished."
    by_phase = {phase: [a for a in agents if a.phase == phase] for phase in PHASES}
    rows = [_phase_row(phase, group) for phase, group in by_phase.items() if group]
    rows.append(_phase_row("all", list(agents)))
    header = ("Phase", "Agents", "Time, added up", "Test runs", "Time in tests")
    lists = (_phase_list(phase, group) for phase, group in by_phase.items() if group)
    return paragraphs((table(header, rows), spending(facts), *lists))


def _phase_row(phase: str, group: list[AgentRecord]) -> tuple[str, ...]:
    return (
        phase,
        str(len(group)),
        seconds(sum(a.seconds for a in group)),
        str(sum(a.test_runs for a in group)),
        seconds(sum(a.test_seconds for a in group)),
    )


def _phase_list(phase: str, group: list[AgentRecord]) -> str:
    lines = (
        f"{number}. {code_span(a.role)}: {prose(a.result)} ({seconds(a.seconds)})"
        for number, a in enumerate(group, 1)
    )
    return f"**{phase}** ({counted(len(group), 'agent')})\n\n" + "\n".join(lines)


def agent_counts(facts: Facts) -> str:
    """Return ``4 explore + 3 implement`` over the phases that had agents."""
    counts = ((p, sum(1 for a in facts.record.agents if a.phase == p)) for p in PHASES)
    return " + ".join(f"{number} {phase}" for phase, number in counts if number) or NOT_RECORDED


def phases_section(facts: Facts) -> str:
    """Return one box per stage, pending ones included (R36)."""
    record = facts.record
    clusters = record.triage.clusters if record.triage else ()
    answered = {p.cluster for p in record.plans} | {r.cluster for r in record.refusals}
    explored = sum(1 for c in clusters if c.id in answered)
    approved = [p for p in facts.plans if facts.said(p.id, "plan") is Decision.APPROVED]
    decided = sum(1 for p in facts.plans if facts.said(p.id, "plan") or facts.refusal(p.id))
    done = sum(1 for p in approved if p.id in facts.changes or facts.refusal(p.id))
    stages = (
        (facts.before is not None, f"baseline: {_runs(facts)}"),
        (record.triage is not None, _triage(facts)),
        (_all(explored, len(clusters)), "explore: " + _of(explored, len(clusters), "clusters")),
        (
            _all(decided, len(facts.plans)),
            "review: " + _of(decided, len(facts.plans), "plans decided"),
        ),
        (_all(done, len(approved)), "implement: " + _of(done, len(approved), "approved plans")),
        (record.verdict is not None, f"gate: {_verdict(facts)}"),
        (_commits_decided(facts), "approve: every commit of the train decided"),
        (record.merge is not None, "merge"),
    )
    return "\n".join(f"- [{'x' if reached else ' '}] {text}" for reached, text in stages)


def _all(done: int, wanted: int) -> bool:
    return wanted > 0 and done >= wanted


def _of(done: int, wanted: int, noun: str) -> str:
    return f"{done} of {wanted} {noun}" if wanted else "nothing to do yet"


def _triage(facts: Facts) -> str:
    triage = facts.record.triage
    return "triage" + (f": {counted(len(triage.clusters), 'cluster')}" if triage else "")


def _runs(facts: Facts) -> str:
    return counted(len(facts.before.runs), "full run") if facts.before else "not measured"


def _verdict(facts: Facts) -> str:
    verdict = facts.record.verdict
    return f"verdict {verdict.kind}" if verdict else "no verdict"


def _commits_decided(facts: Facts) -> bool:
    train = facts.record.verdict.train if facts.record.verdict else ()
    return bool(train) and all(facts.said(plan, "commit") for plan in train)


def files_section(facts: Facts) -> str:
    """Return changed files by category with line counts, of plans still alive (R16)."""
    if not facts.record.changes:
        return NOT_REACHED
    groups: dict[str, dict[str, list[FileStat]]] = defaultdict(lambda: defaultdict(list))
    for change in facts.record.changes:
        if is_live(facts, change.plan):
            for stat in change.files:
                groups[category_of(stat.path)][stat.path].append(stat)
    rows = [
        (category, code_span(path), *_lines(stats))
        for category, files in sorted(groups.items())
        for path, stats in sorted(files.items())
    ]
    every = [s for files in groups.values() for stats in files.values() for s in stats]
    rows.append(("all", counted(len(rows), "file"), *_lines(every)))
    enabled = bullets(code_span(n) for n in facts.re_enabled)
    return paragraphs(
        (
            table(("Category", "File", "Added", "Removed"), rows),
            f"Tests skipped before that pass now: {len(facts.re_enabled)}.",
            enabled if facts.re_enabled else "",
        )
    )


def _lines(stats: list[FileStat]) -> tuple[str, str]:
    return str(sum(s.added for s in stats)), str(sum(s.removed for s in stats))


def category_of(path: str) -> str:
    """Return tests, documents, settings or source, judged by the path alone."""
    *folders, name = path.split("/")
    if {"test", "tests", "testing"} & set(folders) or name.startswith(("test_", "conftest")):
        return "tests"
    if name.endswith(_DOCUMENTS):
        return "documents"
    return "settings" if name.endswith(_SETTINGS) else "source"

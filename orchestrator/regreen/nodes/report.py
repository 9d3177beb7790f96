"""Write what happened, and take the scaffolding down."""

from regreen.nodes.site import Site, work_span
from regreen.nodes.triage import HEALTHY
from regreen.reports.next_steps import next_steps
from regreen.reports.summary import sprint_report
from regreen.state import SprintState
from regreen.store import baselines
from regreen.store.ledger import render_ledger
from regreen.store.record import SprintRecord
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.verdicts import Delta
from regreen_agents.workspace.commits import delete_refs

REPORT = "reports/report.md"


def report(_state: SprintState, site: Site) -> SprintState:
    """Write the reports, record the baseline for the next sprint, remove worktrees and refs."""
    write_reports(site)
    _record_baseline(site)
    site.worktrees.remove_all()
    delete_refs(site.repository, site.info.id)
    return {}


def write_reports(site: Site) -> None:
    """Write report, next steps and ledger from the sprint's folder as it is now."""
    work_span(site)
    record = site.folder.record()
    site.folder.write_text(REPORT, sprint_report(record))
    site.folder.write_text("reports/next_steps.md", next_steps(record))
    site.folder.write_text("fix_plan.md", render_ledger(record))


def _record_baseline(site: Site) -> None:
    """What is red now: the triage's, less what the merge fixed."""
    record = site.folder.record()
    if record.triage is None:
        return
    red = {s.node_id for s in record.triage.signatures if s.standing not in HEALTHY}
    now = baselines.RecordedBaseline(
        commit=record.merge.after if record.merge else record.info.base,
        sprint=record.info.id,
        red=tuple(sorted(red - _fixed(record))),
        collected=len(record.triage.signatures),
    )
    baselines.record(site.shelf_root, now)


def _fixed(record: SprintRecord) -> set[NodeId]:
    if record.merge is None or record.verdict is None:
        return set()
    ended = (Delta.FIXED, Delta.DECIDED)
    return {c.node_id for c in record.verdict.comparisons if c.delta in ended}

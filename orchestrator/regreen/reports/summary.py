"""The report of a whole sprint, ``reports/report.md``."""

from collections.abc import Callable

from regreen.reports.audit import audit_section, index_section
from regreen.reports.checklist import checklist_section
from regreen.reports.facts import Facts
from regreen.reports.handover import (
    guidance_section,
    post_merge_section,
    risks_section,
    strategy_section,
)
from regreen.reports.next_steps import brief
from regreen.reports.overview import header, metrics, result
from regreen.reports.plan_results import (
    flags_section,
    plans_section,
    predictions_section,
    refusals_section,
)
from regreen.reports.states import status_of
from regreen.reports.suite_health import matrix_section, performance_section, preexisting_section
from regreen.reports.verification import verification_section
from regreen.reports.work import agents_section, files_section, phases_section
from regreen.store.record import SprintRecord
from regreen_prompts import prose, render

_SECTIONS: dict[str, Callable[[Facts], str]] = {
    "status": status_of,
    "header": header,
    "result": result,
    "metrics": metrics,
    "plans": plans_section,
    "predictions": predictions_section,
    "matrix": matrix_section,
    "preexisting": preexisting_section,
    "refusals": refusals_section,
    "flags": flags_section,
    "files": files_section,
    "agents": agents_section,
    "performance": performance_section,
    "checklist": checklist_section,
    "phases": phases_section,
    "verification": verification_section,
    "strategy": strategy_section,
    "risks": risks_section,
    "guidance": guidance_section,
    "post_merge": post_merge_section,
    "next_steps": brief,
    "audit": audit_section,
    "index": index_section,
}


def sprint_report(record: SprintRecord) -> str:
    """Return the merge-ready summary as Markdown.

    Every number is counted from the runs, commits and decisions in the record. A stage the sprint
    did not reach says so; nothing is filled in for it.
    """
    facts = Facts(record)
    sections = {name: write(facts) for name, write in _SECTIONS.items()}
    return render("sprint_report", sprint=prose(record.info.id), **sections)

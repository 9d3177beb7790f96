"""Send one implementer per approved plan; each commits a validated change or refuses."""

import logging
from collections.abc import Sequence
from pathlib import Path

from regreen.approvals import Decision
from regreen.nodes.site import AUTHOR, Agent, Site
from regreen.reports.evidence import bundle_summary
from regreen.reports.messages import commit_message, step_message
from regreen.state import PlanTask, SprintState
from regreen.store import decisions, documents
from regreen.store.names import plan_id
from regreen_agents.domain.changes import Attempt, Change
from regreen_agents.domain.findings import Evidence
from regreen_agents.domain.plans import Plan, Refusal, refusal_of
from regreen_agents.domain.progress import Stage
from regreen_agents.domain.runs import SuiteRun
from regreen_agents.errors import StoppedError, TapeError
from regreen_agents.implement import Committed, Workshop, in_project
from regreen_agents.repair.modernise.series import Note
from regreen_agents.runners.target import quote
from regreen_agents.workspace.commits import ancestors, commit_edits, diff_of, keep_ref, stats_of
from regreen_prompts.text import clean_text

logger = logging.getLogger(__name__)


def implement(task: PlanTask, site: Site) -> SprintState:
    """Implement one plan, unless its change or refusal is there from before a kill.

    What is implemented is the document as it stands, and only while its approval holds.
    """
    plan = plan_id(task["plan"])
    done = site.folder.load_change(plan) or site.folder.load_refusal(plan)
    if not done and decisions.plan_decision(site.folder, plan) is Decision.APPROVED:
        loaded = documents.load_plan(site.folder, plan).plan
        found = _implemented(loaded, site)
        if isinstance(found, Change):
            keep_ref(site.repository, f"{site.info.id}/{plan}", found.commit)
            site.folder.save_change(found)
        else:
            site.folder.save_refusal(found)
    return {"implemented": [plan]}


def _implemented(plan: Plan, site: Site) -> Change | Refusal:
    with site.agent(f"implementer({plan.id}: {plan.title})", Stage.IMPLEMENT) as agent:
        if site.seconds_left() <= 0:
            agent.result = "not implemented: the time budget is used up"
            return _refused(plan, "The sprint's time budget was used up before.")
        found = _guarded(plan, agent)
        agent.result = (
            f"committed: {found.subject}"
            if isinstance(found, Change)
            else f"refused: {found.reason}"
        )
        return found


def _guarded(plan: Plan, agent: Agent) -> Change | Refusal:
    """An engine that fails on one plan must not take the others' work with it."""
    site, name = agent.site, f"implement-{plan.id}"
    with site.tree(name, site.info.base) as tree:
        try:
            workshop = _workshop(plan, agent, tree)
            found = site.engine.implement(plan, workshop)
            _bundle(site, plan, found, workshop)
        except (StoppedError, TapeError):
            raise
        except Exception as error:
            logger.exception("the implementer of %s failed", plan.id)
            return _refused(plan, f"The engine failed: {error!r}")
        return found


def _workshop(plan: Plan, agent: Agent, tree: Path) -> Workshop:
    site = agent.site

    def record(attempts: tuple[Attempt, ...]) -> None:
        site.folder.save_attempts(plan.id, attempts)

    def commit(paths: Sequence[str], made: Plan, evidence: Sequence[Evidence]) -> Committed:
        message = commit_message(made, evidence, paths)
        names = [in_project(path, site.info.prefix) for path in paths]
        sha = commit_edits(tree, names, message, date=site.info.started_at, author=AUTHOR)
        return Committed(
            sha=sha,
            parent=site.info.base,
            tree=site.repository.tree_of(sha),
            message=message,
            files=stats_of(site.repository.root, sha),
        )

    def commit_step(paths: Sequence[str], made: Plan, note: Note) -> Committed:
        names = [in_project(path, site.info.prefix) for path in paths]
        message = step_message(made, note)
        sha = commit_edits(tree, names, message, date=site.info.started_at, author=AUTHOR)
        return Committed(
            sha=sha,
            parent=ancestors(site.repository.root, sha, 1)[0],
            tree=site.repository.tree_of(sha),
            message=message,
            files=stats_of(site.repository.root, sha),
        )

    return Workshop(
        lab=agent.lab(tree, f"implement-{plan.id}", site.measured()),
        signatures=site.folder.load_triage().signatures,
        commit=commit,
        record=record,
        commit_step=commit_step,
    )


def _bundle(site: Site, plan: Plan, found: Change | Refusal, workshop: Workshop) -> None:
    """Keep the evidence of one plan together (R67, R68)."""
    home, latest = f"evidence/{plan.id}", workshop.lab.latest
    site.folder.write_text(f"{home}/summary.md", bundle_summary(plan, found))
    if isinstance(found, Change):
        diff = "".join(diff_of(site.repository.root, commit) for commit in found.commits)
        site.folder.write_text(f"{home}/code_changes.diff", diff)
    if latest is not None:
        site.folder.write_text(f"{home}/exit_code.txt", clean_text(_exit_codes(found, latest)))
        site.folder.write_text(f"{home}/resources.json", latest.resources_json())
        log = Path(latest.log_path).read_text(encoding="utf-8", errors="replace")
        site.folder.write_text(f"{home}/pytest.log", clean_text(log))  # a person may just print it


def _exit_codes(found: Change | Refusal, latest: SuiteRun) -> str:
    """Return one line per validation: its exit code and its command."""
    pages = found.validation if isinstance(found, Change) else ()
    rows = [(page.exit_code, page.command) for page in pages]
    rows = rows or [(latest.exit_code, quote(latest.command))]
    return "".join(f"{'killed' if code is None else code}\t{text}\n" for code, text in rows)


def _refused(plan: Plan, reason: str) -> Refusal:
    needs = "Run `regreen sprint` again with more time (--time-budget), or report the error."
    return refusal_of(plan, reason, (needs,))

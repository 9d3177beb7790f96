"""Move the target branch to exactly the tested tree, or gate again."""

from regreen.nodes.site import AUTHOR, Site
from regreen.reports.markdown import counted
from regreen.reports.messages import squash_message
from regreen.state import SprintState
from regreen.store.record import MergeResult
from regreen_agents.domain.progress import Stage
from regreen_agents.domain.verdicts import Verdict
from regreen_agents.workspace.merging import MergeOutcome, MergeRequest
from regreen_agents.workspace.merging import merge as merge_branch

MERGED = "merged"
MOVED = "moved"


def merge(_state: SprintState, site: Site) -> SprintState:
    """Compare-and-swap the branch; a branch that moved sends the train to the gate again."""
    verdict = site.folder.load_verdict()
    if verdict is None:
        return {"merged": ""}
    with site.agent("merge", Stage.MERGE) as agent:
        outcome = merge_branch(site.repository, _request(site, verdict))
        if outcome.kind == "moved":
            agent.result = f"{outcome.branch} moved to {outcome.after[:10]}: the gate runs again"
            return {"merged": MOVED, "base": outcome.after, "verdict": ""}
        site.folder.save_merge(_result(verdict, outcome, squashed=site.info.options.squash))
        agent.result = (
            f"{outcome.branch} {outcome.before[:10]} -> {outcome.after[:10]}, "
            f"{counted(len(outcome.commits), 'commit')} {outcome.note}".rstrip()
        )
    return {"merged": MERGED}


def _request(site: Site, verdict: Verdict) -> MergeRequest:
    message = None
    if site.info.options.squash:
        record = site.folder.record()
        plans = [p for p in record.plans if p.id in verdict.train]
        message = squash_message(record, plans)
    return MergeRequest(
        branch=site.info.branch,
        expected_base=verdict.base,
        tip=verdict.head,
        squash_message=message,
        date=site.info.started_at,
        author=AUTHOR,
    )


def _result(verdict: Verdict, outcome: MergeOutcome, *, squashed: bool) -> MergeResult:
    return MergeResult(
        branch=outcome.branch,
        before=verdict.base,
        after=outcome.after,
        tree=outcome.tree,
        plans=verdict.train,
        commits=outcome.commits,
        squashed=squashed,
        checkout_updated=outcome.checkout_updated,
        note=outcome.note,
    )

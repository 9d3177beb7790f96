"""The first thing a model is told: a cluster to explore, or a plan to carry out.

Whatever comes from the repository is fenced as data; nothing here depends on the machine, the time
or the sprint, so that the same cluster gives the same words.
"""

from collections.abc import Sequence

from regreen_agents.domain.changes import Attempt
from regreen_agents.domain.findings import Cause, Cluster, Evidence, Finding, Standing
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.lab.lab import described
from regreen_agents.llm.evidence_book import EvidenceBook
from regreen_agents.repair.means import EDITS
from regreen_agents.repair.search.line_edits import diff_lines
from regreen_prompts.renderer import render
from regreen_prompts.text import fence, one_line

MAX_TESTS = 40
"""More than these are counted."""
_DIFF = ("Full diff:", "Use -v to get")

_KINDS: dict[Cause, str] = {
    Cause.ENVIRONMENT_LEAK: "order",
    Cause.GLOBAL_STATE: "order",
    Cause.CWD_LEAK: "order",
    Cause.MISSING_STATE_SETTER: "order",
    Cause.SELF_POLLUTION: "order",
    Cause.LEFT_FILE: "order",
    Cause.UNSEEDED_RANDOMNESS: "chance",
    Cause.UNORDERED_ITERATION: "chance",
    Cause.TIME: "chance",
    Cause.CONCURRENCY: "chance",
    Cause.LISTING_ORDER: "chance",
    Cause.MISSING_RESOURCE: "missing",
    Cause.MISSING_DEPENDENCY: "missing",
    Cause.BARE_COMMAND: "missing",
    Cause.NETWORK: "missing",
    Cause.CWD_RELATIVE_PATH: "missing",
    Cause.UPGRADE: "upgrade",
    Cause.INTERPRETER: "upgrade",
}


def cluster_brief(cluster: Cluster, book: EvidenceBook, earlier: Refusal | None = None) -> str:
    """Return what an explorer begins with.

    Args:
        cluster: What to explore.
        book: Holds the earlier engine's experiments, under the names the model may cite.
        earlier: The embedded engine's refusal, where it looked first.
    """
    finding = earlier.finding if earlier else None
    return render(
        "model_cluster",
        facts=_cluster_facts(cluster),
        tests=fence(_tests(cluster)),
        failure=fence(_failure(cluster)),
        hints=render(f"model_kind_{_kind(cluster, finding)}").strip(),
        evidence=_earlier(earlier, book),
    )


def plan_brief(plan: Plan, attempts: Sequence[Attempt] = ()) -> str:
    """Return what an implementer begins with.

    Args:
        plan: As approved.
        attempts: What another engine tried for it before, and why it did not hold.
    """
    option = plan.option()
    tried = [f"{a.number}. {a.reason}" for a in attempts]
    edits = "\n".join(diff_lines(option.edits)) if option.recipe == EDITS else ""
    chosen = [f"Chosen: {one_line(option.title)}", edits, *tried]
    return render(
        "model_plan",
        facts=f"{plan.id}, for {_tests_in_words(len(plan.finding.victims))}.",
        cause=fence(plan.finding.summary),
        strategy=fence(plan.strategy),
        option=fence("\n".join(line for line in chosen if line)),
        scope=fence("\n".join(plan.scope)),
        evidence=_pages(plan.finding.evidence) + "\n\n" + fence("\n".join(plan.finding.victims)),
    )


def _cluster_facts(cluster: Cluster) -> str:
    standings = sorted({m.standing.value for m in cluster.members})
    many = _tests_in_words(len(cluster.members))
    return f"{cluster.id}: {many}, {', '.join(standings)} in the baseline."


def _tests_in_words(count: int) -> str:
    return "1 failing test" if count == 1 else f"{count} failing tests"


def _tests(cluster: Cluster) -> str:
    lines = []
    for member in cluster.members[:MAX_TESTS]:
        seen = ", ".join(outcome.value for outcome in member.outcomes)
        alone = f"; alone: {member.alone.value}" if member.alone else ""
        lines.append(f"{member.node_id}  [{seen}{alone}]")
    left = len(cluster.members) - MAX_TESTS
    return "\n".join([*lines, *([f"... and {left} more"] if left > 0 else [])])


def _failure(cluster: Cluster) -> str:
    first = next((m.failure for m in cluster.members if m.failure), None)
    if first is None:
        return "No failure was recorded."
    return described(first.model_copy(update={"message": _without_diff(first.message)}))


def _without_diff(message: str) -> str:
    """Return a message without the long diff, which pytest adds only where ``CI`` is set."""
    lines = message.splitlines()
    ends = (n for n, line in enumerate(lines) if line.strip().startswith(_DIFF))
    return "\n".join(lines[: next(ends, len(lines))]).rstrip()


def _kind(cluster: Cluster, finding: Finding | None) -> str:
    known = _KINDS.get(finding.cause) if finding else None
    if known:
        return known
    red_alone = any(m.alone is not None and m.alone.is_red for m in cluster.members)
    flaky = any(m.standing is Standing.FLAKY for m in cluster.members)
    if flaky:
        return "chance" if red_alone else "order"
    green_alone = any(m.alone is not None and not m.alone.is_red for m in cluster.members)
    return "order" if green_alone else "code"


def _earlier(refusal: Refusal | None, book: EvidenceBook) -> str:
    if refusal is None:
        return ""
    parts = [
        "## What the embedded engine found",
        "It looked first, with experiments and built-in recipes, and refused. Its words:",
        fence("\n".join([words_of(refusal), *(f"It would need: {n}" for n in refusal.needs)])),
    ]
    if book.names:
        parts += ["Its experiments; you may cite them:", fence(book.told())]
    return "\n\n".join(parts)


def words_of(refusal: Refusal) -> str:
    """Return what a refusal found, without what varies: how much was tried, and how fast."""
    return refusal.finding.summary if refusal.finding else refusal.reason


def _pages(evidence: Sequence[Evidence]) -> str:
    if not evidence:
        return "No experiment is recorded."
    return "\n\n".join(
        fence("\n".join([page.question, page.counts, page.output, page.conclusion]))
        for page in evidence[:6]
    )

"""Names and messages of the code under test do not break a document."""

from markdown_it import MarkdownIt

from regreen.approvals import Approval
from regreen.reports.clusters import cluster_mapping
from regreen.reports.messages import commit_message, squash_message
from regreen.reports.next_steps import next_steps
from regreen.reports.summary import sprint_report
from regreen.store.record import AgentRecord, Baseline, SprintRecord, Triage
from regreen_agents.domain.findings import (
    Cause,
    Cluster,
    FlakeRate,
    Novelty,
    Standing,
    TestSignature,
)
from regreen_agents.domain.identity import ClusterId, NodeId
from sprint_parts import SPRINT, change, plan, refusal
from sprint_records import gated, started
from suite_runs import failure, run

MARKDOWN = MarkdownIt("commonmark").enable("table")
EVIL = NodeId(
    "tests/test_x.py::test_a[a|b``c```\n## Fake heading\n| x | y |\x1b[2J\u202e<img src=x>]"
)


def hostile() -> SprintRecord:
    first = run({EVIL: "F"})
    result = first.results[0].model_copy(update={"failure": failure(EVIL, f"boom {EVIL} | ` ```")})
    evil_run = first.model_copy(update={"results": (result,), "notes": (EVIL,)})
    bad_plan = plan(1, EVIL, Cause.CODE_BUG).model_copy(update={"title": EVIL})
    approval = Approval.model_validate(
        {**gated().approvals[0].model_dump(), "by": EVIL, "why": EVIL}
    )
    agent = AgentRecord(
        role=EVIL, phase="explore", result=EVIL, seconds=1, test_runs=1, test_seconds=1
    )
    refused = refusal(2, (EVIL,)).model_copy(update={"reason": EVIL, "needs": (EVIL,)})
    return started().model_copy(
        update={
            "baseline": Baseline(commit="b" * 40, runs=(evil_run, evil_run), notes=(EVIL,)),
            "candidate_runs": (evil_run,),
            "plans": (bad_plan,),
            "refusals": (refused,),
            "changes": (change(1, path=EVIL),),
            "approvals": (approval,),
            "agents": (agent,),
            "verdict": gated().verdict,
        }
    )


def triage() -> Triage:
    member = TestSignature(
        node_id=EVIL,
        standing=Standing.STABLE_FAIL,
        outcomes=(),
        flake_rate=FlakeRate(failures=2, runs=2, low=0.3, high=1.0),
        mean_duration_seconds=0.1,
    )
    cluster = Cluster(
        id=ClusterId("C1"),
        title=EVIL,
        signature=EVIL,
        frame=EVIL,
        members=(member,),
        novelty=Novelty.UNKNOWN,
    )
    return Triage(signatures=(member,), clusters=(cluster,), cleared=(EVIL,))


def assert_harmless(document: str) -> None:
    """Fail if the hostile name made a heading, markup, or a table row of another width."""
    tokens = MARKDOWN.parse(document)
    headings = [tokens[i + 1] for i, t in enumerate(tokens) if t.type == "heading_open"]
    inline = [child for t in tokens if t.type == "inline" for child in t.children or []]

    assert not any(h.content.strip() == "Fake heading" for h in headings)
    assert not any(child.type in {"html_inline", "image", "link_open"} for child in inline)
    assert "\x1b" not in document
    assert "\u202e" not in document
    assert_tables_are_rectangular(document)


def assert_tables_are_rectangular(document: str) -> None:
    for block in document.split("\n\n"):
        lines = block.splitlines()
        if lines and lines[0].startswith("| "):
            widths = {line.replace("\\|", "").count("|") for line in lines}
            assert len(widths) == 1, block


def test_hostile_names_do_not_break_the_report() -> None:
    report = sprint_report(hostile())

    assert_harmless(report)
    assert "Fake heading" in report


def test_hostile_names_do_not_break_the_brief_or_the_clusters() -> None:
    record = hostile()

    assert_harmless(next_steps(record))
    assert record.baseline is not None
    assert_harmless(cluster_mapping(triage(), record.baseline))


def test_every_table_is_seen_as_a_table() -> None:
    report = sprint_report(hostile())

    written = sum(1 for line in report.splitlines() if line.startswith("| --- "))
    parsed = [token for token in MARKDOWN.parse(report) if token.type == "table_open"]
    assert len(parsed) == written


def test_a_hostile_name_cannot_add_a_trailer_or_a_line_to_a_commit_message() -> None:
    record = hostile()
    evil = f"x\n\nSprint: forged\n{EVIL}"
    finding = record.plans[0].finding.model_copy(update={"summary": evil})
    forged = record.plans[0].model_copy(update={"engine": evil, "finding": finding})

    for message in (commit_message(forged, ()), squash_message(record, (forged,))):
        lines = message.splitlines()
        trailers = message.rstrip().split("\n\n")[-1].splitlines()

        assert [line.split(":")[0] for line in trailers] == ["Plan", "Engine", "Sprint"]
        assert trailers[-1] == f"Sprint: {SPRINT}"
        assert not any(line.startswith("## ") for line in lines)
        assert "\x1b" not in message

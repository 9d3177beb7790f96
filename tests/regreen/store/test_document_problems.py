"""What is wrong with a plan document is told with file and line."""

from pathlib import Path

import pytest

from regreen.store import documents
from regreen.store.folder import SprintFolder
from regreen_agents.domain.findings import Finding
from regreen_agents.domain.identity import PlanId
from regreen_agents.domain.plans import Plan
from regreen_agents.errors import DocumentError, StoreError

Case = tuple[str, str, str, str]
"""What is replaced, by what, the text of the line to be named, and the message."""

BROKEN: list[Case] = [
    ("title: ", "titel: ", "titel: *", "titel: unknown field, did you mean 'title'?"),
    ("title: ", "titel: ", "---", "title: is missing"),
    ("risk: low", "risk: tiny", "risk: tiny", "risk: should be 'critical', 'high'"),
    ("red_after: 6", "red_after: six", "  red_after: six", "prediction.red_after: should be"),
    ("red_after: 6", "red_afer: 6", "  red_afer: 6", "did you mean 'red_after'?"),
    ("red_after: 6", "", "prediction:", "prediction.red_after: is missing"),
    ("title: Skip the test", "title: 12", "    title: 12", "options.1.title: must be text"),
    ("title: Skip the test", "titel: x", "    titel: x", "options.1.titel: unknown field"),
    ("title: Skip the test", "", "  - key: B", "options.1.title: is missing"),
    ("key: B", "key: A", "  - key: A|2", "there are two options 'A'"),
    ("key: B", "key: bb", "  - key: bb", "options.1.key: String should match"),
    ("recommended: A", "recommended: C", "recommended: C", "no option 'C', only A, B"),
    ("chosen: ''", "chosen: D", "chosen: D", "chosen: there is no option 'D'"),
    ("- tests/data/", "- /etc/", "  - /etc/", "'/etc/' is not relative"),
    ("- tests/data/", "- C:/x", "  - C:/x", "is not relative"),
    ("- tests/data/", "- a/../../b", "  - a/../../b", "climbs out with '..'"),
    ("- tests/data/", "- a\\b", "  - a\\b", "must be written with '/'"),
    ("- tests/data/", "- ./", "  - ./", "names the whole repository"),
    ("id: PR1", "id: PR2", "id: PR2", "id: is 'PR2', must be 'PR1': the file is called PR1.md"),
    ("id: PR1\n", "", "---", "id: is missing"),
    ("sprint: 2026", "sprint: 2025", "sprint: 20251122T101500Z", "sprint: is '2025"),
    ("finding: ev", "finding: /ev", "finding: /evidence/PR1/finding.json", "must be 'evidence/"),
    ("digest: sha256:", "digest: sha256:0", "finding_digest: sha256:0*", "is not the evidence"),
    ("schema_version: 1", "schema_version: 2", "schema_version: 2", "schema_version: should be 1"),
    ("engine: embedded", "engine: [a", "*", "not YAML"),
    ("engine: embedded", "engine: a\nengine: b", "engine: b", "stands twice, first in line"),
    ("engine: embedded", "engine: &x a\nowner: *x", "owner: *x", "anchors and aliases"),
    ("engine: embedded", "engine: !!python/none x", "engine: !!python/none x", "needs quotes"),
    ("engine: embedded", "engine: !!int abc", "engine: !!int abc", "'abc' is not a"),
    ("engine: embedded", "? [a]\n: b", "? [a]", "must be plain text"),
    ("engine: embedded", "engine: a\x07", "engine: a\x07", "character"),
    ("engine: embedded", "engine: yes", "engine: yes", "must be text, found True: put it in quot"),
]


@pytest.mark.parametrize("case", BROKEN, ids=[f"{c[1]!a} {c[3]!a}" for c in BROKEN])
def test_each_mistake_is_named_with_its_line(folder: SprintFolder, plan: Plan, case: Case) -> None:
    old, new, expected_line, message = case
    documents.save_plan(folder, plan)
    path = documents.document_path(folder, plan.id)
    whole = path.read_text(encoding="utf-8")
    assert old in whole
    text = whole.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")

    with pytest.raises(DocumentError) as caught:
        documents.load_plan(folder, plan.id)

    told = next(line for line in caught.value.why.split("\n") if message in line)
    number = int(told.removeprefix(f"{path}:").split(":")[0])
    assert _line_fits(text.split("\n"), number, expected_line)
    assert caught.value.exit_code == 5
    assert "regreen plan edit PR1" in caught.value.fix


def _line_fits(lines: list[str], number: int, expected: str) -> bool:
    if expected == "---":  # nearest holder of a missing field: the head of the block
        return number <= 2
    wanted, _, occurrence = expected.partition("|")
    found = lines[number - 1]
    fits = found.startswith(wanted[:-1]) if wanted.endswith("*") else found == wanted
    return fits and (not occurrence or lines[:number].count(found) == int(occurrence))


def test_every_problem_is_told_at_once(folder: SprintFolder, plan: Plan) -> None:
    documents.save_plan(folder, plan)
    text = folder.read_text("plans/PR1.md")
    text = text.replace("recommended: A", "recommended: C").replace("- tests/data/", "- /etc/")

    with pytest.raises(DocumentError, match="2 problems") as caught:
        documents.replace_plan(folder, plan.id, text)

    assert len(caught.value.why.split("\n")) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "PR1.md:1: no front matter"),
        ("# PR1\n", "PR1.md:1: no front matter"),
        ("---\nid: PR1\n", "PR1.md:1: the front matter has no end"),
        ("---\n---\n", "PR1.md:2: the front matter is not"),
        ("---\n- a\n---\n", "PR1.md:2: the front matter is not"),
        ("---\n&a\na: *a\n---\n", "anchors and aliases"),
        ("---\na: " + "[" * 2000 + "\n---\n", "PR1.md:2: nested too deeply"),
    ],
)
def test_a_text_without_usable_front_matter_is_refused(text: str, message: str) -> None:
    def no_finding(_: PlanId) -> Finding:
        raise AssertionError("nothing may be loaded for a document that does not say what it is")

    with pytest.raises(DocumentError) as caught:
        documents.parse(text, source=Path("PR1.md"), load_finding=no_finding)

    assert message in caught.value.why


def test_evidence_changed_after_the_plan_was_written_is_noticed(
    folder: SprintFolder, plan: Plan
) -> None:
    documents.save_plan(folder, plan)
    forged = plan.finding.model_copy(update={"summary": "Another cause."})

    folder.save_finding(plan.id, forged)

    with pytest.raises(DocumentError, match="does not validate") as caught:
        documents.load_plan(folder, plan.id)
    assert "is not the evidence this plan rests on" in caught.value.why


def test_a_document_or_evidence_that_is_gone_is_a_store_error(
    folder: SprintFolder, plan: Plan
) -> None:
    with pytest.raises(StoreError, match="is missing"):
        documents.load_plan(folder, plan.id)
    documents.save_plan(folder, plan)
    folder.path("evidence/PR1/finding.json").unlink()

    with pytest.raises(StoreError, match=r"finding\.json is missing"):
        documents.load_plan(folder, plan.id)


def test_a_document_that_is_not_utf8_names_the_line(folder: SprintFolder, plan: Plan) -> None:
    documents.save_plan(folder, plan)
    path = documents.document_path(folder, plan.id)
    path.write_bytes(b"---\nid: PR1\n\xff\n")

    with pytest.raises(DocumentError) as caught:
        documents.load_plan(folder, plan.id)

    assert "PR1.md:3: is not UTF-8" in caught.value.why

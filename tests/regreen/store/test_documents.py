"""Plan documents: written, read back, edited by people, and refused with a line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regreen.store import documents, frontmatter
from regreen.store.folder import SprintFolder
from regreen_agents.domain.identity import PlanId, SprintId, digest_of
from regreen_agents.domain.plans import Plan, PlanOption, Prediction, Task
from regreen_agents.errors import DocumentError

GOLDEN = Path(__file__).parent / "golden" / "PR1.md"
SPRINT = SprintId("20261122T101500Z")

hard_texts = st.one_of(
    st.text(max_size=40),
    st.text(
        alphabet=" \n\t-:#'\"|>&*!%@`?{}[],=~\\a1\r\x00\x85\u2028\ufeff\u202e\ud800😀é",
        max_size=20,
    ),
    st.sampled_from(
        [
            "---", "a\n---\nb", "\n---\n", "- a", "a: b", "null", "~", "yes", "1e3", "1:30", "0x1",
            "2026-11-22", "=", "<<", "*a", "&a", "!!x", "? a", " lead", "trail ", "a\n\n\n", "\n a",
            "a\n  b\n c", "a\nb ", "a \nb", "\ta\nb", "%TAG", "#", "a #b", "'", '"', "```\n````",
        ]
    ),
)  # fmt: skip


@st.composite
def hard_plans(draw: st.DrawFn) -> Callable[[Plan], Plan]:
    """Return a change to a plan that fills it with texts YAML finds hard."""
    few = st.lists(hard_texts, max_size=3).map(tuple)
    option = PlanOption(
        key="B", title=draw(hard_texts), recipe=draw(hard_texts), pros=draw(few), cons=draw(few)
    )
    told = [draw(hard_texts) for _ in range(5)]
    task = Task(role=told[0], file=told[1], change=told[2], validation=told[3], expected=told[4])
    prediction = Prediction.model_validate(
        {"fixed": draw(few), "red_before": draw(st.integers()), "red_after": 0}
    )
    update = {
        "title": draw(hard_texts),
        "strategy": draw(hard_texts),
        "options": (option,),
        "recommended": "B",
        "chosen": draw(st.sampled_from(["", "B"])),
        "tasks": (task,) * draw(st.integers(0, 2)),
        "validation": draw(few),
        "risk_reason": draw(hard_texts),
        "owner": draw(hard_texts),
        "prediction": prediction,
    }
    return lambda plan: plan.model_copy(update=update)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(change=hard_plans())
def test_any_plan_reads_back_as_it_was(plan: Plan, change: Callable[[Plan], Plan]) -> None:
    plan = change(plan)

    text = documents.render(plan, documents.digest_of_finding(plan.finding))
    text.encode()
    read = documents.parse(
        text, source=Path("plans/PR1.md"), load_finding=lambda _: plan.finding, sprint=SPRINT
    )

    assert read == plan


@settings(max_examples=300, deadline=None, derandomize=True)
@given(text=hard_texts, before=hard_texts)
def test_front_matter_shows_nothing_invisible_and_keeps_every_text(text: str, before: str) -> None:
    block = frontmatter.write({"a": before, "b": [{"c": text}]})

    assert all(c.isprintable() or c == "\n" for c in block)
    assert frontmatter.read(block).values == {"a": before, "b": [{"c": text}]}


def test_the_stored_form_of_a_plan_has_not_changed(plan: Plan) -> None:
    """A change here is a change of a persisted format: it needs a decision record."""
    text = documents.render(plan, documents.digest_of_finding(plan.finding))

    assert text == GOLDEN.read_text(encoding="utf-8")


def test_a_plan_is_stored_with_its_evidence_and_the_digest_of_its_bytes(
    folder: SprintFolder, plan: Plan
) -> None:
    saved = documents.save_plan(folder, plan)
    path = documents.document_path(folder, plan.id)

    assert documents.load_plan(folder, plan.id) == saved
    assert saved.plan == plan
    assert saved.digest == digest_of(path.read_bytes()) == documents.document_digest(path)
    assert folder.load_finding(plan.id) == plan.finding


def test_the_body_is_for_reading_but_belongs_to_the_digest(
    folder: SprintFolder, plan: Plan
) -> None:
    saved = documents.save_plan(folder, plan)
    path = documents.document_path(folder, plan.id)
    path.write_text(path.read_text() + "\n---\ntitle: another\n")

    changed = documents.load_plan(folder, plan.id)

    assert changed.plan == plan
    assert changed.digest != saved.digest


def test_the_body_tells_what_a_person_needs_to_decide(plan: Plan) -> None:
    body = documents.render(plan, documents.digest_of_finding(plan.finding)).split("\n---\n", 1)[1]

    assert "8 red -> 6 red" in body
    assert "Exit code 1; 1 failed, 59 passed." in body
    assert "regreen plan approve PR1 --option PR1=B" in body
    assert "only a person may choose it" in body
    assert "| 1 passed (exit 0) | 1 failed, 59 passed (exit 1) |" in body
    assert "`````text\nE  ```red\n~~~ ````\n`````" in body
    assert "`tests/test_region.py:12 os.environ[k] = v`" in body
    assert "\x1b" not in body


def test_a_chosen_option_is_the_one_that_an_approval_takes(plan: Plan) -> None:
    chosen = plan.model_copy(update={"chosen": "B"})

    body = documents.render(chosen, documents.digest_of_finding(plan.finding))

    assert "The first command takes option B." in body
    assert "--option PR1=A" in body


def test_plans_are_listed_by_number(folder: SprintFolder, plan: Plan) -> None:
    for name in ("PR10", "PR2", "PR1"):
        documents.save_plan(folder, plan.model_copy(update={"id": PlanId(name)}))
    folder.write_text("plans/PR1.md.rejected", "x")
    folder.write_text("plans/PRx.md", "x")

    assert documents.plan_ids(folder) == ("PR1", "PR2", "PR10")


def test_an_edit_by_a_person_replaces_the_document_byte_for_byte(
    folder: SprintFolder, plan: Plan
) -> None:
    documents.save_plan(folder, plan)
    text = folder.read_text("plans/PR1.md")
    edited = text.replace("owner: unassigned", "owner: 'Zoë' # me").replace("\n", "\r\n")

    loaded = documents.replace_plan(folder, plan.id, "\ufeff" + edited)

    assert loaded.plan.model_copy(update={"owner": plan.owner}).title == plan.title
    assert loaded.plan.owner == "Zoë"
    assert folder.read_text("plans/PR1.md") == "\ufeff" + edited
    assert documents.load_plan(folder, plan.id) == loaded


def test_an_edit_that_does_not_validate_changes_nothing(folder: SprintFolder, plan: Plan) -> None:
    saved = documents.save_plan(folder, plan)
    text = folder.read_text("plans/PR1.md")

    with pytest.raises(DocumentError, match="does not validate"):
        documents.replace_plan(folder, plan.id, text.replace("recommended: A", "recommended: Z"))

    assert documents.load_plan(folder, plan.id) == saved

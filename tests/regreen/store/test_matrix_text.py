"""A plan shows the matrix of its finding, keeps it through the folder, and does without one."""

from regreen.store import documents
from regreen.store.folder import SprintFolder
from regreen.store.plan_body import plan_body
from regreen_agents.domain.matrix import Matrix
from regreen_agents.domain.plans import Plan

ROW = "| `after=tests/test_region.py::test_sets_region[a\\|b]` | 2/2 34-100 % | 0/3 0-56 % |"


def with_matrix(plan: Plan, matrix: Matrix) -> Plan:
    return plan.model_copy(update={"finding": plan.finding.model_copy(update={"matrix": matrix})})


def test_a_plan_shows_the_rows_and_says_where_the_picture_lies(plan: Plan, matrix: Matrix) -> None:
    body = plan_body(with_matrix(plan, matrix))

    head, _, rows = body.partition("## Perturbation matrix\n\n")
    assert "## Isolated and in the full suite" in head
    assert (
        "[picture](../evidence/PR1/matrix.svg) and as [data](../evidence/PR1/matrix.json)" in rows
    )
    assert f"{ROW} 0.100 | **flips it** |" in rows.splitlines()
    assert "| `hash-seed=1, 2` | 1/2 9-91 % | 0/3 0-56 % | 0.400 | red for 2 |" in rows.splitlines()
    assert "- Not tried, because it was a | test: network=off." in rows.splitlines()


def test_a_plan_of_an_earlier_regreen_has_no_such_section(plan: Plan) -> None:
    assert "Perturbation matrix" not in plan_body(plan)


def test_a_plan_with_a_matrix_reads_back_as_it_was_written(
    folder: SprintFolder, plan: Plan, matrix: Matrix
) -> None:
    wanted = with_matrix(plan, matrix)

    documents.save_plan(folder, wanted)

    assert documents.load_plan(folder, plan.id).plan == wanted


def test_the_matrix_is_part_of_the_evidence_a_plan_is_bound_to(plan: Plan, matrix: Matrix) -> None:
    bound = {documents.digest_of_finding(p.finding) for p in (plan, with_matrix(plan, matrix))}

    assert len(bound) == 2

"""failures.json and cluster_mapping.md."""

import json

from regreen.reports.clusters import FailuresDocument, cluster_mapping, failures_json
from regreen.store.record import Baseline
from regreen_agents.domain.findings import Novelty
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Outcome
from sprint_records import measured, planned, started, triage
from suite_runs import BEFORE, BRITTLE, BUG, REFUSED, VICTIM, run, runs


def test_failures_json_reads_back_as_its_model() -> None:
    document = FailuresDocument.model_validate_json(failures_json(planned()))

    by_test = {entry.test: entry for entry in document.failures}
    assert set(by_test) == {VICTIM, BUG, BRITTLE, REFUSED}
    assert by_test[VICTIM].outcomes == (Outcome.PASSED, Outcome.FAILED, Outcome.PASSED)
    assert (by_test[VICTIM].failures, by_test[VICTIM].flaky) == (1, True)
    assert (by_test[BUG].failures, by_test[BUG].flaky) == (3, False)
    assert (by_test[BRITTLE].failures, by_test[BRITTLE].alone) == (0, Outcome.FAILED)
    assert by_test[REFUSED].answered_by == "PR4"
    assert by_test[BUG].place == "tests/test_c.py:12"
    assert by_test[VICTIM].cluster == "C1"
    assert document.counts == {"failed": 2, "passed": 4, "skipped": 1}


def test_failures_json_counts_results_and_not_the_stored_total() -> None:
    lying = run({VICTIM: "F", BUG: "P"}, collected=98765)
    record = started().model_copy(update={"baseline": Baseline(commit="b" * 40, runs=(lying,))})

    document = json.loads(failures_json(record))

    assert document["counts"] == {"failed": 1, "passed": 1}
    assert "98765" not in json.dumps(document)


def test_failures_json_of_an_unmeasured_sprint_claims_nothing() -> None:
    document = FailuresDocument.model_validate_json(failures_json(started()))

    assert document.state == "not-reached"
    assert (document.failures, document.counts, document.clusters) == ((), {}, ())


def test_failures_json_is_plain_ascii_with_the_exact_names() -> None:
    name = NodeId("tests/test_é.py::test_a[\x1b|漢]")
    record = started().model_copy(
        update={"baseline": Baseline(commit="b" * 40, runs=(run({name: "F"}),))}
    )

    text = failures_json(record)

    assert text.isascii()
    assert json.loads(text)["failures"][0]["test"] == name


def test_the_mapping_lists_clusters_members_and_novelty() -> None:
    record = measured()
    assert record.baseline is not None

    text = cluster_mapping(triage(), record.baseline)

    assert "4 clusters with 4 tests, of 7 collected" in text
    assert "- new: 3 (75.0 %)" in text
    assert "- pre-existing: 1 (25.0 %)" in text
    assert "Cleared:\n\n- `tests/test_z.py::z`" in text
    assert "| `tests/test_b.py::test_price` | `tests/test_b.py:12` | P | P F P | flaky |" in text
    assert "does not predict the full suite" in text


def test_the_mapping_shows_an_interval_only_with_the_counts_it_belongs_to() -> None:
    stored = triage()
    shorter = Baseline(commit="b" * 40, runs=runs({n: o[:2] for n, o in BEFORE.items()}))

    text = cluster_mapping(stored, shorter)

    assert "| 1/2 |" in text
    assert "at 95 %" not in text


def test_without_an_earlier_baseline_nothing_is_called_new() -> None:
    stored = triage()
    unknown = tuple(
        c.model_copy(
            update={
                "novelty": Novelty.UNKNOWN,
                "members": tuple(
                    m.model_copy(update={"novelty": Novelty.UNKNOWN}) for m in c.members
                ),
            }
        )
        for c in stored.clusters
    )
    record = measured()
    assert record.baseline is not None

    text = cluster_mapping(
        stored.model_copy(update={"clusters": unknown, "cleared": ()}), record.baseline
    )

    assert "No earlier baseline is recorded" in text
    assert "- new:" not in text


def test_without_a_run_of_each_test_alone_the_matrix_says_so() -> None:
    text = cluster_mapping(triage(), Baseline(commit="b" * 40, runs=runs(BEFORE)))

    assert "Not measured: no run of each test alone is recorded." in text

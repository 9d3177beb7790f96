from regreen_agents.domain.findings import Novelty, Standing, TestSignature
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import FailureDetail, Frame, Outcome
from regreen_agents.lab.clusters import clusters_of
from regreen_agents.lab.statistics import wilson

RED = {Standing.STABLE_FAIL, Standing.FLAKY}


def signed(name: str, standing: Standing, kind: str = "ValueError") -> TestSignature:
    """A test whose failures of one kind all come from one place."""
    frame = Frame(path="shop/io.py", line=1, function="read")
    detail = FailureDetail(phase="call", type=kind, message="no", frames=(frame,))
    return TestSignature(
        node_id=NodeId(name),
        standing=standing,
        outcomes=(Outcome.FAILED if standing in RED else Outcome.PASSED,),
        flake_rate=wilson(0, 0),
        mean_duration_seconds=0.0,
        failure=detail if standing in RED else None,
        failing_run=0 if standing in RED else None,
    )


def test_without_an_earlier_baseline_novelty_is_unknown() -> None:
    signatures = [signed("t.py::a", Standing.STABLE_FAIL)]

    (cluster,), _ = clusters_of(signatures, previous=None)

    assert (cluster.novelty, cluster.members[0].novelty) == (Novelty.UNKNOWN, Novelty.UNKNOWN)


def test_novelty_is_told_by_the_earlier_baseline_and_one_new_member_makes_a_cluster_new() -> None:
    signatures = [
        signed("t.py::old", Standing.STABLE_FAIL, "ValueError"),
        signed("t.py::was_green", Standing.STABLE_FAIL, "ValueError"),
        signed("t.py::unheard_of", Standing.STABLE_FAIL, "OSError"),
        signed("t.py::other", Standing.STABLE_FAIL, "KeyError"),
    ]
    previous = {NodeId("t.py::old"): True, NodeId("t.py::was_green"): False}
    previous[NodeId("t.py::other")] = True

    clusters, _ = clusters_of(signatures, previous=previous)

    novelty = {m.node_id: m.novelty for cluster in clusters for m in cluster.members}
    assert novelty == {
        "t.py::old": Novelty.PRE_EXISTING,
        "t.py::was_green": Novelty.NEW,
        "t.py::unheard_of": Novelty.NEW,
        "t.py::other": Novelty.PRE_EXISTING,
    }
    assert [c.novelty for c in clusters] == [Novelty.NEW, Novelty.PRE_EXISTING, Novelty.NEW]


def test_cleared_tests_were_red_and_are_stably_green() -> None:
    signatures = [
        signed("t.py::fixed", Standing.STABLE_PASS),
        signed("t.py::always_green", Standing.STABLE_PASS),
        signed("t.py::flaky_now", Standing.FLAKY),
        signed("t.py::skipped_now", Standing.STABLE_SKIP),
        signed("t.py::a_fixed", Standing.STABLE_PASS),
    ]
    was_red = ["t.py::fixed", "t.py::a_fixed", "t.py::flaky_now", "t.py::skipped_now", "t.py::gone"]
    previous = {NodeId(name): True for name in was_red} | {NodeId("t.py::always_green"): False}

    _, cleared = clusters_of(signatures, previous=previous)

    assert cleared == ("t.py::a_fixed", "t.py::fixed")

import random

import pytest

from regreen_agents.domain.findings import Cluster, Standing, TestSignature
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import FailureDetail, Frame, Outcome
from regreen_agents.lab.clusters import NEVER_RAN, clusters_of, missing_of
from regreen_agents.lab.statistics import wilson

OUTCOMES = {
    Standing.STABLE_PASS: (Outcome.PASSED, Outcome.PASSED),
    Standing.STABLE_FAIL: (Outcome.FAILED, Outcome.FAILED),
    Standing.STABLE_SKIP: (Outcome.SKIPPED, Outcome.SKIPPED),
    Standing.FLAKY: (Outcome.FAILED, Outcome.PASSED),
}


def failure(type_and_message: str, frames: str = "", phase: str = "call") -> FailureDetail:
    kind, _, message = type_and_message.partition(": ")
    parts = [word.rpartition(":") for word in frames.split()]
    return FailureDetail(
        phase=phase,
        type=kind,
        message=message,
        frames=tuple(Frame(path=path, line=1, function=name) for path, _, name in parts),
    )


def signed(
    name: str, detail: FailureDetail | None = None, standing: Standing = Standing.STABLE_FAIL
) -> TestSignature:
    return TestSignature(
        node_id=NodeId(name),
        standing=standing,
        outcomes=OUTCOMES[standing],
        flake_rate=wilson(0, 0),
        mean_duration_seconds=0.0,
        failure=detail,
        failing_run=0 if detail else None,
    )


def clustered(*signatures: TestSignature) -> tuple[Cluster, ...]:
    return clusters_of(signatures, previous=None)[0]


def members(*signatures: TestSignature) -> list[list[str]]:
    return [[m.node_id for m in cluster.members] for cluster in clustered(*signatures)]


NO_FILE = "FileNotFoundError: [Errno 2] No such file or directory: "


def test_a_green_suite_has_no_clusters() -> None:
    signatures = [signed("a", None, Standing.STABLE_PASS), signed("b", None, Standing.STABLE_SKIP)]

    assert clusters_of(signatures, previous=None) == ((), ())


def test_tests_that_fail_alike_in_one_place_are_one_cluster() -> None:
    at = "tests/test_a.py:test_total"

    found = clustered(
        signed("tests/test_a.py::test_total[1]", failure("AssertionError: assert 1 == 2", at)),
        signed("tests/test_a.py::test_total[2]", failure("AssertionError: assert 3 == 9", at)),
        signed(
            "tests/test_a.py::test_sum",
            failure("AssertionError: assert 3 == 9", "tests/test_a.py:test_sum"),
        ),
    )

    assert [len(cluster.members) for cluster in found] == [2, 1]
    assert found[0].signature == "AssertionError: assert <n> == <n>"
    assert found[0].frame == "tests/test_a.py::test_total"
    assert found[0].title == "AssertionError: assert <n> == <n> in 2 tests"
    assert found[1].title == "AssertionError: assert <n> == <n> in test_a.py::test_sum"


def test_files_missing_from_one_folder_are_one_cluster() -> None:
    found = clustered(
        signed("t.py::a", failure(NO_FILE + "'tests/files/a.txt'", "t.py:a")),
        signed("t.py::b", failure(NO_FILE + "'tests/files/b.txt'", "t.py:b")),
        signed("t.py::c", failure(NO_FILE + "'tests/other/c.txt'", "t.py:c")),
    )

    assert [len(cluster.members) for cluster in found] == [2, 1]
    assert found[0].title == "FileNotFoundError: tests/files/... in 2 tests"
    assert found[1].title == "FileNotFoundError: tests/other/c.txt in t.py::c"


@pytest.mark.parametrize(
    ("one", "other", "title"),
    [
        (
            "ModuleNotFoundError: No module named 'six'",
            "ModuleNotFoundError: while loading: No module named 'six'",
            "ModuleNotFoundError: module six in 2 tests",
        ),
        (
            "FixtureLookupError: fixture 'shop' not found",
            "FixtureLookupError: file t.py, line 3\n  fixture 'shop' not found",
            "FixtureLookupError: fixture shop in 2 tests",
        ),
        (
            "ImportError: cannot import name 'Mapping' from 'collections' (/usr/a.py)",
            "ImportError: cannot import name 'Set' from 'collections' (/usr/a.py)",
            "ImportError: name collections.* in 2 tests",
        ),
        (
            "RuntimeError: /bin/sh: 1: convert: not found",
            "RuntimeError: exit 127, /bin/sh: line 1: convert: command not found",
            "RuntimeError: command convert in 2 tests",
        ),
    ],
)
def test_tests_that_miss_the_same_thing_are_one_cluster(one: str, other: str, title: str) -> None:
    found = clustered(
        signed("t.py::a", failure(one, "t.py:a")), signed("u.py::b", failure(other, "u.py:b"))
    )

    assert [cluster.title for cluster in found] == [title]
    assert found[0].frame == ""


def test_files_missing_beside_their_own_test_modules_are_several_clusters() -> None:
    found = members(
        signed("tests/test_a.py::a", failure(NO_FILE + "'/srv/tests/a.zip'", "shop/a.py:read")),
        signed("tests/test_a.py::b", failure(NO_FILE + "'/srv/tests/b.zip'", "shop/b.py:read")),
        signed("tests/test_c.py::c", failure(NO_FILE + "'/srv/tests/c.json'", "shop/c.py:read")),
    )

    assert found == [["tests/test_a.py::a", "tests/test_a.py::b"], ["tests/test_c.py::c"]]


def test_different_missing_modules_are_different_clusters() -> None:
    found = members(
        signed("t.py", failure("ModuleNotFoundError: No module named 'six'", phase="collect")),
        signed("u.py", failure("ModuleNotFoundError: No module named 'attr'", phase="collect")),
    )

    assert found == [["t.py"], ["u.py"]]


def test_a_missing_command_is_told_from_a_missing_file_by_who_looked() -> None:
    launch = "t.py:a /usr/lib/python3/subprocess.py:_execute_child"

    command = missing_of(failure(NO_FILE + "'convert'", launch))
    script = missing_of(failure(NO_FILE + "'./bin/convert'", launch))
    file = missing_of(failure(NO_FILE + "'convert'", "t.py:a"))

    assert command == ("command", "convert", "convert")
    assert script == ("file", "bin", "bin/convert")
    assert file == ("file", ".", "convert")


def test_a_folder_everybody_uses_is_no_reason_to_merge() -> None:
    found = members(
        signed("t.py::a", failure(NO_FILE + "'/tmp/a.txt'", "t.py:a")),
        signed("t.py::b", failure(NO_FILE + "'/tmp/b.txt'", "t.py:b")),
    )

    assert found == [["t.py::a"], ["t.py::b"]]


def test_a_machines_own_folder_is_kept_out_of_the_title() -> None:
    (cluster,) = clustered(
        signed("t.py::a", failure(NO_FILE + "'/home/me/wt/files/a.txt'", "t.py:a"))
    )

    assert "/home" not in cluster.title
    assert "/a.txt" in cluster.title


def test_one_exception_from_one_place_in_the_code_is_one_cluster() -> None:
    found = clustered(
        signed("t.py::a", failure("KeyError: 'EUR'", "tests/t.py:a shop/tax.py:rate")),
        signed("t.py::b", failure("KeyError: 'USD'", "tests/t.py:b shop/tax.py:rate")),
        signed("t.py::c", failure("ValueError: 'USD'", "tests/t.py:c shop/tax.py:rate")),
    )

    assert [len(cluster.members) for cluster in found] == [2, 1]
    assert found[0].frame == "shop/tax.py::rate"


def test_one_place_in_a_test_helper_is_not_enough_to_merge_different_failures() -> None:
    found = members(
        signed("tests/t.py::a", failure("KeyError: 'EUR'", "tests/t.py:a tests/util.py:read")),
        signed("tests/t.py::b", failure("KeyError: 'USD'", "tests/t.py:b tests/util.py:read")),
    )

    assert len(found) == 2


def test_one_broken_set_up_of_a_module_is_one_cluster() -> None:
    def broken(name: str, frame: str, phase: str) -> TestSignature:
        return signed(name, failure("OSError: no display", frame, phase))

    found = members(
        broken("tests/test_a.py::A::test_1", "tests/test_a.py:screen", "setup"),
        broken("tests/test_a.py::B::test_2", "tests/test_a.py:window", "setup"),
        broken("tests/test_b.py::test_3", "tests/test_b.py:screen", "setup"),
        broken("tests/test_a.py::test_4", "tests/test_a.py:test_4", "call"),
    )

    assert [len(group) for group in found] == [2, 1, 1]
    assert found[0] == ["tests/test_a.py::A::test_1", "tests/test_a.py::B::test_2"]


def test_always_red_and_sometimes_red_never_meet() -> None:
    detail = failure(NO_FILE + "'tests/files/a.txt'", "shop/io.py:read", "setup")

    found = members(
        signed("t.py::a", detail, Standing.STABLE_FAIL), signed("t.py::b", detail, Standing.FLAKY)
    )

    assert found == [["t.py::a"], ["t.py::b"]]


def test_reasons_reach_through_a_third_test() -> None:
    found = members(
        signed("t.py::a", failure(NO_FILE + "'data/a.txt'", "tests/t.py:a shop/io.py:read")),
        signed("t.py::b", failure(NO_FILE + "'more/b.txt'", "tests/t.py:b shop/db.py:load")),
        signed("t.py::c", failure(NO_FILE + "'data/c.txt'", "tests/t.py:c shop/db.py:load")),
    )

    assert found == [["t.py::a", "t.py::b", "t.py::c"]]


def test_deaths_without_a_trace_are_kept_apart_by_test() -> None:
    found = members(
        signed("t.py::a[1]", failure("crash: exit code 3")),
        signed("t.py::a[2]", failure("crash: exit code 3")),
        signed("t.py::b", failure("crash: exit code 3")),
    )

    assert found == [["t.py::a[1]", "t.py::a[2]"], ["t.py::b"]]


def test_a_death_without_a_detail_is_named_by_its_outcome() -> None:
    dead = signed("t.py::a").model_copy(
        update={"outcomes": (Outcome.PASSED, Outcome.CRASHED), "failing_run": 1}
    )

    (cluster,) = clustered(dead)

    assert (cluster.signature, cluster.frame) == ("crashed", "")


def test_tests_no_run_reached_are_one_cluster_and_not_lost() -> None:
    (cluster,) = clustered(signed("t.py::a"), signed("u.py::b"))

    assert cluster.signature == NEVER_RAN
    assert cluster.title == "never ran in 2 tests"


def test_a_test_that_was_only_ever_green_or_skipped_needs_no_plan() -> None:
    unsteady = signed("t.py::a", None, Standing.FLAKY)

    assert clustered(unsteady) == ()


def test_clusters_are_numbered_by_size_and_then_by_name_whatever_the_order() -> None:
    signatures = [
        signed(f"{name}.py::test_{number}", failure(f"ValueError: {name}", f"{name}.py:work"))
        for name, size in (("d", 1), ("b", 2), ("a", 1), ("c", 3))
        for number in range(size)
    ]

    expected = clusters_of(signatures, previous=None)
    random.Random(1).shuffle(signatures)

    assert clusters_of(signatures, previous=None) == expected
    assert [cluster.id for cluster in expected[0]] == ["C1", "C2", "C3", "C4"]
    assert [c.signature[-1] for c in expected[0]] == ["c", "b", "a", "d"]


def test_a_late_merge_keeps_its_place_by_name() -> None:
    found = members(
        signed("t.py::a", failure(NO_FILE + "'data/a.txt'", "t.py:a")),
        signed("t.py::b", failure("ValueError: x", "shop/io.py:read")),
        signed("t.py::c", failure("ValueError: x", "shop/io.py:read")),
        signed("t.py::d", failure(NO_FILE + "'data/d.txt'", "t.py:d")),
    )

    assert found == [["t.py::a", "t.py::d"], ["t.py::b", "t.py::c"]]


def test_a_cluster_is_named_by_its_commonest_failure() -> None:
    (cluster,) = clustered(
        signed("t.py::a", failure("KeyError: 'EUR'", "shop/tax.py:rate")),
        signed("t.py::b", failure("KeyError: 'USD'", "shop/tax.py:rate")),
        signed("t.py::c", failure("KeyError: 'USD'", "shop/tax.py:rate")),
    )

    assert cluster.signature == "KeyError: 'USD'"


def test_merging_does_not_depend_on_the_names_of_the_tests() -> None:
    details = [
        failure(NO_FILE + f"'{folder}/x{n}.txt'", f"tests/t.py:f{n} shop/io.py:{function}")
        for n, (folder, function) in enumerate([("p", "f"), ("q", "f"), ("q", "g"), ("r", "g")])
    ]

    for seed in range(24):
        order = random.Random(seed).sample(details, len(details))
        found = members(*(signed(f"t.py::test_{n}", d) for n, d in enumerate(order)))
        assert [len(group) for group in found] == [4]

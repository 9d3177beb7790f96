"""Every test alone: forks of a process that has only collected."""

from pathlib import Path

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Outcome, RunSpec
from target_projects import (
    TargetProject,
    given,
    isolated,
    make_project,
    outcomes,
    result,
)

POLLUTED = """
    import os, random, sys
    from pathlib import Path
    HERE = Path(__file__).parent
    SEEN = []

    def test_polluter():
        SEEN.append(1)
        os.environ["SHOP"] = "x"
        (HERE / "left.txt").write_text("x")
        (HERE / "kept.txt").write_text("changed")

    def test_victim():
        assert not SEEN and "SHOP" not in os.environ
        assert not (HERE / "left.txt").exists()

    def test_brittle():
        assert SEEN
"""


def polluted(tmp_path: Path) -> TargetProject:
    return make_project(tmp_path, {"test_a.py": POLLUTED, "kept.txt": "as it was"})


def test_each_test_is_alone_and_new_files_are_removed(tmp_path: Path) -> None:
    project = polluted(tmp_path)

    together, alone = project.run(), None
    (project.path / "left.txt").unlink()
    alone = project.run(isolated())

    assert outcomes(together) == {
        "test_polluter": "passed",
        "test_victim": "failed",
        "test_brittle": "passed",
    }
    assert outcomes(alone) == {
        "test_polluter": "passed",
        "test_victim": "passed",
        "test_brittle": "failed",
    }
    assert not (project.path / "left.txt").exists()


def test_alone_in_a_fork_ends_as_alone_in_a_process(tmp_path: Path) -> None:
    project = polluted(tmp_path)
    names = ["test_a.py::test_polluter", "test_a.py::test_victim", "test_a.py::test_brittle"]

    forked = project.run(isolated())
    cold: dict[str, str] = {}
    for name in names:
        (project.path / "left.txt").unlink(missing_ok=True)
        cold |= outcomes(project.run(given(name)))

    assert outcomes(forked) == cold


def test_only_the_tests_named_run_alone_in_the_order_named(tmp_path: Path) -> None:
    chosen = tuple(NodeId(f"test_a.py::test_{name}") for name in ("victim", "polluter"))

    run = polluted(tmp_path).run(isolated(tests=chosen))

    assert [(r.node_id, r.position) for r in run.results] == [(chosen[0], 0), (chosen[1], 1)]


def test_threads_that_live_after_import_forbid_forks_and_it_is_noted(tmp_path: Path) -> None:
    text = """
        import threading
        threading.Thread(target=threading.Event().wait, name="heartbeat", daemon=True).start()
        def test_a():
            pass
    """

    run = make_project(tmp_path, {"test_a.py": text}).run(isolated())

    assert run.notes == (
        "no isolation by fork: threads are alive after collection: MainThread, heartbeat",
    )
    assert outcomes(run) == {"test_a": "not-run"}


def test_what_a_lost_child_printed_is_not_taken_for_the_next_ones(tmp_path: Path) -> None:
    text = """
        import os, sys
        def test_dies():
            print("mine alone", flush=True)
            os._exit(3)
        def test_fails():
            print("my own", flush=True)
            assert 0
    """

    run = make_project(tmp_path, {"test_a.py": text}).run(isolated())

    failure = result(run, "test_fails").failure
    assert failure is not None
    assert "my own" in failure.output_tail
    assert "mine alone" not in failure.output_tail


DICE = """
    import random
    def test_dice():
        assert random.random() < 0.5
    def test_other_dice():
        assert random.random() < 2
"""


def dice_outcome(project: TargetProject, seed: int) -> Outcome | None:
    test = "test_a.py::test_dice"
    return project.run(given(test, random_seed=seed)).outcome_of(NodeId(test))


def test_a_random_seed_decides_every_draw_of_a_test(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"test_a.py": DICE})
    spec = isolated(tests=(NodeId("test_a.py::test_dice"),))
    seeds = list(range(6))

    told = project.runner().launch(
        project.path, spec, project.logs / "run.log", {"random_seeds": seeds}
    )

    variants = {e["seed"]: e["red"] for e in told.reading.extra if e["event"] == "variant"}
    assert list(variants) == seeds
    assert set(variants.values()) == {True, False}
    red, green = (next(s for s in seeds if variants[s] is wanted) for wanted in (True, False))
    assert dice_outcome(project, red) is Outcome.FAILED
    assert dice_outcome(project, green) is Outcome.PASSED


def test_the_seed_is_given_to_each_test_whatever_ran_before(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"test_a.py": DICE})
    names = ["test_a.py::test_other_dice", "test_a.py::test_dice"]

    both = [project.run(given(*names, random_seed=seed)) for seed in range(2)]

    for seed, run in enumerate(both):
        assert run.outcome_of(NodeId(names[1])) is dice_outcome(project, seed)


def test_the_hash_seed_is_set_for_the_process(tmp_path: Path) -> None:
    text = """
        import os
        def test_seed():
            assert os.environ["PYTHONHASHSEED"] == os.environ["WANTED"]
    """

    run = make_project(tmp_path, {"test_a.py": text}).run(
        RunSpec(hash_seed="7", extra_env=(("WANTED", "7"),))
    )

    assert outcomes(run) == {"test_seed": "passed"}

"""Node ids that are hardly text: each stays itself, cold, alone and warm."""

from pathlib import Path

import pytest

from regreen_agents.domain.identity import NodeId
from target_projects import TargetProject, given, isolated, make_project, outcomes
from warm_projects import warm

UNESCAPED = "disable_test_id_escaping_and_forfeit_all_rights_to_community_support"
SUITE = """
    import pytest
    IDS = ["\\udc80", "\\udc81", "?", "\\n", "::", "[x]", "\\u2028", "a/../b", "\U0001f600"]
    IDS += ["L" * 3000]
    @pytest.mark.parametrize("n", range(len(IDS)), ids=IDS)
    def test_p(n):
        assert n != 1
"""
RED = NodeId("test_a.py::test_p[\\udc81]")


@pytest.fixture
def strange(tmp_path: Path) -> TargetProject:
    ini = f"[pytest]\n{UNESCAPED} = true\n"
    return make_project(tmp_path, {"pytest.ini": ini, "test_a.py": SUITE})


def test_every_id_is_told_apart_and_can_be_asked_for(strange: TargetProject) -> None:
    run = strange.run()
    names = [result.node_id for result in run.results]
    backwards = strange.run(given(*reversed(names)))
    alone = strange.run(isolated(tests=tuple(names)))

    assert len(set(names)) == 10
    assert [result.node_id for result in backwards.results] == names[::-1]
    for told in (run, backwards, alone):
        assert [r.node_id for r in told.red()] == [RED]
        assert set(outcomes(told).values()) == {"passed", "failed"}


def test_a_warm_process_knows_them_too(strange: TargetProject) -> None:
    with warm(strange) as runner:
        asked = runner.ask([((RED,), name) for name in runner.collected])

        assert len(asked) == 10
        assert [name for name, red in zip(runner.collected, asked, strict=True) if red] == [RED]

from pathlib import Path
from textwrap import dedent

from measured_projects import Measurement, measured
from regreen_agents.domain.findings import Category, Cause
from regreen_agents.lab.signatures import signatures_of
from regreen_agents.repair.stale_marks import SIGNATURE, disabled, stale_clusters, stale_finding
from regreen_agents.workspace.patching import drop_bytecode
from target_projects import make_project

SUITE = dedent(
    """
    import pytest


    @pytest.mark.skip(reason="needs the new parser")
    def test_parses():
        assert int("3") == 3


    @pytest.mark.xfail(reason="rounding, issue 12")
    def test_rounds():
        assert round(0.5) == 0


    @pytest.mark.skip(reason="the server is broken")
    def test_still_broken():
        assert int("3") == 4


    @pytest.mark.skip(reason="slow: ten minutes")
    def test_slow():
        assert True


    def test_plain():
        assert True
    """
)


def measured_suite(root: Path) -> Measurement:
    project = make_project(root, {"tests/test_a.py": SUITE})
    file = project.path / "tests/test_a.py"
    text = file.read_text(encoding="utf-8")

    def reset() -> None:
        file.write_text(text, encoding="utf-8")
        drop_bytecode(project.path, ["tests/test_a.py"])

    return measured(project, reset=reset)


def test_only_tests_that_pass_without_their_marks_become_a_cluster(tmp_path: Path) -> None:
    found = measured_suite(tmp_path)
    lab = found.lab()
    signatures = signatures_of(found.measured.runs, found.measured.isolated, ())

    [cluster] = stale_clusters(signatures, lab, 7)
    finding = stale_finding(cluster, lab)

    assert len(disabled(signatures)) == 4
    assert (cluster.id, cluster.signature) == ("C7", SIGNATURE)
    names = [member.node_id.partition("::")[2] for member in cluster.members]
    assert names == ["test_parses", "test_rounds"]
    assert finding is not None
    assert (finding.category, finding.cause) == (Category.DISABLED, Cause.STALE_MARK)
    assert "needs the new parser" in finding.summary
    assert len(finding.evidence) == 3
    text = (found.project.path / "tests/test_a.py").read_text(encoding="utf-8")
    assert "needs the new parser" in text  # the marks are back in the worktree


def test_any_other_cluster_is_left_to_the_diagnosis(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"tests/test_a.py": "def test_red():\n    assert 1 == 2\n"})
    found = measured(project)

    assert stale_finding(found.cluster_with("red"), found.lab()) is None


def test_nothing_is_run_where_no_mark_may_go(tmp_path: Path) -> None:
    source = "import pytest\n\n\n@pytest.mark.skip(reason='slow')\ndef test_slow():\n    pass\n"
    found = measured(make_project(tmp_path, {"tests/test_a.py": source}))
    lab = found.lab()

    clusters = stale_clusters(signatures_of(found.measured.runs, None, ()), lab, 1)

    assert clusters == ()
    assert lab.runs_made == 0

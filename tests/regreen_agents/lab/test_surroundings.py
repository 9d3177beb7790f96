from pathlib import Path

from measured_projects import measured
from regreen_agents.domain.findings import Category, Cause
from regreen_agents.lab.surroundings import leans_on_the_environment, leans_on_working_directory
from target_projects import make_project


def counting(count: Path, condition: str) -> dict[str, str]:
    """Return a suite with one test that knows its how manieth time it is."""
    source = f"""
        from pathlib import Path

        def test_counts():
            count = Path({str(count)!r})
            times = int(count.read_text()) + 1
            count.write_text(str(times))
            assert {condition}
    """
    count.write_text("0")
    return {"tests/test_a.py": source}


def test_a_relative_path_is_shown_by_a_pass_in_the_tests_folder(tmp_path: Path) -> None:
    source = 'def test_reads():\n    assert open("rates.txt").read() == "3"\n'
    project = make_project(tmp_path, {"tests/test_a.py": source, "tests/rates.txt": "3"})

    finding = leans_on_working_directory(measured(project).inquiry("reads", alone_red=True))

    assert finding is not None
    assert (finding.category, finding.cause) == (Category.ENVIRONMENT, Cause.CWD_RELATIVE_PATH)


def test_a_test_once_green_in_the_root_does_not_lean_on_the_working_directory(
    tmp_path: Path,
) -> None:
    files = counting(tmp_path / "count", "times % 2 == 0")
    inquiry = measured(make_project(tmp_path, files), runs=2).inquiry("counts", alone_red=True)

    assert leans_on_working_directory(inquiry) is None

    assert not any("working directory" in page.question for page in inquiry.notebook.pages)


def test_one_pass_in_another_folder_may_be_chance(tmp_path: Path) -> None:
    count = tmp_path / "count"
    found = measured(make_project(tmp_path, counting(count, "times == 101")))
    count.write_text("100")

    inquiry = found.inquiry("counts", alone_red=True)

    assert leans_on_working_directory(inquiry) is None
    assert "shows nothing" in inquiry.notebook.pages[-1].conclusion


def test_one_pass_without_variables_may_be_chance(tmp_path: Path) -> None:
    count = tmp_path / "count"
    project = make_project(tmp_path, counting(count, "times in (101, 102)"))
    found = measured(project, env={"EXTRA": "1"})
    count.write_text("100")

    inquiry = found.inquiry("counts", alone_red=True)

    assert leans_on_the_environment(inquiry) is None
    assert "shows nothing" in inquiry.notebook.pages[-1].conclusion

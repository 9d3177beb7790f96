"""The guards name the test that leaves its surroundings changed, and nobody else."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from regreen_agents.domain.runs import Outcome, RunSpec
from regreen_agents.runners import pytest_runner
from target_projects import LEAN, given, make_project

PROBE = Path(pytest_runner.__file__).with_name("probe")
SICK = """
    import os, pathlib
    import pytest

    HERE = pathlib.Path(__file__).parent

    @pytest.fixture(scope="module", autouse=True)
    def wide():
        os.environ["WIDE"] = "1"
        (HERE / "wide.txt").write_text("")
        yield
        del os.environ["WIDE"]
        (HERE / "wide.txt").unlink()

    def test_clean(tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("X", "1")
        (tmp_path / "a").write_text("")

    def test_folder(): os.chdir("/")
    def test_back(): os.chdir(HERE.parent)
    def test_sets(): os.environ["SHOP"] = "1"
    def test_changes(): os.environ["SHOP"] = "2"
    def test_removes(): del os.environ["SHOP"]
    def test_near(): (HERE / "near.txt").write_text("")
    def test_far(): (HERE.parent / "data" / "deep" / "far.txt").write_text("")
    def test_deletes(): (HERE.parent / "given.txt").unlink()
    def test_fails(): assert False
"""
BLAMED = [
    "tests/test_a.py::test_folder left the working directory at '/'",
    "tests/test_a.py::test_sets set the variable SHOP",
    "tests/test_a.py::test_changes changed the variable SHOP",
    "tests/test_a.py::test_removes removed the variable SHOP",
    "tests/test_a.py::test_near made 'tests/near.txt' in the project; use tmp_path",
    "tests/test_a.py::test_deletes removed 'given.txt'",
    "tests/test_a.py made 'data/deep/far.txt' in the project; use tmp_path",
]


CLEAN = ("-q", "-p", "no:cacheprovider", "-p", "regreen_guard")


def project(tmp_path: Path, tests: str = SICK, **files: str) -> Path:
    root = tmp_path / "root"
    base = {"tests/test_a.py": tests, "pytest.ini": "[pytest]\n", "given.txt": ""}
    for name, text in {**base, "data/deep/x": "", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return root


def guarded(root: Path, *options: str, cwd: str = ".") -> subprocess.CompletedProcess[str]:
    """Run pytest as a user of the copied file would."""
    environment = {**LEAN, "PYTHONPATH": str(PROBE), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *CLEAN,
            f"--rootdir={root}",
            *options,
            str(root / "tests"),
        ],
        cwd=root / cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def report(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the lines of the guards' section."""
    _, _, section = done.stdout.partition("guard: surroundings left changed")
    lines = section.splitlines()[1:]
    end = next((i for i, line in enumerate(lines) if line.startswith(("=", "FAILED", "-"))), None)
    return [line for line in lines[:end] if " passed" not in line and " failed" not in line]


def test_each_change_is_blamed_on_the_test_that_made_it(tmp_path: Path) -> None:
    done = guarded(project(tmp_path))

    lines = report(done)

    assert len(lines) == len(BLAMED), done.stdout
    for line, expected in zip(lines, BLAMED, strict=True):
        assert line.startswith(expected)


def test_findings_fail_the_session_only_when_asked(tmp_path: Path) -> None:
    tests = "import os\ndef test_sets(): os.environ['SHOP'] = '1'\n"
    root = project(tmp_path, tests)

    codes = {mode: guarded(root, f"--guard={mode}").returncode for mode in ("warn", "fail", "off")}

    assert codes == {"warn": 0, "fail": 1, "off": 0}


def test_a_missing_asset_ends_the_session_before_the_first_test(tmp_path: Path) -> None:
    ini = "[pytest]\nguard_assets =\n    given.txt\n    data/golden.bin\n"
    root = project(tmp_path, **{"pytest.ini": ini})

    done = guarded(root)

    assert done.returncode == 4
    assert "These files are missing: data/golden.bin." in done.stdout + done.stderr
    assert "passed" not in done.stdout


def test_a_path_of_this_machine_and_a_start_elsewhere_are_told(tmp_path: Path) -> None:
    root = tmp_path / "root"
    tests = f"# one\nDATA = {str(root / 'data')!r}\ndef test_it(): pass\n"
    project(tmp_path, tests)

    lines = report(guarded(root, cwd="data"))

    assert lines[0].startswith("session started in ")
    assert lines[1] == f"tests/test_a.py line 2 names {str(root)!r}, a path of this machine"
    assert len(lines) == 2


def test_an_asset_is_found_from_any_folder(tmp_path: Path) -> None:
    tests = """
        def test_there(guard_asset, monkeypatch, tmp_path):
            monkeypatch.chdir(tmp_path)
            assert guard_asset("given.txt").read_text() == ""

        def test_not_there(guard_asset):
            guard_asset("golden.bin")
    """

    done = guarded(project(tmp_path, tests))

    assert "1 failed, 1 passed" in done.stdout
    assert "golden.bin is missing" in done.stdout


def test_workers_tell_their_findings_to_the_controller(tmp_path: Path) -> None:
    pytest.importorskip("xdist")

    done = guarded(project(tmp_path), "-p", "xdist", "-n", "2")

    lines = report(done)
    assert [line for line in lines if line.startswith(BLAMED[0])]
    assert "session made 'tests/near.txt' in the project; use tmp_path" in lines
    assert not [line for line in lines if "test_clean" in line or "WIDE" in line]


def test_inside_a_run_of_regreen_each_finding_is_an_event(tmp_path: Path) -> None:
    ours = make_project(tmp_path, {"test_a.py": "import os\ndef test_it(): os.chdir('/')\n"})

    told = ours.runner().launch(
        ours.path,
        given("test_a.py::test_it"),
        ours.logs / "run.log",
        {"plugins": ["regreen_guard_stream"], "assets": ["golden.bin"]},
    )

    found = told.reading.disturbances
    assert [(one.where, one.kind) for one in found] == [
        ("session", "asset"),
        ("test_a.py::test_it", "cwd"),
    ]
    assert os.sep in found[1].what


def test_a_guarded_run_keeps_what_was_told_without_its_own_paths(tmp_path: Path) -> None:
    tests = """
        import os, pathlib
        HERE = pathlib.Path(__file__).parent
        def test_sub(): os.chdir(HERE / "data")
        def test_env(): os.environ["SHOP"] = "1"
        def test_file(): (HERE / "made.txt").write_text("")
        def test_fine(tmp_path): (tmp_path / "x").write_text("")
    """
    ours = make_project(tmp_path, {"test_a.py": tests, "data/x.txt": ""})
    policy = ours.runner().policy.model_copy(update={"guards": True})

    run = ours.runner().with_policy(policy).run(ours.path, RunSpec(), ours.logs / "run.log")

    assert run.disturbances is not None
    told = [(one.where.partition("::")[2], one.what) for one in run.disturbances]
    assert told == [
        ("test_sub", "left the working directory at '<project>/data', not '<project>'"),
        ("test_env", "set the variable SHOP"),
        ("test_file", "made 'made.txt' in the project; use tmp_path"),
    ]
    assert {result.outcome for result in run.results} == {Outcome.PASSED}
    assert ours.run().disturbances is None


def test_guards_do_not_fail_a_suite_that_destroys_its_surroundings(tmp_path: Path) -> None:
    tests = """
        import os, pathlib, shutil
        HERE = pathlib.Path(__file__).parent
        def test_away(): os.chdir(HERE / "data"); shutil.rmtree(HERE / "data")
        def test_environ(): os.environ = dict(os.environ)
        def test_many(): [(HERE / f"{n}.txt").touch() for n in range(2100)]
        def test_more(): (HERE / "more.txt").touch()
    """
    ours = make_project(tmp_path, {"test_a.py": tests, "data/x.txt": "", "pytest.ini": "[pytest]"})
    policy = ours.runner().policy.model_copy(update={"guards": True})

    run = ours.runner().with_policy(policy).run(ours.path, RunSpec(), ours.logs / "run.log")

    assert {result.outcome for result in run.results} == {Outcome.PASSED}
    assert (run.exit_code, run.segments) == (0, 1)
    assert run.disturbances
    assert run.disturbances[0].what == "left the working directory at '<deleted>', not '<project>'"

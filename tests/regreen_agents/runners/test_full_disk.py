"""Results that could not be written, or were deleted: a run that tells nothing is none."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from regreen_agents.errors import RunnerError
from regreen_agents.runners.endings import UNTOLD_EXIT, Told
from regreen_agents.runners.process import ProcessResult
from regreen_agents.runners.pytest_runner import LAUNCHER
from regreen_agents.runners.stream import Reading
from target_projects import LEAN, make_project

TESTS = "def test_a():\n    pass\n\n\ndef test_b():\n    pass\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
@pytest.mark.parametrize("isolate", [False, True])
def test_a_process_that_cannot_tell_its_results_ends_and_says_so(
    tmp_path: Path, *, isolate: bool
) -> None:
    (tmp_path / "test_a.py").write_text(TESTS, encoding="utf-8")
    stream = tmp_path / "stream"
    stream.symlink_to("/dev/full")
    settings = {"stream": str(stream), "tree": str(tmp_path), "isolate": isolate}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({**settings, "test_timeout": 30}), encoding="utf-8")

    done = subprocess.run(
        [sys.executable, str(LAUNCHER), str(config)],
        cwd=tmp_path,
        env=LEAN,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == UNTOLD_EXIT


def test_such_a_run_is_an_error_and_no_crash_of_a_test() -> None:
    ended = ProcessResult(UNTOLD_EXIT, "exited", 1.0)
    finish = {"event": "finish", "status": 0, "foreign": []}

    with pytest.raises(RunnerError) as caught:
        Told(ended, Reading([]), hung=False)

    assert "disk is full" in caught.value.what
    assert Told(ended, Reading([finish]), hung=False).reading.finish


def test_a_test_that_deletes_the_results_is_told_as_that(tmp_path: Path) -> None:
    text = """
        import shutil
        def test_a(tmp_path_factory):
            shutil.rmtree(tmp_path_factory.getbasetemp().parent)
    """
    project = make_project(tmp_path, {"test_a.py": text})

    with pytest.raises(RunnerError) as caught:
        project.run()

    assert "A test deleted" in caught.value.what

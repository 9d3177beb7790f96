"""Warm runners of small projects, and projects whose files a run can be told to put back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from regreen_agents.domain.runs import RunSpec
from regreen_agents.runners.policy import RunnerPolicy
from regreen_agents.runners.warm_runner import WarmRunner
from target_projects import TargetProject, marked


class Tidier:
    """Brings a folder back to the files it has now; caches stay."""

    def __init__(self, project: TargetProject) -> None:
        self._root = project.path
        self._files = self._now()
        self.calls = 0

    def _now(self) -> dict[Path, bytes]:
        found = self._root.rglob("*")
        return {
            path: path.read_bytes()
            for path in found
            if path.is_file() and not {"__pycache__", ".pytest_cache"} & {*path.parts}
        }

    def __call__(self) -> None:
        self.calls += 1
        for path, text in self._now().items():
            if path not in self._files:
                path.unlink()
            elif text != self._files[path]:
                path.write_bytes(self._files[path])
        for path in self._files.keys() - self._now().keys():
            path.write_bytes(self._files[path])


@contextmanager
def warm(
    project: TargetProject, spec: RunSpec | None = None, policy: RunnerPolicy | None = None
) -> Iterator[WarmRunner]:
    """Open a warm runner on a project; nothing may be left of it afterwards."""
    runner, reset, before = project.runner(policy), Tidier(project), marked()
    logs = project.logs
    with WarmRunner.open(runner, project.path, spec or RunSpec(), logs, reset) as opened:
        yield opened
    assert [process for process in marked() if process not in before] == []

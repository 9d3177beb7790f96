"""A real git repository for a test, driven by the git command itself."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from regreen_agents.workspace.merging import MergeRequest
from regreen_agents.workspace.repository import Repository

DATE = "2026-11-22T10:15:00Z"
AUTHOR = "Zoë Ångström <zoe@example.org>"


@dataclass(frozen=True)
class Scratch:
    """A repository to play with."""

    path: Path

    def git(self, *args: str) -> str:
        run = subprocess.run(
            ["git", "-C", str(self.path), *args], check=True, capture_output=True, timeout=60
        )
        return os.fsdecode(run.stdout).strip()

    def write(self, path: str, text: str) -> Path:
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
        return file

    def commit(self, files: dict[str, str], message: str = "change") -> str:
        for path, text in files.items():
            self.write(path, text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def open(self) -> Repository:
        return Repository.open(self.path)


def merge_request(
    base: str, tip: str, branch: str = "main", squash: str | None = None
) -> MergeRequest:
    """Return a request as a sprint makes it."""
    return MergeRequest(
        branch=branch,
        expected_base=base,
        tip=tip,
        squash_message=squash,
        date=DATE,
        author=AUTHOR,
    )

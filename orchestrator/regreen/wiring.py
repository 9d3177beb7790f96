"""Put a sprint's parts together: repository, folder, engine, graph, checkpoints, lock."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout
from langgraph.checkpoint.sqlite import SqliteSaver

from regreen.config import Config, load_config
from regreen.graph import Compiled, build
from regreen.nodes.site import Site
from regreen.store.folder import SprintFolder
from regreen_agents.domain.progress import Listener
from regreen_agents.engines import EmbeddedEngine
from regreen_agents.errors import BusyError, RepositoryError
from regreen_agents.runners.process import Stopper
from regreen_agents.workspace.repository import STATE_FOLDER, Repository

CHECKPOINTS = "sprints.sqlite"
LOCK = "regreen.lock"
RUNNING = "running.txt"


def site_of(
    repository: Repository,
    folder: SprintFolder,
    listener: Listener,
    stopper: Stopper,
    environ: Mapping[str, str],
) -> Site:
    """Return the surroundings of a stored sprint; whoever runs it gives it its engine."""
    info = folder.load_info()
    located = replace(repository, prefix=info.prefix)
    return Site(
        repository=located,
        folder=folder,
        info=info,
        config=config_of(located),
        engine=EmbeddedEngine(),
        stopper=stopper,
        listener=listener,
        environ=environ,
        process=f"{os.getpid()}-{os.times().elapsed:.2f}",
    )


def config_of(repository: Repository) -> Config:
    """Return the project's configuration."""
    return load_config(repository.project)


@contextmanager
def compiled(site: Site) -> Iterator[Compiled]:
    """Give the sprint's graph with its checkpoints on disk."""
    path = site.shelf_root / CHECKPOINTS
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        yield build(site, SqliteSaver(connection))


@contextmanager
def held(repository: Repository, sprint: str) -> Iterator[None]:
    """Hold the repository's lock: one regreen process at a time works on it.

    Raises:
        BusyError: Another one does.
        RepositoryError: The lock cannot be made.
    """
    root = repository.root / STATE_FOLDER
    lock = FileLock(root / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise BusyError(
            "Another regreen works on this repository.",
            why=f"Running: {running(root) or 'unknown'}.",
            fix="Wait for it to end (`regreen status` shows it), or stop it with Ctrl-C there.",
        ) from error
    except OSError as error:
        raise RepositoryError(
            f"The lock in {str(root)!r} cannot be taken.",
            why=str(error),
            fix="Make the folder writable.",
        ) from error
    try:
        name_runner(repository, sprint)
        yield
    finally:
        (root / RUNNING).unlink(missing_ok=True)
        lock.release()


def name_runner(repository: Repository, sprint: str) -> None:
    """Say who holds the lock; the holder calls it again once its sprint has a name."""
    path = repository.root / STATE_FOLDER / RUNNING
    path.write_text(f"sprint {sprint}, process {os.getpid()}\n", encoding="utf-8")


def running(root: Path) -> str:
    """Return who holds the lock, in words; empty when nobody does."""
    lock = FileLock(root / LOCK)
    if not root.is_dir():
        return ""
    try:
        with lock.acquire(timeout=0):
            return ""
    except (Timeout, OSError):
        path = root / RUNNING
        return path.read_text(encoding="utf-8").strip() if path.exists() else "a process"

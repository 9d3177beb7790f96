"""Drive a sprint's graph to its next door, through signals, kills and resumptions."""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from regreen.brains import Brain
from regreen.graph import RECURSION_LIMIT, Compiled
from regreen.nodes.report import write_reports
from regreen.nodes.site import Site, clean_up, work_span
from regreen.state import initial
from regreen.status import Standing, status_of
from regreen.stopping import stopping
from regreen.store.folder import SprintFolder
from regreen.views import SprintStatus
from regreen.wiring import CHECKPOINTS, compiled, site_of
from regreen_agents.domain.progress import Listener, ProgressEvent
from regreen_agents.errors import TapeError, TargetError
from regreen_agents.runners.process import Stopper
from regreen_agents.workspace.repository import Repository


def travel(repository: Repository, folder: SprintFolder, listener: Listener) -> SprintStatus:
    """Run a sprint's graph until it stops at a door, or ends.

    Raises:
        TargetError: The baseline could not be measured; the sprint is taken back.
        TapeError: A replay asks something else than was recorded, or less.
        KeyboardInterrupt: The person, or SIGTERM, stopped it; `travel` again goes on.
    """
    stopper = Stopper()
    site = site_of(repository, folder, listener, stopper, os.environ)
    clean_up(site)
    with closing(_brain(site)) as brain:
        return _travelled(replace(site, engine=brain.engine, lab_log=brain.lab_log), brain)


def _brain(site: Site) -> Brain:
    """Put the engine together; a sprint whose tape cannot be used has not begun."""
    try:
        return Brain(site)
    except TapeError:
        if not site.folder.has("baseline.json") and not (site.folder.root / "runs").exists():
            _forget(site)
        raise


def _travelled(site: Site, brain: Brain) -> SprintStatus:
    folder, stopper = site.folder, site.stopper
    fresh = not folder.has("baseline.json")
    try:
        with compiled(site) as graph, stopping(stopper):
            _run(graph, site)
            node = _pending(graph, site.info.id)
    except TargetError:
        if fresh and not folder.has("baseline.json"):
            _forget(site)
        raise
    finally:
        stopper.stop()
        clean_up(site)
        if folder.root.is_dir():
            work_span(site)
    if not node:
        write_reports(site)
        brain.require_whole_replay()
    return status_of(folder, str(site.repository.root), Standing(node, running=False))


def _run(graph: Compiled, site: Site) -> None:
    config = _config(site)
    snapshot = graph.get_state(config)
    if not snapshot.values and not snapshot.next:
        graph.invoke(initial(site.info.id, site.info.base), config, durability="sync")
        return
    if not snapshot.next:
        return
    waiting = any(task.interrupts for task in snapshot.tasks)
    go_on: Command[str] | None = Command(resume="decided") if waiting else None
    graph.invoke(go_on, config, durability="sync")


def _config(site: Site) -> RunnableConfig:
    asked = site.info.options.max_parallel or site.config.max_parallel
    return RunnableConfig(
        configurable={"thread_id": site.info.id},
        max_concurrency=asked or os.cpu_count() or 1,
        recursion_limit=RECURSION_LIMIT,
    )


def next_node(repository: Repository, folder: SprintFolder) -> str:
    """Return the node that runs next: empty at the end, ``baseline`` before the beginning."""
    site = site_of(repository, folder, _nobody, Stopper(), os.environ)
    with compiled(site) as graph:
        return _pending(graph, site.info.id)


def _pending(graph: Compiled, sprint: str) -> str:
    snapshot = graph.get_state({"configurable": {"thread_id": sprint}})
    if not snapshot.values and not snapshot.next:
        return "baseline"
    return snapshot.next[0] if snapshot.next else ""


def _nobody(event: ProgressEvent) -> None:
    """A listener that does not listen."""


def _forget(site: Site) -> None:
    """Take back a sprint that could not begin."""
    with closing(sqlite3.connect(site.shelf_root / CHECKPOINTS)) as connection:
        SqliteSaver(connection).delete_thread(site.info.id)
    shutil.rmtree(site.folder.root, ignore_errors=True)

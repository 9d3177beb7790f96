"""Plan documents on disk: what a person reads, edits and approves."""

from pathlib import Path
from typing import NamedTuple

from regreen.store.codec import missing
from regreen.store.durable import unreadable, write_atomically
from regreen.store.files import SprintFiles
from regreen.store.frontmatter import Problem
from regreen.store.names import plan_id as checked
from regreen.store.plan_text import digest_of_finding, document_error, parse, render
from regreen_agents.domain.identity import Digest, PlanId, SprintId, digest_of
from regreen_agents.domain.plans import Plan

__all__ = [
    "LoadedPlan",
    "digest_of_finding",
    "document_digest",
    "document_path",
    "load_plan",
    "parse",
    "plan_ids",
    "remove_plan",
    "render",
    "replace_plan",
    "save_plan",
]


class LoadedPlan(NamedTuple):
    """A plan, and the digest of the very bytes it was read from."""

    plan: Plan
    digest: Digest


def document_path(folder: SprintFiles, plan_id: PlanId) -> Path:
    """Return where a plan's document lies."""
    return folder.path(f"plans/{checked(plan_id)}.md")


def document_digest(path: Path) -> Digest:
    """Return the digest of a document's bytes: what an approval is bound to.

    Raises:
        StoreError: When there is no such document.
    """
    return digest_of(_content(path))


def save_plan(folder: SprintFiles, plan: Plan) -> LoadedPlan:
    """Write a plan's evidence, then its document; the same plan gives the same bytes."""
    folder.save_finding(plan.id, plan.finding)
    content = render(plan, digest_of_finding(plan.finding)).encode()
    write_atomically(document_path(folder, plan.id), content)
    return LoadedPlan(plan, digest_of(content))


def remove_plan(folder: SprintFiles, plan_id: PlanId) -> None:
    """Take a plan's document away: another plan covers it; its evidence stays."""
    document_path(folder, plan_id).unlink(missing_ok=True)


def replace_plan(folder: SprintFiles, plan_id: PlanId, text: str) -> LoadedPlan:
    """Put a person's text in the place of a plan's document, once it validates.

    Raises:
        DocumentError: When the text does not validate; the document stays as it was.
    """
    path = document_path(folder, plan_id)
    content = text.encode("utf-8", "surrogatepass")
    loaded = _read(folder, path, content)
    write_atomically(path, content)
    return loaded


def load_plan(folder: SprintFiles, plan_id: PlanId) -> LoadedPlan:
    """Return a plan with the digest of its document.

    Raises:
        DocumentError: When the document does not validate.
        StoreError: When the document or its evidence is missing or damaged.
    """
    path = document_path(folder, plan_id)
    return _read(folder, path, _content(path))


def plan_ids(folder: SprintFiles) -> tuple[PlanId, ...]:
    """Return the plans that have a document, ``PR2`` before ``PR10``."""
    return folder.plan_names("plans", ".md")


def _read(folder: SprintFiles, path: Path, content: bytes) -> LoadedPlan:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise document_error(path, [Problem(line, "is not UTF-8")]) from error
    sprint = SprintId(folder.root.name)
    plan = parse(text, source=path, load_finding=folder.load_finding, sprint=sprint)
    return LoadedPlan(plan, digest_of(content))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise missing(path) from error
    except OSError as error:
        raise unreadable(path, error) from error

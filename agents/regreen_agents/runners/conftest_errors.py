"""What ends pytest before any report: a conftest.py that cannot be imported, a refused section."""

import re
from pathlib import Path

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import FailureDetail, Frame, Outcome, TestResult

_LOADING = re.compile(r"^ImportError while loading conftest '(?P<path>[^']+)'\.", re.MULTILINE)
_SECTION = re.compile(r"\[pytest\] section in setup\.cfg files is no longer supported.*")
_FRAME = re.compile(r"^(?P<path>[^\s:]+):(?P<line>\d+): in (?P<function>.+)$", re.MULTILINE)
_SAID = re.compile(r"^E +(?P<said>\S.*)$", re.MULTILINE)
_KIND = re.compile(
    r"(?P<type>[A-Za-z_][\w.]*(?:Error|Exception|Warning|Exit)): ?(?P<message>.*)", re.S
)
LIMIT = 2000


def unread_conftest(log: Path, tree: str) -> dict[NodeId, TestResult]:
    """Return the conftest.py or setup.cfg that ended a run, as a file that cannot be collected.

    Args:
        log: Of the run, pytest's own output.
        tree: The folder the run was in.

    Returns:
        Its result under its own path, relative to the tree; nothing where none is named.
    """
    text = log.read_text(encoding="utf-8", errors="replace")
    if (refused := _SECTION.search(text)) is not None:
        return _broken("setup.cfg", "Failed", refused[0])
    found = _LOADING.search(text)
    if found is None:
        return {}
    node_id = NodeId(_relative(found["path"], tree))
    after = text[found.end() :]
    said = "\n".join(line["said"] for line in _SAID.finditer(after)) or after.strip()
    kind = _KIND.search(said)
    frames = tuple(
        Frame(path=_relative(f["path"], tree), line=int(f["line"]), function=f["function"])
        for f in _FRAME.finditer(after)
    )
    failure = FailureDetail(
        phase="collect",
        type=kind["type"] if kind else "ImportError",
        message=(kind["message"] if kind else said)[:LIMIT],
        frames=frames,
        output_tail=after.strip()[-LIMIT:],
    )
    broken = TestResult(node_id=node_id, outcome=Outcome.ERROR, failure=failure, error_count=1)
    return {node_id: broken}


def _broken(path: str, kind: str, message: str) -> dict[NodeId, TestResult]:
    failure = FailureDetail(phase="collect", type=kind, message=message)
    node_id = NodeId(path)
    broken = TestResult(node_id=node_id, outcome=Outcome.ERROR, failure=failure, error_count=1)
    return {node_id: broken}


def _relative(path: str, tree: str) -> str:
    """Return a path inside the tree as it is seen from there, others as they are."""
    whole = Path(tree, path)
    inside = whole.is_relative_to(tree)
    return whole.relative_to(tree).as_posix() if inside else whole.as_posix()

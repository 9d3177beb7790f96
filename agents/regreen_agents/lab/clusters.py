"""Red tests that look like one defect, brought together: one cluster becomes one plan."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from regreen_agents.domain.findings import Cluster, Novelty, Standing, TestSignature
from regreen_agents.domain.identity import ClusterId, NodeId
from regreen_agents.domain.runs import FailureDetail, RunSpec
from regreen_agents.lab.orders import place_of
from regreen_agents.lab.signatures import (
    dependent_on,
    failure_signature,
    frame_name,
    is_test_path,
    project_frame,
    tree_frames,
)
from regreen_agents.lab.sweeps import setting_of

NEVER_RAN = "never ran"
"""The signature of tests that were collected and reached by no run."""
LONGEST_SUBJECT = 90
"""Characters of a title before the count of its tests."""

_NO_FILE = re.compile(
    r"(?:No such file or directory|cannot find the (?:file|path) specified): b?(['\"])(.+?)\1"
)
_NO_COMMAND = re.compile(r"(?:\bsh: (?:line )?\d+: |\bsh: )([\w.+-]+): (?:command )?not found")
_NO_MODULE = re.compile(r"No module named ['\"]?([\w.]+)")
_NO_NAME = re.compile(r"cannot import name ['\"]([\w.]+)['\"] from ['\"]?([\w.]+)")
_NO_FIXTURE = re.compile(r"fixture '([^']+)' not found|^\('([^']+)', <(?:Sub|Top)Request ")
_LAUNCHERS = frozenset({"subprocess.py", "base_subprocess.py", "pty.py"})
"""Standard library files whose missing file is a command."""
_WHOLE_FOLDER_DEPTH = 3
"""Parts of an absolute folder from which sharing it says something; ``/tmp`` has 2."""


class Missing(NamedTuple):
    """A thing a failure's message says is not there."""

    kind: str
    """file, command, module, name or fixture."""
    group: str
    """What two failures share when they miss the same: a file's folder, else the name."""
    name: str


class _Group(NamedTuple):
    """Members that share the reasons for which groups are merged."""

    members: tuple[TestSignature, ...]
    reasons: frozenset[tuple[str, ...]]


def clusters_of(
    signatures: Sequence[TestSignature],
    *,
    previous: Mapping[NodeId, bool] | None,
    sweeps: Sequence[RunSpec] = (),
) -> tuple[tuple[Cluster, ...], tuple[NodeId, ...]]:
    """Bring red tests together that share a look, a missing thing, a frame or a broken set-up.

    Tests that are always red, tests that are red only sometimes, and tests that are red only in
    one changed setting never meet: their causes differ, and so do the experiments that find them.

    Args:
        signatures: Every test of the baseline, in any order.
        previous: Which tests were red in the last recorded baseline; None when there is none.
        sweeps: What each sweep of the baseline was asked to do.

    Returns:
        The clusters, largest first, then by first node id; and the tests that were red before and
        are stably green now, by node id.
    """
    red = [_with_novelty(s, previous) for s in signatures if is_red(s)]
    merged = _merge(_groups(sorted(red, key=lambda s: s.node_id), sweeps))
    merged.sort(key=lambda members: (-len(members), members[0].node_id))
    clusters = tuple(
        _cluster(ClusterId(f"C{number}"), members, sweeps)
        for number, members in enumerate(merged, 1)
    )
    return clusters, _cleared(signatures, previous or {})


def is_red(signature: TestSignature) -> bool:
    """Whether a test needs a plan: red in some run, or never reached by any.

    A test that is green in one run and skipped in another is flaky, but there is no failure to
    explain.
    """
    return signature.standing is Standing.STABLE_FAIL or signature.failing_run is not None


def missing_of(detail: FailureDetail) -> Missing | None:
    """Return the file, command, module, name or fixture that the message says is missing."""
    for pattern, read in _MISSING:
        found = pattern.search(detail.message)
        if found:
            return read(found, detail)
    return None


def _missing_file(found: re.Match[str], detail: FailureDetail) -> Missing:
    text = found.group(2).replace("\\", "/")
    path = PurePosixPath(text)
    is_launch = any(PurePosixPath(frame.path).name in _LAUNCHERS for frame in detail.frames)
    if is_launch and "/" not in text:
        return Missing("command", text, text)
    folder = path.parent
    is_shared_root = folder.is_absolute() and len(folder.parts) < _WHOLE_FOLDER_DEPTH
    return Missing("file", str(path if is_shared_root else folder), str(path))


_MISSING: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], FailureDetail], Missing]], ...] = (
    (_NO_FILE, _missing_file),
    (_NO_COMMAND, lambda found, _: Missing("command", found.group(1), found.group(1))),
    (_NO_MODULE, lambda found, _: Missing("module", found.group(1), found.group(1))),
    (_NO_NAME, lambda found, _: Missing("name", found.group(2), ".".join(found.group(2, 1)))),
    (_NO_FIXTURE, lambda found, _: Missing("fixture", *[found.group(1) or found.group(2)] * 2)),
)


def _look(signature: TestSignature) -> str:
    """Return the failure signature, or what stands for it when a red run left no detail."""
    if signature.failure:
        return failure_signature(signature.failure)
    if signature.failing_run is None or dependent_on(signature) is not None:
        return NEVER_RAN
    seen = (*signature.outcomes, signature.alone)
    outcome = seen[signature.failing_run]
    return outcome.value if outcome else NEVER_RAN


def _groups(red: Sequence[TestSignature], sweeps: Sequence[RunSpec]) -> list[_Group]:
    """Group by the look and the innermost frame, in order of first member."""
    groups: dict[tuple[str, ...], list[TestSignature]] = {}
    for signature in red:
        look = _look(signature)
        frame = project_frame(signature.failure) if signature.failure else ""
        if not frame and look != NEVER_RAN:
            # Two tests that crash or hang without a trace have nothing in common yet.
            frame = signature.node_id.partition("[")[0]
        groups.setdefault((_behaviour(signature), look, frame), []).append(signature)
    return [
        _Group(tuple(members), frozenset(r for m in members for r in _reasons(m, sweeps)))
        for members in groups.values()
    ]


def _behaviour(signature: TestSignature) -> str:
    """Return the standing, with the setting that a test needs to be red."""
    setting = dependent_on(signature)
    return signature.standing if setting is None else f"sweep {setting}"


def _reasons(signature: TestSignature, sweeps: Sequence[RunSpec]) -> list[tuple[str, ...]]:
    """Return what makes two groups one defect when both have it; never across behaviours."""
    detail, standing = signature.failure, _behaviour(signature)
    if detail is None:
        return []
    reasons: list[tuple[str, ...]] = []
    missing = missing_of(detail)
    # A missing thing that comes and goes is made by some test, each file perhaps by another one.
    comes_and_goes = missing is not None and standing == Standing.FLAKY
    if missing:
        group = missing.name if comes_and_goes else missing.group
        # Files that many test modules keep beside themselves have only the folder in common.
        beside = missing.kind == "file" and _is_folder_of(signature.node_id, missing.group)
        own = (place_of(signature.node_id).module,) if beside else ()
        reasons.append((standing, "missing", missing.kind, group, *own))
    frames = tree_frames(detail)
    if frames and not comes_and_goes and not is_test_path(frames[0].path):
        reasons.append((standing, "frame", detail.type, frame_name(frames[0])))
    module = place_of(signature.node_id).module
    setting = dependent_on(signature)
    if setting is not None and sweeps and sweeps[setting].factors:
        # Each was shown to follow this factor, whatever its failure looks like.
        reasons.append((standing, "factor", module))
    if detail.phase in {"setup", "collect"}:
        reasons.append((standing, detail.phase, module, failure_signature(detail)))
    return reasons


def _is_folder_of(node_id: NodeId, folder: str) -> bool:
    """Whether a test's module lies in a folder, given whole or relative to the project."""
    own = PurePosixPath(place_of(node_id).module).parent.parts
    return bool(own) and PurePosixPath(folder).parts[-len(own) :] == own


def _merge(groups: Sequence[_Group]) -> list[list[TestSignature]]:
    """Join groups that share a reason, also through a third group; members by node id."""
    merged: list[_Group] = []
    for group in groups:
        kin = [other for other in merged if other.reasons & group.reasons]
        merged = [other for other in merged if not other.reasons & group.reasons]
        members = tuple(m for part in (*kin, group) for m in part.members)
        merged.append(_Group(members, group.reasons.union(*(other.reasons for other in kin))))
    return [sorted(group.members, key=lambda s: s.node_id) for group in merged]


def _cluster(
    cluster: ClusterId, members: Sequence[TestSignature], sweeps: Sequence[RunSpec]
) -> Cluster:
    looks = Counter(_look(member) for member in members)
    signature = min(looks, key=lambda look: (-looks[look], look))
    needed = dependent_on(members[0])
    only = f", only {setting_of(sweeps[needed])}" if needed is not None and sweeps else ""
    return Cluster(
        id=cluster,
        title=_title(signature, members) + only,
        signature=signature,
        frame=_shared_frame([m.failure for m in members if m.failure]),
        members=tuple(members),
        novelty=_novelty_of_all([member.novelty for member in members]),
    )


def _shared_frame(details: Sequence[FailureDetail]) -> str:
    """Return the innermost frame that all failures passed through, non-test code preferred."""
    paths = [[frame_name(frame) for frame in tree_frames(detail)] for detail in details]
    first = paths[0] if paths else []
    return next((name for name in first if all(name in path for path in paths)), "")


def _title(signature: str, members: Sequence[TestSignature]) -> str:
    """Say in one line what fails and where: a name for one test, a count for more."""
    subject = _shared_missing(members) or signature
    if len(subject) > LONGEST_SUBJECT:
        subject = subject[: LONGEST_SUBJECT - 3].rstrip() + "..."
    if len(members) > 1:
        return f"{subject} in {len(members)} tests"
    return f"{subject} in {members[0].node_id.partition('[')[0].rpartition('/')[2]}"


def _shared_missing(members: Sequence[TestSignature]) -> str:
    """Name the missing thing all members share, or nothing when they share none."""
    found = {missing_of(m.failure) if m.failure else None for m in members}
    things = {thing for thing in found if thing}
    types = {m.failure.type.removeprefix("builtins.") for m in members if m.failure}
    if len(found) != len(things) or len({thing[:2] for thing in things}) != 1 or len(types) != 1:
        return ""
    thing = min(things)
    if thing.kind == "file" and PurePosixPath(thing.name).is_absolute():
        return ""  # the signature has it without the machine's folders
    rest = {"file": "/...", "name": ".*"}.get(thing.kind, "")
    name = thing.name if len(things) == 1 else thing.group + rest
    return f"{types.pop()}: {'' if thing.kind == 'file' else thing.kind + ' '}{name}"


def _with_novelty(
    signature: TestSignature, previous: Mapping[NodeId, bool] | None
) -> TestSignature:
    if previous is None:
        novelty = Novelty.UNKNOWN
    elif previous.get(signature.node_id, False):
        novelty = Novelty.PRE_EXISTING
    else:
        novelty = Novelty.NEW
    return signature.model_copy(update={"novelty": novelty})


def _novelty_of_all(novelties: Sequence[Novelty]) -> Novelty:
    """One new member makes a cluster new: something changed."""
    return Novelty.NEW if Novelty.NEW in novelties else novelties[0]


def _cleared(
    signatures: Sequence[TestSignature], previous: Mapping[NodeId, bool]
) -> tuple[NodeId, ...]:
    green = {s.node_id for s in signatures if s.standing is Standing.STABLE_PASS}
    return tuple(
        sorted(node_id for node_id, was_red in previous.items() if was_red and node_id in green)
    )

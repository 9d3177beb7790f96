"""What a failure looks like without its accidents, and how each test stood over the runs."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath

from regreen_agents.domain.findings import Standing, TestSignature
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import FailureDetail, Frame, Outcome, SuiteRun, TestResult
from regreen_agents.lab.statistics import wilson
from regreen_agents.lab.sweeps import is_single, result_in

ISOLATED_RUN = -1
"""The `failing_run` of a test that was red only in the isolated screen."""
FIRST_SWEEP = -2
"""The `failing_run` of a test that was red only in the first sweep; -3 means the second."""
GREEN_OUTCOMES = frozenset({Outcome.PASSED, Outcome.XFAILED, Outcome.XPASSED})
"""A strict xpass is reported as failed, so an xpass here is one that fails nothing."""
LONGEST_NAME = 60
"""Characters; a longer quoted text is a value, not a name."""
LONGEST_SIGNATURE = 300
"""Characters of a normalised message."""

_COMPARISON = re.compile(r"^assert\b|\s(==|!=|<=|>=|<|>)\s| (not )?found in |\bdiffer\b")
_QUOTED = re.compile(r"(?<!\w)b?(['\"])((?:\\.|(?!\1)[^\\])*)\1(?!\w)")
_NAME = re.compile(r"[\w.\-/:<>*\[\]]+")
_RANDOM_NAME = re.compile(r"tmp[a-z0-9_]{8}")
_PATH = re.compile(
    r"(?<=['\"])(?:[A-Za-z]:)?[\\/][^'\"\n]*[\\/][^'\"\n]+(?=['\"])"  # quoted: may hold spaces
    r"|(?<![\w/\\:.<>])(?:[A-Za-z]:)?[\\/][^\s'\"<>:|?*,;()\[\]\\/]+[\\/][^\s'\"<>:|?*,;()\[\]]*"
)
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? "
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_CLOCK = r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?"
_PLACEHOLDERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE), "<uuid>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "<address>"),
    (re.compile(r"\bdatetime\.(?:datetime|date|time)\([^()]*\)"), "<time>"),
    (re.compile(rf"\b\d{{4}}-\d\d-\d\d(?:[T ]{_CLOCK})?(?:Z|[+-]\d\d:?\d\d)?\b"), "<time>"),
    (re.compile(rf"\b{_DAY}(?:{_MONTH} +\d+|\d+ {_MONTH})(?: {_CLOCK})?(?: \d{{4}})?\b"), "<time>"),
    (re.compile(rf"\b{_CLOCK}\b"), "<time>"),
    (re.compile(r"\b(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{8,}\b"), "<hex>"),
    (
        re.compile(
            r"(?:(?<![\w.)\]])-)?(?<![^\W\d])(?<!\d)(?<!Errno )\d+(?:[.,_:]\d+)*(?:e[+-]?\d+)?"
        ),
        "<n>",
    ),
)
_REPEATED = re.compile(r"(<\w+>|'<text>')(?:, \1)+")


def normalise(message: str) -> str:
    """Return a message's first meaningful line with everything accidental replaced.

    Numbers, addresses, identifiers, hashes and times become placeholders; an absolute path keeps
    its last part only, because a run in another worktree or temporary folder is the same failure.
    Quoted texts stay when they name something (a module, a file, a key); in a comparison, or when
    they are long, they are values and become ``<text>``.
    """
    line = _first_meaningful_line(message)
    text = _PATH.sub(_shorten_path, line)
    for pattern, placeholder in _PLACEHOLDERS:
        text = pattern.sub(placeholder, text)
    is_comparison = _COMPARISON.search(text) is not None
    text = _QUOTED.sub(lambda found: _keep_name(found, is_comparison=is_comparison), text)
    text = _REPEATED.sub(r"\1", text)
    return text[:LONGEST_SIGNATURE].rstrip()


def _first_meaningful_line(message: str) -> str:
    for line in message.splitlines():
        folded = " ".join(line.split())
        if any(character.isalnum() for character in folded):
            return folded
    return " ".join(message.split())


def _shorten_path(found: re.Match[str]) -> str:
    name = re.split(r"[\\/]", found.group().rstrip("\\/"))[-1]
    return "<path>" if not name or _RANDOM_NAME.fullmatch(name) else f"<path>/{name}"


def _keep_name(found: re.Match[str], *, is_comparison: bool) -> str:
    quoted = found.group(2)
    is_name = len(quoted) <= LONGEST_NAME and _NAME.fullmatch(quoted) is not None
    return f"'{quoted}'" if is_name and not is_comparison else "'<text>'"


def failure_signature(detail: FailureDetail) -> str:
    """Return the exception's type and normalised message: alike for failures that look alike."""
    kind = detail.type.removeprefix("builtins.")
    message = normalise(detail.message)
    for prefix in (f"{detail.type}:", f"{kind}:"):
        message = message.removeprefix(prefix).lstrip()
    return f"{kind}: {message}" if message else kind


def is_test_path(path: str) -> bool:
    """Whether a file of the tree is test code by pytest's and unittest's naming habits."""
    parts = PurePosixPath(path)
    name = parts.name
    return (
        name.startswith("test_")
        or name.endswith("_test.py")
        or name in {"conftest.py", "tests.py", "test.py"}
        or not {"test", "tests"}.isdisjoint(parts.parent.parts)
    )


def tree_frames(detail: FailureDetail) -> tuple[Frame, ...]:
    """Return the frames inside the tree, those of non-test code first, each innermost first."""
    inside = [frame for frame in reversed(detail.frames) if _is_in_tree(frame.path)]
    return tuple(sorted(inside, key=lambda frame: is_test_path(frame.path)))


def _is_in_tree(path: str) -> bool:
    is_outside = path.startswith(("/", "<", "..")) or path[1:2] == ":"
    is_installed = not {"site-packages", "dist-packages"}.isdisjoint(path.split("/"))
    return bool(path) and not is_outside and not is_installed


def frame_name(frame: Frame) -> str:
    """Return a frame as ``path::function``, without its line, which moves with every edit."""
    return f"{frame.path}::{frame.function}"


def project_frame(detail: FailureDetail) -> str:
    """Return the innermost frame inside the tree, non-test code preferred, or an empty text."""
    frames = tree_frames(detail)
    return frame_name(frames[0]) if frames else ""


def signatures_of(
    runs: Sequence[SuiteRun], isolated: SuiteRun | None, sweeps: Sequence[SuiteRun] = ()
) -> tuple[TestSignature, ...]:
    """Judge every test by all that was measured of it.

    A test that did not run in some run tells nothing there. One that never ran is a stable
    failure without a failure's detail: missing is never green. One that is green wherever nothing
    was changed and red in a sweep that changed one thing is flaky with a flake rate of 0: it
    depends on that setting.

    Args:
        runs: The full runs, in order.
        isolated: Every test alone, when that was measured.
        sweeps: Runs in changed settings; outcomes, rates and counts leave them out.

    Returns:
        One signature per test, in the order in which the runs first name it.
    """
    full = [_by_id(run) for run in runs]
    alone = _by_id(isolated) if isolated else {}
    ids = dict.fromkeys(node_id for results in (*full, alone) for node_id in results)
    swept = [(n, _by_id(sweep)) for n, sweep in enumerate(sweeps) if is_single(sweep.spec)]
    signatures = (
        _signature(node_id, [results.get(node_id) for results in full], alone.get(node_id))
        for node_id in ids
    )
    return tuple(_dependent(signature, swept) for signature in signatures)


def dependent_on(signature: TestSignature) -> int | None:
    """Return which sweep a test needs to be red, by index; None when it needs none."""
    failing = signature.failing_run
    return None if failing is None or failing > FIRST_SWEEP else FIRST_SWEEP - failing


def _dependent(
    signature: TestSignature, swept: Sequence[tuple[int, Mapping[NodeId, TestResult]]]
) -> TestSignature:
    """Mark a test that was never red under control by the first sweep in which it was."""
    if signature.standing is not Standing.STABLE_PASS:
        return signature
    for number, results in swept:
        found = result_in(results, signature.node_id)
        if found is not None and found.outcome.is_red:
            return signature.model_copy(
                update={
                    "standing": Standing.FLAKY,
                    "failing_run": FIRST_SWEEP - number,
                    "failure": found.failure,
                }
            )
    return signature


def _by_id(run: SuiteRun) -> Mapping[NodeId, TestResult]:
    """Index a run; of several results of one test, a red one counts."""
    results: dict[NodeId, TestResult] = {}
    for result in run.results:
        known = results.get(result.node_id)
        if known is None or not known.outcome.is_red:
            results[result.node_id] = result
    return results


def _signature(
    node_id: NodeId, full: Sequence[TestResult | None], alone: TestResult | None
) -> TestSignature:
    numbered = [*enumerate(full), (ISOLATED_RUN, alone)]
    ran = [(n, r) for n, r in numbered if r is not None and r.outcome is not Outcome.NOT_RUN]
    red = [(n, r) for n, r in ran if r.outcome.is_red]
    green = [r for _, r in ran if r.outcome in GREEN_OUTCOMES]
    timed = [r for n, r in ran if n != ISOLATED_RUN] or [r for _, r in ran]
    return TestSignature(
        node_id=node_id,
        standing=_standing([r.outcome for _, r in ran]),
        outcomes=tuple(r.outcome if r else Outcome.NOT_RUN for r in full),
        alone=next((r.outcome for n, r in ran if n == ISOLATED_RUN), None),
        error_count=_most(ran, lambda result: result.error_count),
        warning_count=_most(ran, lambda result: result.warning_count),
        flake_rate=wilson(len(red), len(red) + len(green)),
        mean_duration_seconds=sum(r.duration_seconds for r in timed) / max(1, len(timed)),
        failure=red[0][1].failure if red else None,
        failing_run=red[0][0] if red else None,
    )


def _most(ran: Sequence[tuple[int, TestResult]], count: Callable[[TestResult], int]) -> int:
    return max((count(result) for _, result in ran), default=0)


def _standing(outcomes: Sequence[Outcome]) -> Standing:
    """Judge the outcomes of the runs, and of the isolated screen, in which the test ran."""
    if all(outcome.is_red for outcome in outcomes):
        return Standing.STABLE_FAIL  # also when it never ran
    if all(outcome in GREEN_OUTCOMES for outcome in outcomes):
        return Standing.STABLE_PASS
    if all(outcome is Outcome.SKIPPED for outcome in outcomes):
        return Standing.STABLE_SKIP
    return Standing.FLAKY

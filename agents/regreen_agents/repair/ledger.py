"""The ledger of a change: what its diff did to limits, tolerances, gates and marks (R5, R8, R76).

Read off the texts before and after, so it says the same whatever engine made the change.
"""

import difflib
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from regreen_agents.domain.changes import FileEdit, PolicyFlag
from regreen_agents.domain.findings import Evidence, Finding
from regreen_agents.domain.plans import PlanOption
from regreen_agents.domain.policies import LedgerKind, LedgerRow, inflation_percent
from regreen_agents.lab.constant import PLUGIN_LIMIT
from regreen_agents.lab.signatures import is_test_path

_CONFIGURATION = frozenset({"pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml"})
_TOLERANCE = re.compile(r"approx|isclose|allclose|AlmostEqual|\b(abs|rel|[ar]tol|delta|places)\b")
_LIMIT = re.compile(r"(?i)time_?out|limit|max|deadline|second|budget|threshold|<|>")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:_\d+)*(?:\.\d*)?(?:[eE][-+]?\d+)?(?![\w.])")
_MARK = re.compile(r"^\s*@?(?:\w+\.)*(skip|skipif|skipIf|skipUnless|xfail|expectedFailure)\b")
_REASON = re.compile(r"reason\s*=\s*(['\"])(?P<text>.*?)\1|\(\s*(['\"])(?P<only>.*?)\3\s*\)")
_GATES = re.compile(r"skipif|importorskip|\bskip\(|SkipTest|skipTest")
_DESELECTS = re.compile(r"pytest_deselected\(")
_PARAMETERS = re.compile(r"mark\.parametrize\(")
_LIMIT_MARK = re.compile(r"mark\.timeout\((?P<seconds>\d+(?:\.\d+)?)")
UNSAFE = re.compile(
    r"os\.environ\[[^\]]+\]\s*=[^=]|os\.environ\.(?:update|pop|clear|setdefault)\(|del os\.environ"
    r"|os\.(?:putenv|unsetenv|chdir|umask)\(|sys\.path\.(?:append|insert|remove)\("
    r"|del sys\.modules|sys\.modules\[[^\]]+\]\s*=[^=]|\btime\.sleep\(|\bunsafe\s*\{"
)
"""A line of a test that changes what all tests of the process share, or waits blindly."""


class _Pair(NamedTuple):
    line: int
    """Of the old text, from 1."""
    before: str
    after: str


def ledger_of(
    finding: Finding, option: PlanOption, edits: Sequence[FileEdit], evidence: Sequence[Evidence]
) -> tuple[LedgerRow, ...]:
    """Return what a change did to the suite's rules, by file and line.

    Args:
        finding: What was repaired; its victims are the tests of a gate.
        option: How it was repaired; only a policy decision can gate, isolate or split.
        edits: Whole files.
        evidence: Of the validation; its counts are those measured without what is missing.
    """
    rows = [row for edit in edits for row in _rows(edit, finding, evidence)]
    if option.policy_decision and any(_adds(edit, _GATES) for edit in edits):
        rows.append(_gate(finding, edits, evidence))
    if option.policy_decision:
        rows += _moved(finding, edits)
    return tuple(rows)


def flags_of(rows: Sequence[LedgerRow]) -> tuple[PolicyFlag, ...]:
    """Return the numbers that grew, as what a person should see before it may pass."""
    rules = {LedgerKind.LIMIT: "raised-limit", LedgerKind.TOLERANCE: "wider-tolerance"}
    return tuple(
        PolicyFlag(
            path=row.where.rpartition(":")[0],
            line=int(row.where.rpartition(":")[2]),
            rule=rules[row.kind],
            detail=f"{row.what}: {row.before} -> {row.after} ({row.inflation_percent:+.1f} %)",
        )
        for row in rows
        if row.kind in rules and (row.inflation_percent or 0) > 0
    )


def _rows(edit: FileEdit, finding: Finding, evidence: Sequence[Evidence]) -> Iterator[LedgerRow]:
    is_rule = is_test_path(edit.path) or PurePosixPath(edit.path).name in _CONFIGURATION
    if not is_rule:
        return
    yield from _numbers(edit)
    if is_test_path(edit.path):
        yield from _limits(edit, finding)
        yield from _re_enabled(edit, finding, evidence)
        yield from _unsafe(edit)


def _numbers(edit: FileEdit) -> Iterator[LedgerRow]:
    """Yield lines that are the same but for numbers."""
    for pair in _changed_lines(edit):
        old, new = _NUMBER.findall(pair.before), _NUMBER.findall(pair.after)
        same_rest = _NUMBER.sub("#", pair.before) == _NUMBER.sub("#", pair.after)
        about = LedgerKind.TOLERANCE if _TOLERANCE.search(pair.before) else LedgerKind.LIMIT
        if not same_rest or not (_TOLERANCE.search(pair.before) or _LIMIT.search(pair.before)):
            continue
        for before, after in zip(old, new, strict=True):
            if before != after:
                yield LedgerRow(
                    kind=about,
                    where=f"{edit.path}:{pair.line}",
                    what=pair.before.strip(),
                    before=before,
                    after=after,
                    inflation_percent=inflation_percent(float(before), float(after)),
                )


def _limits(edit: FileEdit, finding: Finding) -> Iterator[LedgerRow]:
    """Yield marks that give a test a higher limit than the one everybody has."""
    found = PLUGIN_LIMIT.search(finding.failure.message) if finding.failure else None
    changed = any(_LIMIT_MARK.search(pair.before) for pair in _changed_lines(edit))
    added = next((n for line in _added(edit) if (n := _LIMIT_MARK.search(line))), None)
    if found is not None and added is not None and not changed:
        before, after = float(found["seconds"]), float(added["seconds"])
        yield LedgerRow(
            kind=LedgerKind.LIMIT,
            where=f"{edit.path}:1",
            what="time limit in seconds",
            before=f"{before:g}",
            after=f"{after:g}",
            inflation_percent=inflation_percent(before, after),
            tests=finding.victims,
        )


def _re_enabled(
    edit: FileEdit, finding: Finding, evidence: Sequence[Evidence]
) -> Iterator[LedgerRow]:
    """Yield the skip and xfail marks that are gone."""
    gone = [(n, line) for n, line in _removed(edit) if _MARK.match(line)]
    added = sum(1 for line in _added(edit) if _MARK.match(line))
    shown = "; ".join(f"{e.question} {e.conclusion}" for e in finding.evidence or evidence[:3])
    for number, line in gone[: max(0, len(gone) - added)]:
        old = edit.before.splitlines()
        reason = _REASON.search(" ".join(old[number - 1 : number + 3]))
        text = (reason["text"] or reason["only"] or "") if reason else ""
        yield LedgerRow(
            kind=LedgerKind.RE_ENABLED,
            where=f"{edit.path}:{number}",
            what=text or "no reason was given",
            before=line.strip(),
            after="runs",
            tests=tuple(v for v in finding.victims if v.partition("::")[0] == edit.path),
            evidence=shown,
        )


def _unsafe(edit: FileEdit) -> Iterator[LedgerRow]:
    """Count the lines that changed what tests share and are gone."""
    gone = [(number, line) for number, line in _removed(edit) if UNSAFE.search(line)]
    left = sum(1 for line in _added(edit) if UNSAFE.search(line))
    if len(gone) > left:
        count = len(gone) - left
        yield LedgerRow(
            kind=LedgerKind.UNSAFE_REMOVED,
            where=f"{edit.path}:{gone[0][0]}",
            what="; ".join(line.strip() for _, line in gone[:3]),
            before=f"{count} line{'s' if count > 1 else ''}",
            after="gone",
        )


def _moved(finding: Finding, edits: Sequence[FileEdit]) -> Iterator[LedgerRow]:
    """Yield tests that left the plain suite, or became several (R72)."""
    ways = (
        (LedgerKind.ISOLATED, _DESELECTS, "in the suite", "in a chunk of their own, before it"),
        (LedgerKind.SPLIT, _PARAMETERS, "one test", "one for each case"),
    )
    for kind, pattern, before, after in ways:
        edit = next((edit for edit in edits if _adds(edit, pattern)), None)
        if edit is not None:
            yield LedgerRow(
                kind=kind,
                where=f"{edit.path}:1",
                what=", ".join(finding.victims[:3]),
                before=before,
                after=after,
                tests=finding.victims,
            )


def _gate(finding: Finding, edits: Sequence[FileEdit], evidence: Sequence[Evidence]) -> LedgerRow:
    """Return who is skipped where, with the counts of both configurations."""
    without = next((e.counts for e in evidence if "files pass" in e.question), "not measured")
    missing = ", ".join(finding.missing) or "what they need"
    return LedgerRow(
        kind=LedgerKind.GATE,
        where=f"{edits[0].path}:1",
        what=f"{len(finding.victims)} tests need {missing}",
        before=f"with it: {expected_with(without)} (expected)",
        after=f"without it: {without} (measured here)",
        tests=finding.victims,
    )


def expected_with(without: str) -> str:
    """Return the counts where nothing is missing: what is skipped here runs there.

    ``7 passed, 3 skipped`` gives ``10 run``.
    """
    numbers = [int(number) for number in re.findall(r"(\d+) (?:passed|skipped)", without)]
    return f"{sum(numbers)} run" if numbers else "not known"


def _adds(edit: FileEdit, pattern: re.Pattern[str]) -> bool:
    return len(pattern.findall(edit.after)) > len(pattern.findall(edit.before))


def _changed_lines(edit: FileEdit) -> Iterator[_Pair]:
    """Yield lines replaced one by one, comments apart."""
    old, new = edit.before.splitlines(), edit.after.splitlines()
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "replace" and b - a == d - c:
            for offset in range(b - a):
                yield _Pair(a + offset + 1, old[a + offset], new[c + offset])


def _removed(edit: FileEdit) -> list[tuple[int, str]]:
    old, new = _code_lines(edit.before), _code_lines(edit.after)
    found = []
    for tag, a, b, _, _ in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag in {"replace", "delete"}:
            found += [(n + 1, old[n]) for n in range(a, b)]
    return found


def _added(edit: FileEdit) -> list[str]:
    swapped = FileEdit(path=edit.path, before=edit.after, after=edit.before)
    return [line for _, line in _removed(swapped)]


def _code_lines(text: str) -> list[str]:
    """Return the lines of a text without comments."""
    lines = text.splitlines()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
    except (tokenize.TokenError, SyntaxError):
        return text.splitlines()
    return lines

"""Read what libtest prints: which tests ended how, what a panic said, and who ran at a death.

The human format is read, because on stable Rust it is the only one: JSON needs nightly. Tests may
write into the middle of it (their child processes are not captured), so a line counts only with a
name that is known, and the names in the last ``failures:`` list and the counts of ``test result:``
have the last word.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from regreen_agents.domain.runs import FailureDetail, Frame

ELIDED = re.compile(r"^\[\.\.\. \d+ bytes elided \.\.\.\]$", re.MULTILINE)
MESSAGE_LIMIT = 2000
OUTPUT_LIMIT = 4000
_START = re.compile(
    r"^test (?P<name>.+?)(?: - should panic| - compile fail| - compile)? \.\.\. ?", re.MULTILINE
)
_END = re.compile(r"(?P<word>ok|FAILED|ignored)(?:, (?P<why>.*))?(?: <\d[\d.]*s>)?$", re.MULTILINE)
_SUMMARY = re.compile(
    r"^test result: (?:ok|FAILED)\. (?P<passed>\d+) passed; (?P<failed>\d+) failed; "
    r"(?P<ignored>\d+) ignored;",
    re.MULTILINE,
)
_SECTION = re.compile(r"^---- (?P<name>.+) stdout ----$", re.MULTILINE)
_FAILURES = re.compile(r"^failures:\n(?P<names>(?: {4}.+\n)+)\n?\Z", re.MULTILINE)
_PANIC = re.compile(
    r"^thread '(?P<thread>[^'\n]*)'(?: \(\d+\))? panicked at "
    r"(?:'(?P<old>.*?)', (?P<oldpath>[^\s:]+):(?P<oldline>\d+):\d+"
    r"|(?P<path>[^\n]+?):(?P<line>\d+):\d+:\n(?P<message>.*?)"
    r"(?=\nstack backtrace:|\nnote: |\n\nthread '|\n\n\n|\Z))",
    re.MULTILINE | re.DOTALL,
)
_BACKTRACE = re.compile(
    r"^ +\d+: (?P<function>.+)\n +at (?P<path>.+?):(?P<line>\d+)(?::\d+)?$", re.MULTILINE
)
_NO_PANIC = re.compile(r"test did not panic as expected(?: at (?P<path>.+?):(?P<line>\d+))?")
_OTHER_PANIC = re.compile(r"^note: panic did not contain expected string", re.MULTILINE)
_ERROR = re.compile(r"^Error: (?P<message>.+)", re.MULTILINE)


@dataclass
class Printed:
    """What one test process printed about its tests, by the names libtest uses."""

    ended: dict[str, str] = field(default_factory=dict)
    """Name -> ``ok``, ``FAILED`` or ``ignored``, in the order they were printed."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Ignored name -> why."""
    failures: dict[str, FailureDetail] = field(default_factory=dict)
    running: str = ""
    """The test that was begun and not ended, where tests run one by one."""
    is_whole: bool = False
    """Whether the summary is there and agrees with the lines."""


class Places(NamedTuple):
    """From where the paths in an output are meant."""

    tree: Path
    cwd: Path
    """The process's folder, which the frames of a backtrace are relative to."""

    def relative(self, path: str) -> str:
        """Return a frame's path relative to the tree; empty when it is not in it."""
        if path.startswith("./"):
            path = str(self.cwd / path[2:])
        if not path.startswith("/"):
            return path.replace("\\", "/")
        inside = Path(path).is_relative_to(self.tree)
        return Path(path).relative_to(self.tree).as_posix() if inside else ""


def read_printed(text: str, known: Collection[str], places: Places) -> Printed:
    """Read a test process's output.

    Args:
        text: Everything it printed, stdout and stderr as they came.
        known: The names that can appear.
        places: The tree and the process's folder.
    """
    body = text.replace("\r\n", "\n")
    printed = Printed()
    for name, part in _parts(body, known):
        end = _last_end(part)
        if end is None:
            printed.running = name
            continue
        printed.running = "" if printed.running == name else printed.running
        printed.ended[name] = end["word"]
        if end["why"]:
            printed.reasons[name] = end["why"].strip()
    _correct(printed, body, known)
    printed.failures = dict(_details(printed, body, places))
    return printed


def _parts(body: str, known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield every test's name with the text from its line to the next test's."""
    starts = [m for m in _START.finditer(body) if m["name"] in known]
    for start, part in _pieces(starts, body):
        yield start["name"], part.partition("\nfailures:\n")[0].partition("\ntest result: ")[0]


def _last_end(part: str) -> re.Match[str] | None:
    """Return how it ended: on its own line, else behind whatever the test wrote meanwhile."""
    own = _END.fullmatch(part.partition("\n")[0])
    return own or next(reversed(list(_END.finditer(part))), None)


def _correct(printed: Printed, body: str, known: Collection[str]) -> None:
    """Let the closing list of failures and the counts overrule lines a test wrote into."""
    summary = next(reversed(list(_SUMMARY.finditer(body))), None)
    if summary is None:
        return
    listed = _FAILURES.search(body[: summary.start()])
    named = [] if listed is None else [line[4:] for line in listed["names"].splitlines() if line]
    failed = {_bare(name) for name in named}
    for name, word in list(printed.ended.items()):
        if word == "FAILED" and name not in failed:
            printed.ended[name] = "ok"
    printed.ended.update(dict.fromkeys(sorted(n for n in failed if n in known), "FAILED"))
    if printed.running in printed.ended:
        printed.running = ""
    counted = [list(printed.ended.values()).count(word) for word in ("ok", "FAILED", "ignored")]
    said = [int(summary[key]) for key in ("passed", "failed", "ignored")]
    printed.is_whole = counted == said and not printed.running


def _bare(name: str) -> str:
    for suffix in (" - should panic", " - compile fail", " - compile"):
        name = name.removesuffix(suffix)
    return name


def _details(printed: Printed, body: str, places: Places) -> Iterator[tuple[str, FailureDetail]]:
    """Yield the failure of every test that has a section of its own."""
    sections = _sections(body)
    for name, word in printed.ended.items():
        if word == "FAILED":
            yield name, failure_of(name, sections.get(name, ""), places)


def _sections(body: str) -> Mapping[str, str]:
    return {
        _bare(start["name"]): piece.partition("\n\nfailures:\n")[0]
        for start, piece in _pieces(list(_SECTION.finditer(body)), body)
    }


def _pieces(starts: Sequence[re.Match[str]], body: str) -> Iterator[tuple[re.Match[str], str]]:
    """Yield every match with the text from its end to the next one's start."""
    ends = [*(start.start() for start in starts[1:]), len(body)]
    for start, end in zip(starts, ends, strict=False):
        yield start, body[start.end() : end]


def failure_of(name: str, section: str, places: Places) -> FailureDetail:
    """Return why a test failed, from what libtest captured of it.

    The test's own thread's panic counts before those of threads it started. Frames are those in
    the tree; without any, the place of the panic is the one frame.
    """
    short = name.partition(" (line ")[0].rpartition(" - ")[2].rpartition("::")[2]
    panics = list(_PANIC.finditer(section))
    own = [p for p in panics if p["thread"] in (name, "main")] or panics
    panic = own[-1] if own else None
    kind, message, frames = "panic", "", list[Frame]()
    if panic is not None:
        message = panic["old"] or panic["message"] or ""
        frames = _frames(section[panic.end() :].partition("\nthread '")[0], places)
        place, line = panic["oldpath"] or panic["path"], panic["oldline"] or panic["line"]
        frames = frames or _frame(place, line, short, places)
    if missed := _NO_PANIC.search(section):
        kind, message = "should_panic", "test did not panic as expected"
        frames = _frame(missed["path"] or "", missed["line"] or "0", short, places)
    elif note := _OTHER_PANIC.search(section):
        kind, message = "should_panic", section[note.start() :].removeprefix("note: ")
    elif panic is None and (error := _ERROR.search(section)):
        kind, message = "Error", error["message"]
    return FailureDetail(
        phase="call",
        type=kind,
        message=(message.strip() or "failed without a message")[:MESSAGE_LIMIT],
        frames=tuple(frames),
        output_tail=section.strip()[-OUTPUT_LIMIT:],
    )


def _frame(path: str, line: str, function: str, places: Places) -> list[Frame]:
    inside = places.relative(path) if path else ""
    return [Frame(path=inside, line=int(line), function=function)] if inside else []


def _frames(text: str, places: Places) -> list[Frame]:
    """Return the backtrace's frames in the tree, outermost first.

    The harness's closure repeats the test's own function: of several frames of one function in
    one file, the innermost stays.
    """
    found: dict[tuple[str, str], Frame] = {}
    for match in _BACKTRACE.finditer(text):
        path = places.relative(match["path"])
        function = match["function"].removesuffix("::{{closure}}").rpartition("::")[2]
        if path and function:
            frame = Frame(path=path, line=int(match["line"]), function=function)
            found.setdefault((path, function), frame)
    return list(reversed(found.values()))

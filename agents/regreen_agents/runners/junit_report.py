"""Read JUnit XML as a stream: huge, broken or hostile files give what could be read, and say so.

The reports come from code under test. There is no DTD in any of them, so one is refused (no entity
can expand, nothing outside is read); no element may grow beyond a bound; bytes that are not of the
declared encoding and characters XML forbids, which many writers let through, are replaced.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

CHUNK = 256 * 1024
MAX_ELEMENT = 4 * 1024 * 1024
"""Bytes one tag may have before the file is given up: expat reads an unfinished one again with
every piece."""
MAX_DEPTH = 200
TEXT_LIMIT = 64 * 1024
"""Characters kept of one failure's text or one output, from its end."""
RED = ("failure", "error")
RETRIED = ("flakyFailure", "flakyError")
"""Surefire: it failed, was run again, and passed."""
AGAIN = ("rerunFailure", "rerunError")
"""Surefire: it was run again, and failed again."""
TELLING = (*RED, "skipped", *RETRIED, *AGAIN)
OUTPUTS = ("system-out", "system-err")
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCE = re.compile(r"&#(?:[xX]([0-9a-fA-F]{1,8})|([0-9]{1,9}));")
_CUT_REFERENCE = re.compile(r"&#?[0-9a-zA-Z]{0,10}\Z")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass
class Told:
    """What one child of a test case says."""

    tag: str
    type: str = ""
    message: str = ""
    text: str = ""


@dataclass
class Case:
    """One ``testcase`` as it stands in the file."""

    name: str
    classname: str
    file: str
    suites: tuple[str, ...]
    """Names of the suites around it, outermost first."""
    time: str = ""
    status: str = ""
    told: list[Told] = field(default_factory=list)
    output: str = ""
    is_cut: bool = False
    """The file ended inside it."""

    def first(self, *tags: str) -> Told | None:
        """Return the first child of these kinds."""
        return next((told for told in self.told if told.tag in tags), None)


@dataclass
class Report:
    """What a file gave."""

    cases: list[Case] = field(default_factory=list)
    problem: str = ""
    """Why it could not be read to its end; empty when it could."""


class _RefusedError(Exception):
    """The file is not what a test report is."""


def read_report(path: Path) -> Report:
    """Read one file; whatever is wrong with it, what stood before is kept."""
    reader = _Reader()
    try:
        for text in _clean_text(path):
            reader.feed(text)
        reader.close()
    except (expat.ExpatError, _RefusedError) as error:
        reader.report.problem = str(error)
    except OSError as error:
        reader.report.problem = error.strerror or str(error)
    reader.give_up_open_case()
    return reader.report


def _clean_text(path: Path) -> Iterator[str]:
    """Yield the file's text in pieces, with what XML does not allow replaced."""
    with path.open("rb") as file:
        head = file.read(CHUNK)
        decoder = codecs.getincrementaldecoder(_encoding_of(head))(errors="replace")
        rest = ""
        while head:
            text = rest + decoder.decode(head)
            head = file.read(CHUNK)
            cut = _CUT_REFERENCE.search(text) if head else None
            rest = cut.group() if cut else ""
            yield _allowed(text[: len(text) - len(rest)])
        yield _allowed(decoder.decode(b"", final=True))


def _encoding_of(head: bytes) -> str:
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return name
    declared = _DECLARED.match(head)
    name = declared[1].decode("ascii") if declared else "utf-8"
    try:
        b" ".decode(name)
    except (LookupError, UnicodeError):  # unknown, no encoding of text, or not that of these bytes
        return "utf-8"
    return name


def _allowed(text: str) -> str:
    return _REFERENCE.sub(_reference, _FORBIDDEN.sub(REPLACEMENT, text))


def _reference(found: re.Match[str]) -> str:
    number = int(found[1], 16) if found[1] else int(found[2])
    is_allowed = number <= 0x10FFFF and not _FORBIDDEN.match(chr(number))  # noqa: PLR2004 - the last code point
    return found.group() if is_allowed else REPLACEMENT


class _Reader:
    """Collects cases from a parser's events."""

    def __init__(self) -> None:
        self.report = Report()
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._fed = 0
        self._path: list[str] = []
        self._suites: list[tuple[str, str]] = []
        """Name and file of the suites that are open."""
        self._case: Case | None = None
        self._into: Told | None = None
        self._pieces: list[str] = []
        self._kept = 0

    def feed(self, text: str) -> None:
        raw = text.encode("utf-8", "replace")
        self._fed += len(raw)
        self._parser.Parse(raw, False)  # noqa: FBT003 - expat's signature
        if self._fed - self._parser.CurrentByteIndex > MAX_ELEMENT:
            raise _RefusedError(f"one element is larger than {MAX_ELEMENT} bytes")

    def close(self) -> None:
        self._parser.Parse(b"", True)  # noqa: FBT003 - expat's signature

    def give_up_open_case(self) -> None:
        if self._case is not None:
            self._case.is_cut = True
            self.report.cases.append(self._case)
            self._case = None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self._path.append(name)
        if len(self._path) > MAX_DEPTH:
            raise _RefusedError(f"elements are nested more than {MAX_DEPTH} deep")
        if self._case is not None:
            self._start_in_case(self._case, name, attributes)
        elif name == "testsuite":
            file = attributes.get("file") or attributes.get("filepath") or ""
            self._suites.append((attributes.get("name", ""), file))
        elif name == "testcase":
            self._case = self._new_case(attributes)

    def _new_case(self, attributes: dict[str, str]) -> Case:
        files = [file for _, file in self._suites if file]
        return Case(
            name=attributes.get("name", ""),
            classname=attributes.get("classname", ""),
            file=attributes.get("file") or (files[-1] if files else ""),
            suites=tuple(suite for suite, _ in self._suites if suite),
            time=attributes.get("time", ""),
            status=attributes.get("status", ""),
        )

    def _start_in_case(self, case: Case, tag: str, attributes: dict[str, str]) -> None:
        if self._into is not None or tag not in (*TELLING, *OUTPUTS):
            return
        kind, message = attributes.get("type", ""), attributes.get("message", "")
        self._into = Told(tag, kind[:TEXT_LIMIT], message[:TEXT_LIMIT])
        self._pieces, self._kept = [], 0
        if tag not in OUTPUTS:
            case.told.append(self._into)

    def _text(self, text: str) -> None:
        if self._into is None or (self._path[-1] in OUTPUTS and self._into.tag not in OUTPUTS):
            return  # the output of an earlier attempt stands inside its element
        self._pieces.append(text)
        self._kept += len(text)
        if self._kept > 2 * TEXT_LIMIT:
            whole = "".join(self._pieces)[-TEXT_LIMIT:]
            self._pieces, self._kept = [whole], len(whole)

    def _end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        self._path.pop()
        if self._case is None:
            if name == "testsuite":
                self._suites.pop()
            return
        if self._into is not None and name == self._into.tag:
            self._into.text = "".join(self._pieces)[-TEXT_LIMIT:]
            if name in OUTPUTS:
                self._case.output = (self._case.output + self._into.text)[-TEXT_LIMIT:]
            self._into = None
        if name == "testcase":
            self.report.cases.append(self._case)
            self._case = None


def _refuse_doctype(*_told: object) -> NoReturn:
    raise _RefusedError("it has a document type declaration, which no test report needs")

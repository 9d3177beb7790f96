"""Makes text of unknown origin safe to print in a terminal and to place in a document.

Test ids, messages and logs come from code under test. Nothing they contain may move a cursor,
reorder a line, end a table, open a link or leave a fenced block.
"""

import re

_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # control sequences: colours, cursor
    r"|\x1b\][^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # operating-system commands: titles, links
    r"|\x1b[PX^_][^\x07\x1b\x9c\n]*(?:\x1b\\|\x9c)"  # device control and other strings
    r"|\x1b[ -/]*[0-~]"  # two-character escapes, and the head of an unfinished one
)
_LINE_ENDS = re.compile("\r\n|[\r\u2028\u2029]")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 (but tab and line feed), DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional marks and overrides
    "\ufeff\U000e0000-\U000e007f]"  # byte order mark, tag characters
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_BREAKS = re.compile("[\t\n]")
_SPACES = re.compile(r"[ \t\n]+")
_BACKTICKS = re.compile("`+")
_SPAN = re.compile("(`[^`\n]+`)")
_MARKUP = re.compile(r"[\\`*\[\]<]|~~|&(?=[#A-Za-z])|(?<!\w)_|_(?!\w)")


def clean_text(text: str) -> str:
    r"""Return the text without anything a terminal or a reader could be misled by.

    Terminal sequences, control characters (but ``\n`` and ``\t``), bidirectional overrides and
    tag characters go; every line end becomes ``\n``; lone surrogates become U+FFFD, so that the
    result can always be written as UTF-8. Cleaning twice changes nothing more.
    """
    text = _ANSI.sub("", text)
    text = _LINE_ENDS.sub("\n", text)
    text = _INVISIBLE.sub("", text)
    return _SURROGATES.sub("\ufffd", text)


def one_line(text: str) -> str:
    """Return the cleaned text as one line, every run of white space as one space."""
    return _SPACES.sub(" ", clean_text(text)).strip()


def fence(text: str, language: str = "") -> str:
    """Return the cleaned text as a fenced block that nothing inside it can close.

    The result ends without a line feed.
    """
    body = clean_text(text).rstrip("\n")
    ticks = "`" * max(3, _longest_run(body) + 1)
    return f"{ticks}{language}\n{body}\n{ticks}"


def code_span(text: str) -> str:
    """Return the text as one inline code span, shown letter by letter, spaces included."""
    body = _BREAKS.sub(" ", clean_text(text))
    if not body:
        return "(empty)"
    ticks = "`" * (_longest_run(body) + 1)
    eaten = body[0] == body[-1] == " " and body.strip(" ")  # CommonMark would take one off each end
    pad = " " if eaten or body[0] == "`" or body[-1] == "`" else ""
    return f"{ticks}{pad}{body}{pad}{ticks}"


def prose(text: str) -> str:
    """Return the text as one line of Markdown without effect, its plain code spans kept.

    It is meant for the middle of a line: characters that act only at its start stay as they are.
    """
    parts = _SPAN.split(one_line(text))
    return "".join(
        part if index % 2 else _MARKUP.sub(_escape, part) for index, part in enumerate(parts)
    )


def _escape(match: re.Match[str]) -> str:
    return "".join(f"\\{character}" for character in match.group())


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)

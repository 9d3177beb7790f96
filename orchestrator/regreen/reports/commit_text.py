"""Wraps commit messages at 72 columns; commands stay pasteable."""

import re
import textwrap
from collections.abc import Iterable

from regreen_prompts import clean_text, one_line

WIDTH = 72

_WORD = re.compile(r"""(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+""")
_LINE_END = re.compile(r"\s*\n\s*")
_CONTINUED = " \\"


def wrap(text: str, *, first: str = "", rest: str = "") -> str:
    """Return the text as lines of at most 72 columns; words are never broken.

    Args:
        text: Any text; control characters and line ends are taken out.
        first: What the first line starts with.
        rest: What the other lines start with.
    """
    return textwrap.fill(
        one_line(text),
        width=WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def wrap_list(items: Iterable[str]) -> str:
    """Return one wrapped ``- item`` per item."""
    return "\n".join(wrap(item, first="- ", rest="  ") for item in items)


def wrap_command(command: str, indent: str = "    ") -> str:
    """Return a shell command over several lines, each but the last continued by a backslash.

    Quoted words stay whole; a command that cannot be split safely stays on one line.
    """
    text = clean_text(command).strip()
    words = _WORD.findall(text)
    if "#" in text or "\n" in text or " ".join(words) != text:
        return indent + _LINE_END.sub(" ", text)
    lines = [indent + words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) + len(_CONTINUED) <= WIDTH:
            lines[-1] += f" {word}"
        else:
            lines[-1] += _CONTINUED
            lines.append(f"{indent}  {word}")
    return "\n".join(lines)


def shorten(text: str, width: int = WIDTH) -> str:
    """Return one line of at most so many columns, cut at a word where possible."""
    line = one_line(text)
    if len(line) <= width:
        return line
    head, _, _ = line[: width - 2].rpartition(" ")
    return f"{head or line[: width - 3]}..."

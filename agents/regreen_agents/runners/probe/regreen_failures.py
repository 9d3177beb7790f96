"""Describe why a test was red or skipped, from what pytest knows about it.

Runs in the target's interpreter: Python 3.8+, pytest 7+, no dependency.
"""

import os
from typing import Any, Dict, List

MESSAGE_LIMIT = 2000
OUTPUT_LIMIT = 4000
FRAME_LIMIT = 30
realpath = os.path.realpath  # a test may replace it


def describe_exception(excinfo: Any, tree: str) -> Dict[str, Any]:
    """Return type, message and frames of a pytest ExceptionInfo."""
    kind = excinfo.type
    name = (
        kind.__name__
        if kind.__module__ == "builtins"
        else kind.__module__ + "." + kind.__qualname__
    )
    try:
        missing = getattr(excinfo.value, "argname", None)  # str() of pytest's error says little
        message = "fixture %r not found" % missing if missing else str(excinfo.value)
    except Exception as error:
        message = "<str() of the exception raised " + type(error).__name__ + ">"
    frames: List[Dict[str, Any]] = []
    entry = excinfo.value.__traceback__
    while entry is not None:
        code = entry.tb_frame.f_code
        frames.append(
            {
                "path": relative(code.co_filename, tree),
                "line": entry.tb_lineno,
                "function": code.co_name,
            }
        )
        entry = entry.tb_next
    wanted = [
        frame
        for frame in frames
        if "/_pytest/" not in frame["path"] and "/pluggy/" not in frame["path"]
    ]
    return {"type": name, "message": message[:MESSAGE_LIMIT], "frames": wanted[-FRAME_LIMIT:]}


def relative(path: str, tree: str) -> str:
    """Return the path relative to the tree when inside it, with forward slashes."""
    real = realpath(path) if path.startswith(os.sep) else path
    if real.startswith(tree + os.sep):
        real = real[len(tree) + 1 :]
    return real.replace(os.sep, "/")


def output_tail(report: Any) -> str:
    """Return the last captured output of a report without joining all of it."""
    left, parts = OUTPUT_LIMIT, []
    for title, text in reversed(getattr(report, "sections", [])):
        if left <= 0:
            break
        tail = text[-left:]
        parts.append("[" + title + "]\n" + tail)
        left -= len(tail)
    return "\n".join(reversed(parts))


def reason_of(report: Any) -> str:
    """Return why a report says skipped."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(text)[:MESSAGE_LIMIT]

"""Showing how two requests differ: part by part, only the lines around the difference."""

import json
from difflib import unified_diff
from itertools import takewhile

from regreen_agents.llm.messages import (
    Block,
    OtherBlock,
    Request,
    TextBlock,
    ToolResult,
    ToolUse,
)

WIDTH = 160
"""Longer lines are cut into pieces of this size, so that only the piece that differs is shown."""
CONTEXT = 3
MOST_LINES = 80


def difference(recorded: Request, asked: Request) -> str:
    """Return which parts differ, and a unified diff of the first of them, at most 80 lines."""
    left, right = _parts(recorded), _parts(asked)
    names = [name for name in dict.fromkeys((*left, *right)) if left.get(name) != right.get(name)]
    if not names:
        return "They differ in a part that is not shown."
    first = names[0]
    told = f"{first} differs" + (f", and {len(names) - 1} more parts" if names[1:] else "") + ":"
    lines = _diff(left.get(first, []), right.get(first, []))
    shown = lines[:MOST_LINES]
    more = [f"[... {len(lines) - MOST_LINES} more lines]"] if len(lines) > MOST_LINES else []
    return "\n".join([told, *shown, *more])


def _parts(request: Request) -> dict[str, list[str]]:
    """Return the request's parts in order, each as lines."""
    parts = {
        "the model": [request.model],
        "max_tokens": [str(request.max_tokens)],
        "the effort": [str(request.effort)],
        "the system prompt": _lines(request.system),
        "the list of tools": [tool.name for tool in request.tools],
    }
    for tool in request.tools:
        schema = json.dumps(tool.input_schema, indent=1, sort_keys=True)
        parts[f"the tool {tool.name}"] = _lines(f"{tool.description}\n{schema}")
    for number, turn in enumerate(request.turns, start=1):
        body = [line for block in turn.content for line in _lines(_told(block))]
        parts[f"turn {number} ({turn.role})"] = body
    return parts


def _told(block: Block) -> str:
    match block:
        case TextBlock():
            return block.text
        case ToolUse():
            given = block.broken or json.dumps(block.input, indent=1, sort_keys=True)
            return f"call {block.id}: {block.name}\n{given}"
        case ToolResult():
            return f"result of {block.tool_use_id}, error={block.is_error}\n{block.content}"
        case OtherBlock():
            return json.dumps(block.raw, indent=1, sort_keys=True)


def _lines(text: str) -> list[str]:
    return [
        line[start : start + WIDTH]
        for line in text.split("\n")
        for start in range(0, max(len(line), 1), WIDTH)
    ]


def _diff(left: list[str], right: list[str]) -> list[str]:
    """Return the unified diff of what lies between the common head and the common tail."""
    head = _common(left, right)
    tail = min(_common(left[::-1], right[::-1]), min(len(left), len(right)) - head)
    start, keep = max(0, head - CONTEXT), max(0, tail - CONTEXT)
    old = left[start : len(left) - keep][: 4 * MOST_LINES]
    new = right[start : len(right) - keep][: 4 * MOST_LINES]
    return list(unified_diff(old, new, "tape", "this sprint", n=CONTEXT, lineterm=""))


def _common(left: list[str], right: list[str]) -> int:
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False))))

"""Files that commands in measurements name: kept on the tape, and put where a replay needs them."""

import re
from collections.abc import Mapping
from pathlib import Path

from regreen_agents.runners.factors import copy_tool

ORDERS = "*.order.txt"
TOOL = "factors/regreen_factors.py"
_NAME = re.compile(r"[\w-]{1,80}(?:\.[\w-]{1,20})?\.order\.txt")


def orders_named(told: str, logs: Path) -> dict[str, str]:
    """Return the lists of tests in a folder of runs that a text names: file name -> content."""
    found = sorted(path for path in logs.glob(ORDERS) if path.name in told)
    return {path.name: path.read_text(encoding="utf-8", errors="replace") for path in found}


def put_back(told: str, orders: Mapping[str, str], logs: Path) -> None:
    """Write the files that a text's commands need into a replay's folder of runs.

    A tape is anybody's: names that are not ours, or lead elsewhere, are passed over.
    """
    logs.mkdir(parents=True, exist_ok=True)
    for name, content in orders.items():
        if _NAME.fullmatch(name):
            (logs / name).write_text(content, encoding="utf-8")
    if f"{logs.name}/{TOOL}" in told:
        copy_tool(logs / "factors")

"""No test may leave the process another than it found it: the next ones would run in that."""

import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

OWN_OF_PYTEST = "PYTEST_CURRENT_TEST"


def process_state() -> dict[str, object]:
    """What tests share: variables, folder, import path, a class known to have been doubled."""
    return {
        "environ": {n: v for n, v in os.environ.items() if n != OWN_OF_PYTEST},
        "cwd": Path.cwd(),
        "sys.path": list(sys.path),
        "json": (json.JSONDecodeError, sys.modules["json.decoder"]),
        "excepthook": (sys.excepthook, threading.excepthook),
    }


@pytest.fixture(autouse=True)
def _process_left_as_found() -> Iterator[None]:
    before = process_state()
    yield
    after = process_state()
    assert after == before

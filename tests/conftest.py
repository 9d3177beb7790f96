"""No test may leave the process another than it found it: the next ones would run in that."""

import json
import os
import sys
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
    }


@pytest.fixture(scope="session", autouse=True)
def _state_at_start() -> dict[str, object]:
    """Taken before any fixture of the session: plugins set what they need before."""
    return process_state()


@pytest.fixture(scope="module", autouse=True)
def _session_left_as_found(_state_at_start: dict[str, object]) -> Iterator[None]:
    """Fixtures that last for the session must not change it: its other modules share it, too."""
    yield
    assert process_state() == _state_at_start


@pytest.fixture(autouse=True)
def _process_left_as_found() -> Iterator[None]:
    before = process_state()
    yield
    after = process_state()
    assert after == before

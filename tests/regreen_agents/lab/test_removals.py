import importlib
import sys
import warnings

import pytest

from regreen_agents.domain.runs import FailureDetail
from regreen_agents.lab.removals import NUMPY, PYTHON, removal_in, version_of


def said(message: str, phase: str = "call") -> FailureDetail:
    output = message if phase == "collect" else ""
    return FailureDetail(phase=phase, type="E", message=message, output_tail=output)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("module 'inspect' has no attribute 'getargspec'", "inspect.getargspec"),
        ("cannot import name 'Mapping' from 'collections' (/x.py)", "collections.Mapping"),
        ("No module named 'binhex'", "binhex"),
        ("'Thread' object has no attribute 'isAlive'", "threading.Thread.isAlive"),
        ("module 'collections' has no attribute 'Callable'", "collections.Callable"),
        ("The only supported seed types are: None,\nint, float", "random.seed with any hashable"),
        ("module 'numpy' has no attribute 'float'.", "numpy.float"),
    ],
)
def test_a_name_that_is_gone_is_recognised(message: str, name: str) -> None:
    removal = removal_in(said(message), (3, 11))

    assert removal is not None
    assert removal.name == name


@pytest.mark.parametrize(
    "message",
    [
        "No module named 'imp'",
        "'CartTest' object has no attribute 'assertEquals'",
        "No module named 'distutils.core'",
    ],
)
def test_a_name_is_gone_only_from_its_version_on(message: str) -> None:
    assert removal_in(said(message), (3, 11)) is None
    assert removal_in(said(message), (3, 12)) is not None


@pytest.mark.parametrize(
    "message",
    [
        "module 'shop' has no attribute 'getargspec'",
        "cannot import name 'Mapping' from 'shop.collections'",
        "No module named 'shop'",
        "'Cart' object has no attribute 'total'",
        "assert 1 == 2",
    ],
)
def test_other_missing_names_are_nobodys_removal(message: str) -> None:
    assert removal_in(said(message), (3, 13)) is None


def test_a_collection_error_is_read_whole() -> None:
    failure = said("E   ImportError: cannot import name 'Set' from 'collections'", "collect")

    assert removal_in(failure, (3, 11)) is not None


def test_the_table_is_right_about_this_interpreter() -> None:
    python = sys.version_info[:2]
    only_elsewhere = {"msilib", "nis", "ossaudiodev", "spwd", "crypt"}
    """Modules of some platforms only."""

    wrong = {
        name
        for name, version in PYTHON.items()
        if is_there(name) is (version_of(version) <= python)
    }

    assert wrong <= only_elsewhere
    assert len(NUMPY) == 8


def is_there(name: str) -> bool:
    """Whether a name can be imported, or read from what can."""
    parts = name.split(".")
    for depth in range(len(parts), 0, -1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found: object = importlib.import_module(".".join(parts[:depth]))
                for part in parts[depth:]:
                    found = getattr(found, part)
        except (ImportError, AttributeError):
            continue
        return True
    return False

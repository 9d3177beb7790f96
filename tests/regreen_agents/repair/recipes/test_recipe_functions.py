from pathlib import Path

import pytest

from recipe_cases import assert_repairs, env_change, make_finding, write_tree
from regreen_agents.domain.findings import Cause

LEAK = make_finding(
    Cause.ENVIRONMENT_LEAK, "tests/test_a.py::test_it", state=(env_change("REGION"),)
)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("()", "(monkeypatch)"),
        ("(a, *, b)", "(a, monkeypatch, *, b)"),
        ("(a, b=1)", "(a, monkeypatch, b=1)"),
        ("(a, **rest)", "(a, monkeypatch, **rest)"),
        ("(monkeypatch)", "(monkeypatch)"),
        ("(\n    a,\n    b,\n)", "(\n    a,\n    b,\n    monkeypatch,\n)"),
        (
            "(\n    a,  # first\n    b,  # second\n)",
            "(\n    a,  # first\n    b,  # second\n    monkeypatch,\n)",
        ),
        ("(\n    a\n)", "(\n    a,\n    monkeypatch\n)"),
        ("(a, b,)", "(a, b, monkeypatch,)"),
    ],
)
def test_the_parameter_is_added_in_the_layout_of_the_others(
    tmp_path: Path, parameters: str, expected: str
) -> None:
    text = "import os\n\n\nasync def test_it{}:\n    {}\n"
    tree = write_tree(
        tmp_path, {"tests/test_a.py": text.format(parameters, "os.environ['REGION'] = 'EU'")}
    )
    after = text.format(expected, "monkeypatch.setenv('REGION', 'EU')")

    assert_repairs(tree, "env_monkeypatch", LEAK, {"tests/test_a.py": after})

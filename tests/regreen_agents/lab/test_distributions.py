from pathlib import Path

import pytest

from recipe_cases import write_tree
from regreen_agents.lab.distributions import declared, offer

PYPROJECT = """
[project]
dependencies = ["Requests>=2"]

[project.optional-dependencies]
test = ["PyYAML ; python_version > '3'", "pytest_mock"]

[dependency-groups]
dev = ["mypy>=1"]
"""


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        (
            "yaml",
            "The extra `test` of pyproject.toml asks for PyYAML: "
            "`python -m pip install -e '.[test]'`.",
        ),
        (
            "mypy",
            "The dependency group `dev` of pyproject.toml asks for mypy: "
            "`python -m pip install --group dev`.",
        ),
        (
            "the fixture mocker",
            "The extra `test` of pyproject.toml asks for pytest_mock: "
            "`python -m pip install -e '.[test]'`.",
        ),
        (
            "requests.adapters",
            "pyproject.toml asks for Requests: `python -m pip install Requests`.",
        ),
        ("cv2", "`python -m pip install opencv-python` would provide it."),
        ("the fixture of_our_own", ""),
        ("shop", ""),
    ],
)
def test_what_is_missing_is_named_and_offered(tmp_path: Path, missing: str, expected: str) -> None:
    write_tree(tmp_path, {"pyproject.toml": PYPROJECT, "shop/__init__.py": ""})

    assert offer(missing, tmp_path) == expected


def test_every_list_of_requirements_is_read(tmp_path: Path) -> None:
    files = {
        "setup.cfg": "[options]\ninstall_requires =\n    six\n\n[options.extras_require]\n"
        "doc =\n    Sphinx>=4\n",
        "requirements/test.txt": "-r base.txt\nfreezegun==1.2  # pinned\n",
        "pyproject.toml": "[tool.poetry.group.dev.dependencies]\nblack = '*'\n",
    }
    write_tree(tmp_path, files)

    found = [declared(name, tmp_path) for name in ("six", "sphinx", "freezegun", "black", "nose")]

    assert [f.where if f else None for f in found] == [
        "setup.cfg",
        "The extra `doc` of setup.cfg",
        "requirements/test.txt",
        "pyproject.toml",
        None,
    ]


def test_broken_lists_say_nothing(tmp_path: Path) -> None:
    write_tree(tmp_path, {"pyproject.toml": "[project", "setup.cfg": "no section = 1\n"})

    assert offer("yaml", tmp_path) == "`python -m pip install PyYAML` would provide it."

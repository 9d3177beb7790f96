from pathlib import Path

import pytest

from regreen_agents.lab.claims import is_tested_on, newest_claimed

CLASSIFIED = """
from setuptools import setup
setup(
    name="shop",
    python_requires=">=3.6",
    classifiers=[
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.8",
        "Programming Language :: Python :: 3.10",
    ],
)
"""


def claimed(project: Path, name: str, text: str) -> str:
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    claim = newest_claimed(project)
    return "nothing" if claim is None else f"{claim} by {claim.source}"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("setup.py", CLASSIFIED, "3.10 by classifiers in setup.py"),
        (
            "setup.py",
            'LINES = """\nProgramming Language :: Python :: 3.9\n"""',
            "3.9 by classifiers in setup.py",
        ),
        ("setup.py", "setup(python_requires='>=3.5, <3.9')", "3.8 by python_requires in setup.py"),
        ("setup.py", "print 'Python 2'", "nothing"),
        (
            "setup.cfg",
            "[metadata]\nclassifiers =\n\tProgramming Language :: Python :: 3.7\n",
            "3.7 by classifiers in setup.cfg",
        ),
        (
            "setup.cfg",
            "[options]\npython_requires = >=3.4, <=3.9\n",
            "3.9 by python_requires in setup.cfg",
        ),
        ("setup.cfg", "no section here", "nothing"),
        (
            "pyproject.toml",
            '[project]\nclassifiers = ["Programming Language :: Python :: 3.12"]\n',
            "3.12 by classifiers in pyproject.toml",
        ),
        (
            "pyproject.toml",
            '[project]\nrequires-python = ">=3.8,<3.11"\n',
            "3.10 by requires-python in pyproject.toml",
        ),
        (
            "pyproject.toml",
            '[tool.poetry.dependencies]\npython = ">=3.6,<3.10"\n',
            "3.9 by requires-python in pyproject.toml",
        ),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.6"\n', "nothing"),
        ("pyproject.toml", '[project]\nrequires-python = ">=3.8,<4"\n', "nothing"),
        ("pyproject.toml", "not toml at all [", "nothing"),
        ("pyproject.toml", "project = 3\n", "nothing"),
        (
            "PKG-INFO",
            "Name: shop\nClassifier: Programming Language :: Python :: 3.6\n\nIn 3.13 all is new.",
            "3.6 by classifiers in PKG-INFO",
        ),
        (
            "shop.egg-info/PKG-INFO",
            "Requires-Python: >=2.7, !=3.0.*, <3.8\n",
            "3.7 by Requires-Python in PKG-INFO",
        ),
    ],
)
def test_a_project_claims_the_newest_version_its_files_name(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    assert claimed(tmp_path, name, text) == said


def test_the_newest_claim_of_all_files_counts(tmp_path: Path) -> None:
    claimed(tmp_path, "setup.py", CLASSIFIED)

    said = claimed(tmp_path, "PKG-INFO", "Classifier: Programming Language :: Python :: 3.11\n")

    assert said == "3.11 by classifiers in PKG-INFO"


def test_a_project_without_metadata_claims_nothing(tmp_path: Path) -> None:
    assert newest_claimed(tmp_path) is None


@pytest.mark.parametrize(
    ("name", "text", "is_tested"),
    [
        ("tox.ini", "[tox]\nenvlist = py39, py311\n", True),
        ("tox.ini", "[tox]\nenvlist = py{39,310,311}-lxml\n", True),
        ("tox.ini", "[tox]\nenvlist = py{39,310}\n", False),
        (".github/workflows/ci.yml", "python-version: ['3.10', '3.11']", True),
        (".github/workflows/ci.yml", "python-version: 3.11-dev", True),
        (".github/workflows/ci.yml", "python-version: 3.10  # tool 13.11 and 2.3.11", False),
        ("noxfile.py", "@nox.session(python=['python3.11'])", True),
        ("README.md", "works on 3.11", False),
    ],
)
def test_ci_that_names_a_version_claims_it(
    tmp_path: Path, name: str, text: str, is_tested: bool
) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)

    assert is_tested_on(tmp_path, (3, 11)) is is_tested

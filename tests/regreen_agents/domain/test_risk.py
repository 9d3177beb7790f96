"""Risk by path: the most dangerous path decides, and is named."""

import pytest

from regreen_agents.domain.plans import RiskLevel
from regreen_agents.domain.risk import RiskPolicy, matches, risk_of

POLICY = RiskPolicy(
    protected_paths=("src/billing/", "secrets.py"),
    high_risk_paths=("src/**/migrations/*.py",),
    low_risk_paths=("src/generated/", "tests/conftest.py"),
)


@pytest.mark.parametrize(
    ("path", "level", "reason"),
    [
        ("src/billing/tax/rates.py", RiskLevel.CRITICAL, "is protected"),
        ("deep/down/secrets.py", RiskLevel.CRITICAL, "is protected"),
        ("../other/x.py", RiskLevel.CRITICAL, "is not a file of the tree"),
        ("/etc/passwd", RiskLevel.CRITICAL, "is not a file of the tree"),
        (".git/hooks/pre-commit", RiskLevel.CRITICAL, "is not a file of the tree"),
        ("src/a/b/migrations/m1.py", RiskLevel.HIGH, "project's own word"),
        ("tests/unit/conftest.py", RiskLevel.HIGH, "configures the test suite"),
        ("tests/conftest.py", RiskLevel.HIGH, "configures the test suite"),
        ("pyproject.toml", RiskLevel.HIGH, "configures the test suite"),
        ("requirements-dev.txt", RiskLevel.HIGH, "configures the build"),
        (".github/workflows/test.yml", RiskLevel.HIGH, "continuous integration"),
        ("src/shop/orders.py", RiskLevel.MEDIUM, "is code under test"),
        ("src/docs/reader.py", RiskLevel.MEDIUM, "is code under test"),
        ("src/shop/prices.txt", RiskLevel.MEDIUM, "is code under test"),
        ("src/generated/x.py", RiskLevel.LOW, "project's own word"),
        ("tests/test_a.py", RiskLevel.LOW, "is a test"),
        ("src/shop/test_orders.py", RiskLevel.LOW, "is a test"),
        ("tests/data/prices.csv", RiskLevel.LOW, "is a test"),
        ("docs/index.html", RiskLevel.LOW, "is documentation"),
        ("README.md", RiskLevel.LOW, "is documentation"),
        ("src/", RiskLevel.CRITICAL, "a file in it is protected"),
        ("tests/", RiskLevel.CRITICAL, "a file in it is protected"),
    ],
)
def test_one_path_is_judged(path: str, level: RiskLevel, reason: str) -> None:
    found, why = risk_of([path], POLICY)

    assert found is level
    assert path in why
    assert reason in why


def test_a_whole_folder_is_as_dangerous_as_what_it_may_hold() -> None:
    assert risk_of(["tests/"], RiskPolicy()) == (
        RiskLevel.HIGH,
        "tests/ is a folder, and a file in it configures the test suite",
    )
    anchored = RiskPolicy(protected_paths=("src/billing/tax.py",))
    assert risk_of(["src/"], anchored)[0] is RiskLevel.CRITICAL
    assert risk_of(["src/shop/"], anchored)[0] is RiskLevel.HIGH


def test_the_most_dangerous_path_decides_and_is_named() -> None:
    paths = ["README.md", "src/shop/orders.py", "conftest.py", "tests/test_a.py", "setup.py"]

    assert risk_of(paths, POLICY) == (RiskLevel.HIGH, "conftest.py configures the test suite")
    assert risk_of(paths[:2], POLICY)[1] == "src/shop/orders.py is code under test"


def test_nothing_touched_is_nothing_risked() -> None:
    assert risk_of([], POLICY) == (RiskLevel.LOW, "no file is touched")


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("a/b/c.py", "a/*/c.py", True),
        ("a/b/b/c.py", "a/*/c.py", False),
        ("a/b/b/c.py", "a/**/c.py", True),
        ("a/c.py", "a/**/c.py", True),
        ("x/a/c.py", "a/c.py", False),
        ("x/a/c.py", "/a", False),
        ("a/c.py", "/a", True),
        ("x/a/c.py", "a", True),
        ("x/ab/c.py", "a", False),
        ("a/c.py", "./a/c.py", True),
        ("A/c.py", "a/", False),
    ],
)
def test_patterns_read_as_in_gitignore(path: str, pattern: str, expected: bool) -> None:
    assert matches(path, pattern) is expected

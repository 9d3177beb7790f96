"""How much a wrong change would cost, judged by the paths it touches (R48)."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import NamedTuple

from regreen_agents.domain.identity import Model
from regreen_agents.domain.plans import RiskLevel

_SUITE_CONFIGURATION = (
    "conftest.py",
    "pyproject.toml",
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    ".pytest.toml",
    "tox.ini",
    "tox.toml",
    "setup.cfg",
    "setup.py",
    "noxfile.py",
    ".coveragerc",
    "sitecustomize.py",
    "usercustomize.py",
    "*.pth",
)
_BUILD_CONFIGURATION = (
    "requirements*.txt",
    "requirements/",
    "constraints*.txt",
    "environment.yml",
    "environment.yaml",
    "*.lock",
    "Makefile",
    "justfile",
    "CMakeLists.txt",
    "meson.build",
    "MANIFEST.in",
    "Dockerfile*",
    "docker-compose*",
    ".pre-commit-config.yaml",
    "regreen.toml",
)
_CI_CONFIGURATION = (
    ".github/",
    ".gitlab-ci.yml",
    ".gitlab/",
    ".circleci/",
    ".travis.yml",
    ".ci/",
    "/ci/",
    "Jenkinsfile",
    "azure-pipelines*",
    ".buildkite/",
)
_TESTS = ("test_*.py", "*_test.py", "tests.py", "tests/", "test/")
_DOCUMENTATION = ("/docs/", "/doc/", "*.md", "*.rst", "LICENSE*", "COPYING*")
_SEVERITY = (RiskLevel.LOW, RiskLevel.MEDIUM, RiskLevel.HIGH, RiskLevel.CRITICAL)


class RiskPolicy(Model):
    """The paths a project itself calls dangerous or harmless.

    A pattern is read as in ``.gitignore``: without a ``/`` before its end it fits at any depth,
    with one it starts at the root; it covers everything below a folder it names; ``*`` stays
    inside one name, ``**`` does not.
    """

    protected_paths: tuple[str, ...] = ()
    """Critical."""
    high_risk_paths: tuple[str, ...] = ()
    low_risk_paths: tuple[str, ...] = ()
    """Low, unless they also hold test, build or CI configuration."""


class _Rule(NamedTuple):
    level: RiskLevel
    patterns: tuple[str, ...]
    reason: str


def risk_of(paths: Sequence[str], policy: RiskPolicy) -> tuple[RiskLevel, str]:
    """Return the highest risk among paths, and the path that decided it.

    Args:
        paths: Relative, posix; one that ends in ``/`` means anything below that folder.
        policy: What the project says; nothing in it can make test configuration harmless.
    """
    judged = [_risk_of_one(path, policy) for path in paths]
    if not judged:
        return RiskLevel.LOW, "no file is touched"
    return max(judged, key=lambda one: _SEVERITY.index(one[0]))


def matches(path: str, pattern: str) -> bool:
    """Tell whether a pattern of a `RiskPolicy` covers a path."""
    return _covers(_anchored(pattern), PurePosixPath(path).parts)


def _risk_of_one(path: str, policy: RiskPolicy) -> tuple[RiskLevel, str]:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or parts[0] == ".git":
        return RiskLevel.CRITICAL, f"{path!r} is not a file of the tree"
    for rule in _rules(policy):
        if any(matches(path, pattern) for pattern in rule.patterns):
            return rule.level, f"{path} {rule.reason}"
        if path.endswith("/") and rule.level in _SEVERITY[2:] and _may_hold(parts, rule.patterns):
            return rule.level, f"{path} is a folder, and a file in it {rule.reason}"
    return RiskLevel.MEDIUM, f"{path} is code under test"


def _rules(policy: RiskPolicy) -> tuple[_Rule, ...]:
    """Return the rules, the first that fits decides: danger comes before harmlessness."""
    return (
        _Rule(RiskLevel.CRITICAL, policy.protected_paths, "is protected by the project"),
        _Rule(RiskLevel.HIGH, policy.high_risk_paths, "is high-risk by the project's own word"),
        _Rule(RiskLevel.HIGH, _SUITE_CONFIGURATION, "configures the test suite"),
        _Rule(RiskLevel.HIGH, _BUILD_CONFIGURATION, "configures the build"),
        _Rule(RiskLevel.HIGH, _CI_CONFIGURATION, "configures continuous integration"),
        _Rule(RiskLevel.LOW, policy.low_risk_paths, "is low-risk by the project's own word"),
        _Rule(RiskLevel.LOW, _TESTS, "is a test"),
        _Rule(RiskLevel.LOW, _DOCUMENTATION, "is documentation"),
    )


def _anchored(pattern: str) -> tuple[str, ...]:
    """Return a pattern's segments from the root."""
    inner = pattern.rstrip("/")
    segments = tuple(part for part in inner.split("/") if part not in {"", "."})
    return segments if "/" in inner or not segments else ("**", *segments)


def _covers(pattern: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    """Tell whether a pattern fits a path or a folder above it."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(_covers(pattern[1:], parts[n:]) for n in range(len(parts) + 1))
    if not parts or not fnmatchcase(parts[0], pattern[0]):
        return False
    return _covers(pattern[1:], parts[1:])


def _may_hold(folder: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    """Tell whether a file below a folder could fit one of the patterns."""
    return any(_reaches(_anchored(pattern), folder) for pattern in patterns)


def _reaches(pattern: tuple[str, ...], folder: tuple[str, ...]) -> bool:
    if not pattern or not folder or pattern[0] == "**":
        return bool(pattern)
    return fnmatchcase(folder[0], pattern[0]) and _reaches(pattern[1:], folder[1:])

"""Options for plain pytest, so that a person's run is what ours was."""

import re
from collections.abc import Iterator
from pathlib import Path

from regreen_agents.runners.policy import RunnerPolicy

SETTINGS_FILES = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
TAKEN_BACK = {
    "pytest-xdist": ("-p", "xdist", "-n0"),
    "pytest-rerunfailures": ("-p", "rerunfailures", "--reruns=0"),
    "pytest-cov": ("-p", "pytest_cov", "--no-cov"),
}
"""What undoes a plugin that the suite's own `addopts` may switch on."""
_OURS = frozenset({"--maxfail=0", "--continue-on-collection-errors", "--color=no"})
_UNDOING = ("-n0", "--randomly-", "--reruns=0", "--no-cov")
_UNDONE = frozenset({"xdist", "randomly", "rerunfailures", "pytest_cov"})
_CACHE = re.compile(r"--(?:ff|failed-first|lf|last-failed|nf|new-first|sw|stepwise)\b")


def plain_options(project: Path, policy: RunnerPolicy) -> tuple[str, ...]:
    """Return what a printed command needs so that a person's pytest runs as ours did.

    Plugins that shuffle are switched off where they are installed. What undoes the suite's own
    `addopts` (stop at the first failure, workers, retries, coverage limits) is there only where it
    has any. The project's configuration of regreen, and what a first run had to bend, is kept.
    """
    own = _addopts(project, policy)
    return (
        *_cache(own),
        *_no_shuffling(own, policy.target.plugins),
        *(_undoing(policy.target.plugins) if own else ()),
        *_bent(policy),
    )


def _addopts(project: Path, policy: RunnerPolicy) -> str:
    """Return the text of every place that has `addopts`, empty when none has."""
    found = [policy.env.get("PYTEST_ADDOPTS", "")]
    for path in (project / name for name in SETTINGS_FILES):
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        found += [text] if "addopts" in text else []
    return "\n".join(found).strip()


def _cache(own: str) -> tuple[str, ...]:
    """Keep pytest's cache out of the checkout; options that read it need it to be loaded."""
    if _CACHE.search(own):
        return ("-o", "cache_dir=/tmp/pytest-cache-for-one-run")
    return ("-p", "no:cacheprovider")


def _no_shuffling(own: str, plugins: tuple[str, ...]) -> Iterator[str]:
    if "pytest-randomly" in plugins and "randomly" in own:  # its options need it to be loaded
        yield from ("-p", "randomly", "--randomly-dont-reorganize", "--randomly-seed=1")
    elif "pytest-randomly" in plugins:
        yield from ("-p", "no:randomly")
    if "pytest-random-order" in plugins:
        named = "random-order" in own
        yield from ("--random-order-bucket=none",) if named else ("-p", "no:random_order")


def _undoing(plugins: tuple[str, ...]) -> tuple[str, ...]:
    known = (words for name, words in TAKEN_BACK.items() if name in plugins)
    return ("--maxfail=0", *(word for words in known for word in words))


def _bent(policy: RunnerPolicy) -> tuple[str, ...]:
    """Return the policy's options that are not in the way of every run of every suite."""
    kept: list[str] = []
    words = iter(policy.options)
    for word in words:
        if word in {"-p", "-o"}:
            value = next(words, "")
            unwanted = (
                value in _UNDONE or value.removeprefix("no:") in policy.target.unasked_plugins
            )
            kept += [] if word == "-p" and unwanted else [word, value]
        elif word not in _OURS and not word.startswith(_UNDOING):
            kept.append(word)
    return tuple(kept)

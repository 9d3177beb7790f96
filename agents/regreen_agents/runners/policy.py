"""The runner policy: limits, environment and options every run of one sprint shares."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from regreen_agents.domain.identity import Model
from regreen_agents.runners.suites import Suite
from regreen_agents.runners.target import Target

ALLOWED_ENV = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "DISPLAY", "CI"),
    *("LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR", "TEMP", "TMP", "XDG_*"),
    *("PYTHON*", "PYTEST_*", "TOX_*", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_*", "SSL_CERT_*"),
    *("OMP_*", "MKL_*", "OPENBLAS_*", "NUMEXPR_*", "JAVA_HOME"),
    *("CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"),
    *("SYSTEMROOT", "PATHEXT", "COMSPEC", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "WINDIR"),
)
SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")


class RunnerPolicy(Model):
    """What every run of one sprint shares."""

    target: Target
    env: dict[str, str]
    """The whole environment of a run, before its own changes."""
    test_timeout_seconds: float = 300.0
    suite_timeout_seconds: float = 1800.0
    memory_limit_mib: int = 0
    select: tuple[str, ...] = ()
    """pytest arguments that choose the suite; empty means what plain ``pytest`` collects."""
    options: tuple[str, ...] = ()
    """pytest options on top of the target's own."""
    suite: Suite = Suite()
    """Which runner the suite has; pytest where nothing is said."""
    guards: bool = False
    """Tell which tests leave their surroundings changed; costs at most 1 % of a suite."""
    notes: tuple[str, ...] = ()
    """Where this differs from what a person's plain ``pytest`` would do, in words."""


def allowed_environment(
    environ: Mapping[str, str], passthrough: tuple[str, ...], fixed: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment code under test gets: an allow-list, never a key.

    Args:
        environ: The environment regreen itself has.
        passthrough: More names or globs the user allows, secrets included.
        fixed: Variables set whatever `environ` says.
    """
    kept = {}
    for name, value in environ.items():
        named = any(fnmatchcase(name, pattern) for pattern in passthrough)
        listed = any(fnmatchcase(name, pattern) for pattern in ALLOWED_ENV)
        if named or (listed and not any(word in name for word in SECRET_WORDS)):
            kept[name] = value
    return {**kept, **fixed}


def withheld(environ: Mapping[str, str], allowed: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of variables that are set here and not passed on, sorted."""
    return tuple(sorted(set(environ) - set(allowed)))


def adjusting_options(target: Target) -> tuple[str, ...]:
    """Return options that take back what would hide or shuffle results, for installed plugins.

    The order is ours to choose, retries hide flakiness, and coverage thresholds are not tests.
    Each plugin is named with ``-p``: where it is not loaded (``-p no:xdist`` in addopts, or
    PYTEST_DISABLE_PLUGIN_AUTOLOAD) pytest would refuse its options.
    """
    options = ["--maxfail=0", "--continue-on-collection-errors", "--color=no"]
    for plugin, added in (
        ("pytest-xdist", ["-p", "xdist", "-n0"]),
        ("pytest-randomly", ["-p", "randomly", "--randomly-dont-reorganize", "--randomly-seed=1"]),
        ("pytest-rerunfailures", ["-p", "rerunfailures", "--reruns=0"]),
        ("pytest-cov", ["-p", "pytest_cov", "--no-cov"]),
    ):
        if plugin in target.plugins:
            options += added
    for plugin in target.unasked_plugins:
        options += ["-p", f"no:{plugin}"]
    return tuple(options)

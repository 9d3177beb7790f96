"""The factors of the perturbation matrix, and what each does to a process."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from regreen_agents.domain.runs import Factor


@dataclass(frozen=True)
class Effect:
    """What some factors do to one process, together."""

    env: dict[str, str] = field(default_factory=dict)
    """Variables set before the interpreter starts."""
    drop: tuple[str, ...] = ()
    """Variables taken away."""
    inside: dict[str, str] = field(default_factory=dict)
    """Factor -> value, applied by the probe inside the process before pytest is imported."""

    def unset(self, _env: Mapping[str, str]) -> Iterable[str]:
        """Return the variables of an environment that go."""
        return self.drop


Maker = Callable[[str, Path], Effect]

MAKERS: dict[str, Maker] = {
    "time-zone": lambda value, _scratch: Effect(env={"TZ": value}),
    "locale": lambda value, _scratch: Effect(
        env={"LC_ALL": value, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ),
}


def effect_of(factors: Sequence[Factor], scratch: Path) -> Effect:
    """Return what factors do together; a later one wins over an earlier one.

    Args:
        factors: Of one run.
        scratch: A folder of the run's own, for those that need one.
    """
    effects = [MAKERS[factor.name](factor.value, scratch) for factor in factors]
    return Effect(
        env={name: value for effect in effects for name, value in effect.env.items()},
        drop=tuple(name for effect in effects for name in effect.drop),
        inside={name: value for effect in effects for name, value in effect.inside.items()},
    )

"""Under which circumstances a series was measured, for reports and programs (R79)."""

import time

from regreen.laboratory.measuring import Series
from regreen.laboratory.opening import ONE_THREAD, Workplace
from regreen.laboratory.views import Setting


def setting_of(place: Workplace, series: Series, seed: int) -> Setting:
    """Return the setting of a series.

    Args:
        place: Where it was measured.
        series: All its runs.
        seed: Of its first random order.
    """
    target, is_calm = place.policy.target, place.wish.deterministic
    return Setting(
        repository=str(place.repository.root),
        project=place.repository.prefix,
        commit=place.snapshot.commit,
        uncommitted=place.snapshot.uncommitted,
        mode="deterministic" if is_calm else "normal",
        python=target.version,
        pytest=target.pytest_version,
        plugins=target.plugins,
        seed=seed,
        hash_seeds=tuple(dict.fromkeys(run.spec.hash_seed for run in series.runs)),
        pins=dict(ONE_THREAD) if is_calm else {},
        record=place.record.relative_to(place.repository.root).as_posix(),
        notes=(*place.policy.notes, *series.notes),
        seconds=round(time.monotonic() - place.started, 3),
        test_processes=place.test_processes(),
    )

"""One folder per sprint, and the shelf they stand on."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from regreen.store import clock
from regreen.store.decisions import decisions
from regreen.store.documents import LoadedPlan, load_plan, plan_ids
from regreen.store.files import SprintFiles
from regreen.store.names import is_sprint_id, sprint_id, sprint_order
from regreen.store.record import SprintInfo, SprintRecord
from regreen.store.spending import spending
from regreen_agents.domain.changes import Attempt, Change
from regreen_agents.domain.identity import PlanId, SprintId
from regreen_agents.domain.plans import Refusal
from regreen_agents.domain.verdicts import Verdict
from regreen_agents.errors import StoreError, UsageError

_LISTED = 10


class SprintFolder(SprintFiles):
    """Everything one sprint keeps."""

    def record(self) -> SprintRecord:
        """Return the whole sprint as stored; parts it has not reached are empty.

        Raises:
            StoreError: When a part is damaged.
            DocumentError: When a plan document does not validate.
        """
        loaded = self.plans()
        verdict = self.load_verdict()
        times = clock.totals(self)
        return SprintRecord(
            info=self.load_info(),
            baseline=self.load_baseline() if self.has("baseline.json") else None,
            triage=self.load_triage() if self.has("triage.json") else None,
            plans=tuple(one.plan for one in loaded),
            plan_digests=tuple((one.plan.id, one.digest) for one in loaded),
            refusals=self.refusals(),
            changes=self.changes(),
            attempts=self.attempts(),
            verdict=verdict,
            verdict_receipts=tuple(
                f"receipts/gate-{n}.json" for n in self.gate_numbers("receipts")
            ),
            candidate_runs=tuple(self.load_run(name) for name in _runs_of(verdict)),
            approvals=decisions(self),
            merge=self.load_merge(),
            spending=spending(self),
            agents=self.load_agents(),
            wall_seconds=times.wall_seconds,
            test_seconds=times.test_seconds,
        )

    def plans(self) -> tuple[LoadedPlan, ...]:
        """Return every plan document, read and validated, by number."""
        return tuple(load_plan(self, name) for name in plan_ids(self))

    def refusals(self) -> tuple[Refusal, ...]:
        """Return every refusal, by number."""
        found = (self.load_refusal(name) for name in self.plan_names("refusals", ".json"))
        return tuple(one for one in found if one)

    def changes(self) -> tuple[Change, ...]:
        """Return every validated commit, by the number of its plan."""
        found = (self.load_change(name) for name in self.plan_names("changes", ".json"))
        return tuple(one for one in found if one)

    def attempts(self) -> tuple[tuple[PlanId, tuple[Attempt, ...]], ...]:
        """Return the tries at each plan, by number."""
        names = self.plan_names("attempts", ".json")
        return tuple((name, self.load_attempts(name)) for name in names)


class SprintShelf:
    """All sprints of one repository.

    Args:
        root: ``<repository>/.regreen``.
    """

    def __init__(self, root: Path) -> None:
        """Point at a repository's shelf; nothing is made yet."""
        self.root = root

    def create(self, info: SprintInfo) -> SprintFolder:
        """Make the folder of a new sprint; making it again with the same start is harmless.

        Raises:
            StoreError: When another sprint has this id, or nothing can be written.
        """
        folder = self._folder(sprint_id(info.id))
        if folder.has("sprint.json") and folder.load_info() != info:
            raise StoreError(
                f"There is a sprint {info.id} already.",
                why=f"{folder.root} tells of another start.",
                fix=f"Continue it with: regreen resume {info.id}",
            )
        folder.save_info(info)
        return folder

    def all(self) -> tuple[SprintFolder, ...]:
        """Return every sprint that has begun, oldest first."""
        found = (p.parent.name for p in (self.root / "sprints").glob("*/sprint.json"))
        names = sorted((name for name in found if is_sprint_id(name)), key=sprint_order)
        return tuple(self._folder(name) for name in names)

    def latest(self) -> SprintFolder | None:
        """Return the sprint that began last, or None when there is none."""
        folders = self.all()
        return folders[-1] if folders else None

    def find(self, text: str | None = None) -> SprintFolder:
        """Return the sprint a person means: its id, the beginning of it, or nothing for the last.

        Raises:
            UsageError: When no sprint or more than one fits; lists what there is.
        """
        folders = self.all()
        if not folders:
            raise UsageError(
                "There is no sprint in this repository.",
                why=f"{self.root} holds none.",
                fix="Start one with: regreen sprint",
            )
        if text is None:
            return folders[-1]
        fitting = [f for f in folders if f.root.name.startswith(text)] if text else []
        exact = [f for f in fitting if f.root.name == text]
        if len(exact or fitting) != 1:
            raise _not_one(text, len(fitting), folders)
        return (exact or fitting)[0]

    def _folder(self, name: str) -> SprintFolder:
        return SprintFolder(self.root / "sprints" / name)


def new_sprint_id(now: datetime, existing: Iterable[str]) -> SprintId:
    """Return the UTC stamp of a moment, with ``-2``, ``-3``, ... behind it when it is taken.

    Args:
        now: Any aware moment.
        existing: Ids that are taken.
    """
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    taken = {sprint_order(name) for name in existing}
    number = 1
    while (stamp, number) in taken:
        number += 1
    return SprintId(stamp if number == 1 else f"{stamp}-{number}")


def _runs_of(verdict: Verdict | None) -> tuple[str, ...]:
    return verdict.run_files if verdict else ()


def _not_one(text: str, fitting: int, folders: tuple[SprintFolder, ...]) -> UsageError:
    shown = [f.root.name for f in reversed(folders[-_LISTED:])]
    older = len(folders) - len(shown)
    more = f", and {older} older" if older else ""
    return UsageError(
        f"{fitting or 'No'} sprints begin with {text!r}.",
        why=f"There are, newest first: {', '.join(shown)}{more}.",
        fix="Type the whole id of one, or leave it out for the newest.",
    )

"""kill -9 and Ctrl-C in the middle of a conversation: nothing is lost, no finished turn paid twice.

The fake server and the suite themselves end regreen, each at its moment: nothing is timed.
"""

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, cast

import pytest
from pydantic import JsonValue

from hostile_corpus import call, turn
from model_clinic import SICK_SHOP
from regreen_agents.domain.identity import digest_of
from regreen_agents.llm.fake import Exchange, FakeServer, Scenario, When
from regreen_agents.llm.fake.answering import Answerer
from regreen_agents.llm.fake.outgoing import Outgoing
from regreen_agents.llm.fake.wire import WireRequest
from sick_projects import IGNORED, PYPROJECT, REGREEN, TIME_LIMIT_SECONDS, Patient, patient

KEY = "sk-planted-in-a-killed-sprint-0123456789"
START = ("sprint", "--engine", "claude", "--runs", "1", "--deterministic", "--yes-plans")
RESUME = ("resume",)
ENDS = (
    "import os\nimport signal\nfrom pathlib import Path\n\n"
    'NOTE = Path(os.environ["HOME"]) / "note"\n'
    "if NOTE.exists():\n    pid = int(NOTE.read_text())\n    NOTE.unlink()\n"
    "    os.kill(pid, signal.SIGKILL)\n"
)
"""Of the suite: ends the process whose number is on the note, once."""
PLAN: dict[str, JsonValue] = {
    "title": "Take the discount off",
    "category": "real-bug",
    "cause": "code-bug",
    "summary": "`total` adds the discount.",
    "evidence": ["E1"],
    "strategy": "Subtract it.",
    "options": [{"title": "Subtract it", "pros": ["small"], "cons": ["none is known"]}],
    "scope": ["shop/cart.py"],
}
CONVERSATION = (
    turn(1, call("read_file", path="shop/cart.py"), text="I read."),
    turn(2, call("run_tests", tests=["tests/test_cart.py"]), text="I try."),
    turn(3, call("propose_plan", **PLAN), text="I know."),
    turn(
        1,
        call("edit_file", path="shop/cart.py", old="+ discount", new="- discount"),
        role="implement",
        text="I edit.",
    ),
    turn(2, call("finish_change", summary="Subtracted."), role="implement", text="Done."),
)


class Moment(NamedTuple):
    """When regreen is ended."""

    role: str
    turn: int
    how: str
    """``asked``: as the request comes; ``stream``: in the middle of the answer; ``suite``: in the
    run of the suite that the answer leads to. ``interrupt``: as it comes, by Ctrl-C."""


MOMENTS = {
    "after a reply": Moment("explore", 2, "asked"),
    "in a stream": Moment("explore", 2, "stream"),
    "in an experiment": Moment("explore", 2, "suite"),
    "in a validation": Moment("implement", 2, "suite"),
}


@dataclass
class Half:
    """The first half of an answer, whose sender then ends who listens."""

    whole: tuple[bytes, ...]
    pid: int

    def __iter__(self) -> Iterator[bytes]:
        yield from self.whole[: len(self.whole) // 2]
        os.kill(self.pid, signal.SIGKILL)


@dataclass
class Deadly(Answerer):
    """Answers, and ends who asked at a moment."""

    note: Path = Path()
    pid: int = 0
    moment: Moment | None = None

    def answer(
        self, path: str, headers: Mapping[str, str], body: bytes, request_id: str
    ) -> Outgoing:
        moment = self.moment
        if moment is None or not asks_for(moment, body):
            return super().answer(path, headers, body, request_id)
        self.moment = None
        if moment.how == "interrupt":
            os.kill(self.pid, signal.SIGINT)
        if moment.how == "asked":
            os.kill(self.pid, signal.SIGKILL)
            return Outgoing(200, "text/plain", ending="drop")
        answered = super().answer(path, headers, body, request_id)
        if moment.how == "suite":
            self.note.write_text(str(self.pid))
        if moment.how == "stream":
            pieces = cast(tuple[bytes, ...], Half(answered.pieces, self.pid))
            return replace(answered, pieces=pieces)
        return answered


def asks_for(moment: Moment, body: bytes) -> bool:
    asked = WireRequest.model_validate_json(body)
    return (asked.role, asked.turn) == (moment.role, moment.turn)


@dataclass
class Ward:
    """A shop whose sprint can be ended at a moment, and the server it asks."""

    shop: Patient
    server: FakeServer
    deadly: Deadly = field(init=False)

    def __post_init__(self) -> None:
        self.deadly = Deadly(self.server.answerer.scenario, note=self.shop.path.parent / "note")
        self.server.answerer = self.deadly

    def begin(self, *command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*REGREEN, *command],
            cwd=self.shop.path,
            env=self.shop.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def killed_at(self, moment: Moment, *command: str) -> None:
        """Run a command that does not survive the moment."""
        self.deadly.moment = moment
        self.deadly.pid = 0
        running = self.begin(*command)
        self.deadly.pid = running.pid
        told = running.communicate(timeout=TIME_LIMIT_SECONDS)
        assert running.returncode == -signal.SIGKILL, (moment, told)

    def asked(self) -> Counter[str]:
        """Count the requests that were answered whole, by what they asked."""
        whole = (entry for entry in self.server.requests() if entry.status == 200)
        return Counter(digest_of(json.dumps(entry.body)) for entry in whole)

    def ends_well(self) -> dict[str, object]:
        """Merge what the sprint has made, and return what it left behind."""
        self.shop.does("commit", "approve", "--all")
        assert not any(self.shop.leftovers().values()), self.shop.leftovers()
        return self.shop.outcome()


def ward(home: Path, server: FakeServer) -> Ward:
    files = {path: text for path, text in SICK_SHOP.items() if path.endswith(".py")}
    own = {"pyproject.toml": PYPROJECT, ".gitignore": IGNORED}
    shop = patient(home, files | own | {"conftest.py": ENDS})
    more = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": KEY}
    return Ward(replace(shop, env={**shop.env, **more}), server)


class Ended(NamedTuple):
    """A sprint that is over, and what its server was asked."""

    outcome: dict[str, object]
    asked: Counter[str]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    with FakeServer(Scenario(exchanges=CONVERSATION)) as server:
        one = ward(tmp_path_factory.mktemp("undisturbed"), server)
        one.shop.does(*START)
        return Ended(one.ends_well(), one.asked())


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """One sprint, ended at every moment in turn."""
    with FakeServer(Scenario(exchanges=CONVERSATION)) as server:
        one = ward(tmp_path_factory.mktemp("killed"), server)
        command: tuple[str, ...] = START
        for moment in MOMENTS.values():
            one.killed_at(moment, *command)
            command = RESUME
        one.shop.does("resume")
        return Ended(one.ends_well(), one.asked())


def test_a_sprint_killed_in_its_conversations_ends_like_an_undisturbed_one(
    undisturbed: Ended, killed: Ended
) -> None:
    assert killed.outcome == undisturbed.outcome


def test_no_finished_turn_is_paid_twice(undisturbed: Ended, killed: Ended) -> None:
    assert set(undisturbed.asked.values()) == {1}
    assert len(undisturbed.asked) == len(CONVERSATION)
    assert killed.asked.keys() == undisturbed.asked.keys()
    # One answer was cut off by the death of who listened, and had to be asked for again.
    assert sorted(killed.asked.values()) == [1] * (len(CONVERSATION) - 1) + [2]


def test_ctrl_c_while_the_model_is_silent_stops_at_once_and_the_sprint_goes_on(
    tmp_path: Path, undisturbed: Ended
) -> None:
    silent = Exchange(when=When(role="explore", turn=2), fault="silent")
    with FakeServer(Scenario(exchanges=(silent, *CONVERSATION))) as server:
        one = ward(tmp_path, server)
        heard = one.deadly
        heard.moment = Moment("explore", 2, "interrupt")
        running = one.begin(*START)
        heard.pid = running.pid
        _, told = running.communicate(timeout=TIME_LIMIT_SECONDS)
        left = one.shop.leftovers()
        one.shop.does("resume")

        assert running.returncode == 130, told
        assert "Continue with: regreen resume" in told
        assert "Traceback" not in told
        assert not any(left.values()), left
        assert one.ends_well() == undisturbed.outcome
        assert one.asked() == undisturbed.asked

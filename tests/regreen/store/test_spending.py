"""What a sprint spent is read from the ledger its purse keeps."""

from pathlib import Path

import pytest

from model_calls import CALLER, PRICES, a_request
from regreen.store.folder import SprintFolder
from regreen.store.spending import SPENDING, spending
from regreen_agents.errors import StoreError
from regreen_agents.llm.budget import Limits, Purse
from regreen_agents.llm.messages import Usage


@pytest.fixture
def folder(tmp_path: Path) -> SprintFolder:
    return SprintFolder(tmp_path)


def test_a_sprint_without_models_spent_nothing_and_has_no_ledger(folder: SprintFolder) -> None:
    assert spending(folder) is None
    assert list(folder.root.iterdir()) == []


def test_what_was_settled_and_what_was_not_is_counted(folder: SprintFolder) -> None:
    purse = Purse(Limits(), PRICES, folder.path(SPENDING))
    paid = purse.reserve(CALLER, a_request("a"))
    purse.settle(paid, Usage(input_tokens=10, output_tokens=5))
    lost = purse.reserve(CALLER, a_request("b"))

    totals = spending(folder)

    assert totals is not None
    assert totals == purse.totals()
    assert totals.all.tokens == 15 + lost.tokens
    assert totals.all.unknown_tokens == lost.tokens
    assert list(totals.agents) == ["explore-C1"]


def test_a_torn_line_is_left_out_and_a_strange_one_is_an_error(folder: SprintFolder) -> None:
    purse = Purse(Limits(), PRICES, folder.path(SPENDING))
    purse.settle(purse.reserve(CALLER, a_request("a")), Usage(output_tokens=5))
    path = folder.path(SPENDING)
    whole = path.read_bytes()

    path.write_bytes(whole + b'{"kind": "reser')
    torn = spending(folder)
    path.write_bytes(whole + b'{"kind": "gift"}\n')

    assert torn is not None
    assert torn.all.tokens == 5
    with pytest.raises(StoreError, match="does not know"):
        spending(folder)

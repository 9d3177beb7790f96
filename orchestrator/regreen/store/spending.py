"""What a sprint's models cost, from the ledger their purse keeps."""

from regreen.store.files import SprintFiles
from regreen_agents.llm.books import Books, Totals
from regreen_agents.llm.ledger import LedgerFile

SPENDING = "spending.jsonl"
"""In the sprint's folder: every attempt, reserved and settled."""


def spending(folder: SprintFiles) -> Totals | None:
    """Return what was spent; None where no model was asked.

    Raises:
        StoreError: The ledger is damaged.
    """
    if not folder.has(SPENDING):
        return None
    ledger, books = LedgerFile(folder.path(SPENDING)), Books()
    with ledger.locked():
        for entry in ledger.news():
            books.enter(entry)
    return books.totals()

"""Making a long conversation short: evidence and decisions stay, the rest can be read again."""

import logging
from dataclasses import dataclass

from regreen_agents.domain.model_settings import Effort
from regreen_agents.errors import AccountError, BudgetError, ModelError
from regreen_agents.llm.conversation import Conversation
from regreen_agents.llm.evidence_book import EvidenceBook
from regreen_agents.llm.messages import Request, TextBlock, Turn
from regreen_agents.llm.protocol import Caller, LanguageModel
from regreen_prompts.renderer import render
from regreen_prompts.text import clean_text

logger = logging.getLogger(__name__)

BLOCK_CHARACTERS = 1_500
"""Of every call and result, in what is summarised."""
TRANSCRIPT_CHARACTERS = 200_000
SUMMARY_TOKENS = 2_000


@dataclass(frozen=True)
class Summariser:
    """Writes what stands in for the middle of a conversation."""

    model: LanguageModel
    name: str
    """Model id of the role ``summarise``."""
    effort: Effort | None = None

    def summary(self, talk: Conversation, book: EvidenceBook, caller: Caller) -> str:
        """Return the summary: the evidence word for word, then the model's account of the rest.

        Where no account can be had, the evidence alone stands for it.

        Raises:
            BudgetError: The account cannot be paid for; neither could what comes after it.
            AccountError: No call can succeed any more.
        """
        try:
            told = self._account(talk, caller)
        except (BudgetError, AccountError):
            raise
        except ModelError as error:
            logger.warning("no summary of the conversation of %s: %s", caller.agent, error.what)
            told = "(no account could be had; read again what you need)"
        return render("model_summary", evidence=book.told() or "(none)", account=clean_text(told))

    def _account(self, talk: Conversation, caller: Caller) -> str:
        text = talk.transcript(BLOCK_CHARACTERS)[-TRANSCRIPT_CHARACTERS:].strip() or "(no words)"
        asked = Request(
            model=self.name,
            system=render("model_summarise"),
            turns=(Turn(role="user", content=(TextBlock(text=text),)),),
            max_tokens=SUMMARY_TOKENS,
            effort=self.effort,
        )
        speaker = Caller(caller.agent, "summarise", caller.check)
        return self.model.complete(asked, speaker).as_turn().text or "(the account is empty)"

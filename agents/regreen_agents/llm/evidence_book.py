"""The experiments of one conversation, numbered as the model cites them."""

from collections.abc import Sequence

from regreen_agents.domain.findings import Evidence
from regreen_prompts.text import clean_text


class EvidenceBook:
    """``E1``, ``E2``, ... in the order the experiments were asked for."""

    def __init__(self, earlier: Sequence[Evidence] = ()) -> None:
        """Begin, with what another engine showed before."""
        self._pages = list(earlier)

    def add(self, pages: Sequence[Evidence]) -> str:
        """Keep pages and return how the model is told of them; empty for none."""
        lines = []
        for page in pages:
            self._pages.append(page)
            lines.append(f"Evidence {self._name(len(self._pages))}: {page.conclusion}")
        return clean_text("\n".join(lines))

    def page(self, name: str) -> Evidence | None:
        """Return the page a name like ``E3`` cites."""
        number = name.strip().upper().removeprefix("E")
        if not number.isdecimal() or not 1 <= int(number) <= len(self._pages):
            return None
        return self._pages[int(number) - 1]

    @property
    def pages(self) -> tuple[Evidence, ...]:
        """All of them, ``E1`` first."""
        return tuple(self._pages)

    @property
    def names(self) -> tuple[str, ...]:
        """All names there are."""
        return tuple(self._name(n) for n in range(1, len(self._pages) + 1))

    def told(self) -> str:
        """Return one line for each page, for a summary."""
        lines = [
            f"{name}: {page.question} {page.counts}. {page.conclusion}"
            for name, page in zip(self.names, self._pages, strict=True)
        ]
        return clean_text("\n".join(lines))

    @staticmethod
    def _name(number: int) -> str:
        return f"E{number}"

"""A failing test that is gone is not repaired: nothing red is left, and nothing is shown either."""

from regreen_agents.lab.validation import Validation

_ALONE = "Does it pass alone?"
_ENDED = ("passed", "skipped", "xfailed", "xpassed")


def vanished(validation: Validation) -> str:
    """Return why a validation that found nothing red shows nothing; empty where it does.

    Recipes never take a test away but where a person decided it; whoever writes edits freely may.
    A test that is skipped is there, and is flagged.
    """
    pages = [page for page in validation.evidence if page.question == _ALONE]
    gone = [page for page in pages if not any(word in page.counts for word in _ENDED)]
    return f"the failing test is gone: {gone[0].command} ran no test" if gone else ""

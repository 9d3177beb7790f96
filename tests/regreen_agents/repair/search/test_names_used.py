"""Names an edit leaves without a use, or gives one."""

import pytest

from regreen_agents.repair.search.names_used import Uses, uses

PRICED = """
class Line:
    def __init__(self, price, count):
        self.total = {}
"""
FOUND = """
def last(items, start):
    found = start
    for item in items:
        found = item
    return {}
"""


@pytest.mark.parametrize(
    ("code", "before", "after", "expected"),
    [
        (PRICED, "price + count", "price * count", Uses((), ())),
        (PRICED, "price + count", "price", Uses(("count",), ())),
        (PRICED, "price + price", "price * count", Uses((), ("count",))),
        (FOUND, "start", "found", Uses((), ("found",))),
        (FOUND, "found", "start", Uses(("found",), ())),
        (FOUND, "found", "items[-1]", Uses(("found",), ())),
        (FOUND, "found", "(", Uses((), ())),
    ],
)
def test_what_an_edit_does_to_the_uses_of_names(
    code: str, before: str, after: str, expected: Uses
) -> None:
    found = uses(code.format(before), code.format(after))

    assert found == expected


def test_functions_that_are_not_edited_say_nothing() -> None:
    code = "def one(a):\n    return 1\n\n\ndef two(b):\n    return {}\n"

    assert uses(code.format("b + 1"), code.format("b + 2")) == Uses((), ())

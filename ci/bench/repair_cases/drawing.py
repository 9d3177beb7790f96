"""What is drawn for one case: names, numbers, and the manner in which its tests are written."""

import random
import re
from dataclasses import dataclass

NOUNS = [
    "invoice",
    "parcel",
    "ticket",
    "ledger",
    "recipe",
    "voucher",
    "sensor",
    "reading",
    "booking",
    "shipment",
    "catalog",
    "tariff",
    "meter",
    "signal",
    "channel",
    "profile",
    "quota",
    "token",
    "widget",
    "palette",
    "chapter",
    "journal",
    "roster",
    "fixture_list",
    "campaign",
    "harvest",
    "orchard",
    "vessel",
    "cargo",
    "beacon",
    "lantern",
    "circuit",
    "gadget",
    "kiosk",
    "locker",
    "museum",
    "notebook",
    "outlet",
    "pantry",
    "quarry",
    "ribbon",
    "saddle",
    "tunnel",
    "urn",
    "valve",
    "wagon",
    "yard",
    "zone_map",
    "anchor",
    "bridge",
]
NAMES = [
    "north",
    "south",
    "east",
    "west",
    "upper",
    "lower",
    "inner",
    "outer",
    "first",
    "second",
    "early",
    "late",
    "wide",
    "narrow",
]
ADVERBS = ["again", "today", "here", "safely", "as_told", "by_default", "in_turn", "with_care"]


@dataclass(frozen=True)
class Manner:
    """How the tests of one case are written."""

    style: str
    """functions, class or unittest."""
    imports: str
    """module, alias or names."""
    single_quotes: bool
    apart: bool
    """Whether the polluters or setters are in a test module of their own."""
    reverse: bool
    """Whether the sick tests come before the others in their module."""


@dataclass(frozen=True)
class Words:
    """What stands for the placeholders of one case."""

    noun: str
    names: tuple[str, str]
    numbers: tuple[int, int]
    package: str
    module: str

    def fill(self, text: str) -> str:
        """Replace every placeholder of a text."""
        camel = "".join(part.title() for part in self.noun.split("_"))
        table = {
            "n": self.noun,
            "N": camel,
            "U": self.noun.upper(),
            "a": self.names[0],
            "b": self.names[1],
            "i": str(self.numbers[0]),
            "j": str(self.numbers[1]),
            "p": self.package,
            "m": self.module,
        }
        return re.sub(r"<([nNUabijpm])>", lambda match: table[match[1]], text)


def draw_words(rng: random.Random, package: str, taken: set[str]) -> Words:
    """Draw the names of one case; its module is called like no other in the package."""
    free = [noun for noun in NOUNS if noun not in taken]
    noun = rng.choice(free or NOUNS)
    module = noun
    endings = iter(rng.sample(ADVERBS, len(ADVERBS)))
    while module in taken:
        module = f"{noun}_{next(endings).partition('_')[0]}"
    taken |= {noun, module}
    first, second = rng.sample(NAMES, 2)
    low, high = sorted(rng.sample(range(3, 90), 2))
    return Words(noun, (first, second), (low, high), package, module)


def draw_manner(rng: random.Random, *, direct: bool, pytest_only: bool) -> Manner:
    """Draw how the tests of one case are written."""
    styles = ["functions", "functions", "class"] + ([] if pytest_only else ["unittest"])
    imports = ["module", "alias", "module"] + (["names", "names"] if direct else [])
    return Manner(
        style=rng.choice(styles),
        imports=rng.choice(imports),
        single_quotes=rng.random() < 0.3,
        apart=rng.random() < 0.4,
        reverse=rng.random() < 0.4,
    )

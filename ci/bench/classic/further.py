"""Further programs, written with the others and not looked at while the search was built."""

from classic.program import Program, word

FURTHER = (
    Program(
        "modular_power",
        """\
def modular_power(base, exponent, modulus):
    result = 1 % modulus
    base %= modulus
    while exponent > 0:
        if exponent % 2 == 1:
            result = result * base % modulus
        base = base * base % modulus
        exponent //= 2
    return result
""",
        "if exponent % 2 == 1:",
        "if exponent % 2 == 0:",
        ((2, 10, 1000), (3, 0, 7), (5, 1, 3), (7, 13, 11), (10, 5, 1)),
        lambda r: (r.randint(0, 50), r.randint(0, 40), r.randint(1, 60)),
    ),
    Program(
        "wrap_words",
        """\
def wrap_words(text, width):
    lines = []
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        elif line:
            line += " " + word
        else:
            line = word
    if line:
        lines.append(line)
    return lines
""",
        "len(line) + 1 + len(word) > width",
        "len(line) + len(word) > width",
        (("", 5), ("one", 2), ("ab cd", 5), ("ab cd", 4), ("a bb ccc dd e", 6)),
        lambda r: (word(r, "abc  ", 25), r.randint(1, 9)),
    ),
    Program(
        "is_balanced",
        """\
PAIRS = {")": "(", "]": "["}


def is_balanced(text):
    stack = []
    for letter in text:
        if letter in PAIRS.values():
            stack.append(letter)
        elif letter in PAIRS:
            if not stack or stack.pop() != PAIRS[letter]:
                return False
    return not stack
""",
        "return not stack",
        "return True",
        (("",), ("()",), ("([])",), ("(]",), ("((",), (")",), ("[()",)),
        lambda r: (word(r, "()[]", 6),),
    ),
    Program(
        "run_lengths",
        """\
def run_lengths(text):
    runs = []
    count = 0
    for place, letter in enumerate(text):
        count += 1
        if place + 1 == len(text) or text[place + 1] != letter:
            runs.append((letter, count))
            count = 0
    return runs
""",
        "            count = 0\n",
        "            count = 1\n",
        (("",), ("a",), ("aab",), ("abc",), ("aaabba",)),
        lambda r: ("".join(r.choice("ab") for _ in range(r.randint(0, 9))),),
    ),
)

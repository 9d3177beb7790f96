"""Programs over texts."""

from classic.program import Program, word

TEXTS = (
    Program(
        "levenshtein",
        """\
def levenshtein(source, target):
    previous = list(range(len(target) + 1))
    for i, a in enumerate(source, 1):
        current = [i]
        for j, b in enumerate(target, 1):
            insertion = current[j - 1] + 1
            deletion = previous[j] + 1
            substitution = previous[j - 1] + (a != b)
            current.append(min(insertion, deletion, substitution))
        previous = current
    return previous[-1]
""",
        "previous[j - 1] + (a != b)",
        "previous[j - 1] + (a == b)",
        (
            ("electron", "neutron"),
            ("kitten", "sitting"),
            ("", "abc"),
            ("same", "same"),
            ("ab", "ba"),
        ),
        lambda r: (word(r, "abc", 7), word(r, "abc", 7)),
    ),
    Program(
        "common_subsequence",
        """\
def common_subsequence(first, second):
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i in range(1, len(first) + 1):
        for j in range(1, len(second) + 1):
            if first[i - 1] == second[j - 1]:
                table[i][j] = table[i - 1][j - 1] + 1
            else:
                table[i][j] = max(table[i - 1][j], table[i][j - 1])
    return table[-1][-1]
""",
        "table[i - 1][j - 1] + 1",
        "table[i - 1][j] + 1",
        (("witch", "which"), ("meow", "homeowner"), ("", "x"), ("aaa", "aa"), ("fun", "abc")),
        lambda r: (word(r, "abc", 8), word(r, "abc", 8)),
    ),
    Program(
        "to_postfix",
        """\
PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2}


def to_postfix(tokens):
    output = []
    operators = []
    for token in tokens:
        if isinstance(token, int):
            output.append(token)
        elif token == "(":
            operators.append(token)
        elif token == ")":
            while operators[-1] != "(":
                output.append(operators.pop())
            operators.pop()
        else:
            while operators and PRECEDENCE.get(operators[-1], 0) >= PRECEDENCE[token]:
                output.append(operators.pop())
            operators.append(token)
    while operators:
        output.append(operators.pop())
    return output
""",
        "            operators.pop()\n",
        "",
        (
            ([],),
            ([30],),
            ([10, "-", 5, "-", 2],),
            ([34, "-", 12, "/", 5],),
            (["(", 1, "+", 2, ")", "*", 3],),
            ([2, "*", "(", 3, "-", 4, ")"],),
        ),
        lambda r: (_infix(r, 3),),
    ),
    Program(
        "evaluate_postfix",
        """\
def evaluate_postfix(tokens):
    stack = []
    for token in tokens:
        if isinstance(token, int):
            stack.append(token)
        else:
            right = stack.pop()
            left = stack.pop()
            if token == "+":
                stack.append(left + right)
            elif token == "-":
                stack.append(left - right)
            else:
                stack.append(left * right)
    return stack.pop()
""",
        "left - right",
        "right - left",
        (([7],), ([3, 5, "+"],), ([2, 2, "-"],), ([5, 1, 2, "+", "-"],), ([2, 3, "*", 4, "-"],)),
        lambda r: (_postfix(r, 4),),
    ),
)


def _infix(random, depth):
    if depth == 0 or random.random() < 0.3:
        return [random.randint(0, 9)]
    inner = [*_infix(random, depth - 1), random.choice("+-*/"), *_infix(random, depth - 1)]
    return ["(", *inner, ")"] if random.random() < 0.4 else inner


def _postfix(random, depth):
    if depth == 0 or random.random() < 0.3:
        return [random.randint(0, 9)]
    return [*_postfix(random, depth - 1), *_postfix(random, depth - 1), random.choice("+-*")]

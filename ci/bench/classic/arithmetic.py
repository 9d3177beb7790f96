"""Programs over numbers."""

from classic.program import Program

ARITHMETIC = (
    Program(
        "gcd",
        """\
def gcd(a, b):
    if b == 0:
        return a
    return gcd(b, a % b)
""",
        "return a\n",
        "return b\n",
        ((12, 8), (7, 3), (0, 5), (17, 0), (100, 75)),
        lambda r: (r.randint(0, 300), r.randint(0, 300)),
    ),
    Program(
        "sieve",
        """\
def sieve(limit):
    is_prime = [True] * (limit + 1)
    primes = []
    for number in range(2, limit + 1):
        if is_prime[number]:
            primes.append(number)
            for multiple in range(number * number, limit + 1, number):
                is_prime[multiple] = False
    return primes
""",
        "range(number * number, limit + 1, number)",
        "range(number * number, limit, number)",
        ((1,), (2,), (4,), (9,), (20,), (49,)),
        lambda r: (r.randint(0, 150),),
    ),
    Program(
        "integer_root",
        """\
def integer_root(number):
    if number < 2:
        return number
    root = number
    while root * root > number:
        root = (root + number // root) // 2
    return root
""",
        "(root + number // root) // 2",
        "root + number // root // 2",
        ((0,), (1,), (4,), (8,), (99,), (100,)),
        lambda r: (r.randint(0, 5000),),
    ),
    Program(
        "to_base",
        """\
import string


def to_base(number, base):
    alphabet = string.digits + string.ascii_uppercase
    result = ""
    while number > 0:
        number, digit = divmod(number, base)
        result = alphabet[digit] + result
    return result
""",
        "alphabet[digit] + result",
        "result + alphabet[digit]",
        ((31, 16), (41, 2), (44, 5), (27, 23), (8, 10)),
        lambda r: (r.randint(1, 5000), r.randint(2, 36)),
    ),
    Program(
        "pascal",
        """\
def pascal(height):
    rows = [[1]]
    for _ in range(height - 1):
        above = rows[-1]
        row = [1]
        for column in range(1, len(above)):
            row.append(above[column - 1] + above[column])
        row.append(1)
        rows.append(row)
    return rows
""",
        "above[column - 1] + above[column]",
        "above[column] + above[column]",
        ((1,), (2,), (3,), (5,), (6,)),
        lambda r: (r.randint(1, 15),),
    ),
    Program(
        "hanoi",
        """\
def hanoi(height, start=1, end=3):
    moves = []
    if height > 0:
        helper = 6 - start - end
        moves.extend(hanoi(height - 1, start, helper))
        moves.append((start, end))
        moves.extend(hanoi(height - 1, helper, end))
    return moves
""",
        "hanoi(height - 1, helper, end)",
        "hanoi(height - 1, end, helper)",
        ((0,), (1,), (2,), (3,), (2, 1, 2)),
        lambda r: (r.randint(0, 6), *r.sample([1, 2, 3], 2)),
    ),
    Program(
        "prime_factors",
        """\
def prime_factors(number):
    factors = []
    candidate = 2
    while candidate * candidate <= number:
        while number % candidate == 0:
            factors.append(candidate)
            number //= candidate
        candidate += 1
    if number > 1:
        factors.append(number)
    return factors
""",
        "number //= candidate",
        "",
        ((2,), (9,), (12,), (97,), (100,), (101 * 7,)),
        lambda r: (r.randint(1, 3000),),
    ),
    Program(
        "matrix_product",
        """\
def matrix_product(left, right):
    product = []
    for row in left:
        line = []
        for column in range(len(right[0])):
            total = 0
            for k in range(len(right)):
                total += row[k] * right[k][column]
            line.append(total)
        product.append(line)
    return product
""",
        "range(len(right[0]))",
        "range(len(right))",
        (
            ([[1, 2], [3, 4]], [[5, 6], [7, 8]]),
            ([[1, 2, 3]], [[1], [2], [3]]),
            ([[2]], [[3, 4]]),
            ([[1, 0]], [[1, 2, 3], [4, 5, 6]]),
        ),
        lambda r: _matrices(r.randint(1, 4), r.randint(1, 4), r.randint(1, 4), r),
    ),
)


def _matrices(rows, inner, columns, random):
    left = [[random.randint(-5, 5) for _ in range(inner)] for _ in range(rows)]
    return left, [[random.randint(-5, 5) for _ in range(columns)] for _ in range(inner)]

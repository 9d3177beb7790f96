"""Programs kept back: written without looking at what the search does with them, judged once."""

from classic.program import Program, numbers, word


def _tree(random, depth=0):
    if depth == 4 or random.random() < 0.3:
        return None
    return (random.randint(0, 9), _tree(random, depth + 1), _tree(random, depth + 1))


def _intervals(random):
    starts = [random.randint(0, 20) for _ in range(random.randint(0, 6))]
    return [(start, start + random.randint(0, 6)) for start in starts]


def _roads(random):
    towns = "abcde"[: random.randint(2, 5)]
    return {
        town: {
            other: random.randint(1, 9)
            for other in towns
            if other != town and random.random() < 0.5
        }
        for town in towns
    }


HELD_BACK = (
    Program(
        "roman",
        """\
def roman(number):
    signs = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC")]
    signs += [(50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]
    found = ""
    for value, sign in signs:
        while number >= value:
            found += sign
            number -= value
    return found
""",
        "while number >= value:",
        "while number > value:",
        ((1,), (4,), (9,), (14,), (40,), (1994,), (2023,)),
        lambda r: (r.randint(1, 3999),),
    ),
    Program(
        "insertion_sort",
        """\
def insertion_sort(items):
    found = list(items)
    for index in range(1, len(found)):
        item = found[index]
        place = index
        while place > 0 and found[place - 1] > item:
            found[place] = found[place - 1]
            place -= 1
        found[place] = item
    return found
""",
        "while place > 0 and found[place - 1] > item:",
        "while found[place - 1] > item:",
        (([],), ([1],), ([2, 1],), ([3, 1, 2],), ([5, 4, 4, 1],), ([1, 2, 3],)),
        lambda r: (numbers(r, -9, 9, 8),),
    ),
    Program(
        "count_change",
        """\
def count_change(amount, coins):
    if amount == 0:
        return 1
    if amount < 0 or not coins:
        return 0
    first, *others = coins
    return count_change(amount, others) + count_change(amount - first, coins)
""",
        "return count_change(amount, others) + count_change(amount - first, coins)",
        "return count_change(amount, others) + count_change(amount - first, others)",
        ((4, [1, 2]), (10, [2, 5, 3, 6]), (0, [1]), (3, []), (5, [5]), (11, [5, 1])),
        lambda r: (r.randint(0, 15), sorted({r.randint(1, 7) for _ in range(3)})),
    ),
    Program(
        "tree_depth",
        """\
def tree_depth(tree):
    if tree is None:
        return 0
    _, left, right = tree
    return 1 + max(tree_depth(left), tree_depth(right))
""",
        "return 1 + max(tree_depth(left), tree_depth(right))",
        "return max(tree_depth(left), tree_depth(right))",
        (
            (None,),
            ((1, None, None),),
            ((1, (2, None, None), None),),
            ((1, (2, None, (3, None, None)), (4, None, None)),),
        ),
        lambda r: (_tree(r),),
    ),
    Program(
        "merge_intervals",
        """\
def merge_intervals(intervals):
    merged = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
""",
        "max(merged[-1][1], end)",
        "end",
        (
            ([],),
            ([(1, 2)],),
            ([(1, 3), (2, 6), (8, 10)],),
            ([(1, 9), (2, 3), (4, 5)],),
            ([(5, 6), (1, 2), (2, 4)],),
        ),
        lambda r: (_intervals(r),),
    ),
    Program(
        "caesar",
        """\
def caesar(text, shift):
    found = []
    for letter in text:
        if letter.isalpha():
            first = ord("A") if letter.isupper() else ord("a")
            letter = chr((ord(letter) - first + shift) % 26 + first)
        found.append(letter)
    return "".join(found)
""",
        "(ord(letter) - first + shift) % 26 + first",
        "(ord(letter) - first + shift) + first",
        (("abc", 1), ("xyz", 3), ("Hello, World", 13), ("", 4), ("Zebra", 2), ("b", 25)),
        lambda r: (word(r, "abcxyzAMZ ,.", 8), r.randint(0, 25)),
    ),
    Program(
        "longest_palindrome",
        """\
def longest_palindrome(text):
    best = ""
    for middle in range(len(text)):
        for left, right in ((middle, middle), (middle, middle + 1)):
            while left >= 0 and right < len(text) and text[left] == text[right]:
                left -= 1
                right += 1
            found = text[left + 1 : right]
            if len(found) > len(best):
                best = found
    return best
""",
        "found = text[left + 1 : right]",
        "found = text[left:right]",
        (("",), ("a",), ("abba",), ("banana",), ("xyz",), ("racecars",)),
        lambda r: (word(r, "abc", 8),),
    ),
    Program(
        "ackermann",
        """\
def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))
""",
        "return ackermann(m - 1, ackermann(m, n - 1))",
        "return ackermann(ackermann(m, n - 1), m - 1)",
        ((0, 0), (0, 3), (1, 2), (2, 1), (2, 3), (1, 0)),
        lambda r: (r.randint(0, 2), r.randint(0, 6)),
    ),
    Program(
        "balance_point",
        """\
def balance_point(items):
    total = sum(items)
    left = 0
    for place, item in enumerate(items):
        if left == total - left - item:
            return place
        left += item
    return -1
""",
        "left = 0",
        "left = 1",
        (([1, 7, 3, 6, 5, 6],), ([1, 2, 3],), ([2, 1, -1],), ([],), ([4],), ([1, 3, 1],)),
        lambda r: (numbers(r, -3, 5, 7),),
    ),
    Program(
        "cheapest_path",
        """\
from heapq import heappop, heappush


def cheapest_path(roads, start, goal):
    queue = [(0, start)]
    visited = set()
    while queue:
        cost, town = heappop(queue)
        if town == goal:
            return cost
        if town in visited:
            continue
        visited.add(town)
        for other, length in roads[town].items():
            heappush(queue, (cost + length, other))
    return None
""",
        "heappush(queue, (cost + length, other))",
        "heappush(queue, (length, other))",
        (
            ({"a": {"b": 4, "c": 1}, "b": {}, "c": {"b": 2}}, "a", "b"),
            ({"a": {"b": 1}, "b": {"c": 1}, "c": {"d": 5}, "d": {}}, "a", "d"),
            ({"a": {}, "b": {"a": 2}}, "a", "b"),
            ({"a": {"b": 3}, "b": {"a": 3}}, "a", "a"),
            ({"a": {"b": 2, "c": 9}, "b": {"c": 3}, "c": {}}, "a", "c"),
        ),
        lambda r: (_roads(r), "a", "b"),
    ),
)

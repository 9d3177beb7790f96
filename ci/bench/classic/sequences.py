"""Programs over lists."""

from classic.program import Program, numbers

SEQUENCES = (
    Program(
        "binary_search",
        """\
def binary_search(items, wanted):
    low, high = 0, len(items) - 1
    while low <= high:
        middle = (low + high) // 2
        if items[middle] == wanted:
            return middle
        if items[middle] < wanted:
            low = middle + 1
        else:
            high = middle - 1
    return -1
""",
        "low = middle + 1",
        "low = middle",
        (([3, 4, 5, 5.5, 7], 5), ([1, 3], 3), ([1, 3, 9], 9), ([], 1), ([2, 4, 6], 5)),
        lambda r: (sorted(set(numbers(r, 0, 30, 12))), r.randint(0, 30)),
    ),
    Program(
        "longest_rising",
        """\
def longest_rising(items):
    lengths = []
    for place, item in enumerate(items):
        best = 0
        for before in range(place):
            if items[before] < item:
                best = max(best, lengths[before])
        lengths.append(best + 1)
    return max(lengths, default=0)
""",
        "best = max(best, lengths[before])",
        "best = lengths[before]",
        (
            ([],),
            ([3],),
            ([10, 20, 11, 32, 22, 48, 43],),
            ([4, 2, 1],),
            ([5, 1, 3, 4, 7],),
            ([9, 11, 2, 13, 7, 15],),
            ([1, 5, 6, 2, 7],),
        ),
        lambda r: (numbers(r, 0, 20, 10),),
    ),
    Program(
        "largest_sum",
        """\
def largest_sum(items):
    best = 0
    current = 0
    for item in items:
        current = max(current + item, 0)
        best = max(best, current)
    return best
""",
        "current = max(current + item, 0)",
        "current = current + item",
        (
            ([4, -5, 2, 1, -1, 3],),
            ([0, -1, 2, -1, 3, -1, 0],),
            ([3, 4, 5],),
            ([4, -2, -8, 5, -2, 7, 7, 2, -6, 5],),
            ([-4, -4, -5],),
        ),
        lambda r: (numbers(r, -9, 9, 10),),
    ),
    Program(
        "merge_sort",
        """\
def merge_sort(items):
    if len(items) <= 1:
        return list(items)
    middle = len(items) // 2
    left, right = merge_sort(items[:middle]), merge_sort(items[middle:])
    merged = []
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            merged.append(left[i])
            i += 1
        else:
            merged.append(right[j])
            j += 1
    merged.extend(left[i:])
    merged.extend(right[j:])
    return merged
""",
        "merged.extend(right[j:])",
        "",
        (([],), ([1],), ([2, 1],), ([5, 4, 3, 1],), ([1, 2, 6, 72, 7, 33, 4],)),
        lambda r: (numbers(r, 0, 30, 12),),
    ),
    Program(
        "quick_sort",
        """\
def quick_sort(items):
    if not items:
        return []
    pivot = items[0]
    lesser = quick_sort([item for item in items[1:] if item < pivot])
    greater = quick_sort([item for item in items[1:] if item >= pivot])
    return lesser + [pivot] + greater
""",
        "if item >= pivot",
        "if item > pivot",
        (([],), ([1],), ([2, 1, 3],), ([5, 4, 5, 1],), ([3, 3, 3],), ([6, 2, 9, 2],)),
        lambda r: (numbers(r, 0, 12, 12),),
    ),
    Program(
        "kth_smallest",
        """\
def kth_smallest(items, k):
    pivot = items[0]
    below = [item for item in items if item < pivot]
    above = [item for item in items if item > pivot]
    equal = len(items) - len(below) - len(above)
    if k < len(below):
        return kth_smallest(below, k)
    if k >= len(below) + equal:
        return kth_smallest(above, k - len(below) - equal)
    return pivot
""",
        "kth_smallest(above, k - len(below) - equal)",
        "kth_smallest(above, k)",
        (
            ([1, 2, 3, 4, 5, 6, 7], 4),
            ([3, 6, 7, 1, 6, 3, 8, 9], 5),
            ([3, 6, 7, 1, 6, 3, 8, 9], 2),
            ([2, 6, 8, 3, 5, 7], 0),
            ([5], 0),
        ),
        lambda r: _with_index(r.randint(0, 9), [r.randint(0, 9), *numbers(r, 0, 9, 9)]),
    ),
    Program(
        "flatten",
        """\
def flatten(items):
    result = []
    for item in items:
        if isinstance(item, list):
            result.extend(flatten(item))
        else:
            result.append(item)
    return result
""",
        "result.extend(flatten(item))",
        "result.append(flatten(item))",
        (([],), ([1, 2],), ([[1, [], [2, 3]], [[4]], 5],), ([[[[1]]]],), ([["a"], "b"],)),
        lambda r: ([_nested(r, 3) for _ in range(r.randint(0, 4))],),
    ),
    Program(
        "next_permutation",
        """\
def next_permutation(items):
    items = list(items)
    for place in range(len(items) - 2, -1, -1):
        if items[place] < items[place + 1]:
            for other in range(len(items) - 1, place, -1):
                if items[place] < items[other]:
                    items[place], items[other] = items[other], items[place]
                    items[place + 1 :] = reversed(items[place + 1 :])
                    return items
    return sorted(items)
""",
        "if items[place] < items[other]:",
        "if items[other] < items[place]:",
        (([3, 2, 4, 1],), ([3, 5, 6, 2, 4, 1],), ([1, 2],), ([2, 1],), ([1, 4, 4, 2],)),
        lambda r: (numbers(r, 0, 5, 6),),
    ),
)


def _with_index(index, items):
    return items, index % len(items)


def _nested(random, depth):
    if depth == 0 or random.random() < 0.4:
        return random.randint(0, 9)
    return [_nested(random, depth - 1) for _ in range(random.randint(0, 3))]

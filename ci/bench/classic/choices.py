"""Programs over combinations and graphs."""

from classic.program import Program, graph, numbers


def _edges(random):
    count = random.randint(1, 5)
    pairs = [(i, j) for i in range(count) for j in range(count) if i != j]
    chosen = [pair for pair in pairs if random.random() < 0.4]
    return count, [(i, j, random.randint(1, 9)) for i, j in chosen]


CHOICES = (
    Program(
        "powerset",
        """\
def powerset(items):
    if not items:
        return [[]]
    first, *rest = items
    without = powerset(rest)
    return without + [[first] + subset for subset in without]
""",
        "return without + [[first] + subset for subset in without]",
        "return [[first] + subset for subset in without]",
        (([],), ([1],), (["a", "b", "c"],), ([3, 1],)),
        lambda r: (sorted(set(numbers(r, 0, 9, 6))),),
    ),
    Program(
        "permutations",
        """\
def permutations(items):
    if not items:
        return [[]]
    found = []
    for place, item in enumerate(items):
        for rest in permutations(items[:place] + items[place + 1 :]):
            found.append([item] + rest)
    return found
""",
        "return [[]]",
        "return []",
        (([],), ([1],), ([1, 2],), ([1, 2, 3],), (["x", "y"],)),
        lambda r: (numbers(r, 0, 9, 4),),
    ),
    Program(
        "knapsack",
        """\
def knapsack(capacity, items):
    best = [0] * (capacity + 1)
    for weight, value in items:
        for room in range(capacity, weight - 1, -1):
            best[room] = max(best[room], best[room - weight] + value)
    return best[capacity]
""",
        "best[room - weight] + value",
        "best[room] + value",
        (
            (10, [(5, 10), (4, 40), (6, 30), (3, 50)]),
            (5, []),
            (3, [(4, 9)]),
            (7, [(3, 4), (4, 5), (2, 3)]),
            (6, [(6, 1), (3, 2), (3, 2)]),
        ),
        lambda r: (r.randint(0, 12), [(r.randint(1, 6), r.randint(1, 9)) for _ in range(4)]),
    ),
    Program(
        "distances",
        """\
def distances(neighbours, start):
    found = {start: 0}
    queue = [start]
    while queue:
        node = queue.pop(0)
        for other in neighbours[node]:
            if other not in found:
                found[other] = found[node] + 1
                queue.append(other)
    return found
""",
        "found[node] + 1",
        "found[start] + 1",
        (
            ({"a": []}, "a"),
            ({"a": ["b"], "b": ["a"]}, "a"),
            ({"a": ["b"], "b": ["c"], "c": []}, "a"),
            ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": ["a"]}, "a"),
        ),
        lambda r: _from_first(graph(r)),
    ),
    Program(
        "topological_order",
        """\
def topological_order(successors):
    order = []
    seen = set()

    def visit(node):
        if node in seen:
            return
        seen.add(node)
        for other in successors[node]:
            visit(other)
        order.append(node)

    for node in successors:
        visit(node)
    return order[::-1]
""",
        "return order[::-1]",
        "return order",
        (
            ({},),
            ({"a": []},),
            ({"a": ["b"], "b": []},),
            ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []},),
            ({"c": [], "b": ["c"], "a": ["b"]},),
        ),
        lambda r: (graph(r, acyclic=True),),
    ),
    Program(
        "has_path",
        """\
def has_path(neighbours, start, goal):
    seen = set()

    def search(node):
        if node == goal:
            return True
        if node in seen:
            return False
        seen.add(node)
        return any(search(other) for other in neighbours[node])

    return search(start)
""",
        "        seen.add(node)\n",
        "",
        (
            ({"a": ["b"], "b": []}, "a", "b"),
            ({"a": ["b"], "b": ["a"], "c": []}, "a", "c"),
            ({"a": ["b"], "b": ["c"], "c": ["a"]}, "b", "a"),
            ({"a": []}, "a", "a"),
        ),
        lambda r: _with_goal(graph(r), r),
    ),
    Program(
        "all_shortest",
        """\
def all_shortest(count, edges):
    far = float("inf")
    length = [[0 if i == j else far for j in range(count)] for i in range(count)]
    for start, end, cost in edges:
        length[start][end] = min(length[start][end], cost)
    for k in range(count):
        for i in range(count):
            for j in range(count):
                length[i][j] = min(length[i][j], length[i][k] + length[k][j])
    return length
""",
        "length[i][k] + length[k][j]",
        "length[i][k] + length[j][k]",
        (
            (1, []),
            (2, [(0, 1, 5)]),
            (3, [(0, 1, 3), (1, 2, 4)]),
            (4, [(0, 1, 3), (1, 2, 1), (0, 2, 9), (2, 3, 2), (3, 0, 1)]),
        ),
        _edges,
    ),
    Program(
        "spanning_tree_cost",
        """\
def spanning_tree_cost(count, edges):
    parent = list(range(count))

    def root(node):
        while parent[node] != node:
            node = parent[node]
        return node

    total = 0
    for start, end, cost in sorted(edges, key=lambda edge: edge[2]):
        if root(start) != root(end):
            parent[root(start)] = root(end)
            total += cost
    return total
""",
        "parent[root(start)] = root(end)",
        "parent[start] = root(end)",
        (
            (1, []),
            (2, [(0, 1, 5)]),
            (3, [(0, 1, 3), (1, 2, 4), (0, 2, 1)]),
            (4, [(0, 1, 1), (0, 2, 2), (1, 2, 3), (2, 3, 9), (1, 3, 4)]),
            (5, [(0, 1, 1), (2, 3, 1), (0, 2, 2), (1, 3, 3), (3, 4, 1)]),
        ),
        _edges,
    ),
)


def _from_first(neighbours):
    return neighbours, "a"


def _with_goal(neighbours, random):
    nodes = sorted(neighbours)
    return neighbours, random.choice(nodes), random.choice(nodes)

"""Several forked children at once: plans that ask for one child after the other, side by side.

Runs in the target's interpreter: Python 3.8+, no dependency. A plan is a generator: it yields a
function that starts a child (given the number of the lane it runs in) and is sent what the child
told and how it ended. What a plan returns is its result. Results are given out in the order of the
plans, however they ended, so that more lanes change nothing but the time.
"""

import os
from typing import Any, Callable, Dict, Generator, Iterable, Iterator, List, Optional, Tuple

MOST_LANES = 16
Told = Tuple[List[Dict[str, Any]], str]
Start = Callable[[int], Any]
Plan = Generator[Start, Told, Any]


class Lane:
    """One plan on its way."""

    def __init__(self, number: int, rank: int, plan: Plan) -> None:
        """Keep the plan, which has not begun."""
        self.number = number
        self.rank = rank
        self.child: Any = None
        self.result: Any = None
        self._plan = plan
        self._answers: List[Dict[str, Any]] = []

    def begin(self) -> bool:
        """Start the plan's first child; return whether there is one."""
        return self._go_on(None)

    def take(self) -> bool:
        """Read from the child, or end it when it is overdue; return whether the plan goes on."""
        how = "killed" if self.child.is_overdue() else ""
        if not how:
            for answer in self.child.receive():
                if "end" in answer:
                    how = answer["end"]
                    break
                self._answers.append(answer)
        if not how:
            return True
        child, self.child = self.child, None
        child.end()
        told = (self._answers, how)
        self._answers = []
        return self._go_on(told)

    def _go_on(self, told: Optional[Told]) -> bool:
        try:
            start = self._plan.send(told)  # type: ignore[arg-type]
        except StopIteration as end:
            self.result = end.value
            return False
        self.child = start(self.number)
        return True

    def give_up(self) -> None:
        """End what is running."""
        if self.child is not None:
            self.child.end()
        self._plan.close()


class Pool:
    """Runs plans in a fixed number of lanes."""

    def __init__(self, children: Any, lanes: int, until: float) -> None:
        """Stop at `until` on the monotonic clock; `children` is the module of that name."""
        self._children = children
        self._lanes = lanes
        self._until = until
        self.is_late = False
        """Whether the time was over before the plans were."""

    def results(self, plans: Iterable[Plan]) -> Iterator[Any]:
        """Yield the plans' results in their order; whoever stops asking ends all children."""
        waiting = iter(enumerate(plans))
        running: List[Lane] = []
        done: Dict[int, Any] = {}
        following = 0
        try:
            while True:
                if not self.is_late:
                    self._fill(running, waiting, done)
                while following in done:
                    yield done.pop(following)
                    following += 1
                if not running or self.is_late:
                    return
                self._wait(running, done)
        finally:
            for lane in running:
                lane.give_up()

    def only(self, plan: Plan) -> Any:
        """Return one plan's result, None when the time was over before."""
        return next(self.results([plan]), None)

    def _fill(self, running: List[Lane], waiting: Any, done: Dict[int, Any]) -> None:
        free = sorted(set(range(self._lanes)) - {lane.number for lane in running})
        while free:
            rank, plan = next(waiting, (0, None))
            if plan is None:
                return
            lane = Lane(free[0], rank, plan)
            if lane.begin():
                running.append(lane)
                free.pop(0)
            else:
                done[rank] = lane.result

    def _wait(self, running: List[Lane], done: Dict[int, Any]) -> None:
        by_child = {id(lane.child): lane for lane in running}
        for child in self._children.wait_for([lane.child for lane in running], self._until):
            lane = by_child[id(child)]
            if not lane.take():
                running.remove(lane)
                done[lane.rank] = lane.result
        if self._children.monotonic() >= self._until:
            self.is_late = True


def usable_cores() -> int:
    """Return how many cores this process may use, up to a bound on its memory."""
    try:
        return min(len(os.sched_getaffinity(0)), MOST_LANES)
    except AttributeError:  # not on macOS
        return min(os.cpu_count() or 1, MOST_LANES)

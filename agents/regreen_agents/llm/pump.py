"""Reading without being held up: a source is read in a thread of its own, and may be left."""

import queue
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Generic, TypeVar

LOOK_SECONDS = 0.1
T = TypeVar("T")


@dataclass(frozen=True)
class _End:
    """The source is at its end, or failed."""

    error: BaseException | None = None


class Pump(Generic[T]):
    """Hands on what a source gives, and asks meanwhile whether to go on.

    A blocked read cannot be ended from outside. So it happens in a daemon thread: who waits can
    leave at any time, and the thread closes the source as soon as that gives or fails again.
    """

    def __init__(self, source: Callable[[], Generator[T]], check: Callable[[], None]) -> None:
        """Take the source, which is opened by the thread, and the question to ask."""
        self._source = source
        self._check = check
        self._queue: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
        self._left = threading.Event()

    def items(self, until: float) -> Generator[T]:
        """Yield what the source gives, as it comes; its exceptions are raised here.

        Args:
            until: On the monotonic clock, in seconds.

        Raises:
            TimeoutError: That time came.
        """
        threading.Thread(target=self._run, name="model-stream", daemon=True).start()
        try:
            while True:
                self._check()
                if time.monotonic() > until:
                    raise TimeoutError
                try:
                    item = self._queue.get(timeout=LOOK_SECONDS)
                except queue.Empty:
                    continue
                if isinstance(item, _End):
                    if item.error is not None:
                        raise item.error
                    return
                yield item
        finally:
            self._left.set()

    def _run(self) -> None:
        source = self._source()
        try:
            for item in source:
                if self._left.is_set():
                    break
                self._queue.put(item)
            self._queue.put(_End())
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._queue.put(_End(error))
        finally:
            source.close()

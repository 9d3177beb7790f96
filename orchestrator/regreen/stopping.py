"""Ctrl-C and SIGTERM end the target's processes first, and then what waits for them."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from regreen_agents.errors import StoppedError
from regreen_agents.runners.process import Stopper


@contextmanager
def stopping(stopper: Stopper) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the target's processes first; a second one ends us at once.

    Raises:
        KeyboardInterrupt: The person, or SIGTERM, asked to stop.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        if stopper.stopped:
            raise KeyboardInterrupt
        stopper.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except StoppedError as error:
        raise KeyboardInterrupt from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""Threads of which exactly one runs at a time, chosen by the simulation: any interleaving, and the same one again."""

from __future__ import annotations

import threading
from collections.abc import Callable


class KilledError(BaseException):
    """The process is gone, as after `kill -9`: no handler of the engine may catch this."""


class Actor:
    """A thread that runs only from `run` until it next calls `give_way`."""

    def __init__(self, name: str, main: Callable[[], None]) -> None:
        self.alive = True
        self.error: BaseException | None = None
        self._main = main
        self._doomed = False
        self._turn = threading.Lock()
        self._back = threading.Lock()
        self._turn.acquire()
        self._back.acquire()
        self._thread = threading.Thread(target=self._body, name=name, daemon=True)
        self._thread.start()

    def run(self) -> None:
        """Called by the simulation: one stretch of work."""
        self._turn.release()
        self._back.acquire()

    def give_way(self) -> None:
        """Called by the actor itself: others may run before this returns. Raises KilledError if it never shall."""
        self._back.release()
        self._turn.acquire()
        if self._doomed:
            raise KilledError

    def kill(self) -> None:
        """Called by the simulation: unwinds whatever the actor was doing."""
        self._doomed = True
        while self.alive:
            self.run()
        self._thread.join()

    def _body(self) -> None:
        self._turn.acquire()
        try:
            if not self._doomed:
                self._main()
        except KilledError:
            pass
        except BaseException as error:  # handed to the simulation, which raises it
            self.error = error
        finally:
            self.alive = False
            self._back.release()

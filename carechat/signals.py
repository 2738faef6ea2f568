"""What asks the serving process to stop, heard without a handler that does anything."""

import contextlib
import select
import signal
import socket
from types import FrameType
from typing import Self


class Signals:
    """While entered, asking this process to stop sets `stop`, however often it is asked."""

    def __init__(self) -> None:
        self.stop = False
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._wakes, written = socket.socketpair()
        for end in (self._wakes, written):
            end.setblocking(False)
            self._undo.callback(end.close)
        before = signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)
        self._undo.callback(signal.set_wakeup_fd, before)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            # Started with nohup, it goes on without its terminal.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._undo.callback(signal.signal, number, signal.signal(number, self._heard))
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def wait(self, seconds: float) -> None:
        """Return after so many seconds, or as soon as a signal comes or a child ends."""
        if select.select([self._wakes], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                self._wakes.recv(4096)

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        self.stop = self.stop or number != signal.SIGCHLD

"""A server as a process of its own, on a free port of the loopback: it says where it listens, ends with the tests."""

from __future__ import annotations

import contextlib
import re
import subprocess
import threading
from collections import deque
from collections.abc import Sequence

_LISTENING = re.compile(r"Listening on (http://127\.0\.0\.1:\d+[^\s,]*)")


class Child:
    """Runs until `close`. `address` is where it listens, as it says itself.

    The end of its standard input tells it to end: HAPI's and Medplum's do so too where the tests themselves are killed.
    """

    def __init__(self, words: Sequence[str], *, seconds: float = 400) -> None:
        self.address = ""
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self._last: deque[str] = deque(maxlen=100)
        self._said = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._said.wait(seconds)
        if not self.address:
            self.close()
            raise AssertionError(f"{words[0]} did not start: {''.join(self._last)[-3000:]}")

    def close(self) -> None:
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(timeout=5)

    def _listen(self) -> None:
        """Reads what it prints, to its end: a full pipe would stop it."""
        assert self._process.stdout
        with self._process.stdout as lines:
            for line in lines:
                self._last.append(line)
                if not self.address and (found := _LISTENING.search(line)):
                    self.address = found[1]
                    self._said.set()
        self._said.set()

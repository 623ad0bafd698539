"""Starts workers that are processes of their own, each in a moment: forked from one that has read everything already.

    python -m tests.endurance.nursery INSTANCE     a line on its standard input starts one; its process id is answered

Each runs `adapter --instance INSTANCE work`, as a person would start it, with its own connections; only the mappings
and profiles, which take seconds to compile, are there before. All end with their nursery.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any


def main(instance: Path) -> None:
    from adapter import catalogue, wiring
    from adapter.cli import main as command

    found = catalogue.load(partners=instance / "partners")
    made = wiring.checkers(catalogue.files_root())
    catalogue.load = lambda **_: found  # type: ignore[assignment]
    wiring.checkers = lambda _: made
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    print("ready", flush=True)
    started = []
    for _ in sys.stdin:
        if (child := os.fork()) == 0:
            _work(command, instance)
        started.append(child)
        print(child, flush=True)
    for child in started:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def _work(command: Any, instance: Path) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.close(sys.stdin.fileno())
    log = os.open(instance / "log", os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    code: Any = 1
    try:
        command(["--instance", str(instance), "work"])
    except SystemExit as ended:
        code = ended.code
    finally:
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

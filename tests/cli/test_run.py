"""The adapter as a process: it serves, says where, and ends well when it is told to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cli.conftest import Run


@contextmanager
def process(instance: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-m", "adapter", "--instance", str(instance), *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ADAPTER_")}
    pipes: dict[str, Any] = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes, env=clean, preexec_fn=_as_from_a_terminal) as running:
        try:
            yield running
        finally:
            running.kill()


def _as_from_a_terminal() -> None:
    """A shell lets what it starts in the background ignore Ctrl-C, and these tests with it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def line(running: subprocess.Popen[str]) -> str:
    assert running.stderr is not None
    return running.stderr.readline()


@pytest.mark.parametrize(("how", "worker"), [(signal.SIGTERM, "--worker"), (signal.SIGINT, "--no-worker")])
def test_serve_answers_and_ends_well(instance: Path, how: signal.Signals, worker: str) -> None:
    with process(instance, "serve", "--port", "0", worker) as running:
        said = line(running)
        assert said.endswith(", no worker\n") is (worker == "--no-worker")
        found = re.match(r"Listening on (http://127\.0\.0\.1:\d+)", said)
        assert found, said
        assert requests.get(f"{found[1]}/readyz", timeout=10).status_code == 200
        running.send_signal(how)
        assert running.wait(timeout=60) == 0


def test_work_ends_well(instance: Path) -> None:
    with process(instance, "work") as running:
        assert line(running) == "Working.\n"
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=60) == 0


def test_work_once_ends_by_itself(run: Run, tmp_path: Path) -> None:
    run("init", tmp_path / "agency")
    result = run("--instance", tmp_path / "agency", "work", "--once")
    assert (result.exit_code, result.stderr) == (0, "0 share(s) worked on.\n")


def test_a_port_that_is_taken_is_one_sentence(run: Run, instance: Path) -> None:
    with process(instance, "serve", "--port", "0", "--no-worker") as running:
        port = line(running).partition("127.0.0.1:")[2].partition(",")[0]
        result = run("--instance", instance, "serve", "--port", port)
        assert result.exit_code == 1
        assert "cannot listen" in result.stderr

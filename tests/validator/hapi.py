"""HAPI FHIR's validator as an oracle: one Java process for a release, that answers thousands of resources.

    with Hapi("R4") as hapi:
        for issues in hapi.issues([goal, plan]):  # one list for each resource, in order
            print([issue for issue in issues if issue.wrong])

It knows the base definitions, and what lies in profiles/generated/<release>. See README.md beside this file.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).parent
TARGET = HERE / "target"
PROFILES = HERE.parents[1] / "profiles" / "generated"


@dataclass(frozen=True, slots=True)
class Issue:
    """What the validator says of one place. `at` is its FHIRPath-like location; `id` names the rule."""

    severity: str
    at: str
    id: str
    text: str

    @property
    def wrong(self) -> bool:
        """An error; warnings and hints are none."""
        return self.severity in ("error", "fatal")


class Hapi:
    """A running validator. Its own folders: what it loads beside the base definitions (None: ours, where they are)."""

    def __init__(self, release: str, folders: Sequence[Path] | None = None, *, memory: str = "1500m") -> None:
        build()
        ours = PROFILES / release.lower()
        loaded = [ours] if folders is None and ours.is_dir() else folders or []
        self._process = subprocess.Popen(
            ["java", f"-Xmx{memory}", "-XX:+UseSerialGC", "-cp", f"{TARGET}/validator.jar:{TARGET}/lib/*",
             "validator.Validator", release, *map(str, loaded)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip
        # What it prints besides is read all the time, so that a full pipe never stops it.
        self._noise: list[str] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def issues(self, resources: Iterable[Any]) -> list[list[Issue]]:
        """The issues of each, in order. A resource is a JSON value, or text where the text itself is the case."""
        return [self._ask(each) for each in resources]

    def _ask(self, resource: Any) -> list[Issue]:
        text = resource if isinstance(resource, str) else json.dumps(resource, ensure_ascii=False)
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(text.replace("\n", " ") + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise AssertionError("The validator has stopped: " + "".join(self._noise[-20:]))
        return [
            Issue(each["severity"], each["at"] or "", each["id"] or "", each["text"] or "")
            for each in json.loads(answer)["issues"]
        ]

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(timeout=5)
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()

    def _listen(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self._noise.append(line)
            del self._noise[:-100]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def missing() -> str | None:
    """Why it cannot run here, or None: Java 17 and Maven are needed."""
    lacking = [program for program in ("java", "mvn") if shutil.which(program) is None]
    return f"{' and '.join(lacking)} not installed" if lacking else None


def build() -> None:
    """Compile it where its sources have changed; offline where Maven has all it needs, else with Maven Central."""
    if why := missing():
        raise AssertionError(why)
    TARGET.mkdir(exist_ok=True)
    with (TARGET / ".lock").open("w") as lock:  # Test workers build once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = TARGET / ".made"
        wanted = _sources()
        if made.is_file() and made.read_text() == wanted:
            return
        maven = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "package"]
        if subprocess.run([*maven, "-o"], capture_output=True, check=False).returncode:
            run = subprocess.run(maven, capture_output=True, text=True, check=False)
            if run.returncode:
                raise AssertionError(f"Maven could not build the validator:\n{run.stdout[-3000:]}{run.stderr[-1000:]}")
        made.write_text(wanted)


def _sources() -> str:
    files = [HERE / "pom.xml", *sorted((HERE / "src").rglob("*.java"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def main(release: str, *files: str) -> int:
    """Print what it says of each file (JSON, or a resource a line), and whether anything is wrong."""
    wrong = False
    with Hapi(release) as hapi:
        for file in files:
            text = Path(file).read_text("utf-8")
            resources = text.splitlines() if file.endswith(".ndjson") else [text]
            for number, issues in enumerate(hapi.issues(resources), 1):
                for issue in issues:
                    wrong = wrong or issue.wrong
                    print(f"{file}:{number}: {issue.severity}: {issue.at}: {issue.text} [{issue.id}]")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

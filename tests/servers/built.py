"""Builds the servers that are not ours, once for each state of their sources: HAPI FHIR by Maven, Medplum by npm."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
HAPI = HERE / "hapi"
MEDPLUM = HERE / "medplum"
LOCKS = HERE.parents[1] / "build" / "servers"


def hapi() -> list[str]:
    """What starts HAPI FHIR's server, but for its arguments. Built offline where that is possible: see Maven's -o."""
    pom = HAPI / "pom.xml"
    target = HAPI / "target"
    maven = ["mvn", "-q", "-B", "-f", str(pom), "package"]
    _once(target, [pom, *sorted((HAPI / "src").rglob("*.java"))], [[*maven, "-o"], maven])
    return [_found("java"), "-Xmx1g", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
            "-cp", f"{target / 'partner.jar'}:{target / 'lib'}/*", "partner.Partner"]  # fmt: skip


def medplum() -> list[str]:
    """What starts Medplum's server, but for its arguments."""
    npm = ["npm", "ci", "--prefix", str(MEDPLUM), "--no-fund", "--no-audit", "--ignore-scripts"]
    _once(MEDPLUM / "node_modules", [MEDPLUM / "package-lock.json"], [npm])
    return [_found("node"), str(MEDPLUM / "server.mjs")]


def _once(folder: Path, sources: Sequence[Path], ways: Sequence[Sequence[str]]) -> None:
    """Make `folder` of `sources` by the first way that succeeds, unless it was made of these. Workers take turns."""
    wanted = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    made = folder / ".made"
    LOCKS.mkdir(parents=True, exist_ok=True)
    with (LOCKS / f"{folder.parent.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if made.is_file() and made.read_text() == wanted:
            return
        said = ""
        for way in ways:
            run = subprocess.run([_found(way[0]), *way[1:]], capture_output=True, text=True, check=False)
            if run.returncode == 0:
                made.write_text(wanted)
                return
            said = run.stdout[-3000:] + run.stderr[-1000:]
        raise AssertionError(f"{ways[-1][0]} could not build a server of the tests:\n{said}")


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise AssertionError(f"{program} is not installed here: tests/servers/README.md says what is needed")
    return path


def lacking(*programs: str) -> str:
    """Those of the programs that are not installed here."""
    return " and ".join(program for program in programs if shutil.which(program) is None)

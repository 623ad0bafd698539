"""Adapters as processes on loopback: the agency and its partners, each with a folder of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click import Command
from click.testing import CliRunner

from adapter.catalogue import files_root
from adapter.demo import calendar
from adapter.demo.talk import Refusal, call, read

SCHOOL, HOSPITAL, LINKED = "lakeside", "riverside", "willow"
TITLES = {
    SCHOOL: "Lakeside District School Board",
    HOSPITAL: "Riverside Children's Hospital",
    "harbour-cas": "Harbour Children's Aid Society",
    "northstar": "Northstar Child and Youth Mental Health",
    "petits-pas": "Petits Pas",
    LINKED: "Willow Respite House",
}
WITH_SERVERS = tuple(name for name in TITLES if name != LINKED)
_LISTENING = re.compile(r"Listening on (http://\S+?)(?:,|\s|$)")
_START_SECONDS = 120.0
_MINUTES = 0.01
"""Between two times that a partner is asked for answers to referrals."""


@dataclass(slots=True)
class Instance:
    """One running adapter: where it listens, and the token with which we may speak to it."""

    name: str
    title: str
    folder: Path
    url: str = ""
    token: str = ""
    process: subprocess.Popen[str] | None = None

    def api(self, method: str, path: str, body: Any = None, *, token: str = "") -> Any:
        """One call of its API or its /fhir."""
        return call(self.url, method, path, token=token or self.token, body=body)

    def text(self, path: str, *, token: str = "") -> str:
        """What stands at an address of its API, as text."""
        return read(self.url, "GET", path, token=token or self.token).decode()


class Neighbours:
    """The agency and its partners in `folder`."""

    def __init__(
        self,
        folder: Path,
        adapter: Command,
        partners: Iterable[str] = (SCHOOL, HOSPITAL),
        linked: Iterable[str] = (LINKED,),
    ) -> None:
        """`adapter` is the command itself: the instances are made by it, as a person would make them. `linked`:
        partners that have no server, and answer referrals through a signed link."""
        self._adapter = adapter
        self.agency = Instance("agency", "Maple Valley Coordinated Services", folder / "agency")
        self.partners = {name: Instance(name, TITLES[name], folder / name) for name in partners}
        self.linked = tuple(linked)
        self.coordinator = ""

    def start(self) -> None:
        """Make the three instances, give out tokens, start them, and wait until each of them answers."""
        for partner in self.partners.values():
            self._init(partner, agency=False)
            partner.token = self._cli(partner, "token", "new", "--role", "partner", "--partner", "maple-valley")
            _serve(partner, {})
        for partner in self.partners.values():
            _await(partner)
        self._init(self.agency, agency=True)
        for partner in self.partners.values():
            _connect(self.agency, partner)
        for name in self.linked:
            _without_server(self.agency, name)
        self.agency.token = self._cli(self.agency, "token", "new", "--role", "source")
        self.coordinator = self._cli(self.agency, "token", "new", "--role", "coordinator")
        _serve(self.agency, {_variable(p): p.token for p in self.partners.values()})
        _await(self.agency)

    def stop(self) -> None:
        """End the processes; they finish what they are doing."""
        running = [i.process for i in (self.agency, *self.partners.values()) if i.process is not None]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stderr is not None:
                process.stderr.close()

    def _init(self, instance: Instance, *, agency: bool) -> None:
        """`adapter init`, then the settings and partners of this story in place of the examples."""
        self._cli(instance, "init", str(instance.folder), within=False)
        settings = (files_root() / "fixtures" / "adapter.toml").read_text(encoding="utf-8")
        if not agency:
            settings = settings.replace("Maple Valley Coordinated Services", instance.title)
            settings = settings.replace("maple-valley.example.ca", f"{instance.name}.example.ca")
        if "labels_topics" not in settings:
            settings = "labels_topics = true\n" + settings
        settings = "poll_seconds = 0.2\nport = 0\n" + settings
        (instance.folder / "adapter.toml").write_text(settings, encoding="utf-8")
        for example in (instance.folder / "partners").glob("*.toml"):
            example.unlink()
        if not agency:
            (instance.folder / "partners" / "maple-valley.toml").write_text(
                'name = "Maple Valley Coordinated Services"\nsectors = ["coordination"]\n'
                "since = 2026-01-05\npaused = true\n",
                encoding="utf-8",
            )

    def _cli(self, instance: Instance, *words: str, within: bool = True) -> str:
        """One command, in this process, which has loaded everything already."""
        inside = ("--instance", str(instance.folder)) if within else ()
        done = CliRunner().invoke(self._adapter, [*inside, *words])
        if done.exit_code:
            raise Refusal(f"adapter {words[0]} ended with {done.exit_code}: {done.stderr.strip()[-500:]}")
        return done.stdout.strip()


def _connect(agency: Instance, partner: Instance) -> None:
    """The partner's file of the fixtures, with the address and the secret of this run."""
    text = calendar.partner(partner.name)
    text = re.sub(r"(?m)^base_url = .*$", f'base_url = "{partner.url}/fhir"\nprivate_addresses = true', text)
    text = re.sub(r"(?m)^secret = .*$", f'secret = "{_variable(partner)}"', text)
    text = re.sub(r"(?m)^quiet_seconds = .*\n", "", text)
    text = re.sub(r"(?m)^withdrawal = .*$", 'withdrawal = "delete"', text)  # an adapter allows it
    # Usual is every hour: the story asks more often than anybody's server would like.
    text += f"\n[referrals]\nevery = {_MINUTES}\n"
    (agency.folder / "partners" / f"{partner.name}.toml").write_text(text, encoding="utf-8")


def _without_server(agency: Instance, name: str) -> None:
    (agency.folder / "partners" / f"{name}.toml").write_text(
        f'name = "{TITLES[name]}"\nsectors = ["respite"]\nsince = 2026-01-15\n\n[referrals]\nanswers = "link"\n',
        encoding="utf-8",
    )


def _variable(partner: Instance) -> str:
    return f"{partner.name.upper().replace('-', '_')}_TOKEN"


def _serve(instance: Instance, environment: dict[str, str]) -> None:
    log = (instance.folder / "log").open("w", encoding="utf-8")
    with log:
        instance.process = subprocess.Popen(  # noqa: S603  our own program, with words of our own
            [sys.executable, "-m", "adapter", "--instance", str(instance.folder), "serve", "--port", "0"],
            stdout=subprocess.DEVNULL,
            stderr=log,
            env={**os.environ, **environment},
            text=True,
        )


def _await(instance: Instance) -> None:
    """Wait until it says where it listens, and then until it is ready."""
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        text = (instance.folder / "log").read_text(encoding="utf-8")
        if instance.process is None or instance.process.poll() is not None:
            raise Refusal(f"{instance.title} did not start: {text[-500:]}")
        if found := _LISTENING.search(text):
            instance.url = found[1]
            call(instance.url, "GET", "/readyz")
            return
        time.sleep(0.05)
    raise Refusal(f"{instance.title} did not start in {_START_SECONDS:.0f} seconds")

"""The demo: an agency and two partners on this machine, and the story of a plan shared, widened and taken back, and
of a referral from its first word to its last.

Everything it says is read from what the partners really hold, over their own /fhir; a claim that does not hold ends it
with exit code 1.
"""

from __future__ import annotations

import signal
import tempfile
import threading
from pathlib import Path

from click import Command
from rich.console import Console

from adapter.demo.browsing import Link
from adapter.demo.neighbours import Neighbours
from adapter.demo.referrals import refer
from adapter.demo.story import tell
from adapter.demo.there import Untrue


def run(adapter: Command, *, once: bool) -> int:
    """Tell the story; then stay up until interrupted, unless `once`. `adapter`: the command. Returns the exit code."""
    console = Console(width=None if Console().is_terminal else 110)
    with tempfile.TemporaryDirectory(prefix="csp-demo-") as folder:
        neighbours = Neighbours(Path(folder), adapter)
        try:
            neighbours.start()
            tell(console, neighbours)
            link = refer(console, neighbours)
            if not once:
                _stay(console, neighbours, link)
        except Untrue as claim:
            console.print(f"[bold red]This does not hold:[/] {claim}")
            return 1
        except KeyboardInterrupt:
            console.print("Stopping.")
        finally:
            neighbours.stop()
    return 0


def _stay(console: Console, neighbours: Neighbours, link: Link) -> None:
    console.rule("It is all still running")
    console.print(f"The agency's first page: {neighbours.agency.url}/  (sign in with this coordinator's token)")
    console.print(f"    {neighbours.coordinator}", soft_wrap=True)
    console.print(f"    the board of referrals: {neighbours.agency.url}/referrals", soft_wrap=True)
    console.print("The agency without a server can go on with its referral, from its own page:")
    console.print(f"    {link.address}  (code {link.code})", soft_wrap=True)
    for partner in neighbours.partners.values():
        console.print(f"{partner.title}: {partner.url}/fhir  (a bearer token to read what it holds)")
        console.print(f"    {partner.token}", soft_wrap=True)
    console.print("Ctrl-C stops everything and removes the folder.")
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    over.wait()

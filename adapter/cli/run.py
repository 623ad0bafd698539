"""Commands that run: serve, work, demo."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Iterator
from threading import Event, Thread
from types import FrameType
from typing import TYPE_CHECKING

import click

from adapter.cli.context import Asked, opened, pass_asked, say
from adapter.errors import Unavailable

if TYPE_CHECKING:
    from adapter.desk import Desk

_TURN = 1.0
"""Seconds after which the main thread looks whether it was told to stop."""


@click.command()
@click.option("--host", help="The address to listen at, instead of the settings'.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="The port, instead of the settings' (0: any).")
@click.option("--worker/--no-worker", default=None, help="Deliver to partners in this process, too, or not.")
@pass_asked
def serve(asked: Asked, host: str | None, port: int | None, worker: bool | None) -> None:
    """Serve the API, the partners' /fhir and the first page; and deliver to partners.

    Stops at Ctrl-C or SIGTERM, after finishing what it is doing.

    \b
    Examples:
      adapter --instance my-agency serve
      adapter --instance my-agency serve --port 9000 --no-worker
    """
    from waitress.server import create_server

    from adapter import log
    from adapter.web.app import create_app

    log.replace_lines_of("waitress")  # it would name the address that failed, and a case's number is in it
    with opened(asked, check=False) as wired:
        _check(wired)
        settings = wired.settings
        listening = _listen(host or settings.host, settings.port if port is None else port)
        server = create_server(
            create_app(wired), sockets=[listening], threads=8, ident=None, clear_untrusted_proxy_headers=True
        )
        works = settings.worker_in_process if worker is None else worker
        with _interruptible(), _worker(wired) if works else contextlib.nullcontext():
            address = f"http://{server.effective_host}:{server.effective_port}"
            say(f"Listening on {address}" + ("" if works else ", no worker"))
            if works:
                _say_what_is_lacking(wired)
            with contextlib.suppress(KeyboardInterrupt):
                server.run()
            server.close()


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, then end.")
@pass_asked
def work(asked: Asked, once: bool) -> None:
    """Deliver to partners what is due, without serving anything.

    For more workers than the one in `adapter serve`. Stops at Ctrl-C or SIGTERM, after finishing what it is doing.

    \b
    Example:
      adapter --instance my-agency work
    """
    from adapter.worker import run as deliver

    with opened(asked, check=False) as wired:
        _check(wired)
        if once:
            say(f"{deliver(wired, once=True)} share(s) worked on.")
            return
        with _interruptible(), _worker(wired) as ended, contextlib.suppress(KeyboardInterrupt):
            say("Working.")
            _say_what_is_lacking(wired)
            while not ended.wait(_TURN):
                pass  # a signal that comes as this thread falls asleep is heard when it wakes, not before


@click.command()
@click.option("--once", is_flag=True, help="End after the story instead of staying up.")
def demo(once: bool) -> None:
    """Start an agency and two partners here, and watch a plan being shared and taken back, and referrals answered.

    Everything runs on this machine with invented families, in a temporary folder that is removed afterwards.

    \b
    Example:
      adapter demo --once
    """
    from adapter.demo import run

    raise click.exceptions.Exit(run(click.get_current_context().find_root().command, once=once))


def _listen(host: str, port: int) -> socket.socket:
    """A socket at this address, or one sentence why not."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise click.ClickException(f"cannot listen at {host}, port {port}: {error.strerror}.") from None


def _check(wired: Desk) -> None:
    """A database that cannot be used as it is ends the command; one that is away for now is waited for."""
    try:
        wired.store.check()
    except Unavailable as away:
        say(f"adapter: {away.detail} Waiting for it.")


def _say_what_is_lacking(wired: Desk) -> None:
    """Partners that cannot be shown who we are; the others are sent to meanwhile."""
    for partner in wired.catalogue.partners.values():
        if partner.is_sent_to and not partner.paused:
            for sentence in wired.lacking(partner.id):
                say(f"adapter: Nothing can be sent to {partner.id}. {sentence}")


@contextlib.contextmanager
def _worker(wired: Desk) -> Iterator[Event]:
    """A worker in a thread of its own; at the end it is asked to stop, and finishes what it is doing.

    Yields what is set once it has ended: a `join` that a signal interrupts takes the thread for ended, and the process
    would not wait for it.
    """
    from adapter.worker import run as deliver

    stop, ended = Event(), Event()

    def work() -> None:
        try:
            deliver(wired, stop=stop)
        finally:
            ended.set()

    thread = Thread(target=work, name="worker")
    thread.start()
    try:
        yield ended
    finally:
        stop.set()
        wired.wake.set()
        thread.join()


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM is Ctrl-C, the first time: whoever says it again is told nothing new, and cuts nothing short. The handler
    only raises: what it could set, the main thread may hold the lock of."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is interrupt:
            signal.signal(signal.SIGTERM, before)


commands = (serve, work, demo)

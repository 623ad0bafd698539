"""Commands that run: serve, work, demo."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from threading import Event, Thread
from types import FrameType

import click

from adapter.cli.context import Asked, pass_asked, say


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

    from adapter import wiring
    from adapter import worker as delivery
    from adapter.web.app import create_app

    wired = wiring.wire(asked.folder)
    settings = wired.settings
    server = create_server(
        create_app(wired),
        host=host or settings.host,
        port=settings.port if port is None else port,
        threads=8,
        ident=None,
        clear_untrusted_proxy_headers=True,
    )
    stop = Event()
    works = settings.worker_in_process if worker is None else worker
    thread = Thread(target=delivery.run, args=(wired,), kwargs={"stop": stop}, name="worker") if works else None
    with _interrupted():
        if thread:
            thread.start()
        say(f"Listening on http://{server.effective_host}:{server.effective_port}" + ("" if works else ", no worker"))
        with contextlib.suppress(KeyboardInterrupt):
            server.run()
    stop.set()
    server.close()
    if thread:
        thread.join()


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
    from adapter import wiring
    from adapter import worker as delivery

    stop = Event()
    wired = wiring.wire(asked.folder)
    say("Working.")
    with _stopping(stop):
        delivery.run(wired, once=once, stop=stop)


@click.command()
@click.option("--once", is_flag=True, help="End after the story instead of staying up.")
def demo(once: bool) -> None:
    """Start an agency and two partners here, and watch a plan being shared, narrowed and taken back.

    Everything runs on this machine with invented families, in a temporary folder that is removed afterwards.

    \b
    Example:
      adapter demo --once
    """
    from adapter.demo import run

    raise click.exceptions.Exit(run(once=once) or 0)


@contextlib.contextmanager
def _interrupted() -> Iterator[None]:
    """SIGTERM is Ctrl-C: the server ends its loop by it."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handling(interrupt, signal.SIGTERM):
        yield


@contextlib.contextmanager
def _stopping(stop: Event) -> Iterator[None]:
    """SIGTERM and Ctrl-C ask the worker to stop when it has finished what it is doing."""

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    with _handling(ask, signal.SIGTERM, signal.SIGINT):
        yield


@contextlib.contextmanager
def _handling(handler: Callable[[int, FrameType | None], None], *signals: signal.Signals) -> Iterator[None]:
    before = {each: signal.signal(each, handler) for each in signals}
    try:
        yield
    finally:
        for each, former in before.items():
            signal.signal(each, former)


commands = (serve, work, demo)

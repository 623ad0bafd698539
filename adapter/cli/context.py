"""What every command shares: which instance was asked for, how errors are told, and what `--at` means."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adapter.errors import AdapterError, Misconfigured

if TYPE_CHECKING:
    from adapter.catalogue import Catalogue
    from adapter.desk import Desk, Preview
    from adapter.settings import Settings


partners_folder = click.option(
    "--partners",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of partner files to use instead of the instance's (or, without one, of the fixtures').",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The instance that the command line or the environment names, if any."""

    instance: Path | None

    @property
    def folder(self) -> Path:
        """The instance, for commands that cannot do without one."""
        if self.instance is None:
            raise click.UsageError(
                "this command needs an instance: `adapter --instance DIR …`, or set ADAPTER_INSTANCE.\n"
                "`adapter init DIR` makes one."
            )
        return self.instance

    def settings(self) -> Settings:
        """The settings of the instance."""
        from adapter import settings

        return settings.read(self.folder)

    def partners(self, given: Path | None) -> Path:
        """The folder of partner files: the one given, else the instance's, else the fixtures'."""
        if given is not None:
            return given
        if self.instance is not None:
            return self.instance / "partners"
        from adapter import catalogue

        return catalogue.files_root() / "fixtures" / "partners"

    def catalogue(self, partners: Path | None = None) -> Catalogue:
        """The catalogue with these partners."""
        from adapter import catalogue

        return catalogue.load(partners=self.partners(partners))


def desk(asked: Asked, partners: Path | None) -> Desk | Preview:
    """The instance that was asked for, its database checked as `opened` does; without one, or with other partners,
    enough to look."""
    from adapter import wiring

    if asked.instance is None or partners is not None:
        return wiring.wire_without_instance(partners)
    found = wiring.wire(asked.instance)
    found.store.check()
    return found


@contextmanager
def opened(asked: Asked, *, check: bool = True) -> Iterator[Desk]:
    """The whole instance that was asked for, its database let go of at the end.

    Whose database is of another version than the adapter is refused with a sentence, by every command; those that run
    for long `check` it themselves, for they wait for one that is away.
    """
    from adapter import wiring

    found = wiring.wire(asked.folder)
    try:
        if check:
            found.store.check()
        yield found
    finally:
        found.store.close()


pass_asked: Callable[[Callable[..., Any]], Callable[..., Any]] = click.make_pass_decorator(Asked)


class Commands(click.Group):
    """Tells an expected error in one sentence and its list of problems, and ends with 1; a fault of our own by its
    places in the code: its words may quote a record."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except AdapterError as error:
            tell(error)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except OSError as refused:  # the system's own words: which file, and why
            say(f"adapter: {refused.filename or 'what is read or written'}: {refused.strerror or 'is refused'}.")
        except Exception as fault:  # noqa: BLE001  told without its words, and the command ends
            tell_fault(fault)
        return context.exit(1)


def tell(error: AdapterError) -> None:
    """The error's sentence, then `pointer: detail` or `file:line: detail` a line, on standard error."""
    say(f"adapter: {error.detail}")
    for problem in error.problems:
        say(f"  {problem.pointer or '(the whole)'}: {problem.detail}")
    if isinstance(error, Misconfigured):
        for finding in error.findings:
            say(f"  {finding}")


def tell_fault(fault: Exception) -> None:
    """What kind of fault, and where it came through our code; never its message."""
    say(f"adapter: a fault of the adapter itself ({type(fault).__name__}). Please report it with these lines:")
    for frame in traceback.extract_tb(fault.__traceback__):
        if "adapter" in Path(frame.filename).parts:
            say(f"  {'/'.join(Path(frame.filename).parts[-3:])}:{frame.lineno} in {frame.name}")


def say(words: str) -> None:
    """Words for a person, on standard error."""
    click.echo(words, err=True)


def now() -> datetime:
    """The clock, read at the edge."""
    return datetime.now(UTC)


def instant(given: str | None, zone: tzinfo) -> datetime:
    """What `--at` means: now if not given; a date is the start of that day, and a naive time a time, in the zone."""
    if given is None:
        return now()
    try:
        if len(given) == len("2026-01-31"):
            day = date.fromisoformat(given)
            return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        moment = datetime.fromisoformat(given)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            "must be a date or date-time of ISO 8601, such as 2027-03-31 or 2027-03-31T09:00-05:00", param_hint="--at"
        ) from None

"""Runs stories until enough markers are planted, and says of each channel how much was searched and what was found."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from tests.journeys.leaks.channels import search_all
from tests.journeys.leaks.instance import PARTNERS, instance
from tests.journeys.leaks.planting import NAMES, Planting
from tests.journeys.leaks.story import Case, Finds, Story

CASES = 30
"""In one instance: more would make its lists longer, and tell no more."""
READ = 6
"""Cases of an instance of which each list, page and command is read; requests, logs and files are searched for all."""
STORIES_OF_FIXTURES = 2
DEEP = 5
"""In the first instances, and in each of so many, libraries log at DEBUG."""


def run(markers: int, seed: int, *, read: int = READ, say: Callable[[str], None] = lambda _: None) -> Finds:
    """One instance after another, each with cases of its own, until `markers` have been planted."""
    finds = Finds(Planting())
    begin, stories = time.monotonic(), 0
    while len(finds.planting.leaves) < markers:
        cases = list(_cases(finds.planting, seed * 1_000_000 + stories * CASES, stories, markers))
        with tempfile.TemporaryDirectory() as folder:
            deep = stories < STORIES_OF_FIXTURES or stories % DEEP == 0
            _tell(Path(folder) / "agency", finds, cases, seed + stories, deep, read)
        stories += 1
        say(f"{len(finds.planting.leaves)} markers, {len(finds.leaks)} found, {time.monotonic() - begin:.0f} s")
    say(report(finds, time.monotonic() - begin))
    return finds


def _cases(planting: Planting, seed: int, story: int, markers: int) -> Iterator[Case]:
    """Some of the fixtures' cases in the first stories, and generated ones."""
    if story < STORIES_OF_FIXTURES:
        yield from (
            planting.fixture(name, seed + n) for n, name in enumerate(NAMES) if n % STORIES_OF_FIXTURES == story
        )
    for n in range(CASES):
        if len(planting.leaves) < markers and (case := planting.generated(seed + n)):
            yield case


def _tell(folder: Path, finds: Finds, cases: list[Case], seed: int, deep: bool, read: int) -> None:
    numbers = [case["case"] for case in cases][:read]
    # Every other instance's source does not label topics: its texts wait to be read, on the pages and lists of that.
    # An answer whose length is lost behind a broken line is waited for: no longer than it must be.
    with instance(folder, timeout=2.0, labels_topics=seed % 2 == 1, deep=deep) as i:
        story = Story(i, finds, Random(seed))
        story.begins(cases)
        story.is_refused(cases)
        search_all(i, finds, numbers)
        story.narrows(cases)
        story.revokes(cases)
        search_all(i, finds, numbers, only=lambda name: name.startswith(("logs", "the database", "shares")))
        story.ends(cases)
        search_all(i, finds, numbers, only=lambda name: name.startswith(("logs", "the database", "/fhir")))
        finds.requests += sum(len(i.seen(partner)) for partner in PARTNERS)


def report(finds: Finds, seconds: float) -> str:
    """The table that `python -m tests.journeys.leaks` prints."""
    kinds = Counter(leaf.kind for leaf in finds.planting.leaves.values())
    cases = len({leaf.number for leaf in finds.planting.leaves.values()})
    lines = [
        f"{len(finds.planting.leaves)} markers planted in {cases} cases ({kinds['value']} values, {kinds['id']} ids,"
        f" {kinds['number']} case numbers); {finds.requests} requests to partners; {seconds:.0f} s",
        f"{'channel':<55}{'bytes searched':>16}{'found':>8}",
    ]
    found = Counter(leak.channel for leak in finds.leaks)
    lines += [f"{name:<55}{size:>16,}{found[name]:>8}" for name, size in finds.searched.items()]
    lines += [f"  {leak.channel}: {leak.where}: {leak.leaf.place} ({leak.leaf.kind})" for leak in finds.leaks[:20]]
    return "\n".join(lines)

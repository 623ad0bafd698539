"""Plants markers until there are enough and says what was found: `python -m tests.journeys.leaks --markers 100000`.

The whole application: its API, worker, partners' servers, database, pages and command. The pure core alone, which is
many times as fast, is held by `python -m tests.core.consent.proofs`.
"""

from __future__ import annotations

import argparse
import sys

from tests.journeys.leaks.report import run


def main() -> int:
    """The exit code is 1 where a marker was found that may not be there."""
    parser = argparse.ArgumentParser(prog="python -m tests.journeys.leaks", description=__doc__)
    parser.add_argument("--markers", type=int, default=1000, help="how many to plant at least (1000)")
    parser.add_argument("--seed", type=int, default=1, help="of the first case; other seeds make other cases (1)")
    asked = parser.parse_args()
    found = run(asked.markers, asked.seed, say=lambda words: print(words, flush=True))
    return 1 if found.leaks else 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.validator --examples 2000`: the checker and HAPI's validator, on resources broken on purpose.

Prints the table of agreement for each release; exit 1 where a disagreement has no known reason.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from adapter.catalogue import files_root
from adapter.catalogue.definitions import checkers
from tests.validator.agreement import compared, of_fixtures, printed, sound
from tests.validator.hapi import Hapi
from tests.validator.sent import EXAMPLES, examples


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.validator", description=__doc__)
    asked.add_argument("--examples", type=int, default=2000, help="how many broken resources, for each release")
    asked.add_argument("--release", choices=["R4", "R5"], action="append", help="only this one")
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--suite", type=Path, default=EXAMPLES, help="a folder of sound R4 resources, used besides ours")
    given = asked.parse_args()
    unexplained = 0
    for release, checker in checkers(files_root()).items():
        if given.release and release not in given.release:
            continue
        with Hapi(release) as hapi:
            whole = sound(hapi, checker, [*of_fixtures(release), *examples(given.suite)])
            print(f"{release}: {len(whole)} sound resources to break, {given.examples} times")
            table = compared(hapi, checker, whole, number=given.examples, seed=given.seed)
        print("\n".join(printed(table)), flush=True)
        unexplained += len(table.unexplained)
    return int(unexplained > 0)


if __name__ == "__main__":
    sys.exit(main())

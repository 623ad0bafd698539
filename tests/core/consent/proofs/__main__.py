"""Runs the proofs with the full numbers: `python -m tests.core.consent.proofs --examples 10000`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pytest


def main() -> int:
    """Every property with that many examples each; the exit code is pytest's."""
    parser = argparse.ArgumentParser(prog="python -m tests.core.consent.proofs", description=__doc__)
    parser.add_argument("--examples", type=int, default=10_000, help="examples of each property (10000)")
    parser.add_argument("--only", default="", help="only tests whose name has this in it, as pytest's -k")
    asked = parser.parse_args()
    os.environ["CSP_PROOFS_EXAMPLES"] = str(asked.examples)
    return pytest.main([str(Path(__file__).parent), "--timeout=0", "-k", asked.only, "--durations=0"])


if __name__ == "__main__":
    sys.exit(main())

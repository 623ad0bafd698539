"""What a program asks for in one case: what `due` costs for the fixtures, and for cases of 40 records of each program.

Run `.venv/bin/python bench/programs.py`. Each figure is the best of many rounds, in milliseconds. The goal: well under
1 ms for 40 records.
"""

from __future__ import annotations

import json
import time
import timeit
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from adapter import catalogue
from adapter.core.programs import due
from adapter.core.schema import records

NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
ZONE = ZoneInfo("America/Toronto")
SPARE = ("contacts", "strengths", "needs", "goals")


def forty(case: dict[str, Any]) -> dict[str, Any]:
    """A case of 40 records: some of its own left out, or given twice."""
    made = {name: list(value) if isinstance(value, list) else value for name, value in case.items()}
    spare = [name for name in SPARE if made.get(name)]
    for turn in range(400):
        name, count = spare[turn % len(spare)], sum(1 for _ in records(made))
        if count == 40:
            break
        if count > 40 and len(made[name]) > 1:
            made[name].pop()
        elif count < 40:
            made[name].append({**made[name][0], "id": f"again-{turn}"})
    return made


def main() -> None:
    programs = catalogue.load(partners=None).programs
    for path in sorted((catalogue.files_root() / "fixtures").glob("*/case.json")):
        whole = json.loads(Path(path).read_text(encoding="utf-8"))
        program = programs[whole["program"]]
        for case in (whole, forty(whole)):
            found = len(due(case, program, NOW, ZONE))
            timer = timeit.Timer(lambda c=case, p=program: due(c, p, NOW, ZONE), timer=time.process_time)
            rounds = timer.repeat(number=20, repeat=20)
            size = sum(1 for _ in records(case))
            print(
                f"{path.parent.name:20} {size:3} records {len(program.rules)} rules {found:3} findings"
                f" {min(rounds) / 20 * 1e3:.3f} ms"
            )


if __name__ == "__main__":
    main()

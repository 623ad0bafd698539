"""What one expression comes to in Python, and what names mean where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Code:
    """One Python expression; `boolean` where it gives True, False or None and nothing else."""

    text: str
    boolean: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean at one place of an expression: the Python texts for `$this` and its kin, and for variables."""

    this: str
    record: str = ""
    index: str = ""
    total: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    guarded: bool = False

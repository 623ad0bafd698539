"""What the programs ask for: read from mappings/programs, worked out for a case, put in the order of a waitlist."""

from __future__ import annotations

from adapter.core.programs.due import due
from adapter.core.programs.expressions import written
from adapter.core.programs.loading import load_program, load_rules
from adapter.core.programs.program import OWN_CONSENT, Finding, Program, Rule
from adapter.core.programs.reading import Known

__all__ = ["OWN_CONSENT", "Finding", "Known", "Program", "Rule", "due", "load_program", "load_rules", "written"]

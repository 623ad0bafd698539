"""HL7's own FHIRPath tests for R4 (FHIR/fhir-test-cases), where the published material lies beside the repository."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fhirpathpy.models import models

from adapter.core.mapping.fhirpath import ExpressionError, Model, compile_expression

SUITE = Path(__file__).resolve().parents[4] / "shared" / "suites" / "fhirpath"
NOT_PASSED = {
    # `trace('name', projection)` prints what the projection gives for each item; the one given here gives nothing.
    "testTrace/testTrace2",
    # "For precisions above seconds, the decimal portion of the time-valued quantity is ignored" (N1, 6.6.7): the tenth
    # of a second that this test drops is not above seconds.
    "testPlus/testPlusDate19",
}


def trace(env: Any, items: list[Any], *_: list[Any]) -> list[Any]:
    """`trace` is refused in mappings; the suite uses it in passing."""
    return items


def test_hl7s_suite_passes_but_for_two_tests_with_a_reason_each() -> None:
    """933 of 935, and all 35 that must be refused are refused, by a reason of ours and never by a crash."""
    if not SUITE.is_dir():
        pytest.skip("HL7's suite is not beside the repository")
    runner = _runner()
    model = Model(models["r4"])
    failed, refused = [], Counter[bool]()
    for test in runner.load_suite():
        resource = runner.load_input(test["input_file"])
        try:
            expression = compile_expression(test["expression"], functions={"trace": trace}, model=model)
            given = expression.evaluate(resource, now=datetime(2026, 11, 21, 12, tzinfo=UTC))
            passed = not test["invalid"] and runner.grade(test, given)
        except ExpressionError:
            passed = test["invalid"]
        if test["invalid"]:
            refused[passed] += 1
        if not passed:
            failed.append(test["id"])
    assert set(failed) == NOT_PASSED
    assert refused == {True: 35}


def _runner() -> Any:
    spec = importlib.util.spec_from_file_location("hl7_suite", SUITE / "run_suite.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    lines = (SUITE / "suite.jsonl").read_text(encoding="utf-8").splitlines()
    module.load_suite = lambda: [json.loads(line) for line in lines]
    inputs = {p.name: json.loads(p.read_text(encoding="utf-8")) for p in (SUITE / "inputs").iterdir()}
    module.load_input = lambda name: inputs.get(name, {})
    return module

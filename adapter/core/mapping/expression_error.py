"""What is wrong with one expression or template, and where, so that the person who wrote it can find it."""

from __future__ import annotations

from adapter.errors import Finding, Misconfigured


class ExpressionError(Misconfigured):
    """An expression that cannot be compiled, or that met data it cannot work on.

    `line` and `column` count from 1 inside the expression (or inside the file, once a template has placed it); 0 is
    unknown. The reason names rules and field names, never a value from a record.
    """

    def __init__(self, reason: str, line: int = 0, column: int = 0, file: str = "") -> None:
        place = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        where = f"column {column}: " if column else ""
        super().__init__(f"{place}{where}{reason}", (Finding(file, line, f"{where}{reason}"),) if file else ())
        self.reason = reason
        self.line = line
        self.column = column
        self.file = file

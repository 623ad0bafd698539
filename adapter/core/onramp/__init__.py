"""From a workbook or another system's export to case files: pure, row by row, every problem with its place."""

"""Spreadsheets and CSV files, in and out: openpyxl lives only here. What comes in is hostile, read a row at a time."""

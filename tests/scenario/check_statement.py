"""Compares every figure of qiao statement's workbook and CSV files with its JSON.

    check_statement.py STATEMENT.json STATEMENT.xlsx village=FILE.csv town=FILE.csv district=FILE.csv

Ends with 0 when all are the same, else says what differs. All in English (--lang en)."""
import csv
import io
import json
import sys
from decimal import Decimal

from openpyxl import load_workbook

LINES = ("declared staged rejected unreadable withdrawn expired pending in_flight in_doubt failed collected refund_requested"
         " refund_in_doubt refunded kept credited credit_refused awaiting_credit").split()
LEVELS = (("village", "by village", "rows"), ("town", "by town", "towns"), ("district", "district", "district"))
wrong = []


def unless(same, what):
    if not same:
        wrong.append(what)


def fen(cell):
    return int((Decimal(str(cell)) * 100).to_integral_value()) if cell not in (None, "") else 0


def expected(row):
    figures = [row["columns"][line] for line in LINES] + [row["net"]]
    return {"names": (row["town"], row["village"], str(row["year"]), row["village_code"], row["sponsor_type"]),
            "figures": [(f["count"], f["amount_fen"]) for f in figures],
            "days": (row["in_treasury_first"] or "", row["in_treasury_last"] or "")}


def found(cells):
    cells = ["" if c is None else c for c in cells]
    end = 4 + 2 * (len(LINES) + 1)
    return {"names": (cells[0], cells[1], str(cells[2]), cells[end + 2], cells[end + 3]),
            "figures": [(int(cells[i]), fen(cells[i + 1])) for i in range(4, end, 2)], "days": (cells[end], cells[end + 1])}


def compare(what, rows, wanted):
    unless(len(rows) == len(wanted), f"{what}: {len(rows)} rows, the JSON has {len(wanted)}")
    for i, (row, want) in enumerate(zip(rows, wanted)):
        row, want = found(row), expected(want)
        for key in want:
            unless(row[key] == want[key], f"{what}: row {i + 1}: {key}: {row[key]}, the JSON says {want[key]}")


def compare_totals(book, statement):
    rows = list(book["totals"].iter_rows(min_row=2, max_row=2 + len(LINES), max_col=3, values_only=True))
    wanted = [statement["totals"][line] for line in LINES] + [statement["net"]]
    for line, row, want in zip([*LINES, "net"], rows, wanted):
        unless((row[1], fen(row[2])) == (want["count"], want["amount_fen"]), f"totals: {line}: {row}, the JSON says {want}")


def compare_reasons(book, statement):
    rows = [(r[1], r[3], fen(r[4])) for r in book["reasons"].iter_rows(min_row=2, values_only=True)]
    wanted = [(r["code"], r["count"], r["amount_fen"]) for r in statement["reasons"]]
    unless(rows == wanted and wanted, f"reasons: {rows}, the JSON says {wanted}")


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        statement = json.load(f)
    book = load_workbook(sys.argv[2])
    compare_totals(book, statement)
    compare_reasons(book, statement)
    files = dict(a.split("=", 1) for a in sys.argv[3:])
    for level, sheet, key in LEVELS:
        compare(sheet, list(book[sheet].iter_rows(min_row=2, values_only=True)), statement[key])
        with open(files[level], "rb") as f:
            raw = f.read()
        unless(raw.startswith(b"\xef\xbb\xbf") and raw.count(b"\n") == raw.count(b"\r\n"), f"{level}: not BOM and CRLF")
        compare(files[level], list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))[1:], statement[key])
    unless(len(book.chartsheets) == 1 and book.chartsheets[0]._charts, "no chart sheet")
    for sheet in book.worksheets:
        unless(not any(c.data_type == "f" for row in sheet.iter_rows() for c in row), f"{sheet.title}: a formula")
    print("\n".join(wrong))
    return 1 if wrong else 0


sys.exit(main())

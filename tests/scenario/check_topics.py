#!/usr/bin/env python3
"""The independent check: reads every topic with the published schemas and recounts the money from the events alone. It shares
no code with the product: SQLite or confluent-kafka, fastavro, hashlib, and what is written down in FORMAT.md, schemas/*.avsc,
config/policy/*.ini.

usage: check_topics.py WORLD_DATA_DIR SCHEMAS_DIR STATEMENT_JSON_FILE [--conf FILE] [--tax-dump F] [--ssa-dump F] [--policy DIR]
                       [--all-final]

STATEMENT_JSON_FILE is what `qiao statement --format json` printed, the dumps what `sim-tax --dump csv` and `sim-ssa --dump csv`
printed, all of one world at rest. --conf: its qiao.ini; without it the bus is the local one. --all-final: each row must have its last answer. Prints what it counted, nothing personal, and
each disagreement; exit 1 when there is any.
"""
import argparse
import configparser
import csv
import hashlib
import json
import sys
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

sys.dont_write_bytecode = True  # nothing is left beside the sources
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))
from topics import CREDITS, Bus, Complaints, LocalSource, Schemas, short  # noqa: E402

# The columns of the statement: those of a row, and the sums. A rejected row without a readable amount is unreadable.
COLLECTED = ("refund_requested", "refund_in_doubt", "refunded", "credited", "credit_refused", "awaiting_credit")
KEPT = ("credited", "credit_refused", "awaiting_credit")
LEAVES = ("staged", "rejected", "unreadable", "withdrawn", "expired", "pending", "in_flight", "in_doubt", "failed") + COLLECTED
COLUMNS = ("declared",) + LEAVES + ("collected", "kept")
ENDED = ("rejected", "failed", "expired", "withdrawn", "refunded")  # holds no tuple and no room under the cap
FINAL = ENDED + ("credited", "credit_refused", "unreadable", "repeat")
# What the clerk is told of a payment in that column, as far as it must be so: result, and code where there is but one.
TOLD = {
    "credited": ("done", "credited"), "credit_refused": ("stopped", "credit_refused"), "refunded": ("stopped", "refunded"),
    "failed": ("stopped", None), "expired": ("stopped", None), "rejected": ("mend", None), "unreadable": ("mend", None),
    "in_flight": ("accepted", None), "in_doubt": ("accepted", None), "awaiting_credit": ("accepted", None),
}
REPEATS = ("already_accepted", "already_filed")
NOT_FILED = ("filed_too_late", "filed_in_other_year", "not_filed_in_time")  # codes of rosters that end without having been filed


def make_id(*parts):
    """The project's ids: SHA-256 over parts with their lengths, first 16 bytes."""
    h = hashlib.sha256()
    for p in parts:
        p = p.encode() if isinstance(p, str) else p
        h.update(len(p).to_bytes(4, "little") + p)
    return h.digest()[:16]


def name_key(key):
    return "/".join(map(str, key))


# ---- what was declared ----

class Row:
    """A declared row, and the payment that came of it."""

    def __init__(self, submission, said):
        self.submission, self.no, self.token, self.amount = submission, said["row_no"], said["token"], said["amount_fen"]
        self.answers, self.pid, self.column = {}, None, None

    @property
    def fen(self):
        return self.amount or 0

    @property
    def answer(self):
        return self.answers[max(self.answers)] if self.answers else None

    def __str__(self):
        return f"{self.submission} row {self.no}"


class Submission:
    """Of several attempts the last that was opened before one closed with count, amount and digest as told."""

    def __init__(self, opened):
        self.opened, self.closed, self.rows, self.covers, self.answers = opened, False, [], [], {}
        self.attempts, self.digest, self.cover = 1, bytes(16), None

    def reopen(self, opened):
        self.opened, self.rows, self.digest = opened, [], bytes(16)
        self.attempts += 1

    def __str__(self):
        return f"roster {short(self.opened['submission_id'])}"

    @property
    def answer(self):
        return self.answers[max(self.answers)] if self.answers else None

    @property
    def sponsor_type(self):
        return self.cover["sponsor_type"] if self.cover else "unknown"

    @property
    def key(self):
        return self.opened["year"], self.opened["village"], self.sponsor_type


def optional(v):
    return bytes(9) if v is None else b"\1" + int(v).to_bytes(8, "little", signed=True)


def digest_row(before, v):
    """The running digest of SubmissionClosed: what is plain in a row, in order."""
    kind = v["cert_kind"]
    d = make_id("row", before, v["submission_id"], v["token"] or b"", optional(v["row_no"]), optional(v["amount_fen"]),
                optional(v["tier_fen"]), optional(v["other_amount_fen"]), optional(v["member"]), optional(len(v["defects"])),
                "-" if kind is None else "+", kind or "")
    for f in v["defects"]:
        d = make_id("defect", d, f["code"], "-" if f["column"] is None else "+", f["column"] or "")
    return d


def read_submissions(bus, wrong):
    """Goes over the topic as it lies, repeats included: opening again voids the rows of an attempt that was not closed."""
    found = {}
    for s in bus.submissions:
        if s.type in ("GateDocuments", "SubsidyPlan"):
            continue
        sub = found.get(s["submission_id"])
        if s.type == "SubmissionOpened":
            if not sub:
                found[s["submission_id"]] = Submission(s)
            elif not sub.closed:
                sub.reopen(s)
            continue
        if not sub:
            wrong("submissions", f"{s.at}: {s.type} of a roster that was not opened")
        elif sub.closed or s["attempt_id"] != sub.opened["attempt_id"]:
            continue
        elif s.type == "SubsidyDeclared":
            sub.rows.append(Row(sub, s))
            sub.digest = digest_row(sub.digest, s.value)
        else:
            told, have = (s["count"], s["amount_fen"], s["digest"]), (len(sub.rows), sum(r.fen for r in sub.rows), sub.digest)
            sub.closed = told == have
            wrong.unless(sub.closed, "submissions", f"{sub}: closed with {told[:2]}, has {have[:2]}, digest "
                         f"{'same' if told[2] == have[2] else 'other'}")
    for sub in found.values():
        wrong.unless(len({r.no for r in sub.rows}) == len(sub.rows), "submissions", f"{sub}: a row number twice")
    for s in bus.each("GateDocuments"):
        code = s["sponsor_code"]
        wrong.unless(code is None or s["sponsor_id"] == make_id("sponsor", s["sponsor_type"], code), "submissions",
                     f"{s.at}: the sponsor's id is not that of its code")
        if s["submission_id"] in found:  # a cover may wait for a roster that never comes
            found[s["submission_id"]].covers.append(s)
    return found


def read_answers(bus, submissions, wrong):
    rows = {(id_, r.no): r for id_, sub in submissions.items() for r in sub.rows}
    for s in bus.each("RowAnswer"):
        row = rows.get((s["submission_id"], s["row_no"]))
        if not row:
            wrong("answers", f"{s.at}: answers a row that nobody declared")
            continue
        wrong.unless(s["version"] not in row.answers, "answers", f"{row}: version {s['version']} twice")
        row.answers[s["version"]] = s
    for row in rows.values():
        check_row_answers(row, wrong)
    for s in bus.each("SubmissionAnswer"):
        sub = submissions.get(s["submission_id"])
        if sub:
            wrong.unless(s["version"] not in sub.answers, "answers", f"{sub}: version {s['version']} twice")
            sub.answers[s["version"]] = s
        else:
            wrong("answers", f"{s.at}: answers a roster that was not opened")


def check_row_answers(row, wrong):
    """Dense versions in the order of the gateway's decisions; after the last answer only a refund or a reversal."""
    in_order = [row.answers[v] for v in sorted(row.answers)]
    wrong.unless(sorted(row.answers) == list(range(1, len(row.answers) + 1)), "answers",
                 f"{row}: versions {sorted(row.answers)}")
    wrong.unless([a.seq for a in in_order] == sorted(a.seq for a in in_order), "answers", f"{row}: versions out of order")
    wrong.unless(in_order or not row.submission.closed, "answers", f"{row}: no answer")
    final = False
    for a in in_order:
        wrong.unless(a["amount_fen"] == row.amount, "answers", f"{row}: another amount in version {a['version']}")
        if final:
            wrong.unless(str(a["code"]).startswith(("refund", "revers")), "answers",
                         f"{row}: {a['code']} after the final answer")
        final = final or a["final"]
        if row.pid and a["payment_id"] != row.pid:
            wrong("payments", f"{row}: payment {short(row.pid)} becomes {short(a['payment_id'])}")
        row.pid = a["payment_id"] or row.pid


# ---- payments ----

class Payment:
    def __init__(self, row):
        self.row, self.instructed, self.results, self.credits, self.feedback = row, [], [], [], []
        self.reversal, self.n = None, None

    @property
    def tuple(self):
        sub = self.row.submission
        return sub.opened["year"], sub.cover["sponsor_id"] if sub.cover else None, self.row.token

    def tax(self):
        """What the bureau said last: by its own sequence; where it said nothing, what we know of the last attempt."""
        results = [r for r in self.results if not r["state"].startswith("refund_")]  # of reversals apart
        numbered = [r for r in results if r["sequence"] > 0]
        if numbered:
            return max(numbered, key=lambda r: r["sequence"])["state"]
        attempt = max((p["attempt"] for p in self.instructed), default=0)
        own = {r["state"] for r in results if r["attempt"] == attempt and r["state"] != "unknown"}
        for state, means in (("failed", "failed"), ("too_late", "failed"), ("in_doubt", "in_doubt")):
            if state in own:
                return means
        return "instructed" if self.instructed else None

    def refund_word(self):
        """What was said last of the newest reversal: by the bureau, else of its last attempt; asked for, at least."""
        said = [r for r in self.results if r["reversal_id"] == self.reversal["reversal_id"] and r["state"] != "refund_unknown"]
        numbered = [r for r in said if r["sequence"] > 0]
        own = [r for r in said if r["sequence"] == 0 and r["attempt"] == self.reversal["attempt"]]
        last = max(numbered, key=lambda r: r["sequence"]) if numbered else own[-1] if own else None
        return last["state"] if last else "refund_requested"

    def credit(self):
        told = [c for c in self.credits if c.type in ("AccountCredited", "CreditRefused")]
        return max(told, key=lambda c: c["sequence"]).type if told else None

    def has(self, *states):
        return any(r["state"] in states for r in self.results)

    def column(self):
        tax, credit = self.tax(), self.credit()
        if tax == "failed":
            return "failed"
        if tax == "refunded":
            return "refunded"
        going_on = self.reversal and tax in ("paid", "in_treasury") and self.refund_word()
        if going_on in ("refund_requested", "refund_in_doubt"):
            return going_on
        if credit:
            return "credited" if credit == "AccountCredited" else "credit_refused"
        if tax in ("paid", "in_treasury"):
            return "awaiting_credit"
        return "in_doubt" if tax == "in_doubt" else "in_flight"


def payment_id(year, sponsor, token, n):
    return make_id("payment", year.to_bytes(4, "little"), sponsor, token, n.to_bytes(4, "little"))


def find_cover(sub, pids):
    """The cover under which the roster was filed: its payments' ids are made of its sponsor. Where no payment came of it, the
    newest cover at the time of the last answer, if that says that it was filed."""
    for c in sorted(sub.covers, key=lambda c: c["received_at"], reverse=True):
        for row in sub.rows:
            if row.pid in pids and row.token and any(payment_id(sub.opened["year"], c["sponsor_id"], row.token, n) == row.pid
                                                     for n in range(len(pids[row.pid]))):
                return c
    answer = sub.answer
    if not answer or answer["state"] not in ("filed", "final") or answer["code"] in NOT_FILED:
        return None
    earlier = [c for c in sub.covers
               if c.time_ms <= answer.time_ms and (c["year"], c["village"]) == (sub.opened["year"], sub.opened["village"])]
    return max(earlier, key=lambda c: c["received_at"], default=None)


def read_payments(bus, submissions, wrong):
    payments, per_person = {}, defaultdict(list)
    for sub in submissions.values():
        for row in sub.rows:
            if not row.pid:
                continue
            wrong.unless(row.pid not in payments, "payments", f"{short(row.pid)}: of {row} and of another row")
            payments[row.pid] = Payment(row)
            per_person[sub.opened["year"], row.token].append(row.pid)
    # A person has few payments a year: n of the tuple is below their number.
    pids = {pid: same for same in per_person.values() for pid in same}
    for sub in submissions.values():
        sub.cover = find_cover(sub, pids)
    for p in payments.values():
        check_tuple(p, len(pids[p.row.pid]), wrong)
    places = {"SubsidyPayment": "instructed", "CollectionResult": "results", "CollectedSubsidy": "feedback",
              "SubsidyRefunded": "feedback", **{t: "credits" for t in CREDITS}}
    for s in bus.each(*places, "PaymentReversal", "PaymentEnquiry"):
        p = payments.get(s["payment_id"])
        if not p:
            wrong("payments", f"{s.at}: {s.type} of a payment that no row is told of")
        elif s.type in places:
            getattr(p, places[s.type]).append(s)
        else:
            wrong.unless(s.key == p.row.token, "keys", f"{s.at}: {s.type} under another key than the payment's person")
            p.reversal = s if s.type == "PaymentReversal" else p.reversal
    return payments


def check_tuple(p, most, wrong):
    year, sponsor, token = p.tuple
    if not sponsor or not token:
        wrong("payments", f"{short(p.row.pid)}: {p.row} has no {'token' if sponsor else 'cover that gives its sponsor'}")
        return
    p.n = next((n for n in range(most) if payment_id(year, sponsor, token, n) == p.row.pid), None)
    wrong.unless(p.n is not None, "payments", f"{short(p.row.pid)}: not the id of the tuple of {p.row}")


def check_payment(pid, p, wrong):
    """All events of a payment tell the same story."""
    def differ(text):
        wrong("payments", f"{short(pid)}: {text}")

    year, sponsor, token = p.tuple
    sub = p.row.submission
    for s in p.instructed + p.feedback:
        told = (s["year"], s["village"], s["sponsor_type"], s["token"], s["amount_fen"])
        if told != sub.key + (token, p.row.amount):
            differ(f"{s.at}: {s.type} with another year, place, sponsor, person or amount than {p.row}")
    for s in p.results + p.credits:
        if s["amount_fen"] not in (p.row.amount, None):
            differ(f"{s.at}: {s.type} of {s['amount_fen']} fen, {p.row.amount} were declared")
    if any(s["sponsor_id"] != sponsor for s in p.instructed):
        differ("another sponsor in SubsidyPayment than in the cover")
    attempts = [s["attempt"] for s in p.instructed]
    if attempts != list(range(1, len(attempts) + 1)):
        differ(f"attempts {attempts}")
    if len(attempts) > 1 + sum(r["state"] == "unknown" for r in p.results):
        differ(f"instructed {len(attempts)} times, and the bureau did not say as often that it knows nothing")
    if (p.results or p.credits) and not p.instructed:
        differ("has results without having been instructed")
    if p.has("failed") and p.has("paid", "in_treasury", "refunded"):
        differ("failed and paid")
    receipts = {s["receipt"] for s in p.results + p.feedback if s["receipt"]}
    if len(receipts) > 1:
        differ("more than one receipt")
    check_feedback(p, differ)


def check_feedback(p, differ):
    told = Counter(s.type for s in p.feedback)
    if max(told.values(), default=0) > 1:
        differ("fed back twice")
    if told["CollectedSubsidy"] and not p.has("in_treasury"):
        differ("fed back and not in the treasury")
    if p.has("in_treasury") and not told["CollectedSubsidy"] and not p.has("refunded"):
        differ("in the treasury and not fed back")
    if bool(told["SubsidyRefunded"]) != (p.has("refunded") and bool(told["CollectedSubsidy"])):
        differ("a refund that was fed back wrongly or not")
    if p.credits and not told["CollectedSubsidy"]:
        differ("credited or refused without having been fed back")
    if sum(c.type == "AccountCredited" for c in p.credits) > 1:
        differ("credited twice")


def check_eligible(payments, bus, policies, wrong):
    """Nothing was instructed without the agency's word that the person's own contribution of the year arrived."""
    good = set()
    for s in bus.each("ContributionStatus"):
        for c in s["entries"]:
            p = policies.get(c["for_year"])
            if p and s["insured"] and c["arrived_on"] is not None and c["refunded_on"] is None and c["kind"] in p["kinds"] \
                    and (c["paid_by"] != "11" or p["government"]):
                good.add((c["for_year"], s["token"]))
    for pid, p in payments.items():
        wrong.unless(not p.instructed or (p.tuple[0], p.tuple[2]) in good, "eligible", f"{short(pid)}: instructed without")


# ---- columns ----

def place_rows(submissions, payments, wrong):
    """Each row into its column, by the events; what its clerk is told must fit."""
    live = defaultdict(list)  # tuple -> payments that were filed
    for p in payments.values():
        live[p.tuple].append(p)
    for sub in submissions.values():
        for row in sub.rows:
            row.column = column_of(row, payments.get(row.pid))
            if row.column == "repeat":
                same = (sub.opened["year"], sub.cover["sponsor_id"] if sub.cover else None, row.token)
                wrong.unless(any(p.row.amount == row.amount for p in live[same]), "repeats",
                             f"{row}: told that it was filed before, and it was not")
            check_told(row, wrong)
    for same, of_tuple in live.items():
        now = [p for p in of_tuple if p.row.column not in ENDED]
        wrong.unless(len(now) <= 1, "payments", f"{len(now)} live payments of one tuple: {[short(p.row.pid) for p in now]}")
        ns = sorted(p.n for p in of_tuple if p.n is not None)
        wrong.unless(ns == list(range(len(of_tuple))), "payments", f"numbers {ns} of {len(of_tuple)} payments of a tuple")


def column_of(row, payment):
    a = row.answer
    if payment and payment.instructed:
        return payment.column()
    if not a:
        return "staged"
    if a["code"] in REPEATS and not row.pid:
        return "repeat"
    if a["code"] == "withdrawn":
        return "withdrawn"
    if a["result"] == "mend":
        return "rejected" if row.amount is not None else "unreadable"
    if a["result"] == "stopped":
        return "expired"
    return "pending" if row.pid else "staged"


def check_told(row, wrong):
    a = row.answer
    if not a:
        return
    result, code = TOLD.get(row.column, (None, None))
    wrong.unless(result in (None, a["result"]) and code in (None, a["code"]), "answers",
                 f"{row}: is {row.column}, is told {a['result']} {a['code']}")
    wrong.unless(a["final"] == (row.column in FINAL), "answers", f"{row}: is {row.column}, final is {a['final']}")


def sums(cells):
    """Completes the leaves of one key."""
    for total, parts in (("collected", COLLECTED), ("kept", KEPT), ("declared", LEAVES)):
        cells[total] = [sum(cells[c][i] for c in parts) for i in (0, 1)]
    return cells


def recount(submissions):
    table = defaultdict(lambda: {c: [0, 0] for c in COLUMNS})
    for sub in submissions.values():
        for row in sub.rows:
            if row.column != "repeat":
                cell = table[sub.key][row.column]
                cell[0] += 1
                cell[1] += row.fen
    return {key: sums(cells) for key, cells in table.items()}


def total_of(table):
    return {c: [sum(cells[c][i] for cells in table.values()) for i in (0, 1)] for c in COLUMNS}


def compare_cells(what, who, ours, theirs, wrong):
    for c in COLUMNS:
        wrong.unless(ours[c] == theirs[c], what,
                     f"{who} {c}: the events say {ours[c][0]} rows, {ours[c][1]} fen; {what} says {theirs[c][0]}, {theirs[c][1]}")


NOTHING = {c: [0, 0] for c in COLUMNS}


def compare_statement(table, statement, wrong):
    def cells(o):
        return {c: [o[c]["count"], o[c]["amount_fen"]] for c in COLUMNS}

    theirs = {(r["year"], r["village_code"], r["sponsor_type"]): cells(r["columns"]) for r in statement["rows"]}
    wrong.unless(len(theirs) == len(statement["rows"]), "statement", "a key twice")
    wrong.unless(statement["adds_up"] and statement["recount_agrees"], "statement", "says itself that it does not add up")
    for key in sorted(table.keys() | theirs.keys()):
        compare_cells("statement", name_key(key), table.get(key, NOTHING), theirs.get(key, NOTHING), wrong)
    compare_cells("statement", "total", total_of(table), cells(statement["totals"]), wrong)


def compare_statistics(table, bus, wrong):
    newest, versions = {}, defaultdict(list)
    for s in bus.each("CollectionStatistics"):
        key = s["year"], s["village"], s["sponsor_type"]
        versions[key].append(s["version"])
        newest[key] = s
    for key, v in versions.items():
        wrong.unless(v == list(range(1, len(v) + 1)), "statistics", f"{name_key(key)}: versions {v[:20]}")
    for key in sorted(table.keys() | newest.keys()):
        s, theirs = newest.get(key), dict(NOTHING)
        if s:
            theirs |= {c["column"]: [c["count"], c["amount_fen"]] for c in s["columns"]}
            theirs |= {c: [s[f"{c}_count"], s[f"{c}_fen"]] for c in ("declared", "collected", "kept")}
        wrong.unless(theirs.keys() == set(COLUMNS), "statistics", f"{name_key(key)}: columns {sorted(theirs)}")
        compare_cells("statistics", name_key(key), table.get(key, NOTHING), NOTHING | theirs, wrong)
    return len(newest)


def check_submission_answers(submissions, wrong):
    """What a roster's answer says of its rows is what its rows are told."""
    for sub in submissions.values():
        a = sub.answer
        wrong.unless(sorted(sub.answers) == list(range(1, len(sub.answers) + 1)), "answers",
                     f"{sub}: versions {sorted(sub.answers)}")
        if not sub.closed:
            wrong.unless(not a or a["state"] == "incomplete", "answers", f"{sub}: not closed, is told {a and a['state']}")
            continue
        if not a:
            wrong("answers", f"{sub}: no answer")
            continue
        by = defaultdict(lambda: [0, 0])
        for row in sub.rows:
            by[row.answer["result"] if row.answer else ""][0] += 1
            by[row.answer["result"] if row.answer else ""][1] += row.fen
        want = {
            "rows": len(sub.rows), "amount_fen": sum(r.fen for r in sub.rows), "waiting": by["waiting"][0],
            "accepted": by["accepted"][0] + by["done"][0], "accepted_fen": by["accepted"][1] + by["done"][1],
            "mend": by["mend"][0] + by["stopped"][0], "done": by["done"][0], "done_fen": by["done"][1],
            "receipt": sub.opened["receipt"],
        }
        for field, value in want.items():
            wrong.unless(a[field] == value, "answers", f"{sub}: {field} is {a[field]}, its rows say {value}")
        final = all(r.answer and r.answer["final"] for r in sub.rows)
        wrong.unless(a["final"] == final, "answers", f"{sub}: final is {a['final']}, its rows say {final}")


# ---- caps ----

def read_policies(folder):
    found = {}
    for file in Path(folder).glob("[0-9][0-9][0-9][0-9].ini"):
        ini = configparser.ConfigParser(interpolation=None)
        ini.read_string(file.read_text("utf-8"))
        found[int(file.stem)] = {
            "cap": int(Decimal(ini["amounts"]["highest_tier"]) * 100), "kinds": ini["contribution"]["payment_kinds"].split(),
            "government": ini["contribution"].getboolean("paid_by_government_counts"),
        }
    return found


def check_caps(submissions, payments, policies, wrong):
    """Cap B at each moment: the gateway's answers, in the order in which it decided, say what a person holds in a year."""
    held, highest = defaultdict(dict), 0
    for a in sorted((a for sub in submissions.values() for r in sub.rows for a in r.answers.values()), key=lambda a: a.seq):
        p = payments.get(a["payment_id"])
        if not p:
            continue
        year, _, token = p.tuple
        of_person = held[year, token]
        if a["result"] in ("mend", "stopped") and a["code"] != "credit_refused":
            of_person.pop(a["payment_id"], None)
        else:
            of_person[a["payment_id"]] = p.row.fen
        holds, cap = sum(of_person.values()), policies.get(year, {"cap": 0})["cap"]
        highest = max(highest, holds)
        wrong.unless(holds <= cap, "cap", f"{a.at}: person {short(token)} holds {holds} fen of {year}, the highest tier is {cap}")
    for (year, token), of_person in held.items():
        now = {pid for pid in of_person}
        live = {pid for pid in now if payments[pid].row.column not in ENDED}
        wrong.unless(now == live, "cap", f"person {short(token)}: {len(now - live)} ended payments were never told so")
    return highest


# ---- the agencies' own books ----

def read_dump(file):
    with open(file, encoding="utf-8", newline="") as f:
        return {bytes.fromhex(r["payment_id"]): r for r in csv.DictReader(f)}


def compare_tax(dump, payments, wrong):
    """The bureau's own word for a payment is the last that the events have; each was collected once."""
    words = {"refused": "failed"}
    for pid, r in dump.items():
        p = payments.get(pid)
        if not p or not p.instructed:
            wrong("tax book", f"{short(pid)}: the bureau has it, and it was never instructed")
            continue
        state = words.get(r["status"], r["status"])
        wrong.unless(state == p.tax(), "tax book", f"{short(pid)}: is {r['status']}, the events say {p.tax()}")
        compare_book("tax book", pid, r, p, wrong)
        wrong.unless(r["copies"] == "1", "tax book", f"{short(pid)}: entered {r['copies']} times")
    for pid, p in payments.items():
        if p.instructed and pid not in dump:
            wrong.unless(not any(r["sequence"] > 0 for r in p.results), "tax book", f"{short(pid)}: the bureau does not have it")


def compare_ssa(dump, payments, wrong):
    for pid, r in dump.items():
        p = payments.get(pid)
        if not p or not p.feedback:
            wrong("ssa book", f"{short(pid)}: the agency has it, and it was never fed back")
            continue
        told = {c.type for c in p.credits}
        want = {"credited": {"AccountCredited"}, "credit_refused": {"CreditRefused"}, "pending": set(),
                "debited": {"AccountCredited", "AccountDebited"}}.get(r["status"], told)
        wrong.unless(told == want, "ssa book", f"{short(pid)}: is {r['status']}, the events say {sorted(told)}")
        compare_book("ssa book", pid, r, p, wrong)
        credits = int("AccountCredited" in told)
        wrong.unless(r["copies"] == str(credits), "ssa book",
                     f"{short(pid)}: credited {r['copies']} times, by the events {credits}")
    for pid, p in payments.items():
        if p.feedback and pid not in dump:
            wrong.unless(p.credits and all(c["sequence"] == 0 for c in p.credits), "ssa book",
                         f"{short(pid)}: was fed back, and the agency does not have it")


def compare_book(what, pid, r, p, wrong):
    receipt = {s["receipt"] for s in p.results if s["receipt"]}
    same = (int(r["year"]), int(r["amount_fen"])) == (p.tuple[0], p.row.amount)
    wrong.unless(same, what, f"{short(pid)}: another year or amount")
    wrong.unless(not r["receipt"] or receipt == {r["receipt"]}, what, f"{short(pid)}: another receipt")


def compare_persons(dumps, payments, wrong):
    """A number is a token: the books name the people whom the events mean. Numbers are not printed."""
    number_of, token_of = {}, {}
    for dump in dumps:
        for pid, r in dump.items():
            if pid in payments:
                token = payments[pid].row.token
                good = number_of.setdefault(token, r["number"]) == r["number"]
                good = token_of.setdefault(r["number"], token) == token and good
                wrong.unless(good, "persons", f"{short(pid)}: the books name another person")


# ---- rejects ----

def check_rejects(bus, wrong):
    """Each says where the event lies; what is there is what was kept."""
    for s in bus.each("RejectedEvent"):
        if s["topic"] not in bus.raw:
            continue  # an entry of an outside feed
        there = bus.raw[s["topic"]].get((s["partition"], s["offset"]))
        wrong.unless(there and (there.id, there.data) == (s["event_id"], s["bytes"]), "rejects",
                     f"{s.at}: {s['topic']} {s['offset']} is another event")


# ---- all together ----

def fen(cell):
    return f"{cell[0]:>9} {cell[1] // 100:>14}.{cell[1] % 100:02}"


def show(bus, submissions, payments, table, highest, keys):
    rows = [r for sub in submissions.values() for r in sub.rows]
    print(f"{bus.count} events on {len(bus.raw)} topics, {bus.repeats} repeats, {len(bus.of['RejectedEvent'])} rejects")
    print(f"{len(submissions)} rosters, {sum(s.attempts - 1 for s in submissions.values())} voided attempts, {len(rows)} rows, "
          f"{sum(r.column == 'repeat' for r in rows)} of them name a payment filed before, "
          f"{sum(not (r.answer and r.answer['final']) for r in rows)} without final answer")
    steps = {
        "filed": payments.values(), "instructed": [p for p in payments.values() if p.instructed],
        "instructed again": [p for p in payments.values() if len(p.instructed) > 1],
        "was in doubt": [p for p in payments.values() if p.has("in_doubt")],
        "in treasury": [p for p in payments.values() if p.has("in_treasury")],
        "fed back": [p for p in payments.values() if p.feedback],
        "account credited": [p for p in payments.values() if any(c.type == "AccountCredited" for c in p.credits)],
        "account debited": [p for p in payments.values() if any(c.type == "AccountDebited" for c in p.credits)],
    }
    print(f"{'payments':24}{'number':>9} {'yuan':>17}")
    for name, of in steps.items():
        print(f"  {name:22}{fen([len(of), sum(p.row.fen for p in of)])}")
    total = total_of(table)
    print(f"{'rows, by the events':24}{'number':>9} {'yuan':>17}")
    for c in COLUMNS:
        print(f"  {c:22}{fen(total[c])}")
    print(f"{len(table)} keys of year, village and sponsor type, {keys} in the statistics; "
          f"the most that a person holds in a year: {highest // 100} yuan")


def arguments(argv):
    ap = argparse.ArgumentParser(description="Reads all topics of a world and recounts the money.")
    for name in ("data", "schemas", "statement"):
        ap.add_argument(name, type=Path)
    ap.add_argument("--conf", type=Path)
    ap.add_argument("--tax-dump", type=Path)
    ap.add_argument("--ssa-dump", type=Path)
    ap.add_argument("--policy", type=Path, default=ROOT / "config" / "policy")
    ap.add_argument("--all-final", action="store_true")
    return ap.parse_args(argv)


def sources_of(args):
    """The bus, and the url of the schema registry or nothing."""
    if args.conf:
        from buskafka import KafkaSource, settings  # what only Kafka needs
        ini = settings(args.conf)
        registry = ini.get("registry", "url", fallback="")
        if ini.get("bus", "kind", fallback="local") == "kafka":
            return KafkaSource(ini), registry
        return LocalSource(args.data / "bus"), registry
    return LocalSource(args.data / "bus"), ""


def check(args):
    """Gives the complaints; prints what was counted."""
    wrong = Complaints()
    source, registry = sources_of(args)
    bus = Bus(source, Schemas(args.schemas, wrong, registry), wrong)
    policies = read_policies(args.policy)
    submissions = read_submissions(bus, wrong)
    read_answers(bus, submissions, wrong)
    payments = read_payments(bus, submissions, wrong)
    for pid, p in payments.items():
        check_payment(pid, p, wrong)
    check_eligible(payments, bus, policies, wrong)
    place_rows(submissions, payments, wrong)
    check_submission_answers(submissions, wrong)
    highest = check_caps(submissions, payments, policies, wrong)
    table = recount(submissions)
    compare_statement(table, json.loads(args.statement.read_text("utf-8")), wrong)
    keys = compare_statistics(table, bus, wrong)
    check_rejects(bus, wrong)
    dumps = {what: read_dump(file) for what, file in (("tax", args.tax_dump), ("ssa", args.ssa_dump)) if file}
    if "tax" in dumps:
        compare_tax(dumps["tax"], payments, wrong)
    if "ssa" in dumps:
        compare_ssa(dumps["ssa"], payments, wrong)
    compare_persons(dumps.values(), payments, wrong)
    for sub in submissions.values() if args.all_final else ():
        for row in sub.rows:
            wrong.unless(row.answer and row.answer["final"], "final", f"{row}: {row.column}")

    show(bus, submissions, payments, table, highest, keys)
    return wrong


def main():
    wrong = check(arguments(sys.argv[1:]))
    wrong.show()
    print(f"{wrong.count()} disagreements")
    return 1 if wrong.count() else 0


if __name__ == "__main__":
    sys.exit(main())

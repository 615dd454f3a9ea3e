#!/usr/bin/env python3
"""Does check_topics.py see it? Takes a finished world in which it finds nothing, falsifies one thing at a time in a copy, and asks it
again: each time it must complain, and of the right thing. What is harmless (repeats, an attempt that was given up) it must let pass.

usage: tamper_topics.py WORLD_DATA_DIR SCHEMAS_DIR STATEMENT_JSON_FILE TAX_DUMP SSA_DUMP
"""
import contextlib
import csv
import io
import json
import multiprocessing
import os
import re
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

from fastavro import schemaless_writer

sys.path.insert(0, str(Path(__file__).resolve().parent))
import check_topics  # noqa: E402
from busfile import move_position, read_positions, read_topic, rewrite_topic  # noqa: E402
from topics import TOPICS, Complaints, Schemas  # noqa: E402


class Finished:
    """The finished world, read once."""

    def __init__(self, data, schemas, statement, tax, ssa):
        self.data, self.schemas_dir, self.statement, self.tax, self.ssa = Path(data), schemas, statement, tax, ssa
        self.schemas = Schemas(schemas, Complaints())
        self.events = {t: read_topic(self.data / "bus" / f"{t}.db", t)[0] for t in TOPICS}
        self.decoded = {t: [self.schemas.decode(e.data) for e in events] for t, events in self.events.items()}

    def find(self, topic, type_, wanted=lambda v: True, last=False):
        """Place of an event. A world in which there is none is too poor for this test."""
        at = [i for i, (t, v) in enumerate(self.decoded[topic]) if t == type_ and wanted(v)]
        if not at:
            sys.exit(f"tamper_topics: the world has no such {type_} on {topic}")
        return at[-1 if last else 0]

    def encode(self, type_, value):
        fp, schema = next((fp, s) for fp, (name, s) in self.schemas.by_fingerprint.items() if name == type_)
        out = io.BytesIO()
        schemaless_writer(out, schema, value)
        return b"\xc3\x01" + fp + out.getvalue()


class Copy:
    """A copy of it that may be spoilt."""

    def __init__(self, world, folder):
        self.world, self.data = world, Path(folder) / "data"
        self.files = {}
        os.mkdir(self.data)
        shutil.copytree(world.data / "bus", self.data / "bus")
        for name in ("statement", "tax", "ssa"):
            self.files[name] = Path(folder) / name
            shutil.copy(getattr(world, name), self.files[name])
        self.policy = check_topics.ROOT / "config" / "policy"

    def db(self, topic):
        return self.data / "bus" / f"{topic}.db"

    def put(self, topic, events):
        """The readers' positions go with the event that they name."""
        rewrite_topic(self.db(topic), events)
        for group in (self.data / "bus" / "groups").glob("*.db"):
            for last_id in (last for t, _, _, last in read_positions(group)[0] if t == topic):
                at = [i for i, e in enumerate(events) if e.id == last_id]
                if at:
                    move_position(group, topic, at[-1] + 1)

    def sql(self, topic, *statement):
        with contextlib.closing(sqlite3.connect(self.db(topic))) as db, db:
            db.execute(*statement)

    def kind(self, topic, headers):
        self.sql(topic, "INSERT OR IGNORE INTO kind(headers) VALUES(?)", (headers,))
        with contextlib.closing(sqlite3.connect(self.db(topic))) as db:
            return db.execute("SELECT id FROM kind WHERE headers = ?", (headers,)).fetchone()[0]

    def drop(self, topic, place):
        """With its repeats."""
        gone = self.world.events[topic][place].id
        self.put(topic, [e for e in self.world.events[topic] if e.id != gone])

    def insert(self, topic, at, *new):
        events = self.world.events[topic]
        self.put(topic, events[:at] + list(new) + events[at:])

    def replace(self, topic, at, new):
        events = list(self.world.events[topic])
        events[at] = new
        self.put(topic, events)

    def changed(self, topic, place, **fields):
        """The event with other fields: a value, or a function of the old one."""
        type_, value = self.world.decoded[topic][place]
        fields = {k: v(value[k]) if callable(v) else v for k, v in fields.items()}
        return self.world.events[topic][place].but(data=self.world.encode(type_, value | fields))

    def change(self, topic, place, **fields):
        self.replace(topic, place, self.changed(topic, place, **fields))

    def table(self, name, change):
        with open(self.files[name], encoding="utf-8", newline="") as f:
            rows = list(csv.DictReader(f))
        header = list(rows[0])
        rows = change(rows)
        with open(self.files[name], "w", encoding="utf-8", newline="") as f:
            out = csv.DictWriter(f, header)
            out.writeheader()
            out.writerows(rows)

    def complaints(self):
        args = check_topics.arguments([
            str(self.data), self.world.schemas_dir, str(self.files["statement"]), "--tax-dump", str(self.files["tax"]),
            "--ssa-dump", str(self.files["ssa"]), "--policy", str(self.policy), "--all-final"])
        with contextlib.redirect_stdout(io.StringIO()):
            return check_topics.check(args)


def more(v):
    return v + 100


def other(id_):
    return bytes([id_[0] ^ 1]) + id_[1:]


def new_id(event):
    return event.but(id=other(event.id))


# ---- what is falsified: functions of (world, copy), and the kinds of complaints of which one must come ----

CASES = []


def case(*kinds):
    def add(fn):
        CASES.append((fn, kinds))
        return fn
    return add


def dropping(topic, type_, *kinds, **wanted):
    def spoil(w, c):
        c.drop(topic, w.find(topic, type_, **wanted))
    spoil.__name__ = f"drop_{type_}"
    case(*kinds)(spoil)


dropping("submissions", "SubmissionOpened", "submissions")
dropping("submissions", "SubsidyDeclared", "submissions")
dropping("submissions", "SubmissionClosed", "answers")
dropping("answers", "RowAnswer", "qiao_seq")
dropping("payments", "SubsidyPayment", "qiao_seq")
dropping("feedback", "CollectedSubsidy", "payments")
dropping("feedback", "SubsidyRefunded", "payments")
dropping("credits", "AccountCredited", "statement")
dropping("credits", "AccountDebited", "ssa book")
dropping("credits", "CreditRefused", "statement")
dropping("statistics", "CollectionStatistics", "statistics", last=True)


def changing(topic, type_, field, to, *kinds, **wanted):
    def spoil(w, c):
        c.change(topic, w.find(topic, type_, **wanted), **{field: to})
    spoil.__name__ = f"change_{type_}_{field}"
    case(*kinds)(spoil)


changing("submissions", "SubsidyDeclared", "amount_fen", more, "submissions", wanted=lambda v: v["amount_fen"])
changing("submissions", "SubsidyDeclared", "token", other, "submissions", wanted=lambda v: v["token"])
changing("submissions", "SubmissionClosed", "amount_fen", more, "submissions")
changing("submissions", "SubmissionOpened", "village", "330603001001", "statement")
changing("submissions", "GateDocuments", "sponsor_id", other, "submissions", wanted=lambda v: v["sponsor_code"])
changing("payments", "SubsidyPayment", "amount_fen", more, "payments")
changing("payments", "SubsidyPayment", "token", other, "payments")
changing("payments", "SubsidyPayment", "sponsor_id", other, "payments")
changing("payments", "SubsidyPayment", "payment_id", other, "payments")
changing("collections", "CollectionResult", "amount_fen", more, "payments", wanted=lambda v: v["state"] == "paid")
changing("collections", "CollectionResult", "state", "failed", "payments", wanted=lambda v: v["state"] == "in_treasury")
changing("collections", "CollectionResult", "receipt", "433000000000000000", "payments", wanted=lambda v: v["state"] == "paid")
changing("collections", "CollectionResult", "state", "in_treasury", "statement", wanted=lambda v: v["state"] == "refunded")
changing("feedback", "CollectedSubsidy", "amount_fen", more, "payments")
changing("credits", "AccountCredited", "amount_fen", more, "payments")
changing("credits", "AccountCredited", "payment_id", other, "keys")
changing("answers", "RowAnswer", "version", more, "answers")
changing("answers", "RowAnswer", "final", lambda v: not v, "answers", last=True)
changing("answers", "RowAnswer", "final", lambda v: not v, "final", last=True)
changing("answers", "RowAnswer", "payment_id", other, "payments", wanted=lambda v: v["code"] == "credited")
changing("answers", "RowAnswer", "code", "paid", "answers", wanted=lambda v: v["code"] == "credited")
changing("answers", "RowAnswer", "code", "refused", "statement", wanted=lambda v: v["code"] == "already_accepted")
changing("answers", "SubmissionAnswer", "done_fen", more, "answers", last=True)
changing("statistics", "CollectionStatistics", "kept_fen", more, "statistics", last=True)
changing("enquiries", "ContributionEnquiry", "token", other, "keys")


@case("eligible")
def paid_and_nobody_said_so(w, c):
    token = w.decoded["payments"][w.find("payments", "SubsidyPayment")][1]["token"]
    c.put("contributions", [e for e in w.events["contributions"] if e.key != token])


@case("payments")
def a_second_credit(w, c):
    at = w.find("credits", "AccountCredited")
    c.insert("credits", at + 1, new_id(c.changed("credits", at, sequence=lambda v: v + 1000000)))


@case("repeats")
def same_id_other_content(w, c):
    at = w.find("credits", "AccountCredited")
    c.insert("credits", at + 1, c.changed("credits", at, at=more))


@case("repeats")
def a_decision_taken_twice(w, c):
    event = w.events["payments"][0]
    c.put("payments", w.events["payments"] + [event.but(seq=max(e.seq for t in w.events.values() for e in t) + 1)])


@case("payments")
def a_payment_instructed_twice(w, c):
    at = w.find("payments", "SubsidyPayment")
    twice = new_id(c.changed("payments", at, attempt=2))
    c.put("payments", w.events["payments"] + [twice.but(seq=max(e.seq for t in w.events.values() for e in t) + 1)])


@case("qiao_seq")
def out_of_order(w, c):
    events = list(w.events["answers"])
    events[5], events[6] = events[6], events[5]
    c.put("answers", events)


@case("answers")
def an_answer_after_the_last(w, c):
    at = w.find("answers", "RowAnswer", lambda v: v["code"] == "credited")
    last = max(e.seq for t in w.events.values() for e in t)
    late = new_id(c.changed("answers", at, version=lambda v: v + 1, code="paid", result="accepted"))
    c.put("answers", w.events["answers"] + [late.but(seq=last + 1)])


@case("answers")
def a_row_nobody_declared(w, c):
    c.change("answers", w.find("answers", "RowAnswer"), row_no=99999)


@case("cap")
def a_lower_cap(w, c):
    c.policy = c.data / "policy"
    shutil.copytree(check_topics.ROOT / "config" / "policy", c.policy)
    for file in c.policy.glob("*.ini"):
        file.write_text(re.sub(r"(?m)^highest_tier = .*$", "highest_tier = 300", file.read_text("utf-8")), "utf-8")


@case("headers")
def another_source(w, c):
    c.sql("credits", "UPDATE kind SET headers = replace(headers, '/qiao/ssa', '/qiao/tax')")


@case("headers")
def another_type(w, c):
    c.sql("credits", "UPDATE kind SET headers = replace(headers, 'AccountCredited', 'AccountCredit')")


@case("headers")
def a_header_missing(w, c):
    c.sql("answers", "UPDATE kind SET headers = replace(headers, 'specversion: 1.0', '')")


@case("headers")
def no_trace(w, c):
    c.replace("payments", 0, w.events["payments"][0].but(trace=bytes(16)))


@case("qiao_ledger")
def another_ledger(w, c):
    c.sql("feedback", "UPDATE kind SET headers = replace(headers, 'qiao_ledger: ', 'qiao_ledger: f') WHERE 1")
    c.sql("feedback", "UPDATE kind SET headers = substr(headers, 1, length(headers) - 4) || substr(headers, -3)")


@case("events")
def no_single_object(w, c):
    c.replace("credits", 0, w.events["credits"][0].but(data=b"\0" + w.events["credits"][0].data[1:]))


@case("events")
def an_unpublished_schema(w, c):
    data = bytearray(w.events["credits"][0].data)
    data[5] ^= 1
    c.replace("credits", 0, w.events["credits"][0].but(data=bytes(data)))


@case("events")
def bytes_left_over(w, c):
    c.replace("credits", 0, w.events["credits"][0].but(data=w.events["credits"][0].data + b"\0"))


@case("events")
def a_cut_event(w, c):
    c.replace("credits", 0, w.events["credits"][0].but(data=w.events["credits"][0].data[:-1]))


@case("events")
def a_record_on_a_strange_topic(w, c):
    event = w.events["credits"][0]
    c.put("rejects.ssa", w.events["rejects.ssa"] + [new_id(event).but(kind=c.kind("rejects.ssa", event.headers))])


@case("keys")
def another_key(w, c):
    c.replace("submissions", 0, w.events["submissions"][0].but(key=b"x" * 16))


@case("bus")
def a_flipped_bit(w, c):
    c.sql("collections", "UPDATE batch SET data = CAST(substr(data, 1, 40) || x'ff' || substr(data, 42) AS BLOB)"
          " WHERE first = (SELECT max(first) FROM batch)")


@case("bus")
def a_wrong_count(w, c):
    c.sql("collections", "UPDATE batch SET count = count + 1")


@case("bus")
def a_gap(w, c):
    c.sql("collections", "UPDATE batch SET first = first + 1 WHERE first = (SELECT max(first) FROM batch)")


@case("bus")
def another_format(w, c):
    c.sql("requests", "PRAGMA user_version = 2")


@case("positions")
def a_position_past_the_end(w, c):
    move_position(c.data / "bus" / "groups" / "tax.db", "payments", len(w.events["payments"]) + 1)


@case("positions")
def a_position_at_another_event(w, c):
    move_position(c.data / "bus" / "groups" / "tax.db", "payments", len(w.events["payments"]) - 1)


@case("topics")
def a_topic_missing(w, c):
    for file in c.db("requests").parent.glob("requests.db*"):
        file.unlink()


@case("topics")
def a_strange_topic(w, c):
    shutil.copy(c.db("requests"), c.db("strange"))


@case("statement")
def a_statement_that_moves_a_row(w, c):
    text = json.loads(c.files["statement"].read_text("utf-8"))
    columns = next(r["columns"] for r in text["rows"] if r["columns"]["credited"]["count"])
    for cells in (columns, text["totals"]):
        cells["credited"]["count"] -= 1
        cells["awaiting_credit"]["count"] += 1
    c.files["statement"].write_text(json.dumps(text), "utf-8")


@case("statement")
def a_statement_without_a_key(w, c):
    text = json.loads(c.files["statement"].read_text("utf-8"))
    del text["rows"][0]
    c.files["statement"].write_text(json.dumps(text), "utf-8")


def booking(name, kind, what, change):
    def spoil(w, c):
        c.table(name, change)
    spoil.__name__ = f"{name}_book_{what}"
    case(kind)(spoil)


def first_where(wanted, **fields):
    def change(rows):
        row = next(r for r in rows if wanted(r))
        row.update({k: v(row[k]) if callable(v) else v for k, v in fields.items()})
        return rows
    return change


for book, taken in (("tax", "in_treasury"), ("ssa", "credited")):
    booking(book, f"{book} book", "twice", first_where(lambda r, s=taken: r["status"] == s, copies="2"))
    booking(book, f"{book} book", "other_amount", first_where(lambda r: True, amount_fen=lambda v: str(int(v) + 1)))
    booking(book, f"{book} book", "other_state", first_where(lambda r, s=taken: r["status"] == s, status="pending"))
    booking(book, f"{book} book", "missing", lambda rows: rows[1:])
    booking(book, f"{book} book", "unknown_payment", first_where(lambda r: True, payment_id="00" * 16))
    booking(book, "persons", "other_person", lambda rows: [dict(r, number=rows[i - 1]["number"]) for i, r in enumerate(rows)])


@case("rejects")
def a_reject_with_other_bytes(w, c):
    credit = w.events["credits"][0]
    value = {"topic": "credits", "partition": 0, "offset": 0, "event_id": credit.id, "event_type": "AccountCredited",
             "reason": "undecodable", "detail": None, "bytes": credit.data[:-1], "at": credit.time_ms}
    headers = credit.headers.replace(w.decoded["credits"][0][0], "RejectedEvent")
    reject = new_id(credit).but(kind=c.kind("rejects.ssa", headers), key=b"credits/0/0", data=w.encode("RejectedEvent", value))
    c.put("rejects.ssa", w.events["rejects.ssa"] + [reject])


# ---- what is harmless: no complaint may come ----

@case()
def nothing(w, c):
    pass


@case()
def repeats_of_an_adapter(w, c):
    for topic in ("credits", "contributions", "collections"):
        c.put(topic, w.events[topic] + w.events[topic][:30])


@case()
def a_row_sealed_anew(w, c):
    """A roster published again after it was closed: other nonces, nothing else."""
    events = [c.changed("submissions", at, identity=lambda v: v and v[::-1], cells=lambda v: v and v[::-1])
              if w.decoded["submissions"][at][0] == "SubsidyDeclared" else e for at, e in enumerate(w.events["submissions"])]
    c.put("submissions", w.events["submissions"] + events)


def rows_of_first(w):
    opened = w.find("submissions", "SubmissionOpened")
    sub = w.decoded["submissions"][opened][1]["submission_id"]
    rows = [at for at, (t, v) in enumerate(w.decoded["submissions"]) if t == "SubsidyDeclared" and v["submission_id"] == sub]
    return opened, rows


@case()
def an_attempt_given_up(w, c):
    """Half of the rows under another attempt, then all of it as it was."""
    opened, rows = rows_of_first(w)
    half = [opened] + rows[:len(rows) // 2]
    c.insert("submissions", opened, *(new_id(c.changed("submissions", at, attempt_id=other)) for at in half))


@case()
def an_attempt_begun_again(w, c):
    """The same attempt, broken off and begun again."""
    opened, rows = rows_of_first(w)
    c.insert("submissions", opened, *(w.events["submissions"][at] for at in [opened] + rows[:len(rows) // 2]))


@case()
def a_cover_without_roster(w, c):
    at = w.find("submissions", "GateDocuments")
    lone = new_id(c.changed("submissions", at, submission_id=other))
    c.insert("submissions", 0, lone.but(key=other(lone.key)))


world = None  # of the processes that Pool forks


def run(number):
    """What went wrong with a case; None when nothing did."""
    spoil, kinds = CASES[number]
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(world, folder)
        spoil(world, copy)
        wrong = copy.complaints()
    if kinds and not set(kinds) & wrong.of.keys():
        return f"NOT SEEN {spoil.__name__}: wanted one of {kinds}, complaints are of {sorted(wrong.of)}"
    if not kinds and wrong.of:
        return f"NO REASON {spoil.__name__}: {dict(wrong.of)}"
    return None


def main():
    global world
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    world = Finished(*sys.argv[1:])
    with multiprocessing.get_context("fork").Pool() as pool:
        failed = [text for text in pool.map(run, range(len(CASES)), chunksize=1) if text]
    for text in failed:
        print(text)
    print(f"{len(CASES)} cases, {len(failed)} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""What a user would write instead: one roster, row by row, to Kafka, with the checks that the roster's form asks for.

peer.py SERVERS TOPIC PARTITION ROSTER SCHEMAS: csv, checks, fastavro, confluent-kafka with delivery reports; the events have the fields
and headers of the product's. The identity goes out in the clear and nothing is kept for a crash, which the product does not do. Prints:
rows, seconds, CPU seconds; from opening the roster to the last delivery report."""
import csv
import datetime
import hashlib
import hmac
import io
import os
import pathlib
import re
import sys
import time
import unicodedata
from decimal import Decimal, InvalidOperation

import fastavro
from confluent_kafka import Producer

KEY = bytes(32)
COLUMNS = {"序号": "no", "姓名": "name", "证件类型": "kind", "公民身份号码": "number", "社保编号": "ssa_no", "个人缴费档次": "tier",
           "个人缴费到账日期": "arrived", "补助金额(元)": "amount", "其他资助金额": "other", "是否集体经济组织成员": "member"}
KINDS = {"": "01", "居民身份证": "01", "身份证": "01", "社会保障卡": "16", "户口簿": "07"}
MEMBERS = {"": None, "是": True, "√": True, "否": False, "×": False}
NAME = re.compile(r"[\u3400-\u9fff·]{2,30}|[A-Za-z][A-Za-z .'-]{1,60}")
DATE = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
TODAY = datetime.date(2026, 12, 24)


def clean(text):
    """Full-width digits, tabs and blanks of all kinds, as clerks' files have them."""
    return unicodedata.normalize("NFKC", text).strip()


def number_error(number, seen):
    if len(number) != 18:
        return "id_length"
    if not number[:17].isdigit():
        return "id_characters"
    if CHECKS[sum(int(c) * w for c, w in zip(number, WEIGHTS)) % 11] != number[17]:
        return "id_check_digit"
    try:
        born = datetime.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return "id_birth_date"
    if not datetime.date(1900, 1, 1) <= born <= TODAY:
        return "id_birth_date"
    if number in seen:
        return "person_twice"
    seen.add(number)
    return None


def fen(text):
    """(fen, what is wrong)."""
    if not text:
        return None, None
    try:
        yuan = Decimal(text.replace(",", "").removesuffix("元"))
    except InvalidOperation:
        return None, "not_a_number"
    if yuan * 100 != (yuan * 100).to_integral_value():
        return None, "fraction"
    if yuan < 0:
        return None, "negative"
    return int(yuan * 100), None


def read_row(cells, seen):
    """The event's fields and the list of defects."""
    defects = []

    def wrong(column, code):
        defects.append({"code": code, "column": column})

    number = cells["number"].upper()
    error = number_error(number, seen)
    if error:
        wrong("id_number", error)
    if not NAME.fullmatch(cells["name"]):
        wrong("name", "name_unclear")
    kind = KINDS.get(cells["kind"])
    if kind is None:
        wrong("cert_kind", "cert_kind_unknown")
    tier, error = fen(cells["tier"])
    if error:
        wrong("tier", f"tier_{error}")
    amount, error = fen(cells["amount"])
    if error or not amount:
        wrong("amount", f"amount_{error or 'missing'}")
    other, error = fen(cells["other"])
    if error:
        wrong("other_amount", f"amount_{error}")
    if cells["member"] not in MEMBERS:
        wrong("member", "member_unclear")
    day = DATE.fullmatch(cells["arrived"])
    try:
        if not day or datetime.date(*map(int, day.groups())) > TODAY:
            wrong("arrived", "date_in_future")
    except ValueError:
        wrong("arrived", "date_not_a_date")
    return {"token": hmac.digest(KEY, number.encode(), "sha256")[:16], "amount_fen": amount, "cert_kind": kind, "tier_fen": tier,
            "other_amount_fen": other, "member": MEMBERS.get(cells["member"]), "identity": f"{number}|{cells['name']}".encode(),
            "cells": None, "defects": defects}


def rows_of(file):
    """Data rows as dictionaries; title, head line, total and foot line are none."""
    columns = None
    for record in csv.reader(file):
        cells = [clean(c) for c in record]
        if columns is None:
            names = [COLUMNS.get(re.sub(r"\s", "", c)) for c in cells]
            if {"name", "number", "amount"} <= set(names):
                columns = [(at, name) for at, name in enumerate(names) if name]
            continue
        row = {name: cells[at] if at < len(cells) else "" for at, name in columns}
        if row["number"] and not row["no"].startswith("合计"):
            yield row


def headers_of(submission, schema, number):
    id_ = hashlib.sha256(submission + number.to_bytes(4, "big")).digest()[:16]
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    return [("ce_specversion", "1.0"), ("ce_id", id_.hex()), ("ce_source", "/qiao/village"), ("ce_type", schema["name"]), ("ce_time", now),
            ("ce_dataschema", schema["name"]), ("content-type", "application/avro"),
            ("ce_traceparent", f"00-{submission.hex()}-{id_[:8].hex()}-01")]


def main():
    servers, topic, partition, roster, schemas = sys.argv[1:]
    schema = fastavro.parse_schema(fastavro.schema.load_schema(str(pathlib.Path(schemas) / "SubsidyDeclared.avsc")))
    canonical = fastavro.schema.to_parsing_canonical_form(schema)
    framing = b"\xc3\x01" + bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))[::-1]
    producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True, "linger.ms": 5, "compression.type": "lz4",
                         "queue.buffering.max.messages": 60000})
    failed, count, seen, submission = [], 0, set(), os.urandom(16)

    def report(error, _):
        if error:
            failed.append(error)

    began, cpu = time.monotonic(), time.process_time()
    with open(roster, "rb") as f:
        attempt = hashlib.file_digest(f, "sha256").digest()[:16]
    with open(roster, encoding="gb18030", newline="") as f:
        for cells in rows_of(f):
            count += 1
            row = {"submission_id": submission, "attempt_id": attempt, "row_no": count} | read_row(cells, seen)
            out = io.BytesIO(framing)
            out.seek(0, io.SEEK_END)
            fastavro.schemaless_writer(out, schema, row)
            headers = headers_of(submission, schema, count)
            while True:
                try:
                    producer.produce(topic, out.getvalue(), submission, int(partition), on_delivery=report, headers=headers)
                    break
                except BufferError:
                    producer.poll(0.05)
            producer.poll(0)
    producer.flush()
    if failed:
        sys.exit(f"peer.py: {len(failed)} events did not arrive: {failed[0]}")
    print(count, time.monotonic() - began, time.process_time() - cpu)


if __name__ == "__main__":
    main()

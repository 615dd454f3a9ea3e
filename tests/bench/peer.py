"""What a user would write instead: one roster, row by row, to Kafka.

peer.py SERVERS TOPIC PARTITION ROSTER SCHEMAS: csv, the checks of a row, fastavro, confluent-kafka with delivery reports; the events
have the fields and headers of the product's. Nothing is sealed, nothing is kept for a crash. Prints: rows, seconds, CPU seconds; from
opening the roster to the last delivery report."""
import csv
import datetime
import hashlib
import hmac
import io
import os
import pathlib
import sys
import time

import fastavro
from confluent_kafka import Producer

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
KEY = bytes(32)


def load_schema(folder, name):
    return fastavro.parse_schema(fastavro.schema.load_schema(str(pathlib.Path(folder) / f"{name}.avsc")))


def id_error(number):
    if len(number) != 18 or not number[:17].isdigit():
        return "id_characters"
    if CHECKS[sum(int(c) * w for c, w in zip(number, WEIGHTS)) % 11] != number[17].upper():
        return "id_check_digit"
    try:
        datetime.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return "id_birth_date"
    return None


def row_errors(cells, today, seen):
    number = cells[3].strip()
    error = id_error(number)
    if error:
        yield error
    elif number in seen:
        yield "person_twice"
    seen.add(number)
    if not cells[1].strip():
        yield "name_missing"
    if not cells[5].isdigit():
        yield "tier_not_a_number"
    try:
        if datetime.date.fromisoformat(cells[6]) > today:
            yield "date_in_future"
    except ValueError:
        yield "date_not_a_date"
    if not cells[7].isdigit() or not 0 < int(cells[7]) <= 5000:
        yield "amount"
    if cells[9] not in ("是", "否"):
        yield "member_missing"


def main():
    servers, topic, partition, roster, schemas = sys.argv[1:]
    schema = load_schema(schemas, "SubsidyDeclared")
    fingerprint = b"\xc3\x01" + bytes.fromhex(fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(schema), "CRC-64-AVRO"))[::-1]
    producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True, "linger.ms": 5, "compression.type": "lz4",
                         "queue.buffering.max.messages": 60000})
    failed, rows, seen = [], 0, set()
    today = datetime.date(2026, 12, 24)
    submission = os.urandom(16)
    began, cpu = time.monotonic(), time.process_time()

    def report(err, _):
        if err:
            failed.append(err)

    with open(roster, encoding="gb18030", newline="") as f:
        for cells in csv.reader(f):
            if not cells or not cells[0].isdigit():
                continue
            rows += 1
            errors = list(row_errors(cells, today, seen))
            # The identity in the clear, where the product seals it.
            row = {"submission_id": submission, "attempt_id": submission, "row_no": rows,
                   "token": hmac.digest(KEY, cells[3].encode(), "sha256")[:16],
                   "amount_fen": int(cells[7]) * 100 if cells[7].isdigit() else None, "cert_kind": "01",
                   "tier_fen": int(cells[5]) * 100 if cells[5].isdigit() else None, "other_amount_fen": None, "member": cells[9] == "是",
                   "identity": f"{cells[3].strip()}|{cells[1]}".encode(), "cells": None,
                   "defects": [{"code": code, "column": None} for code in errors]}
            out = io.BytesIO()
            out.write(fingerprint)
            fastavro.schemaless_writer(out, schema, row)
            id_ = hashlib.sha256(submission + rows.to_bytes(4, "big")).digest()[:16]
            headers = [("ce_specversion", "1.0"), ("ce_id", id_.hex()), ("ce_source", "/qiao/village"), ("ce_type", "cn.keqiao.qiao.SubsidyDeclared"),
                       ("ce_time", datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")),
                       ("ce_dataschema", "SubsidyDeclared"), ("content-type", "application/avro"), ("traceparent", "00-" + submission.hex())]
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
    print(rows, time.monotonic() - began, time.process_time() - cpu)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Compares our event codec with fastavro: canonical forms and fingerprints of schemas/*.avsc, random events of ours
decoded and encoded again by fastavro, random events of fastavro's decoded and encoded again by us, and the structs of
gateway/events/events.h with the fields of the schemas.

usage: test_event_codec.py BUILD_DIR [SEED]     (BUILD_DIR e.g. build/release; needs tests/lib/requirements.txt)
"""
import io
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form

ROOT = Path(__file__).resolve().parents[2]
EVENTS_EACH = 200
failures = []


def check(good, what):
    if not good:
        failures.append(what)
        print("FAIL", what)


def load_schemas():
    raw = {p.stem: json.loads(p.read_text("utf-8")) for p in sorted((ROOT / "schemas").glob("*.avsc"))}
    return raw, {name: parse_schema(s, named_schemas={}) for name, s in raw.items()}


def check_schema_lines(lines, raw):
    seen = set()
    for _, name, fp, canonical in (line.split(" ", 3) for line in lines):
        seen.add(name)
        theirs = to_parsing_canonical_form(raw[name])
        check(canonical == theirs, f"{name}: canonical form differs")
        # fastavro prints the fingerprint as it lies in the bytes: little endian
        check(fp == bytes.fromhex(fingerprint(theirs, "CRC-64-AVRO"))[::-1].hex(), f"{name}: fingerprint differs")
    check(seen == set(raw), f"types and files differ: {sorted(seen ^ set(raw))}")


def head(fp):
    return b"\xc3\x01" + bytes.fromhex(fp)[::-1]


def check_ours(lines, parsed, fps):
    for _, name, text in (line.split(" ", 2) for line in lines):
        data = bytes.fromhex(text)
        check(data[:10] == head(fps[name]), f"{name}: wrong head")
        stream = io.BytesIO(data[10:])
        value = schemaless_reader(stream, parsed[name], None)
        check(stream.read() == b"", f"{name}: fastavro leaves bytes behind")
        again = io.BytesIO()
        schemaless_writer(again, parsed[name], value)
        check(again.getvalue() == data[10:], f"{name}: fastavro writes the same event differently")


def plain(schema):
    """Without logical types, so that any number may be written."""
    if isinstance(schema, dict):
        return {k: plain(v) for k, v in schema.items() if k != "logicalType"}
    return [plain(s) for s in schema] if isinstance(schema, list) else schema


def make(schema, rng):
    if isinstance(schema, list):
        return make(rng.choice(schema), rng)
    kind = schema["type"] if isinstance(schema, dict) else schema
    if kind == "record":
        return {f["name"]: make(f["type"], rng) for f in schema["fields"]}
    if kind == "array":
        return [make(schema["items"], rng) for _ in range(rng.choice([0, 1, 2, 9, 70]))]
    simple = {
        "null": lambda: None,
        "boolean": lambda: rng.random() < 0.5,
        "int": lambda: rng.choice([0, -1, 2**31 - 1, -(2**31), rng.randrange(-(2**31), 2**31)]),
        "long": lambda: rng.choice([0, -1, 2**63 - 1, -(2**63), rng.randrange(-(2**63), 2**63)]),
        "string": lambda: "".join(rng.choice("a0_·村𠮷 ") for _ in range(rng.choice([0, 1, 20, 600]))),
        "bytes": lambda: rng.randbytes(rng.choice([0, 1, 90, 5000])),
        "fixed": lambda: rng.randbytes(16),
        "cn.keqiao.qiao.Id": lambda: rng.randbytes(16),
        "Id": lambda: rng.randbytes(16),
    }
    return make(kind, rng) if isinstance(kind, (dict, list)) else simple[kind]()


def check_theirs(tool, raw, fps, rng):
    sent = []
    for name, schema in raw.items():
        parsed = parse_schema(plain(schema), named_schemas={})
        for _ in range(EVENTS_EACH):
            out = io.BytesIO()
            schemaless_writer(out, parsed, make(plain(schema), rng))
            sent.append((name, (head(fps[name]) + out.getvalue()).hex()))
    answer = subprocess.run([tool, "echo"], input="".join(f"{n} {h}\n" for n, h in sent), text=True,
                            stdout=subprocess.PIPE, check=True).stdout.splitlines()
    check(len(answer) == len(sent), "echo: lines missing")
    for (name, want), got in zip(sent, answer):
        check(got == want, f"{name}: fastavro's event comes back as {got[:80]}")


def struct_members(header):
    """Names of the members of each struct of events.h, without comments."""
    text = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
    result = {}
    for name, body in re.findall(r"^struct (\w+) \{(.*?)^\};", text, flags=re.S | re.M):
        names = []
        for declaration in body.split(";"):
            words = re.sub(r"\b(struct \w+|u?int\d+_t|bool|char|const)\b", "", declaration)
            names += re.findall(r"\w+", words)
        result[name] = names
    return result


def check_struct(record, members, structs):
    fields = [f["name"] for f in record["fields"]]
    check([m for m in members if not (m.endswith("_count") and m not in fields)] == fields,
          f"{record['name']}: struct and schema differ: {members} {fields}")
    for f in record["fields"]:
        items = f["type"].get("items") if isinstance(f["type"], dict) else None
        if isinstance(items, dict):
            check_struct(items, structs["ev_" + items["name"].lower()], structs)


def check_structs(raw):
    structs = struct_members((ROOT / "gateway/events/events.h").read_text("utf-8"))
    credits = {"AccountCredited", "CreditRefused", "AccountDebited", "DebitRefused"}
    for name, record in raw.items():
        snake = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        check_struct(record, structs["credit_result" if name in credits else snake], structs)


def check_docs(record):
    check(record.get("doc"), f"{record['name']}: no doc")
    for f in record["fields"]:
        check(f.get("doc"), f"{record['name']}.{f['name']}: no doc")
        if f["name"].endswith("_fen"):
            check("fen" in f["doc"], f"{record['name']}.{f['name']}: doc does not say fen")
        items = f["type"].get("items") if isinstance(f["type"], dict) else None
        if isinstance(items, dict):
            check_docs(items)


def main():
    tool = os.path.join(sys.argv[1], "bin", "event_tool")
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20261
    print("seed", seed)
    lines = subprocess.run([tool, "samples", str(seed), str(EVENTS_EACH)], text=True, stdout=subprocess.PIPE,
                           check=True).stdout.splitlines()
    raw, parsed = load_schemas()
    schema_lines = [line for line in lines if line.startswith("schema ")]
    fps = {line.split(" ")[1]: line.split(" ")[2] for line in schema_lines}
    check_schema_lines(schema_lines, raw)
    check_ours([line for line in lines if line.startswith("event ")], parsed, fps)
    check_theirs(tool, raw, fps, random.Random(seed))
    check_structs(raw)
    for record in raw.values():
        check_docs(record)
    print(f"{len(raw)} schemas, {2 * EVENTS_EACH * len(raw)} events, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

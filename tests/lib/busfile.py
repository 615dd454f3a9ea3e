"""Topic files of the local bus, read and written from their format alone (gateway/bus/FORMAT.md): no code of the product.

A file is SQLite: batch(first, count, at, data) and kind(id, headers). data is events one behind the other, then the CRC-32 of
them, little endian. An event: length of what follows (varint); kind (varint); id (16); time in ms (8); trace (16); seq (8); key
(varint length, bytes); data (varint length, bytes). Numbers are little endian.
"""
import functools
import sqlite3
import struct
import zlib
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

TOPIC_FILE = 0x51427573  # application_id: "QBus"
GROUP_FILE = 0x51477270  # "QGrp"
FORMAT = 1  # user_version of both
EVENTS_MAX = 4096  # of a batch
FIXED = struct.Struct("<16sq16sq")


class Damaged(Exception):
    pass


@functools.lru_cache(maxsize=256)
def parse_headers(text):
    """Lines "name: value". None where a line is none, or a name comes twice."""
    pairs = [line.partition(": ") for line in text.split("\n") if line]
    found = {name: value for name, _, value in pairs}
    return found if len(found) == len(pairs) and all(sep for _, sep, _ in pairs) else None


@dataclass(frozen=True, slots=True)
class Event:
    topic: str
    offset: int
    kind: int
    headers: str  # those that are constant for a kind, as stored
    id: bytes
    time_ms: int
    trace: bytes
    seq: int  # qiao_seq, 0 = none
    key: bytes
    data: bytes

    @property
    def partition(self):
        return 0

    def cloud_events(self):
        """All headers, as a consumer of the topic sees them."""
        constant = parse_headers(self.headers)
        if constant is None:
            raise Damaged("a header without name and value, or twice")
        try:
            at = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=self.time_ms)
        except OverflowError as e:
            raise Damaged("time out of range") from e
        h = dict(constant)
        h["id"] = self.id.hex()
        h["time"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        h["traceparent"] = f"00-{self.trace.hex()}-{self.id[:8].hex()}-01"
        if self.seq:
            h["qiao_seq"] = str(self.seq)
        return h

    def but(self, **changes):
        return replace(self, **changes)


def _varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise Damaged("a number is cut or too long")
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
        shift += 7


def _put_varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _bytes(data, at):
    n, at = _varint(data, at)
    if at + n > len(data):
        raise Damaged("bytes are cut")
    return data[at:at + n], at + n


def unpack(topic, first, blob, kinds):
    """The events of one batch."""
    if len(blob) < 4 or zlib.crc32(blob[:-4]) != int.from_bytes(blob[-4:], "little"):
        raise Damaged(f"{topic}: the batch at {first} has a wrong CRC")
    at, blob, events = 0, blob[:-4], []
    while at < len(blob):
        body, at = _bytes(blob, at)
        kind, p = _varint(body, 0)
        if p + FIXED.size > len(body):
            raise Damaged("an event is cut")
        id_, time_ms, trace, seq = FIXED.unpack_from(body, p)
        key, p = _bytes(body, p + FIXED.size)
        data, p = _bytes(body, p)
        if p != len(body):
            raise Damaged("bytes behind an event")
        if kind not in kinds:
            raise Damaged(f"kind {kind} is not there")
        events.append(Event(topic, first + len(events), kind, kinds[kind], id_, time_ms, trace, seq, key, data))
    return events


def pack(events):
    out = bytearray()
    for e in events:
        body = (_put_varint(e.kind) + FIXED.pack(e.id, e.time_ms, e.trace, e.seq) + _put_varint(len(e.key)) + e.key
                + _put_varint(len(e.data)) + e.data)
        out += _put_varint(len(body)) + body
    return bytes(out) + zlib.crc32(out).to_bytes(4, "little")


def _open(path, kind, wrong):
    db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)
    db.execute("BEGIN")  # all of one moment
    for pragma, want in (("application_id", kind), ("user_version", FORMAT)):
        got = db.execute(f"PRAGMA {pragma}").fetchone()[0]
        if got != want:
            wrong.append(f"{path.name}: {pragma} is {got}, not {want}")
    return closing(db)


def read_topic(path, topic):
    """Gives (events, complaints). What cannot be read is a complaint and ends the reading."""
    events, wrong = [], []
    try:
        with _open(path, TOPIC_FILE, wrong) as db:
            kinds = dict(db.execute("SELECT id, headers FROM kind"))
            for first, count, at, blob in db.execute("SELECT first, count, at, data FROM batch ORDER BY first"):
                batch = unpack(topic, first, blob, kinds)
                if first != len(events):
                    wrong.append(f"{topic}: a batch begins at {first}, not {len(events)}")
                if len(batch) != count or not 0 < count <= EVENTS_MAX:
                    wrong.append(f"{topic}: the batch at {first} says {count} events and holds {len(batch)}")
                if batch and at != max(e.time_ms for e in batch):
                    wrong.append(f"{topic}: the batch at {first} does not tell the time of its newest event")
                events += batch
    except (sqlite3.Error, Damaged) as e:
        wrong.append(f"{topic}: {e}")
    return events, wrong


def read_positions(path):
    """Of a reading group: [(topic, partition, next, id of the event before)] and complaints."""
    wrong = []
    try:
        with _open(path, GROUP_FILE, wrong) as db:
            return db.execute("SELECT topic, partition, next, last_id FROM position").fetchall(), wrong
    except sqlite3.Error as e:
        return [], wrong + [f"{path.name}: {e}"]


def rewrite_topic(path, events):
    """Puts other events into a topic file, in batches that are whole: for tests of who reads it. Kinds stay."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM batch")
        for at in range(0, len(events), EVENTS_MAX):
            part = events[at:at + EVENTS_MAX]
            db.execute("INSERT INTO batch VALUES(?, ?, ?, ?)",
                       (at, len(part), max(e.time_ms for e in part), pack(part)))


def move_position(path, topic, next_):
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE position SET next = ? WHERE topic = ?", (next_, topic))

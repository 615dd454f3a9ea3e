"""All topics of a world, decoded with the published schemas: what a consumer sees that knows nothing but FORMAT.md or Kafka,
schemas/*.avsc and the table of topics. Whatever is wrong with an envelope (headers, keys, sequence, framing, repeats) becomes a complaint.
"""
import io
import json
import re
import urllib.request
from collections import Counter, defaultdict
from pathlib import Path

from fastavro import parse_schema, schemaless_reader
from fastavro.schema import fingerprint, to_parsing_canonical_form

from busfile import Damaged, read_positions, read_topic

# Topic: who publishes it, and which records it carries.
CREDITS = ("AccountCredited", "CreditRefused", "AccountDebited", "DebitRefused")
BOOK = ("BookOpened", "BookEntry", "BookClosed")
TOPICS = {
    "submissions": ("village", ("SubmissionOpened", "SubsidyDeclared", "SubmissionClosed", "GateDocuments", "SubsidyPlan")),
    "operations": ("qiao", ("Operation",)),
    "enquiries": ("gateway", ("ContributionEnquiry",)),
    "contributions": ("ssa", ("ContributionStatus", "ContributionFeedReached")),
    "payments": ("gateway", ("SubsidyPayment", "PaymentReversal", "PaymentEnquiry")),
    "collections": ("tax", ("CollectionResult",)),
    "feedback": ("gateway", ("CollectedSubsidy", "SubsidyRefunded")),
    "credits": ("ssa", CREDITS),
    "statistics": ("gateway", ("CollectionStatistics",)),
    "answers": ("gateway", ("RowAnswer", "SubmissionAnswer")),
    "requests": ("gateway", ("BookRequest",)),
    "books.tax": ("tax", BOOK),
    "books.ssa": ("ssa", BOOK),
    "positions.tax": ("tax", ("FeedPosition",)),
    "positions.ssa": ("ssa", ("FeedPosition",)),
    **{f"rejects.{role}": (role, ("RejectedEvent",)) for role in ("gateway", "village", "tax", "ssa")},
}
# The field that is the key of a topic; of others see key_of.
KEY_FIELD = {
    "submissions": "submission_id", "answers": "submission_id", "enquiries": "token", "contributions": "token",
    "feedback": "token", "collections": "payment_id", "credits": "payment_id", "requests": "run_id", "books.tax": "run_id",
    "books.ssa": "run_id", "positions.tax": "feed", "positions.ssa": "feed",
}
# A repeat of an event is sealed anew with another nonce, and what an adapter says in its own name carries the time of saying.
SEALED = ("identity", "cells")
OWN_WORD = {"CollectionResult", "CreditRefused", "DebitRefused"}  # with sequence 0

ANSWER_S = 10  # of a registry
LISTED_MAX = 40  # disagreements of one kind that are printed


def short(id_):
    return id_.hex()[:12] if id_ else "none"


class Complaints:
    """Disagreements by kind. Nobody stops at the first."""

    def __init__(self):
        self.of = defaultdict(list)

    def __call__(self, kind, text):
        self.of[kind].append(text)

    def unless(self, good, kind, text):
        if not good:
            self(kind, text)

    def count(self):
        return sum(map(len, self.of.values()))

    def show(self):
        for kind, texts in self.of.items():
            for t in texts[:LISTED_MAX]:
                print(f"DISAGREEMENT {kind}: {t}")
            if len(texts) > LISTED_MAX:
                print(f"DISAGREEMENT {kind}: and {len(texts) - LISTED_MAX} more")


class Schemas:
    """The published schemas by fingerprint. Events are decoded by the canonical form: dates and times stay numbers. With the url of a
    registry every event must be framed with one of its ids, and what the id means is asked of it."""

    def __init__(self, folder, wrong, registry=""):
        self.by_fingerprint, self.by_id, self.registry = {}, {}, registry
        files = sorted(Path(folder).glob("*.avsc"))
        wrong.unless(files, "schemas", f"no schema in {folder}")
        for file in files:
            canonical = to_parsing_canonical_form(json.loads(file.read_text("utf-8")))
            name = json.loads(canonical)["name"].rpartition(".")[2]
            wrong.unless(name == file.stem, "schemas", f"{file.name} holds {name}")
            # fastavro prints a fingerprint as it lies in the bytes of an event
            self.by_fingerprint[bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))] = (
                name, parse_schema(json.loads(canonical), named_schemas={}))

    def meaning(self, id_):
        """The fingerprint of a registered schema."""
        if id_ not in self.by_id:
            try:
                with urllib.request.urlopen(f"{self.registry}/schemas/ids/{id_}", timeout=ANSWER_S) as answer:
                    schema = json.loads(json.load(answer)["schema"])
            except OSError as e:
                raise Damaged(f"id {id_}: the registry says {e}") from e
            self.by_id[id_] = bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))
        return self.by_id[id_]

    def unframe(self, data):
        """(fingerprint, body)"""
        if self.registry:
            if data[:1] != b"\0" or len(data) < 5:
                raise Damaged("not framed with an id of the registry")
            return self.meaning(int.from_bytes(data[1:5], "big")), data[5:]
        if data[:2] != b"\xc3\x01":
            raise Damaged("not in single-object encoding")
        return data[2:10], data[10:]

    def decode(self, data):
        """(record name, value); Damaged says what is wrong."""
        mark, body = self.unframe(data)
        if mark not in self.by_fingerprint:
            raise Damaged(f"fingerprint {mark.hex()} is of no published schema")
        name, schema = self.by_fingerprint[mark]
        body = io.BytesIO(body)
        try:
            value = schemaless_reader(body, schema, None)
        except Exception as e:  # fastavro tells bad bytes in many ways
            raise Damaged(f"{name} does not decode: {type(e).__name__}") from e
        if body.read(1):
            raise Damaged(f"{name}: bytes are left over")
        return name, value


def place(event):
    return f"{event.topic} {event.partition}:{event.offset}" if event.partition else f"{event.topic} {event.offset}"


class Said:
    """An event, decoded."""

    __slots__ = ("at", "type", "value", "key", "seq", "time_ms", "topic", "offset")

    def __init__(self, event, type_, value):
        self.at, self.type, self.value = place(event), type_, value
        self.topic, self.offset, self.key, self.seq, self.time_ms = event.topic, event.offset, event.key, event.seq, event.time_ms

    def __getitem__(self, field):
        return self.value[field]


EXACT = {"specversion": "1.0", "datacontenttype": "application/avro"}
FORM = {name: re.compile(form).fullmatch for name, form in {
    "id": r"(?!0{32})[0-9a-f]{32}", "time": r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "traceparent": r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01",
    "qiao_ledger": r"[0-9a-f]{32}/[1-9]\d*", "qiao_seq": r"[1-9]\d*",  # the gateway's events only
}.items()}


def check_headers(e, type_, role, wrong):
    h = e.cloud_events()
    exact = EXACT | {"source": f"/qiao/{role}", "type": f"cn.keqiao.qiao.{type_}.v1"}
    form = FORM if role == "gateway" else {n: f for n, f in FORM.items() if not n.startswith("qiao_")}
    other = sorted(h.keys() ^ exact.keys() ^ form.keys())
    wrong.unless(not other, "headers", f"{place(e)}: {other} too many or missing")
    for name in h:
        good = h[name] == exact[name] if name in exact else name in form and form[name](h[name])
        wrong.unless(good, "headers", f"{place(e)}: {name} is {h[name]!r}")
    return h


def key_of(s):
    """None: not to be told from the event alone."""
    v = s.value
    if s.type == "ContributionFeedReached" or s.topic == "operations":
        return None
    if s.topic == "payments":
        return v.get("token")  # of enquiries and reversals see read_payments
    if s.topic == "statistics":
        return f"{v['year']}/{v['village']}/{v['sponsor_type']}".encode()
    if s.topic.startswith("rejects."):
        return f"{v['topic']}/{v['partition']}/{v['offset']}".encode()
    key = v["plan_id" if s.type == "SubsidyPlan" else KEY_FIELD[s.topic]]
    return key.encode() if isinstance(key, str) else key


def plain(s):
    """What two events of one id must have in common."""
    own = s.type == "RejectedEvent" or (s.type in OWN_WORD and s["sequence"] == 0)
    return {k: v for k, v in s.value.items() if k not in SEALED and not (own and k == "at")}


class LocalSource:
    """What Bus reads of a world on the local bus."""
    REPEATS = False  # of the gateway

    def __init__(self, folder):
        self.folder = Path(folder)

    def topics(self):
        return {p.name[:-3] for p in self.folder.glob("*.db")}

    def read(self, topic):
        return read_topic(self.folder / f"{topic}.db", topic)

    def positions(self):
        found, wrong = [], []
        for file in sorted((self.folder / "groups").glob("*.db")):
            rows, complaints = read_positions(file)
            found += [(file.stem, topic.removeprefix("restored/"), *rest) for topic, *rest in rows]
            wrong += complaints
        return found, wrong


class Bus:
    def __init__(self, source, schemas, wrong):
        self.wrong, self.raw = wrong, {}  # raw: topic -> (partition, offset) -> event
        self.of = defaultdict(list)  # record name -> events in order of their partitions, repeats left out
        self.submissions = []  # with repeats
        self.count, self.repeats = 0, 0
        self.by_id, self.seqs, self.ledgers = {}, [], []
        for topic in sorted(source.topics() ^ TOPICS.keys()):
            wrong("topics", f"{topic}: {'is missing' if topic in TOPICS else 'not in the table of topics'}")
        positions, complaints = source.positions()  # first: programs may go on, and then positions are never ahead of what is read
        for topic in TOPICS:
            if topic in source.topics():
                self.read(source, topic, schemas)
        self.check_seqs()
        self.check_positions(positions, complaints)

    def read(self, source, topic, schemas):
        events, complaints = source.read(topic)
        self.raw[topic] = {(e.partition, e.offset): e for e in events}
        for text in complaints:
            self.wrong("bus", text)
        role, records = TOPICS[topic]
        last_seq = Counter()
        for e in events:
            self.count += 1
            try:
                type_, value = schemas.decode(e.data)
                h = check_headers(e, type_, role, self.wrong)
            except Damaged as why:
                self.wrong("events", f"{place(e)}: {why}")
                continue
            s = Said(e, type_, value)
            if type_ not in records:
                self.wrong("events", f"{s.at}: {type_} does not belong to this topic")
                continue
            key = key_of(s)
            self.wrong.unless(key is None or key == e.key, "keys", f"{s.at}: {type_} under another key than its own")
            again = self.repeated(e, s, role, source)
            if again and source.REPEATS:
                continue
            if role == "gateway":
                self.wrong.unless(e.seq > last_seq[e.partition], "qiao_seq", f"{s.at}: {e.seq} after {last_seq[e.partition]}")
                last_seq[e.partition] = e.seq
                self.seqs.append(e.seq)
                self.ledgers.append((e.seq, h.get("qiao_ledger", "")))
            if topic == "submissions":
                self.submissions.append(s)
            if not again:
                self.of[type_].append(s)

    def repeated(self, e, s, role, source):
        """The first of an id counts; a repeat must be the same, and on the local bus the gateway's outbox repeats nothing."""
        first = self.by_id.setdefault(e.id, s)
        if first is s:
            return False
        self.repeats += 1
        self.wrong.unless((first.topic, first.type, plain(first)) == (s.topic, s.type, plain(s)), "repeats",
                          f"{s.at}: same id as {first.at}, other content")
        self.wrong.unless(role != "gateway" or source.REPEATS, "repeats", f"{s.at}: same id as {first.at}, decided twice")
        return True

    def check_seqs(self):
        """One outbox for all topics of the gateway: each decision is on the bus, once."""
        have = Counter(self.seqs)
        missing = [n for n in range(1, max(have, default=0) + 1) if n not in have]
        for n in missing:
            self.wrong("qiao_seq", f"event {n} of the gateway is on no topic")
        for n in (n for n, times in have.items() if times > 1):
            self.wrong("qiao_seq", f"event {n} of the gateway is there {have[n]} times")
        marks = [mark.split("/") for _, mark in sorted(self.ledgers) if mark.count("/") == 1]
        self.wrong.unless(len({m[0] for m in marks}) <= 1, "qiao_ledger", "events of more than one ledger")
        epochs = [int(m[1]) for m in marks if m[1].isdigit()]
        self.wrong.unless(epochs == sorted(epochs), "qiao_ledger", "the epoch falls back")

    def check_positions(self, positions, complaints):
        """A position names the event before it."""
        for text in complaints:
            self.wrong("positions", text)
        for group, topic, partition, next_, last_id in positions:
            before = self.raw.get(topic, {}).get((partition, next_ - 1))
            there = before.id if before else bytes(16) if next_ == 0 else None
            good = there is not None if last_id is None else there == last_id
            self.wrong.unless(good, "positions", f"{group} at {topic} {partition}:{next_}: another event is there, or none")

    def each(self, *types):
        for t in types:
            yield from self.of[t]

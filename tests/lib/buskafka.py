"""Topics and positions of a world on Kafka, as any consumer sees them (confluent-kafka): no code of the product. What a topic carries is
told by schemas/asyncapi.yaml: CloudEvents attributes are headers with ce_ in front, and the value is an event as the schemas have it.
"""
import configparser
import socket
import struct
from dataclasses import dataclass
from datetime import datetime

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient

from busfile import Damaged

ANSWER_S = 30
MUST_HAVE = ("tax.payments", "ssa.enquiries", "ssa.statistics", "village.answers")  # groups
BY_HAND = "ContributionFeedReached"  # goes into every partition, whatever its key
OTHER_NAMES = {"content-type": "datacontenttype", "ce_qiaoledger": "qiao_ledger", "ce_qiaoseq": "qiao_seq"}


def murmur2(data):
    """The hash by which Kafka's Java client chooses the partition of a key."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(data)
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at:at + 4], "little") * m & mask
        h = h * m & mask ^ ((k ^ k >> 24) * m & mask)
    if data[whole:]:
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return (h ^ h >> 15) & 0x7FFFFFFF


def name_of(header):
    return OTHER_NAMES.get(header) or header.removeprefix("ce_")


@dataclass(frozen=True, slots=True)
class KafkaEvent:
    topic: str
    partition: int
    offset: int
    headers: dict  # name as CloudEvents has it -> text
    id: bytes
    time_ms: int
    seq: int
    key: bytes
    data: bytes

    def cloud_events(self):
        return self.headers


def event_of(topic, m):
    pairs = [(name_of(name), (value or b"").decode("utf-8", "replace")) for name, value in m.headers() or []]
    headers = dict(pairs)
    if len(headers) != len(pairs):
        raise Damaged("a header twice")
    try:
        at = datetime.fromisoformat(headers["time"].replace("Z", "+00:00"))
        return KafkaEvent(topic, m.partition(), m.offset(), headers, bytes.fromhex(headers["id"]), round(at.timestamp() * 1000),
                          int(headers.get("qiao_seq", "0")), m.key() or b"", m.value() or b"")
    except (KeyError, ValueError) as e:
        raise Damaged(f"headers are not ours: {e}") from e


def _text(s):
    data = s.encode()
    return struct.pack(">h", len(data)) + data


class _Answer:
    """Reads a broker's answer from its front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, form):
        (value,) = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def text(self):
        n = max(self.number("h"), 0)
        self.at += n
        return self.data[self.at - n:self.at].decode()


def committed(address, group):
    """[(topic, partition, offset, metadata)] of a group, by the request itself (OffsetFetch, version 5): the client's own call takes the
    metadata for a text that ends with NUL, which it is not. None: another broker must be asked."""
    ask = struct.pack(">hhi", 9, 5, 1) + _text("onlooker") + _text(group) + struct.pack(">i", -1)
    with socket.create_connection(address, timeout=ANSWER_S) as to, to.makefile("rb") as back:
        to.sendall(struct.pack(">i", len(ask)) + ask)
        a = _Answer(back.read(struct.unpack(">i", back.read(4))[0]))
    found = []
    a.number("i"), a.number("i")  # which answer, throttled for how long
    for _ in range(a.number("i")):
        topic = a.text()
        for _ in range(a.number("i")):
            partition, offset, _, metadata, error = a.number("i"), a.number("q"), a.number("i"), a.text(), a.number("h")
            found.append((topic, partition, offset, metadata))
            if error:
                raise Damaged(f"group {group}: error {error} in {topic} {partition}")
    return found if a.number("h") == 0 else None


class KafkaSource:
    """What topics.Bus reads of a world whose bus is on Kafka."""
    REPEATS = True  # a broker may keep what it could not confirm any more; consumers drop by ce_id

    def __init__(self, ini):
        self.prefix, self.group_prefix = ini["kafka"]["topic_prefix"], ini["kafka"]["group_prefix"]
        self.servers = {"bootstrap.servers": ini["kafka"]["brokers"], "log_level": 0}
        self.admin = AdminClient(self.servers)
        cluster = self.admin.list_topics(timeout=ANSWER_S)
        self.brokers = [(b.host, b.port) for b in cluster.brokers.values()]
        self.partitions = {name.removeprefix(self.prefix): len(t.partitions) for name, t in cluster.topics.items()
                           if name.startswith(self.prefix) and name != self.prefix + "clock"}  # no events: qiao topics check

    def topics(self):
        return self.partitions.keys()

    def read(self, topic):
        """Gives (events, complaints), one partition behind the other: the order holds within each."""
        consumer = Consumer(self.servers | {"group.id": "onlooker", "enable.auto.commit": False, "enable.partition.eof": True,
                                            "check.crcs": True, "fetch.wait.max.ms": 20})
        name, count = self.prefix + topic, self.partitions[topic]
        events, wrong = {n: [] for n in range(count)}, []
        next_ = dict.fromkeys(range(count), 0)
        try:
            consumer.assign([TopicPartition(name, n, OFFSET_BEGINNING) for n in range(count)])
            open_ = set(range(count))
            while open_:
                m = consumer.poll(ANSWER_S)
                if m is None:
                    return [], [f"{topic}: its end does not come"]
                if m.error():
                    if m.error().code() != KafkaError._PARTITION_EOF:
                        return [], [f"{topic}: {m.error()}"]
                    open_.discard(m.partition())
                    continue
                at = f"{topic} {m.partition()}:{m.offset()}"
                # The topics of a test are too young to have been compacted, or shortened.
                if m.offset() != next_[m.partition()]:
                    wrong.append(f"{at}: {next_[m.partition()]} should come next")
                next_[m.partition()] = m.offset() + 1
                try:
                    e = event_of(topic, m)
                except Damaged as why:
                    wrong.append(f"{at}: {why}")
                    continue
                if BY_HAND not in e.headers.get("type", "") and murmur2(e.key) % count != e.partition:
                    wrong.append(f"{at}: its key belongs into another partition")
                events[e.partition].append(e)
        finally:
            consumer.close()
        return [e for n in range(count) for e in events[n]], wrong

    def positions(self):
        """[(group, topic, partition, next, id of the event before or None)], and complaints. The gateway's are for lag tools only: the
        true ones are in its ledger."""
        listed = self.admin.list_consumer_groups(request_timeout=ANSWER_S).result().valid
        groups = sorted(g.group_id for g in listed if g.group_id.startswith(self.group_prefix))
        found, wrong = [], []
        for group in groups:
            short = group.removeprefix(self.group_prefix)
            answers = (committed(address, group) for address in self.brokers)
            for topic, partition, next_, metadata in next((a for a in answers if a is not None), ()):
                last = bytes.fromhex(metadata) if metadata else None
                if last is None and short != "gateway":
                    wrong.append(f"{short}: the position in {topic} {partition} does not name its event")
                found.append((short, topic.removeprefix(self.prefix), partition, next_, last))
        for group in MUST_HAVE:
            if all(have != group for have, *_ in found):
                wrong.append(f"group {group} has no positions")
        return found, wrong


def settings(file):
    """The sections of a qiao.ini; a section may come more than once."""
    ini = configparser.ConfigParser(interpolation=None, strict=False)
    ini.read_string(file.read_text("utf-8"))
    return ini

"""The SSA's own side: an ordinary consumer of the topics feedback and statistics, with confluent-kafka, its AvroDeserializer and the schema
registry. It knows schemas/asyncapi.yaml and nothing of Qiao's code:

  - repeats are possible: an event is the same whenever its ce_id is;
  - statistics are state: of a key (year/village/sponsor type) the highest version counts.

Reads from the beginning to the present end, and prints what was fed back and the statistics by state. With --all it reads every topic
and counts its records by type. Exit status 1: a record does not decode, or its header ce_type or its key says something else.

  consumer.py --brokers HOST:PORT --registry URL [--prefix P] [--villages FILE] [--format text|json] [--all]
"""
import argparse
import csv
import json
import sys
import unicodedata
import warnings
from collections import Counter, defaultdict

with warnings.catch_warnings(record=True):  # a library of the client's warns of another one
    from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
    from confluent_kafka.schema_registry import SchemaRegistryClient, record_subject_name_strategy
    from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
    from confluent_kafka.serialization import MessageField, SerializationContext

ANSWER_S = 30
SHOWN = 5
LISTED_MAX = 20  # complaints
NAMESPACE = "cn.keqiao.qiao."
NO_EVENTS = ("clock",)  # written and read by qiao topics check
FEEDBACK = {"CollectedSubsidy": "已征收，请记入个人账户", "SubsidyRefunded": "已退款，请从个人账户扣回"}
STATES = {
    "declared": "已申报", "collected": "已征收", "kept": "净征收", "staged": "等待手续", "rejected": "需改正",
    "unreadable": "金额无法识别", "withdrawn": "已撤回", "expired": "已过期", "pending": "等待缴费到账", "in_flight": "税务办理中",
    "in_doubt": "结果核实中", "failed": "税务未受理", "refund_requested": "正在退款", "refund_in_doubt": "退款核实中",
    "refunded": "已退款", "credited": "已记账", "credit_refused": "未能记账", "awaiting_credit": "等待记账",
}
SPONSORS = {"collective": "村集体经济组织", "committee": "村（居）委会", "organization": "企业等组织", "charity": "公益慈善组织",
            "individual": "个人", "unknown": "（手续未齐）"}


class Topics:
    """Reads topics of Qiao; what is wrong with a record is noted and the record left out."""

    def __init__(self, brokers, registry, prefix):
        self.prefix, self.wrong = prefix, []
        self.consumer = Consumer({"bootstrap.servers": brokers, "group.id": "ssa-reader", "enable.auto.commit": False,
                                  "enable.partition.eof": True, "fetch.wait.max.ms": 20, "log_level": 3})
        self.registry = SchemaRegistryClient({"url": registry})
        names = {"subject.name.strategy": record_subject_name_strategy}
        self.deserialize = AvroDeserializer(self.registry, conf=names)
        self.serializer_conf = names | {"auto.register.schemas": False}
        self.serializers = {}

    def names(self):
        found = self.consumer.list_topics(timeout=ANSWER_S).topics
        short = (name.removeprefix(self.prefix) for name in found if name.startswith(self.prefix))
        return sorted(name for name in short if not name.startswith("__") and name not in NO_EVENTS)

    def messages(self, topic):
        """All that the topic holds now."""
        name = self.prefix + topic
        about = self.consumer.list_topics(name, timeout=ANSWER_S).topics[name]
        if about.error:
            raise KafkaException(about.error)
        self.consumer.assign([TopicPartition(name, n, OFFSET_BEGINNING) for n in about.partitions])
        unread = set(about.partitions)
        while unread:
            m = self.consumer.poll(ANSWER_S)
            if m is None:
                raise SystemExit(f"consumer: {topic}: no answer in {ANSWER_S} s")
            if not m.error():
                yield m
            elif m.error().code() == KafkaError._PARTITION_EOF:
                unread.discard(m.partition())
            else:
                raise KafkaException(m.error())
        self.consumer.unassign()

    def schema_of(self, m):
        """Text and name of the schema that a record was written with: a zero byte, and the registry's number of it."""
        text = self.registry.get_schema(int.from_bytes(m.value()[1:5], "big")).schema_str
        return text, json.loads(text)["name"]

    def whole(self, m, schema, value, context):
        """Nothing lies behind the event: written anew it gives the same bytes."""
        if schema not in self.serializers:
            self.serializers[schema] = AvroSerializer(self.registry, schema, conf=self.serializer_conf)
        return self.serializers[schema](value, context) == m.value()

    def events(self, topic, check=False):
        """(message, headers, name of the record, value); repeats not yet left out."""
        for m in self.messages(topic):
            at = f"{topic} {m.partition()}:{m.offset()}"
            headers = {name: (value or b"").decode("utf-8", "replace") for name, value in m.headers() or []}
            context = SerializationContext(m.topic(), MessageField.VALUE, m.headers())
            try:
                value = self.deserialize(m.value(), context)
                schema, name = self.schema_of(m)
                whole = not check or self.whole(m, schema, value, context)
            except Exception as why:  # bytes from outside fail in many ways
                self.wrong.append(f"{at}: does not decode: {type(why).__name__}: {why}")
                continue
            if not whole:
                self.wrong.append(f"{at}: {name} is not all that is there")
            elif headers.get("ce_type") != f"{NAMESPACE}{name}.v1":
                self.wrong.append(f"{at}: is a {name}, its ce_type says {headers.get('ce_type')}")
            elif not headers.get("ce_id"):
                self.wrong.append(f"{at}: no ce_id")
            else:
                yield m, headers, name, value


class Feedback:
    """What to credit, and what to take off again: each item once."""

    def __init__(self, topics):
        self.records, self.items = 0, {}  # by ce_id
        for m, headers, name, v in topics.events("feedback"):
            self.records += 1
            if m.key() != v["token"]:
                topics.wrong.append(f"feedback {m.partition()}:{m.offset()}: its key is not the person's token")
            self.items.setdefault(headers["ce_id"], {
                "ce_id": headers["ce_id"], "type": name, "token": v["token"].hex(), "payment_id": v["payment_id"].hex(), "year": v["year"],
                "village": v["village"], "sponsor_type": v["sponsor_type"], "amount_fen": v["amount_fen"]})

    def sums(self):
        of = {name: {"count": 0, "amount_fen": 0} for name in FEEDBACK}
        for item in self.items.values():
            of[item["type"]]["count"] += 1
            of[item["type"]]["amount_fen"] += item["amount_fen"]
        return of

    def json(self):
        return {"records": self.records, "repeats": self.records - len(self.items), **self.sums(), "items": list(self.items.values())}


class Statistics:
    """The newest of each key."""

    def __init__(self, topics):
        self.records, self.repeats, self.superseded = 0, 0, 0
        self.newest, seen = {}, set()
        for m, headers, _, v in topics.events("statistics"):
            self.records += 1
            key = m.key().decode()
            if key != f"{v['year']}/{v['village']}/{v['sponsor_type']}":
                topics.wrong.append(f"statistics {m.partition()}:{m.offset()}: its key is {key}")
            if headers["ce_id"] in seen:
                self.repeats += 1
                continue
            seen.add(headers["ce_id"])
            self.superseded += key in self.newest
            if key not in self.newest or v["version"] > self.newest[key]["version"]:
                self.newest[key] = v

    @staticmethod
    def columns(v):
        of = {name: {"count": v[f"{name}_count"], "amount_fen": v[f"{name}_fen"]} for name in ("declared", "collected", "kept")}
        return of | {c["column"]: {"count": c["count"], "amount_fen": c["amount_fen"]} for c in v["columns"]}

    def rows(self):
        return [{"year": v["year"], "village": v["village"], "sponsor_type": v["sponsor_type"], "version": v["version"],
                 "columns": self.columns(v)} for _, v in sorted(self.newest.items())]

    def totals(self):
        of = defaultdict(lambda: {"count": 0, "amount_fen": 0})
        for row in self.rows():
            for name, cell in row["columns"].items():
                of[name]["count"] += cell["count"]
                of[name]["amount_fen"] += cell["amount_fen"]
        return dict(of)

    def json(self):
        return {"records": self.records, "repeats": self.repeats, "superseded": self.superseded, "totals": self.totals(),
                "rows": self.rows()}


def census(topics):
    """Of every topic: how many records it holds, of which type."""
    counts = {name: Counter(record for _, _, record, _ in topics.events(name, check=True)) for name in topics.names()}
    return {name: {"records": types.total(), "types": dict(sorted(types.items()))} for name, types in counts.items()}


# ---- for people ----


def yuan(fen):
    return f"{fen // 100}.{fen % 100:02}"


def cell_text(cell):
    return f"{cell['count']} / {yuan(cell['amount_fen'])}" if cell and cell["count"] else "-"


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def print_table(rows, left):
    """rows[0] is the head; the first so many columns stand to the left."""
    widths = [max(map(width, column)) for column in zip(*rows)]
    for row in rows:
        padded = (text + " " * (w - width(text)) if i < left else " " * (w - width(text)) + text
                  for i, (text, w) in enumerate(zip(row, widths)))
        print("    " + "  ".join(padded).rstrip())


def print_feedback(feedback, village):
    told = feedback.json()
    print(f"反馈（主题 feedback）：读到{told['records']}条，其中重复{told['repeats']}条")
    sums = feedback.sums()
    print_table([["记录", "含义", "笔数", "金额（元）"]] +
                [[name, FEEDBACK[name], str(sums[name]["count"]), yuan(sums[name]["amount_fen"])] for name in FEEDBACK], 2)
    print(f"\n  开头{min(SHOWN, len(feedback.items))}笔（只认人员代号，姓名和证件号码是加密的）：")
    first = list(feedback.items.values())[:SHOWN]
    print_table([["人员代号", "记录", "年度", "村（居）", "资助方", "金额（元）"]] +
                [[i["token"][:16], i["type"], str(i["year"]), village(i["village"]), SPONSORS.get(i["sponsor_type"], i["sponsor_type"]),
                  yuan(i["amount_fen"])] for i in first], 5)


def print_statistics(statistics, village):
    rows = [r for r in statistics.rows() if any(c["count"] for c in r["columns"].values())]
    totals, empty = statistics.totals(), len(statistics.newest) - len(rows)
    states = [s for s in STATES if totals.get(s, {}).get("count")] + sorted(s for s in totals if s not in STATES)
    print(f"\n统计（主题 statistics）：读到{statistics.records}条，每个键只留版本最高的，剩{len(rows) + empty}条，"
          f"其中{empty}条已空，略去；每格是人次 / 元")
    table = [["年度", "村（居）", "资助方"] + [STATES.get(s, s) for s in states]]
    for r in rows:
        table.append([str(r["year"]), village(r["village"]), SPONSORS.get(r["sponsor_type"], r["sponsor_type"])] +
                     [cell_text(r["columns"].get(s)) for s in states])
    table.append(["合计", "", ""] + [cell_text(totals[s]) for s in states])
    print_table(table, 3)


def print_census(counts):
    print("\n所有主题的记录，全部按登记的模式（schema）解开：")
    print_table([["主题", "记录", "条数"]] + [[topic, name, str(n)] for topic, c in counts.items()
                                              for name, n in (c["types"] or {"-": 0}).items()], 2)


def village_names(file):
    if file is None:
        return lambda code: code
    with open(file, encoding="utf-8", newline="") as f:
        names = {row["code12"]: row["name"] for row in csv.DictReader(f)}
    return lambda code: names.get(code, code)


def main():
    p = argparse.ArgumentParser(description="reads what Qiao tells the social-security agency")
    p.add_argument("--brokers", required=True)
    p.add_argument("--registry", required=True)
    p.add_argument("--prefix", default="", help="of the topics' names")
    p.add_argument("--villages", help="CSV with code12 and name, for the names of villages")
    p.add_argument("--format", choices=("text", "json"), default="text")
    p.add_argument("--all", action="store_true", help="decode every topic, too")
    o = p.parse_args()
    topics = Topics(o.brokers, o.registry, o.prefix)
    try:
        feedback, statistics = Feedback(topics), Statistics(topics)
        counts = census(topics) if o.all else None
    finally:
        topics.consumer.close()
    if o.format == "json":
        told = {"feedback": feedback.json(), "statistics": statistics.json(), "wrong": topics.wrong}
        json.dump(told | ({"topics": counts} if o.all else {}), sys.stdout, ensure_ascii=False)
        print()
    else:
        village = village_names(o.villages)
        print_feedback(feedback, village)
        print_statistics(statistics, village)
        if o.all:
            print_census(counts)
    for text in topics.wrong[:LISTED_MAX]:
        print(f"consumer: {text}", file=sys.stderr)
    if len(topics.wrong) > LISTED_MAX:
        print(f"consumer: and {len(topics.wrong) - LISTED_MAX} more", file=sys.stderr)
    return 1 if topics.wrong else 0


sys.exit(main())

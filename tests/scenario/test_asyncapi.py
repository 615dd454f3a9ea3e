"""schemas/asyncapi.yaml is well formed (AsyncAPI 3.0), refers only to what is there, and says of each topic what the product's
own table and the schemas say: gateway/bus/topics.c and `qiao topics plan`, the .avsc files, the headers' names."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
wrong = []


def complain(text):
    wrong.append(text)


# What AsyncAPI 3.0 allows and demands, of the objects that the file uses: name -> (required, further allowed keys).
OBJECTS = {
    "document": ({"asyncapi", "info"}, {"id", "servers", "defaultContentType", "channels", "operations", "components"}),
    "info": ({"title", "version"}, {"description", "license", "contact", "termsOfService", "tags", "externalDocs"}),
    "server": ({"host", "protocol"}, {"description", "variables", "security", "protocolVersion", "pathname", "bindings", "tags"}),
    "channel": ({"address"}, {"title", "summary", "description", "messages", "servers", "parameters", "tags", "bindings"}),
    "operation": ({"action", "channel"}, {"title", "summary", "description", "messages", "bindings", "tags", "reply"}),
    "message": ({"payload"}, {"name", "title", "summary", "description", "contentType", "headers", "correlationId", "bindings"}),
    "payload": ({"schemaFormat", "schema"}, set()),
    "kafka": (set(), {"bindingVersion", "topic", "partitions", "replicas", "topicConfiguration"}),
    "configuration": (set(), {"cleanup.policy", "retention.ms", "retention.bytes", "delete.retention.ms", "max.message.bytes"}),
    "components": (set(), {"messages", "schemas", "servers", "channels", "operations"}),
}


def check_object(kind, where, value):
    if not isinstance(value, dict):
        complain(f"{where}: not an object")
        return
    required, allowed = OBJECTS[kind]
    for key in required - value.keys():
        complain(f"{where}: {key} is missing")
    for key in value.keys() - required - allowed:
        complain(f"{where}: {key} is not known to AsyncAPI 3.0")


def resolve(document, ref, where):
    if ref.startswith("#/"):
        at = document
        for part in ref[2:].split("/"):
            if not isinstance(at, dict) or part not in at:
                complain(f"{where}: {ref} leads nowhere")
                return None
            at = at[part]
        return at
    path = ROOT / "schemas" / ref
    if not path.is_file():
        complain(f"{where}: no file {ref}")
        return None
    return json.loads(path.read_text())


def check_refs(document, where, value):
    if isinstance(value, dict):
        if "$ref" in value:
            resolve(document, value["$ref"], where)
        for key, inner in value.items():
            check_refs(document, f"{where}/{key}", inner)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            check_refs(document, f"{where}/{i}", inner)


def check_form(document):
    check_object("document", "document", document)
    if not re.fullmatch(r"3\.0\.\d", str(document.get("asyncapi"))):
        complain("asyncapi: expected 3.0.x")
    check_object("info", "info", document["info"])
    for name, server in document.get("servers", {}).items():
        check_object("server", f"servers/{name}", server)
        for variable in re.findall(r"{([^}]*)}", server["host"]):
            if variable not in server.get("variables", {}):
                complain(f"servers/{name}: variable {variable} is not told")
    check_object("components", "components", document["components"])
    for name, channel in document["channels"].items():
        where = f"channels/{name}"
        check_object("channel", where, channel)
        kafka = channel["bindings"]["kafka"]
        check_object("kafka", f"{where}/bindings/kafka", kafka)
        check_object("configuration", f"{where}/configuration", kafka["topicConfiguration"])
        if set(kafka["topicConfiguration"]["cleanup.policy"]) - {"compact", "delete"}:
            complain(f"{where}: cleanup.policy")
    for name, operation in document["operations"].items():
        check_object("operation", f"operations/{name}", operation)
        if operation["action"] not in ("send", "receive"):
            complain(f"operations/{name}: action")
    for name, message in document["components"]["messages"].items():
        where = f"components/messages/{name}"
        check_object("message", where, message)
        check_object("payload", f"{where}/payload", message["payload"])
        if not message["payload"]["schemaFormat"].startswith("application/vnd.apache.avro"):
            complain(f"{where}: schemaFormat")
    check_refs(document, "document", document)


def check_schemas(document):
    """Each schema is a message of the topics that its doc names, and each message has its schema."""
    carried = {}
    for channel in document["channels"].values():
        for message, ref in channel["messages"].items():
            if ref != {"$ref": f"#/components/messages/{message}"}:
                complain(f"channel {channel['address']}: message {message} refers to something else")
            carried.setdefault(message, set()).add(channel["address"])
    for path in (ROOT / "schemas").glob("*.avsc"):
        schema = json.loads(path.read_text())
        topics = carried.pop(schema["name"], set())
        told = re.match(r"Topic ([a-z]+)", schema["doc"])
        if not topics:
            complain(f"{path.name}: in no channel")
        elif told and {t.split(".")[0] for t in topics} != {told.group(1)}:
            complain(f"{path.name}: its doc says topic {told.group(1)}, asyncapi.yaml {sorted(topics)}")
        payload = document["components"]["messages"].get(schema["name"], {}).get("payload", {})
        if payload.get("schema") != {"$ref": f"./{path.name}"}:
            complain(f"message {schema['name']}: its payload is not {path.name}")
    for message in carried:
        complain(f"message {message}: no such schema")


def check_topics(document, build):
    """What `qiao topics plan` would make."""
    with tempfile.TemporaryDirectory() as folder:
        conf = pathlib.Path(folder) / "qiao.ini"
        conf.write_text("[bus]\nkind = kafka\n[kafka]\nbrokers = 127.0.0.1:1\nsecurity = plaintext\n")
        out = subprocess.run([f"{build}/bin/qiao", "-c", str(conf), "topics", "plan", "--format", "json"],
                             capture_output=True, text=True, check=True)
    # `qiao topics check` compares clocks with records of its own on the topic clock: no events lie there.
    planned = {t["topic"]: t for t in json.loads(out.stdout)["topics"] if t["topic"] != "clock"}
    for channel in document["channels"].values():
        name, kafka = channel["address"], channel["bindings"]["kafka"]
        plan = planned.pop(name, None)
        if plan is None:
            complain(f"{name}: not a topic of the plan")
            continue
        config = kafka["topicConfiguration"]
        for what, told, made in (
            ("partitions", kafka["partitions"], plan["partitions"]),
            ("replicas", kafka["replicas"], plan["replication"]),
            ("cleanup.policy", ",".join(config["cleanup.policy"]), plan["config"]["cleanup.policy"]),
            ("retention.ms", str(config.get("retention.ms", -1)), str(plan["config"]["retention.ms"])),
        ):
            if told != made:
                complain(f"{name}: {what} {told} here, {made} in the plan")
        if "drop by ce_id" not in channel["description"]:
            complain(f"{name}: does not tell what to do with repeats")
    for name in planned:
        complain(f"{name}: not in asyncapi.yaml")


def check_headers(document):
    """The names that the code writes."""
    code = (ROOT / "gateway/bus/kafka_event.c").read_text()
    schemas = document["components"]["schemas"]
    told = set(schemas["Headers"]["properties"]) | set(schemas["GatewayHeaders"]["allOf"][1]["properties"])
    written = set(re.findall(r'"(ce_[a-z]+|content-type)"', code))
    if told != written:
        complain(f"headers: {sorted(told ^ written)} are told or written, not both")


def main():
    document = yaml.safe_load((ROOT / "schemas/asyncapi.yaml").read_text())
    check_form(document)
    if not wrong:
        check_schemas(document)
        check_topics(document, sys.argv[1])
        check_headers(document)
    for text in wrong:
        print(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

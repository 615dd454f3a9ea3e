"""The pages for clerks and agencies, adapters/*/README.zh.md, say what the programs say: every text that a clerk can meet stands in her
page, word for word, and no page names a code, a setting, a command, an interface or a file that is not there."""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLERKS = "adapters/village/README.zh.md"
# page: the interface that it is about
PAGES = {
    CLERKS: "schemas/cover.schema.json",
    "adapters/tax/README.zh.md": "schemas/openapi/tax.yaml",
    "adapters/ssa/README.zh.md": "schemas/openapi/ssa.yaml",
}
# Where answers to clerks are decided.
DECIDERS = ["gateway/flow/" + f for f in ("intake.c", "filing.c", "corrections.c", "contributions.c", "collections.c", "answers.c", "waiting.c")]
NEVER_SAID = "目前不会出现的答复"
LITERAL = r'"(?:\\.|[^"\\\n])*"'
wrong = []


def complain(page, text):
    wrong.append(f"{page}: {text}")


def read(path):
    return (ROOT / path).read_text()


def literals(text):
    return [word[1:-1] for word in re.findall(LITERAL, text)]


def unquote(text):
    return "".join(literals(text)).replace('\\"', '"')


def clerks_texts():
    """code -> Chinese text, of gateway/base/texts_clerk.c"""
    source = read("gateway/base/texts_clerk.c")
    some = rf"{LITERAL}(?:\s*{LITERAL})*"
    rows = re.findall(rf'\{{("[\w.]+"),\s*({some}),\s*({some})\}}', source)
    if len(rows) != len(re.findall(r'^\t\{"', source, re.M)):
        sys.exit("test_pages: texts_clerk.c cannot be read")
    return {unquote(code): re.sub(r"\{\d\}", "×", unquote(zh)) for code, zh, _ in rows}


def rows_of(text):
    """code (last cell of a table's row) -> its other cells, each time it stands there"""
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("| ") else []
        code = re.fullmatch(r"`(\w+)` ?\|?", cells[-1]) if len(cells) > 1 else None
        if code:
            rows.setdefault(code[1], []).append(cells[:-1])
    return rows


def check_texts():
    """Every text and its cure; a row that is missing is printed as it should stand."""
    texts, page = clerks_texts(), read(CLERKS)
    rows = rows_of(page)
    for code, text in texts.items():
        if code.endswith(".cure"):
            continue
        cure = texts.get(code + ".cure")
        found = any(cells[0].strip("| ") == text and cure in (None, cells[-1]) for cells in rows.get(code, []))
        if not found:
            complain(CLERKS, f"this row is missing: | {text} | {cure or '—'} | `{code}` |")
    if NEVER_SAID not in page:
        return
    decided = {word for path in DECIDERS for word in literals(read(path))}
    for code in rows_of(page.split(NEVER_SAID)[1]):
        if code in decided:
            complain(CLERKS, f"{code} is said, but stands among those that are not")


def check_sample():
    """The cover that the clerk copies has the keys, gates and types of the schema."""
    schema = json.loads(read("schemas/cover.schema.json"))
    samples = re.findall(r"```json\n(.*?)```", read(CLERKS), re.S)
    if not samples:
        complain(CLERKS, "no sample of a cover")
    for sample in samples:
        cover = json.loads(sample)
        if "plan" in cover:
            check_plan(cover)
            continue
        if not set(schema["required"]) <= cover.keys() <= schema["properties"].keys():
            complain(CLERKS, f"keys of the cover: {sorted(cover)}")
        gate = schema["properties"]["gates"]["items"]
        for g in cover["gates"]:
            if not set(gate["required"]) <= g.keys() <= gate["properties"].keys():
                complain(CLERKS, f"keys of a gate: {sorted(g)}")
            if g["gate"] not in gate["properties"]["gate"]["enum"]:
                complain(CLERKS, f"no gate {g['gate']}")
        needed = re.search(r"\[collective\]\ngates = (.*)", read("config/policy/2026.ini"))[1].split()
        own = [g for g in needed if not g.startswith("plan_")] + ["supervision"]
        if [g["gate"] for g in cover["gates"]] != own:
            complain(CLERKS, "the sample's gates are not those of a collective, in their order")


def check_plan(plan):
    schema = json.loads(read("schemas/plan.schema.json"))
    if not set(schema["required"]) <= plan.keys() <= schema["properties"].keys():
        complain(CLERKS, f"keys of the plan: {sorted(plan)}")
    for g in plan["gates"]:
        if g["gate"] not in schema["properties"]["gates"]["items"]["properties"]["gate"]["enum"]:
            complain(CLERKS, f"no gate {g['gate']} of a plan")


def settings():
    found = set()
    for path in ("config/qiao.ini", "config/policy/2026.ini"):
        section = None
        for line in read(path).splitlines():
            if line.startswith("["):
                section = line.strip()
            elif re.match(r"\w+ =", line):
                found.add(f"{section} {line.split(' =')[0]}")
    return found


def words():
    """Whole literals of the product: codes, states, kinds, modes."""
    found = set()
    for folder in ("gateway", "adapters"):
        for path in (ROOT / folder).rglob("*.c"):
            for word in literals(path.read_text()):
                found.update(word.split("|"))
    return found


class Names:
    """What a page may name in backticks."""

    def __init__(self, interface):
        text = read(interface)
        self.interface = text
        self.words = words() | set(re.findall(r"\b[a-z]\w*\b", text)) | set(re.findall(r'"(\w+)"', text))
        self.settings = settings()
        self.programs = set(re.findall(r"qiao-\w+", read("Makefile")))
        self.log = read("gateway/flow/collections.c") + read("gateway/flow/answers.c")

    def wrong(self, page, name):
        """Why not, or None."""
        folder = (ROOT / page).parent
        if "/v1/" in name:
            method, _, path = name.rpartition(" ")
            at = re.search(rf"^  {re.escape(path)}:\n    (\w+):", self.interface, re.M)
            return None if at and at[1] == method.lower() else "no such request in the interface"
        if name.startswith("["):
            return None if name.split(" = ")[0] in self.settings else "no such setting"
        if name.startswith("qiao "):
            return self.wrong_command(name.split()[1:])
        if re.fullmatch(r"qiao-\w+", name):
            return None if name in self.programs else "no such program"
        if re.fullmatch(r"[\w./*-]+/[\w./*-]+", name):
            return None if any(ROOT.glob(name)) else "no such file"
        if re.fullmatch(r"名册(\.cover|\.plan)?(\.回执(-2)?|\.公示名单)?\.(csv|txt|json)|\.csv|\.json|~\$", name) or name.startswith("{"):
            return None
        if re.fullmatch(r"[A-Z][A-Z-]+", name):
            return None if f'"{name}"' in self.log else "no such line in the log"
        if re.fullmatch(r"Retry-After", name):
            return None if name in self.interface else "no such header"
        if re.fullmatch(r"\w+", name):
            return None if name in self.words else "no such code or field"
        return None if (folder / name).is_file() else "nothing that this test knows"

    @staticmethod
    def wrong_command(parts):
        source = ROOT / f"gateway/cli/{parts[0]}.c"
        if not source.is_file() or f'"cmd_{parts[0]}"' not in read("gateway/base/texts_operator.c"):
            return "no such command"
        missing = [p for p in parts if p.startswith("--") and f'"{p}"' not in source.read_text()]
        return f"no option {missing[0]}" if missing else None


def check_names(page, interface):
    names = Names(interface)
    text = re.sub(r"```.*?```", "", read(page), flags=re.S)
    for name in sorted(set(re.findall(r"`([^`\n]+)`", text))):
        why = names.wrong(page, name)
        if why:
            complain(page, f"`{name}`: {why}")


def check_requests(page, interface):
    """An agency's page leaves out no request of its interface."""
    text = read(interface)
    for path, method in re.findall(r"^  (/v1/\w+):\n    (\w+):", text, re.M):
        if path != "/v1/health" and f"`{method.upper()} {path}`" not in read(page):
            complain(page, f"{method.upper()} {path} is left out")


def main():
    check_texts()
    check_sample()
    for page, interface in PAGES.items():
        check_names(page, interface)
        if interface.endswith(".yaml"):
            check_requests(page, interface)
    for text in wrong:
        print(text)
    print(f"{len(PAGES)} pages, {len(wrong)} wrong")
    return 1 if wrong else 0


sys.exit(main())

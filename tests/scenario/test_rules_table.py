"""The table of rules, gateway/domain/README.md, and the code say the same: every sentence of the plan has its rules or a reason why
none, every rule its function and test or what is missing, and what the table names is there and cites the rule."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "gateway/domain/README.md"
SENTENCES = 34  # of the plan and its form
RULE = re.compile(r"\bR-\d{2}\b")
NO_EFFECT = "no effect in software, because "
NOT_YET = "not yet: "
wrong = []


def complain(text):
    wrong.append(text)


def tables():
    """Rows of the sections "## 1." and "## 2.": lists of cells."""
    sections, at = {1: [], 2: []}, 0
    for line in TABLE.read_text().splitlines():
        heading = re.match(r"## (\d)\.", line)
        if heading:
            at = int(heading[1])
        elif at in sections and line.startswith("| ") and not line.startswith(("| no. |", "| rule |")):
            sections[at].append([cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")])
    return sections[1], sections[2]


class Source:
    """A C file: where a function or a table of that name stands, from the comment above it to its closing brace."""

    known = {}

    def __init__(self, path):
        self.lines = (ROOT / path).read_text().splitlines()

    @classmethod
    def of(cls, path):
        if path not in cls.known:
            cls.known[path] = cls(path) if (ROOT / path).is_file() else None
        return cls.known[path]

    def extent(self, name):
        function = re.compile(rf"^[a-z][\w *]*\b{name}\(")
        for i, line in enumerate(self.lines):
            if re.match(rf"^}} {name}\[.*= {{$", line):
                return self.text(max(k for k in range(i) if self.lines[k].startswith("static const struct {")), i)
            if not function.match(line):
                continue
            body = i
            while body < len(self.lines) - 1 and self.lines[body] != "{" and not self.lines[body].endswith(";"):
                body += 1
            if self.lines[body] == "{":
                return self.text(i, body)
        return None

    def text(self, first, inside):
        last = inside
        while not self.lines[last].startswith("}") or last == inside:
            last += 1
        if first > 0 and self.lines[first - 1].endswith("*/"):
            first -= 1
            while not self.lines[first].startswith("/*"):
                first -= 1
        return "\n".join(self.lines[first : last + 1])

    def times(self, name):
        return sum(len(re.findall(rf"\b{name}\b", line)) for line in self.lines)


def places(cell):
    """`path` `name` `name`, `path` `name` -> (path, name) each."""
    path = None
    for word in re.findall(r"`([^`]+)`", cell):
        if "/" in word:
            path = word
        else:
            yield path, word


def check_sentences(rows):
    """-> rule: the sentences that name it"""
    named = {}
    if [row[0] for row in rows] != [str(n) for n in range(1, SENTENCES + 1)]:
        complain(f"sentences are not numbered from 1 to {SENTENCES}")
    for row in rows:
        if len(row) != 4 or not all(row):
            complain(f"sentence {row[0]}: four cells, none of them empty")
            continue
        number, quote, gloss, rules = row
        if not re.search(r"[\u4e00-\u9fff]", quote):
            complain(f"sentence {number}: no quotation")
        if re.search(r"[\u4e00-\u9fff]{12}", gloss):
            complain(f"sentence {number}: the English is not English")
        if rules.startswith(NO_EFFECT):
            if len(rules) < len(NO_EFFECT) + 20:
                complain(f"sentence {number}: no reason")
            continue
        if not RULE.match(rules):
            complain(f"sentence {number}: neither rules nor a reason why none")
        for rule in RULE.findall(rules.split(":")[0]):
            named.setdefault(rule, []).append(number)
    return named


def check_rules(rows, named):
    rules = [row[0] for row in rows]
    if rules != [f"R-{n:02}" for n in range(1, len(rows) + 1)]:
        complain("rules are not numbered one by one, each once")
    for rule in named.keys() - set(rules):
        complain(f"sentence {named[rule][0]}: {rule} is not in the table of rules")
    codes = set(re.findall(r'^\t\{"(\w+)",', (ROOT / "gateway/base/texts_clerk.c").read_text(), re.M))
    for row in rows:
        if len(row) != 6:
            complain(f"{row[0]}: six cells")
            continue
        rule, says, sentences, enforced, tests, answers = row
        if not says or sentences.split() != named.get(rule, []):
            complain(f"{rule}: sentences {sentences!r}, but it is named by {named.get(rule)}")
        if enforced.startswith(NOT_YET):
            if tests or answers or len(enforced) < len(NOT_YET) + 20:
                complain(f"{rule}: not yet, so no test and no answer, but what is missing")
            continue
        check_places(rule, enforced, False)
        check_places(rule, tests, True)
        for code in re.findall(r"`([^`]+)`", answers):
            if code not in codes:
                complain(f"{rule}: {code} is no text for clerks")


def check_places(rule, cell, tests):
    some = False
    for path, name in places(cell):
        some = True
        source = Source.of(path) if path else None
        if source is None:
            complain(f"{rule}: no file {path} for {name}")
            continue
        if tests != path.startswith("tests/"):
            complain(f"{rule}: {path} stands in the wrong column")
        extent = source.extent(name)
        if extent is None:
            complain(f"{rule}: no {name} in {path}")
        elif rule not in cited(extent):
            complain(f"{rule}: {name} in {path} does not cite it")
        if tests and extent and f"static void {name}(void **state)" not in extent:
            complain(f"{rule}: {name} in {path} is no test")
        if tests and source.times(name) < 2:
            complain(f"{rule}: {name} in {path} is not run")
    if not some:
        complain(f"{rule}: {'no test' if tests else 'no function, and not said to be not yet'}")


def cited(text):
    """The rules that the comments of a C text name."""
    return {rule for comment in re.findall(r"/\*.*?\*/", text, re.S) for rule in RULE.findall(comment)}


def check_citations(rows):
    """What the code cites is a rule, and one that is enforced there."""
    enforced = {row[0]: {path for path, _ in places(row[3] + row[4])} for row in rows if len(row) == 6}
    for folder in ("gateway", "adapters", "tests"):
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            name = str(path.relative_to(ROOT))
            for rule in sorted(cited(path.read_text())):
                if rule not in enforced:
                    complain(f"{name}: {rule} is in no table")
                elif name.endswith(".c") and name not in enforced[rule]:
                    complain(f"{name}: cites {rule}, which the table does not place there")


def main():
    sentences, rules = tables()
    check_rules(rules, check_sentences(sentences))
    check_citations(rules)
    for text in wrong:
        print(f"rules table: {text}")
    missing = sum(row[3].startswith(NOT_YET) for row in rules if len(row) == 6)
    print(f"{len(sentences)} sentences, {len(rules)} rules, {missing} of them not yet, {len(wrong)} wrong")
    return 1 if wrong else 0


sys.exit(main())

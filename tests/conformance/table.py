#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Joins the tests with the clause lists and writes docs/reference/conformance.md.

    table.py                    writes the page
    table.py --check            changes nothing; status 1 and one line for each fault (see below)
    table.py --missing          lists the clauses of the figures that no test covers, with what a test could do
    table.py --draw N --seed S  draws N covered clauses of the figures, for breaking their rule in the code by hand
    table.py ... --role ROLE    lists or draws only clauses that bind ROLE: client-session, parser ...

Clauses are the rows of tests/conformance/rfc*.tsv (README.md there explains the columns). A clause is covered by
  - a test case of tests/**/*_test.cpp whose FIRST clause tag it is: TEST_CASE("...", "[grammar][5321-4.1.2-09][5321-4.1.2-10]")
    covers 5321-4.1.2-09 and only exercises the other;
  - a row of a table in such a file whose first field is the id as a string literal: {"5321-4.1.2-10", "b-c.d"};
  - a comment line inside a raw string of such a file, for the steps of a dialogue: # [5321-4.1.4-11] MAIL does not nest
  - such a comment line in a script tests/interop/*.sh or *.py. What follows the ids is the name of the check.
Ids in C++ comments, headers or other files count for nothing, nor do tests with the tag [.], [!shouldfail] or [!mayfail].

An id that no list has is a fault wherever it stands; it is named as file:line, and the status is 1 in every mode.

tests/conformance/deviations.tsv (id, reason, option; option is `-` where nothing changes it) names the clauses that are not followed,
or that no test can show, and why. `--check` also wants that each row there has a real id, once, and a reason, that the page is up to
date, that each figure is at least 95 %, and that each clause of a figure that is not covered has a reason there.

The figures: one for each of SIDES, of the clauses of scope `library` in its lists that bind one of its roles.
"""
import argparse
import bisect
import collections
import pathlib
import random
import re
import sys

Side = collections.namedtuple("Side", "title says lists roles")

CORE = "rfc5321 rfc1870 rfc2033 rfc2034-3463 rfc2920 rfc3030 rfc3207 rfc3461 rfc4954 rfc6152 rfc6531 rfc7504-7505".split()
FURTHER = "rfc2852 rfc4865 rfc6409 rfc6710 rfc8689 rfc9422".split()
SIDES = (
    Side("The server's side", "Clauses that the library itself can honor and that bind the server, the parsers, the formatters or the data.",
         CORE, ("server-session", "parser", "formatter", "data")),
    Side("The client's side", "Clauses that the library itself can honor and that bind the client, of all lists.", CORE + FURTHER,
         ("client-session",)),
)
THRESHOLD = 95.0
PAGE = "docs/reference/conformance.md"
DEVIATIONS = "tests/conformance/deviations.tsv"

ID = re.compile(r"\d{4}-[0-9A-Z][0-9A-Z.]*-\d{2}")
ID_LIKE = re.compile(r"\d{4}-[0-9A-Za-z.]+-\d+")
CALENDAR_DATE = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])-[0-3]\d")
TAG_LINE = re.compile(r"\s*#\s*((?:\[\d{4}-[^\]]*\]\s*)+)(.*)")
TEST_MACRO = re.compile(r"(TEMPLATE_(LIST_|PRODUCT_)?)?TEST_CASE|SCENARIO")
HIDDEN = ("[.", "[!shouldfail]", "[!mayfail]", "[!hide]")

Clause = collections.namedtuple("Clause", "id section level role scope summary test_idea basis list")
Cover = collections.namedtuple("Cover", "id file line name kind")  # kind: 0 test, 1 row or dialogue step, 2 script
Token = collections.namedtuple("Token", "kind text line")  # kind: word, string, raw, mark


def read_clauses(root):
    clauses = {}
    for path in sorted((root / "tests/conformance").glob("rfc*.tsv")):
        with path.open(encoding="utf-8", newline="\n") as lines:
            next(lines)
            for number, line in enumerate(lines, 2):
                fields = line.rstrip("\n").split("\t")
                if len(fields) != 8 or not ID.fullmatch(fields[0]) or fields[0] in clauses:
                    sys.exit(f"{path.relative_to(root)}:{number}: not a row of a clause list")
                clauses[fields[0]] = Clause(*fields, path.stem)
    if not clauses:
        sys.exit(f"{root}: no clause lists")
    return clauses


# What a reader of C++ has to know to find the strings: comments, character and string literals, raw strings.
LEXER = re.compile(
    r"""(?P<skip>\s+|//(?:\\\n|[^\n])*|/\*.*?\*/)
      | (?:u8|u|U|L)?R"(?P<delimiter>[^\s()\\]{0,16})\((?P<raw>.*?)\)(?P=delimiter)"
      | (?:u8|u|U|L)?"(?P<string>(?:[^"\\\n]|\\.)*)"
      | (?P<character>(?:u8|u|U|L)?'(?:[^'\\\n]|\\.)+')
      | (?P<word>[A-Za-z_]\w*|\d(?:'?[\w.])*)
      | (?P<mark>.)""",
    re.DOTALL | re.VERBOSE)


def tokens_of(text):
    ends = [m.start() for m in re.finditer("\n", text)]
    tokens = []
    for m in LEXER.finditer(text):
        line = bisect.bisect_left(ends, m.start()) + 1
        if m["raw"] is not None:
            tokens.append(Token("raw", m["raw"], line))
        elif m["string"] is not None:
            if tokens and tokens[-1].kind == "string":  # adjacent literals are one
                tokens[-1] = tokens[-1]._replace(text=tokens[-1].text + m["string"])
            else:
                tokens.append(Token("string", m["string"], line))
        elif m["word"]:
            tokens.append(Token("word", m["word"], line))
        elif m["mark"] or m["character"]:
            tokens.append(Token("mark", m["mark"] or "'", line))
    return tokens


def tag_lines(text, first_line, file, name, kind):
    """The comment lines `# [id] [id] name of the check` of a script or a raw string."""
    for number, line in enumerate(text.split("\n"), first_line):
        if m := TAG_LINE.match(line):
            for tag in re.findall(r"\[([^\]]*)\]", m[1]):
                yield Cover(tag, file, number, m[2].strip() or name, kind)


def covers_of_test(text, file):
    """Yields (cover, counts) for each id in a test file; counts is false where the id is only exercised."""
    tokens = tokens_of(text)
    name, counts = "", True
    for at, token in enumerate(tokens):
        ahead = tokens[at + 1:at + 5]
        if (token.kind == "word" and TEST_MACRO.fullmatch(token.text) and len(ahead) == 4 and ahead[0].text == "(" and
                ahead[1].kind == "string"):
            name = re.sub(r"\\(.)", r"\1", ahead[1].text)
            tags = ahead[3].text if ahead[2].text == "," and ahead[3].kind == "string" else ""
            counts = not any(mark in tags for mark in HIDDEN)
            ids = [tag for tag in re.findall(r"\[([^\]]*)\]", tags) if re.match(r"\d{4}-", tag)]
            for place, tag in enumerate(ids):
                yield Cover(tag, file, ahead[3].line, name, 0), counts and place == 0
        elif token.kind == "raw":
            yield from ((cover, counts) for cover in tag_lines(token.text, token.line, file, name, 1))
        elif token.kind == "string" and ID_LIKE.fullmatch(token.text):
            row = at > 0 and tokens[at - 1].text == "{" and ahead and ahead[0].text in (",", "}")
            yield Cover(token.text, file, token.line, name or "a table of the file", 1), counts and bool(row)


def read_covers(root, clauses):
    """Returns ({id: [Cover]}, [fault])."""
    found, faults = collections.defaultdict(list), []
    marks = []
    for path in sorted((root / "tests").rglob("*_test.cpp")):
        marks += covers_of_test(path.read_text(encoding="utf-8", errors="replace"), path.relative_to(root).as_posix())
    for path in sorted((root / "tests/interop").glob("*")):
        if path.suffix in (".sh", ".py"):
            file = path.relative_to(root).as_posix()
            marks += ((cover, True) for cover in tag_lines(path.read_text(encoding="utf-8"), 1, file, path.name, 2))
    for cover, counts in marks:
        if cover.id in clauses:
            if counts:
                found[cover.id].append(cover)
        elif cover.kind != 1 or not CALENDAR_DATE.fullmatch(cover.id):
            faults.append(f"{cover.file}:{cover.line}: no clause list has the id {cover.id}")
    for covers in found.values():
        covers.sort(key=lambda cover: (cover.kind, cover.file, cover.line))
    return found, faults


def read_deviations(root, clauses):
    """Returns ({id: (reason, option)}, [fault])."""
    deviations, faults = {}, []
    path = root / DEVIATIONS
    if not path.exists():
        return deviations, [f"{DEVIATIONS}: missing"]
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fields = line.split("\t")
        if number == 1:
            if fields != ["id", "reason", "option"]:
                faults.append(f"{DEVIATIONS}:1: the columns are id, reason, option")
            continue
        if len(fields) != 3:
            faults.append(f"{DEVIATIONS}:{number}: {len(fields)} fields and not id, reason, option")
        elif fields[0] not in clauses:
            faults.append(f"{DEVIATIONS}:{number}: no clause list has the id {fields[0]}")
        elif fields[0] in deviations:
            faults.append(f"{DEVIATIONS}:{number}: {fields[0]} stands there twice")
        elif len(fields[1].split()) < 3:
            faults.append(f"{DEVIATIONS}:{number}: {fields[0]} has no reason")
        elif not fields[2].strip():
            faults.append(f"{DEVIATIONS}:{number}: {fields[0]} has no option; write - where nothing changes it")
        else:
            deviations[fields[0]] = (fields[1], fields[2])
    return deviations, faults


def on_side(clause, side):
    return clause.scope == "library" and clause.list in side.lists and clause.role in side.roles


def in_figure(clause):
    return any(on_side(clause, side) for side in SIDES)


def percent(part, whole):
    return 100.0 * part / whole if whole else 100.0


def cell(text):
    """Text for a cell of a Markdown table: nothing in it is markup."""
    return re.sub(r"([\\|<>*_`\[\]])", r"\\\1", text)


def page_of(clauses, covers, deviations):
    figure = [c for c in clauses.values() if in_figure(c)]
    covered = [c for c in figure if c.id in covers]
    out = []
    say = out.append

    def covered_table(some):
        say("| Clause | Level | Test | File |")
        say("|---|---|---|---|")
        for c in some:
            first = covers[c.id][0]
            say(f"| {c.id} | {c.level} | {cell(first.name)} | `{first.file.removeprefix('tests/')}` |")
        say("")

    def clause_table(some):
        say("| Clause | Level | Role | What it says |")
        say("|---|---|---|---|")
        for c in some:
            say(f"| {c.id} | {c.level} | {c.role} | {cell(c.summary)} |")
        say("")

    say("# Conformance")
    say("")
    say("Made by `tests/conformance/table.py` from the tags of the tests and the clause lists beside it; do not edit.")
    say("")
    say("The lists name every statement of a standard that binds an implementation, as `<RFC>-<section>-<number>`. A clause is covered when")
    say("its id is the first one of a test, so that breaking the rule in the code makes that test fail, or when a row of a table, a step of")
    say("a dialogue or a check with a real program carries it.")
    say("")
    for side in SIDES:
        of_side = [c for c in clauses.values() if on_side(c, side)]
        say(f"## {side.title}")
        say("")
        say(side.says)
        say("")
        say("| List | Clauses | Covered | Not covered |")
        say("|---|---:|---:|---:|")
        for name in side.lists:
            if of_list := [c for c in of_side if c.list == name]:
                done = sum(c.id in covers for c in of_list)
                say(f"| {name} | {len(of_list)} | {done} | {len(of_list) - done} |")
        done = sum(c.id in covers for c in of_side)
        say(f"| **all** | {len(of_side)} | {done} | {len(of_side) - done} |")
        say("")
        say(f"{percent(done, len(of_side)):.1f} % are covered.")
        say("")
    say("## Deviations")
    say("")
    say("Clauses that are not followed to the letter, or that no test can show, each with its reason and the option that changes it. Where a")
    say("test is named, it pins what is done instead.")
    say("")
    say("| Clause | Level | What it says | Reason | Option | Test |")
    say("|---|---|---|---|---|---|")
    for c in clauses.values():
        if c.id in deviations:
            reason, option = deviations[c.id]
            test = cell(covers[c.id][0].name) if c.id in covers else ""
            shown = "" if option.strip() == "-" else f"`{option}`"
            say(f"| {c.id} | {c.level} | {cell(c.summary)} | {cell(reason)} | {shown} | {test} |")
    say("")
    missing = [c for c in figure if c.id not in covers and c.id not in deviations]
    if missing:
        say("## Not yet")
        say("")
        clause_table(missing)
    say("## Covered")
    say("")
    for name in CORE + FURTHER:
        some = [c for c in covered if c.list == name]
        if some:
            say(f"### {name}")
            say("")
            covered_table(some)
    beside = [c for c in clauses.values() if not in_figure(c)]
    if some := [c for c in beside if c.id in covers]:
        say("## Covered beside the two sides")
        say("")
        say("Clauses that bind the program around the library, routing, or an extension of a later list, and have a test all the same.")
        say("")
        covered_table(some)
    if some := [c for c in beside if c.id not in covers and c.id not in deviations and c.scope == "library"]:
        say("## Not yet: routing, and further extensions")
        say("")
        clause_table(some)
    return "\n".join(out).rstrip("\n") + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="change nothing; status 1 if something is wrong")
    mode.add_argument("--missing", action="store_true", help="list the clauses of the figures that no test covers")
    mode.add_argument("--draw", type=int, metavar="N", help="draw N covered clauses of the figures")
    parser.add_argument("--role", metavar="ROLE", help="with --missing and --draw: only the clauses that bind this role")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="seed of --draw (default 1)")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2], help="the checkout")
    options = parser.parse_args()

    clauses = read_clauses(options.root)
    covers, faults = read_covers(options.root, clauses)
    deviations, wrong_rows = read_deviations(options.root, clauses)
    if options.role is not None:
        if not (options.missing or options.draw is not None):
            parser.error("--role goes with --missing and --draw")
        if not any(c.role == options.role for c in clauses.values()):
            parser.error(f"no clause binds {options.role}")
    figure = [c for c in clauses.values() if in_figure(c) and options.role in (None, c.role)]
    covered = [c for c in figure if c.id in covers]
    missing = [c for c in figure if c.id not in covers]
    page = page_of(clauses, covers, deviations)
    path = options.root / PAGE

    if options.missing:
        for c in missing:
            excused = " (in deviations.tsv)" if c.id in deviations else ""
            print(f"{c.id}  {c.level}  {c.role}{excused}\n    {c.summary}\n    test: {c.test_idea}")
    elif options.draw is not None:
        if not 0 <= options.draw <= len(covered):
            parser.error(f"--draw takes 0 to {len(covered)}, the number of covered clauses")
        for c in random.Random(options.seed).sample(covered, options.draw):
            first = covers[c.id][0]
            print(f"{c.id}  {c.level}  {c.summary}\n    {first.file}:{first.line}: {first.name}")
    elif options.check:
        faults += wrong_rows
        for side in SIDES:
            of_side = [c for c in figure if on_side(c, side)]
            if (share := percent(sum(c.id in covers for c in of_side), len(of_side))) < THRESHOLD:
                faults.append(f"{PAGE}: {side.title}: {share:.1f} % of the clauses are covered, and not {THRESHOLD:.0f} % (--missing lists the rest)")
        faults += [f"{DEVIATIONS}: no test covers {c.id}, and no row says why" for c in missing if c.id not in deviations]
        if not path.exists() or path.read_text(encoding="utf-8") != page:
            faults.append(f"{PAGE}: not up to date; run tests/conformance/table.py")
    else:
        faults += wrong_rows
        if not faults:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page, encoding="utf-8", newline="\n")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(covered)} of {len(figure)} clauses are covered ({percent(len(covered), len(figure)):.1f} %), {len(missing)} are not", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

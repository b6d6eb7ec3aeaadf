#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Joins the tests with the clause lists and writes docs/reference/conformance.md.

    table.py                    writes the page
    table.py --check            changes nothing; status 1 and one line for each fault (see below)
    table.py --missing          lists the clauses that have no test, deviation or hook, with what a test could do
    table.py --draw N --seed S  draws N clauses that have a test, for breaking their rule in the code by hand
    table.py ... --role ROLE    lists or draws only clauses that bind ROLE: client-session, parser ...

Clauses are the rows of the clause lists in tests/conformance: rfc*.tsv, and one for each of DOCUMENTS that is no RFC (README.md there
explains the columns). A clause of scope `library` is covered by
  - a test case of tests/**/*_test.cpp whose FIRST clause tag it is: TEST_CASE("...", "[grammar][5321-4.1.2-09][5321-4.1.2-10]")
    covers 5321-4.1.2-09 and only exercises the other;
  - a row of a table in such a file whose first field is the id as a string literal: {"5321-4.1.2-10", "b-c.d"};
  - a comment line inside a raw string of such a file, for the steps of a dialogue: # [5321-4.1.4-11] MAIL does not nest
  - such a comment line in a script tests/interop/*.sh or *.py. What follows the ids is the name of the check.
Ids in C++ comments, headers or other files count for nothing, nor do tests with the tag [.], [!shouldfail] or [!mayfail].

An id that no list has is a fault wherever it stands; it is named as file:line, and the status is 1 in every mode.

tests/conformance/deviations.tsv (id, reason, option; option is `-` where nothing changes it) names the clauses of scope `library` that
are not followed, or that no test can show, and why.

tests/conformance/hooks.tsv (id, hook, test) names for each clause of scope `caller` what serves it: one or more names of include/, as
`rcpt_question::parameters`, all parts of which occur in one header, and the name of the test case that tests it.

`--check` wants that each row of both files has a real id, once, and says all that it should, that there are fewer than 15 deviations,
that each clause of scope `library` is covered or deviates, that each of scope `caller` has a hook, and that the page is up to date.
"""
import argparse
import bisect
import collections
import pathlib
import random
import re
import sys

Side = collections.namedtuple("Side", "title says roles")

SIDES = (
    Side("The server's side", "Clauses that the library itself can honor and that bind the server, the parsers, the formatters or the data.",
         ("server-session", "parser", "formatter", "data")),
    Side("The client's side", "Clauses that the library itself can honor and that bind the client.", ("client-session",)),
    Side("Beside the sessions", "Clauses that the library itself can honor and that bind relays, or those who run a server.",
         ("routing", "operator")),
)
MOST_DEVIATIONS = 14
PAGE = "docs/reference/conformance.md"
DEVIATIONS = "tests/conformance/deviations.tsv"
HOOKS = "tests/conformance/hooks.tsv"

DOCUMENTS = "proxy xclient xforward".split()  # lists of documents that are no RFCs

# An id begins with the number of the RFC, or with the name of the document, whose list has that name in lower case.
SOURCE = rf"(?:\d{{4}}|{'|'.join(name.upper() for name in DOCUMENTS)})"
ID = re.compile(SOURCE + r"-[0-9A-Z][0-9A-Z.]*-\d{2}")
ID_LIKE = re.compile(SOURCE + r"-[0-9A-Za-z.]+-\d+")
ID_START = re.compile(SOURCE + "-")
CALENDAR_DATE = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])-[0-3]\d")
TAG_LINE = re.compile(rf"\s*#\s*((?:\[{SOURCE}-[^\]]*\]\s*)+)(.*)")
TEST_MACRO = re.compile(r"(TEMPLATE_(LIST_|PRODUCT_)?)?TEST_CASE|SCENARIO")
HIDDEN = ("[.", "[!shouldfail]", "[!mayfail]", "[!hide]")

Clause = collections.namedtuple("Clause", "id section level role scope summary test_idea basis list")
Cover = collections.namedtuple("Cover", "id file line name kind")  # kind: 0 test, 1 row or dialogue step, 2 script
Hook = collections.namedtuple("Hook", "names test file")
Token = collections.namedtuple("Token", "kind text line")  # kind: word, string, raw, mark


def read_clauses(root):
    clauses = {}
    folder = root / "tests/conformance"
    for path in sorted(folder.glob("rfc*.tsv")) + [p for name in DOCUMENTS if (p := folder / f"{name}.tsv").exists()]:
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


def covers_of_test(tokens, file, tests):
    """Yields (cover, counts) for each id in a test file; counts is false where the id is only exercised. Adds to `tests` the file of
    each test case that counts, by its name."""
    name, counts = "", True
    for at, token in enumerate(tokens):
        ahead = tokens[at + 1:at + 5]
        if (token.kind == "word" and TEST_MACRO.fullmatch(token.text) and len(ahead) == 4 and ahead[0].text == "(" and
                ahead[1].kind == "string"):
            name = re.sub(r"\\(.)", r"\1", ahead[1].text)
            tags = ahead[3].text if ahead[2].text == "," and ahead[3].kind == "string" else ""
            counts = not any(mark in tags for mark in HIDDEN)
            if counts:
                tests.setdefault(name, file)
            ids = [tag for tag in re.findall(r"\[([^\]]*)\]", tags) if ID_START.match(tag)]
            for place, tag in enumerate(ids):
                yield Cover(tag, file, ahead[3].line, name, 0), counts and place == 0
        elif token.kind == "raw":
            yield from ((cover, counts) for cover in tag_lines(token.text, token.line, file, name, 1))
        elif token.kind == "string" and ID_LIKE.fullmatch(token.text):
            row = at > 0 and tokens[at - 1].text == "{" and ahead and ahead[0].text in (",", "}")
            yield Cover(token.text, file, token.line, name or "a table of the file", 1), counts and bool(row)


def read_covers(root, clauses):
    """Returns ({id: [Cover]}, {name of a test case: file}, [fault])."""
    found, tests, faults = collections.defaultdict(list), {}, []
    marks = []
    for path in sorted((root / "tests").rglob("*_test.cpp")):
        tokens = tokens_of(path.read_text(encoding="utf-8", errors="replace"))
        marks += covers_of_test(tokens, path.relative_to(root).as_posix(), tests)
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
    return found, tests, faults


def read_rows(root, file, columns, clauses, scope):
    """Returns ([(place, fields)], [fault]): the rows of a file whose first column is the id of a clause of this scope, each once."""
    rows, faults, seen = [], [], set()
    path = root / file
    if not path.exists():
        return rows, [f"{file}: missing"]
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        place, fields = f"{file}:{number}", line.split("\t")
        if number == 1:
            if fields != columns:
                faults.append(f"{place}: the columns are {', '.join(columns)}")
        elif len(fields) != len(columns):
            faults.append(f"{place}: {len(fields)} fields and not {', '.join(columns)}")
        elif fields[0] not in clauses:
            faults.append(f"{place}: no clause list has the id {fields[0]}")
        elif clauses[fields[0]].scope != scope:
            faults.append(f"{place}: {fields[0]} is not of scope {scope}")
        elif fields[0] in seen:
            faults.append(f"{place}: {fields[0]} stands there twice")
        else:
            seen.add(fields[0])
            rows.append((place, fields))
    return rows, faults


def read_deviations(root, clauses):
    """Returns ({id: (reason, option)}, [fault])."""
    deviations = {}
    rows, faults = read_rows(root, DEVIATIONS, ["id", "reason", "option"], clauses, "library")
    for place, (identity, reason, option) in rows:
        if len(reason.split()) < 3:
            faults.append(f"{place}: {identity} has no reason")
        elif not option.strip():
            faults.append(f"{place}: {identity} has no option; write - where nothing changes it")
        else:
            deviations[identity] = (reason, option)
    if len(deviations) > MOST_DEVIATIONS:
        faults.append(f"{DEVIATIONS}: {len(deviations)} deviations are more than {MOST_DEVIATIONS}")
    return deviations, faults


def read_hooks(root, clauses, tests):
    """Returns ({id: Hook}, [fault])."""
    hooks = {}
    rows, faults = read_rows(root, HOOKS, ["id", "hook", "test"], clauses, "caller")
    headers = [{token.text for token in tokens_of(path.read_text(encoding="utf-8")) if token.kind == "word"}
               for path in sorted((root / "include").rglob("*.hpp"))]
    for place, (identity, hook, test) in rows:
        names = hook.split()
        strange = [name for name in names if not any(words.issuperset(name.split("::")) for words in headers)]
        if not names:
            faults.append(f"{place}: {identity} has no hook")
        elif strange:
            faults.append(f"{place}: no header has {', '.join(strange)}")
        elif test not in tests:
            faults.append(f"{place}: no test case has the name: {test}")
        else:
            hooks[identity] = Hook(names, test, tests[test])
    return hooks, faults


def on_side(clause, side):
    return clause.scope == "library" and clause.role in side.roles


def percent(part, whole):
    return 100.0 * part / whole if whole else 100.0


def lists_of(clauses):
    """The names of the lists: that of SMTP itself first, and those of documents that are no RFCs last."""
    return sorted({c.list for c in clauses}, key=lambda name: (name != "rfc5321", name in DOCUMENTS, name))


def cell(text):
    """Text for a cell of a Markdown table: nothing in it is markup."""
    return re.sub(r"([\\|<>*_`\[\]])", r"\\\1", text)


def page_of(clauses, covers, deviations, hooks):
    library = [c for c in clauses.values() if c.scope == "library"]
    caller = [c for c in clauses.values() if c.scope == "caller"]
    out = []
    say = out.append

    def clause_table(some):
        say("| Clause | Level | Role | What it says |")
        say("|---|---|---|---|")
        for c in some:
            say(f"| {c.id} | {c.level} | {c.role} | {cell(c.summary)} |")
        say("")

    def figure(title, says, some, columns, parts):
        """A table of numbers: for each list how many clauses there are, and how many are in each part."""
        say(f"## {title}")
        say("")
        say(says)
        say("")
        say("| List | Clauses | " + " | ".join(columns) + " |")
        say("|---|---:|" + "---:|" * len(columns))
        for name in lists_of(some):
            of_list = [c for c in some if c.list == name]
            say(f"| {name} | {len(of_list)} | " + " | ".join(str(sum(map(part, of_list))) for part in parts) + " |")
        say(f"| **all** | {len(some)} | " + " | ".join(str(sum(map(part, some))) for part in parts) + " |")
        say("")
        done = len(some) - sum(map(parts[-1], some))
        say(f"{percent(done, len(some)):.1f} % have {'a hook with a test' if some and some[0].scope == 'caller' else 'a test or a reason'}.")
        say("")

    say("# Conformance")
    say("")
    say("Made by `tests/conformance/table.py` from the tags of the tests and the clause lists beside it; do not edit.")
    say("")
    say("The lists name every statement of a standard that binds an implementation, as `<RFC>-<section>-<number>`. A clause is tested when")
    say("its id is the first one of a test, so that breaking the rule in the code makes that test fail, or when a row of a table, a step of")
    say("a dialogue or a check with a real program carries it. A clause that only the program around the library can honor has a hook: what")
    say("the library offers for it, and the test of that.")
    say("")
    for side in SIDES:
        figure(side.title, side.says, [c for c in library if on_side(c, side)], ("Tested", "Deviating", "Open"),
               (lambda c: c.id in covers and c.id not in deviations, lambda c: c.id in deviations,
                lambda c: c.id not in covers and c.id not in deviations))
    figure("The caller's side", "Clauses that only the program around the library can honor, with what the library offers for it.", caller,
           ("With a hook", "Open"), (lambda c: c.id in hooks, lambda c: c.id not in hooks))
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
    missing = [c for c in library if c.id not in covers and c.id not in deviations] + [c for c in caller if c.id not in hooks]
    if missing:
        say("## Open")
        say("")
        clause_table(missing)
    say("## Tested")
    say("")
    tested = [c for c in library if c.id in covers]
    for name in lists_of(tested):
        say(f"### {name}")
        say("")
        say("| Clause | Level | Test | File |")
        say("|---|---|---|---|")
        for c in tested:
            if c.list == name:
                first = covers[c.id][0]
                say(f"| {c.id} | {c.level} | {cell(first.name)} | `{first.file.removeprefix('tests/')}` |")
        say("")
    say("## Hooks for the caller")
    say("")
    hooked = [c for c in caller if c.id in hooks]
    for name in lists_of(hooked):
        say(f"### {name}, by the caller")
        say("")
        say("| Clause | Level | What it says | Hook | Test | File |")
        say("|---|---|---|---|---|---|")
        for c in hooked:
            if c.list == name:
                hook = hooks[c.id]
                names = ", ".join(f"`{n}`" for n in hook.names)
                say(f"| {c.id} | {c.level} | {cell(c.summary)} | {names} | {cell(hook.test)} | `{hook.file.removeprefix('tests/')}` |")
        say("")
    return "\n".join(out).rstrip("\n") + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="change nothing; status 1 if something is wrong")
    mode.add_argument("--missing", action="store_true", help="list the clauses that have no test, deviation or hook")
    mode.add_argument("--draw", type=int, metavar="N", help="draw N clauses that have a test")
    parser.add_argument("--role", metavar="ROLE", help="with --missing and --draw: only the clauses that bind this role")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="seed of --draw (default 1)")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2], help="the checkout")
    options = parser.parse_args()

    clauses = read_clauses(options.root)
    covers, tests, faults = read_covers(options.root, clauses)
    deviations, wrong_rows = read_deviations(options.root, clauses)
    hooks, wrong_hooks = read_hooks(options.root, clauses, tests)
    wrong_rows += wrong_hooks
    if options.role is not None:
        if not (options.missing or options.draw is not None):
            parser.error("--role goes with --missing and --draw")
        if not any(c.role == options.role for c in clauses.values()):
            parser.error(f"no clause binds {options.role}")
    chosen = [c for c in clauses.values() if options.role in (None, c.role)]
    library = [c for c in chosen if c.scope == "library"]
    caller = [c for c in chosen if c.scope == "caller"]
    tested = [c for c in library if c.id in covers] + [c for c in caller if c.id in hooks]
    untested = [c for c in library if c.id not in covers and c.id not in deviations]
    unserved = [c for c in caller if c.id not in hooks]
    page = page_of(clauses, covers, deviations, hooks)
    path = options.root / PAGE

    if options.missing:
        for c in untested + unserved:
            print(f"{c.id}  {c.level}  {c.role}  {c.scope}\n    {c.summary}\n    test: {c.test_idea}")
    elif options.draw is not None:
        if not 0 <= options.draw <= len(tested):
            parser.error(f"--draw takes 0 to {len(tested)}, the number of clauses that have a test")
        for c in random.Random(options.seed).sample(tested, options.draw):
            hook = hooks.get(c.id)
            where = f"{' '.join(hook.names)}: {hook.file}: {hook.test}" if hook else "{0.file}:{0.line}: {0.name}".format(covers[c.id][0])
            print(f"{c.id}  {c.level}  {c.summary}\n    {where}")
    elif options.check:
        faults += wrong_rows
        faults += [f"{DEVIATIONS}: no test covers {c.id}, and no row says why" for c in untested]
        faults += [f"{HOOKS}: nothing serves {c.id}" for c in unserved]
        if not path.exists() or path.read_text(encoding="utf-8") != page:
            faults.append(f"{PAGE}: not up to date; run tests/conformance/table.py")
    else:
        faults += wrong_rows
        if not faults:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page, encoding="utf-8", newline="\n")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(library) - len(untested)} of {len(library)} library clauses are tested or deviate, "
          f"{len(caller) - len(unserved)} of {len(caller)} caller clauses have a hook", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: BSL-1.0
"""Says what llvm-cov has found: coverage.sh calls it with the lines (lcov) and the branches (JSON)."""
import json
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
INCLUDE = str(ROOT / "include/ehlo") + "/"


# What only the compiler runs: the lambda that makes a constant, and a static_assert with the lambdas in it.
EVALUATED = re.compile(r"^( *)(?:(?:inline |static )?constexpr [^(]*= |static_assert\()\[.*\{$")
ASSERTED = re.compile(r"^ *static_assert\(")
END_OF_STATEMENT = re.compile(r".*\);(?: *//.*)?$")

# The line that opens a class stands for what the compiler writes by itself: a copy, an assignment.
OPENS_CLASS = re.compile(r"^ *(?:template <.*> )?(?:class|struct) [^;()]*\{$")


def no_lines_of_ours(header):
    """The numbers of the lines of a header that no program has, because the compiler evaluates them or writes them by itself."""
    out, is_end = set(), None
    for number, line in enumerate((ROOT / "include/ehlo" / header).read_text().splitlines(), 1):
        if is_end is None:
            if begin := EVALUATED.match(line):
                is_end = re.compile(re.escape(begin[1]) + r"\}\(").match
            elif ASSERTED.match(line):
                is_end = END_OF_STATEMENT.match
        if is_end is not None:
            out.add(number)
            if is_end(line):
                is_end = None
        elif OPENS_CLASS.match(line):
            out.add(number)
    return out


def lines_not_run(path):
    """For each header the lines that no test runs: a line counts as run if one instantiation of it was."""
    counts, header = {}, None
    for row in pathlib.Path(path).read_text().splitlines():
        if row.startswith("SF:"):
            header = row[3:].removeprefix(INCLUDE)
        elif row.startswith("DA:"):
            number, count = row[3:].split(",")[:2]
            lines = counts.setdefault(header, {})
            lines[int(number)] = max(lines.get(int(number), 0), int(count))
    for header, lines in counts.items():
        for number in no_lines_of_ours(header):
            lines.pop(number, None)
    return {header: (len(lines), sorted(n for n, count in lines.items() if count == 0)) for header, lines in counts.items() if lines}


# Conditions that the compiler decides: they have one way only.
DECIDED = re.compile(r"!?(std::is_\w+_v<|std::is_constant_evaluated|std::endian::|question<|notice<|is_one_of<|requires\b|is_fixed\b|true$"
                     r"|First == Last|Sought == |steps_of<)")


def branches(path):
    """For each header how many branches there are, and those that no test takes as (line, condition, "true" or "false").

    The instantiations of a template share the branches of their source: one is taken if one instantiation takes it. No branches are
    conditions that the compiler decides, the default that a switch over an enumeration has without a word of it, and the comparisons
    that the compiler writes by itself.
    """
    out = {}
    for file in json.loads(pathlib.Path(path).read_text())["data"][0]["files"]:
        header = file["filename"].removeprefix(INCLUDE)
        text = (ROOT / "include/ehlo" / header).read_text().splitlines()
        taken = {}
        for line, column, last_line, last_column, true_count, false_count, *_ in file.get("branches", []):
            counts = taken.setdefault((line, column, last_line, last_column), [0, 0])
            counts[0] += true_count
            counts[1] += false_count
        total, missed = 0, []
        for (line, column, last_line, last_column), counts in sorted(taken.items()):
            source = text[line - 1]
            condition = source[column - 1:last_column - 1 if last_line == line else None]
            if DECIDED.match(condition) or source[:column - 1].endswith("switch (") or source.endswith("= default;"):
                continue
            if condition == ":":  # of a for over a range
                condition = source.strip()
            total += 2
            missed += [(line, condition, way) for way, count in zip(("true", "false"), counts) if count == 0]
        if total:
            out[header] = (total, missed)
    return out


def main():
    lines, found = lines_not_run(sys.argv[1]), branches(sys.argv[2])
    table = ["| Header | Lines | Run | Branches | Taken |", "|---|---|---|---|---|"]
    left, not_taken_at_all = [], []
    totals = [0, 0, 0, 0]
    for header in sorted(lines):
        count, missed = lines[header]
        ways, not_taken = found.get(header, (0, []))
        for i, value in enumerate((count, count - len(missed), ways, ways - len(not_taken))):
            totals[i] += value
        share = lambda part, whole: f"{100 * part / whole:.1f} %" if whole else ""
        table.append(f"| {header} | {count} | {share(count - len(missed), count)} | {ways} | {share(ways - len(not_taken), ways)} |")
        text = (ROOT / "include/ehlo" / header).read_text().splitlines()
        not_taken_at_all += [f"{header}:{line}: never {way}: {condition}" for line, condition, way in not_taken]
        left += [f"{header}:{number}: {text[number - 1].strip()}" for number in missed]
    summary = (f"{totals[0]} lines, {100 * totals[1] / totals[0]:.2f} % of them run; {totals[2]} branches, "
               f"{100 * totals[3] / max(totals[2], 1):.2f} % of them taken.")
    print("\n".join(table))
    print("\n".join(["", "Not run:", *left, "", "Not taken:", *not_taken_at_all, "", summary]))
    if os.environ.get("REPORT") == "yes":
        page = ["# What the tests run", "", "Measured by `tests/coverage.sh --report` with clang's tools. What only the compiler evaluates is no line to be run: what makes",
                "the constant of a table, what stands in a `static_assert`; nor is what it writes by itself, a copy or a comparison. The",
                "instantiations of a template count as one.", "", summary, "", *table, "", "## Lines that no test runs", "",
                "Most stand behind a `switch` that has a case for each enumerator: compilers want something there, and nothing comes there. What",
                "stands behind an `#endif` is for processors without these instructions, and for the compiler.", "", "```text", *left, "```", "",
                "## Branches that no test takes", "", "```text", *not_taken_at_all, "```"]
        (ROOT / "docs/reference/coverage.md").write_text("\n".join(page) + "\n")


main()

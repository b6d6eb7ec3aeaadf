# SPDX-License-Identifier: BSL-1.0
"""Says what llvm-cov has found: coverage.sh calls it with the lines and branches (lcov)."""
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
INCLUDE = str(ROOT / "include/ehlo") + "/"


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
    return {header: (len(lines), sorted(n for n, count in lines.items() if count == 0)) for header, lines in counts.items()}


def branches(path):
    """For each header how many branches there are, and how many no test takes: taken if one instantiation takes it."""
    taken, header = {}, None
    for row in pathlib.Path(path).read_text().splitlines():
        if row.startswith("SF:"):
            header = row[3:].removeprefix(INCLUDE)
        elif row.startswith("BRDA:"):
            line, block, branch, count = row[5:].split(",")
            key = (header, int(line), int(block), int(branch))
            taken[key] = taken.get(key, 0) + (0 if count == "-" else int(count))
    out = {}
    for (header, line, _, _), count in taken.items():
        total, missed = out.setdefault(header, [0, []])
        out[header][0] = total + 1
        if count == 0:
            missed.append(line)
    return out


def main():
    lines, found = lines_not_run(sys.argv[1]), branches(sys.argv[1])
    table = ["| Header | Lines | Run | Branches | Taken |", "|---|---|---|---|---|"]
    left = []
    totals = [0, 0, 0, 0]
    for header in sorted(lines):
        count, missed = lines[header]
        ways, not_taken = found.get(header, (0, []))
        for i, value in enumerate((count, count - len(missed), ways, ways - len(not_taken))):
            totals[i] += value
        share = lambda part, whole: f"{100 * part / whole:.1f} %" if whole else ""
        table.append(f"| {header} | {count} | {share(count - len(missed), count)} | {ways} | {share(ways - len(not_taken), ways)} |")
        text = (ROOT / "include/ehlo" / header).read_text().splitlines()
        left += [f"{header}:{number}: {text[number - 1].strip()}" for number in missed]
    summary = (f"{totals[0]} lines, {100 * totals[1] / totals[0]:.2f} % of them run; {totals[2]} branches, "
               f"{100 * totals[3] / max(totals[2], 1):.2f} % of them taken.")
    print("\n".join(table))
    print("\n".join(["", "Not run:", *left, "", summary]))
    if os.environ.get("REPORT") == "yes":
        page = ["# What the tests run", "", "Measured by `tests/coverage.sh --report` with clang's tools. What only the compiler evaluates (a",
                "`static_assert`, a dialogue in constant evaluation) does not count as run.", "", summary, "", *table, "", "## Lines that no test runs", "",
                "```text", *left, "```"]
        (ROOT / "docs/reference/coverage.md").write_text("\n".join(page) + "\n")


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Keeps account of how long each fuzz target has run on the code as it is now.

    fuzz/ledger.py                               writes docs/reference/fuzzing.md from fuzz/ledger.tsv
    fuzz/ledger.py --owed MINUTES                prints what each target still lacks of so many minutes: name and seconds
    fuzz/ledger.py --add TARGET SECONDS EXECUTIONS EDGES   adds a run that found nothing

Runs add up as long as neither the target nor a header that it includes has changed but for comments and white space: these make the
digest in the ledger. A change starts the account of the target again.
"""
import argparse
import csv
import hashlib
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
LEDGER = ROOT / "fuzz/ledger.tsv"
PAGE = ROOT / "docs/reference/fuzzing.md"
COLUMNS = ["target", "digest", "seconds", "executions", "edges"]
COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)


def targets():
    return sorted(path.stem for path in (ROOT / "fuzz").glob("*.cpp"))


def digest_of(target, compiler="c++"):
    source = f"fuzz/{target}.cpp"
    rule = subprocess.run([compiler, "-std=c++20", "-MM", "-Iinclude", "-Ifuzz", "-Itests", source], cwd=ROOT, check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    digest = hashlib.sha256()
    for name in sorted({word for word in rule.split() if not word.startswith("/") and word.endswith(("pp"))}):
        text = COMMENT.sub(lambda match: match[1] or " ", (ROOT / name).read_text(encoding="utf-8"))
        digest.update(f"{name}\n{' '.join(text.split())}\n".encode())
    return digest.hexdigest()[:12]


def read():
    if not LEDGER.exists():
        return {}
    with LEDGER.open(encoding="utf-8", newline="") as lines:
        return {row["target"]: row for row in csv.DictReader(lines, delimiter="\t")}


def current(rows, target, digest):
    row = rows.get(target)
    return row if row and row["digest"] == digest else dict.fromkeys(COLUMNS, 0) | {"target": target, "digest": digest}


def add(target, seconds, executions, edges):
    rows = read()
    row = current(rows, target, digest_of(target))
    rows[target] = row | {"seconds": int(row["seconds"]) + seconds, "executions": int(row["executions"]) + executions,
                          "edges": max(int(row["edges"]), edges)}
    with LEDGER.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[name] for name in targets() if name in rows)


def write_page():
    rows = read()
    out = ["# Fuzzing", "", "Made by `fuzz/ledger.py` from `fuzz/ledger.tsv`, to which `fuzz/run.sh --record` adds; do not edit.", "",
           "How long each target has run without a finding, under libFuzzer with the address and undefined sanitizers, since its code or a",
           "header that it includes was changed. `fuzz/run.sh --owed 20 --record` runs what is lacking of twenty minutes each.", "",
           "| Target | Invariant | Minutes | Executions | Edges |", "|---|---|---:|---:|---:|"]
    for target in targets():
        row = current(rows, target, digest_of(target))
        text = (ROOT / f"fuzz/{target}.cpp").read_text(encoding="utf-8")
        invariant = " ".join(re.search(r"// Invariants?:(.*(?:\n//.*)*)", text)[1].replace("\n//", " ").split()).split(". ")[0].rstrip(".")
        out.append(f"| {target} | {invariant} | {int(row['seconds']) / 60:.0f} | {int(row['executions']):,} | {row['edges']} |")
    PAGE.write_text("\n".join(out) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--owed", type=int, metavar="MINUTES")
    parser.add_argument("--add", nargs=4, metavar=("TARGET", "SECONDS", "EXECUTIONS", "EDGES"))
    given = parser.parse_args()
    if given.add:
        target, *numbers = given.add
        if target not in targets():
            sys.exit(f"{sys.argv[0]}: there is no target '{target}'")
        add(target, *map(int, numbers))
    elif given.owed is not None:
        rows = read()
        for target in targets():
            lacking = given.owed * 60 - int(current(rows, target, digest_of(target))["seconds"])
            if lacking > 0:
                print(target, lacking)
    else:
        write_page()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Holds the headers to the floors of the house: a header includes only from floors below it, or from its own floor without a circle.

Also: each header is ASCII, begins with its licence line, has the guard of its path, and stands in the door `ehlo.hpp` (but for
`format.hpp`); only `format.hpp` includes fmt. `--self-test` shows that each rule can fail.
"""

import pathlib
import re
import sys

FLOORS = [
    ("words", r"(ascii|octet_run|result|error|limits|version|secret|storage)\.hpp"),
    ("grammar", r"grammar/.*"),
    ("vocabulary", r"(command|reply|replies|received_reply|enhanced_status_code|parameters|capabilities|envelope|actions)\.hpp|extension/.*"),
    ("codec", r"codec/.*"),
    ("protocol", r"protocol/.*"),
    ("sessions", r"dispatch\.hpp|(server|client|observer)/.*"),
    ("door", r"ehlo\.hpp"),
]
# Useful alone, needed by no session: they stand on the words, the grammar and the vocabulary.
BESIDE = r"(sasl|message|routing|proxy)/.*"
FORMAT = r"format\.hpp"


def floor_of(header):
    for number, (_, pattern) in enumerate(FLOORS):
        if re.fullmatch(pattern, header):
            return number
    return None


def check(headers):
    """`headers` maps the path under include/ehlo to its text. Returns what is wrong."""
    wrong = []
    graph = {}
    vocabulary = 2
    for name, text in sorted(headers.items()):
        includes = re.findall(r"^#include <ehlo/([^>]+)>", text, re.M)
        graph[name] = includes
        beside = re.fullmatch(BESIDE, name) is not None
        is_format = re.fullmatch(FORMAT, name) is not None
        floor = floor_of(name)
        if floor is None and not beside and not is_format:
            wrong.append(f"{name}: stands on no floor")
            continue
        for other in includes:
            if other not in headers:
                wrong.append(f"{name}: includes {other}, which is not there")
                continue
            other_beside = re.fullmatch(BESIDE, other) is not None
            other_floor = floor_of(other)
            if re.fullmatch(FORMAT, other) or (other == "ehlo.hpp"):
                wrong.append(f"{name}: includes {other}, which stands above it")
            elif other_beside:
                if not (beside or is_format or name == "ehlo.hpp"):
                    wrong.append(f"{name}: includes {other}, which no session needs")
            elif beside and other_floor > vocabulary:
                wrong.append(f"{name}: stands beside the sessions and includes {other}")
            elif floor is not None and other_floor > floor:
                wrong.append(f"{name}: includes {other} from a floor above")
        guard = "EHLO_" + re.sub(r"[/.]", "_", name).upper()
        lines = text.split("\n")
        if lines[0] != "// SPDX-License-Identifier: BSL-1.0":
            wrong.append(f"{name}: does not begin with the licence line")
        if f"#ifndef {guard}" not in text or f"#define {guard}" not in text:
            wrong.append(f"{name}: has no guard {guard}")
        if not text.isascii():
            wrong.append(f"{name}: is not ASCII")
        if re.findall(r"^[ \t]*#[ \t]*include\b.*", text, re.M) != re.findall(r"^#include <.*", text, re.M):
            wrong.append(f"{name}: an include is not written as #include <...>")
        if name == "ehlo.hpp" and re.search(r"^(?!#include <ehlo/|#ifndef |#define |#endif|//|$)", text.rstrip("\n"), re.M):
            wrong.append(f"{name}: the door adds something")
        if re.search(r"#include <fmt/", text) and not is_format:
            wrong.append(f"{name}: includes fmt")
        if re.search(r"#include <(cctype|locale|iostream|thread|mutex|chrono|regex)>", text):
            wrong.append(f"{name}: includes what the library does without")
        if name not in ("ehlo.hpp", "format.hpp") and name not in re.findall(r"<ehlo/([^>]+)>", headers.get("ehlo.hpp", "")):
            wrong.append(f"{name}: does not stand in the door")
    wrong += circles(graph)
    return wrong


def circles(graph):
    done, path, found = set(), [], []

    def visit(name):
        if name in path:
            found.append("circle: " + " > ".join(path[path.index(name):] + [name]))
            return
        if name in done:
            return
        path.append(name)
        for other in graph.get(name, []):
            visit(other)
        path.pop()
        done.add(name)

    for name in graph:
        visit(name)
    return found


def self_test():
    def header(name, *includes, body=""):
        guard = "EHLO_" + re.sub(r"[/.]", "_", name).upper()
        lines = ["// SPDX-License-Identifier: BSL-1.0", f"#ifndef {guard}", f"#define {guard}"]
        lines += [f"#include <ehlo/{other}>" for other in includes]
        return "\n".join(lines + [body, "#endif"])

    def house(**changes):
        names = {"error.hpp": [], "result.hpp": ["error.hpp"], "grammar/path.hpp": ["result.hpp"], "codec/line.hpp": ["grammar/path.hpp"],
                 "server/session.hpp": ["codec/line.hpp"], "message/date.hpp": ["result.hpp"]}
        out = {name: header(name, *includes) for name, includes in names.items()}
        out["ehlo.hpp"] = header("ehlo.hpp", *names)
        out.update(changes)
        return out

    assert check(house()) == [], check(house())
    broken = {
        "error.hpp": header("error.hpp", "codec/line.hpp"),
        "grammar/path.hpp": header("grammar/path.hpp", "server/session.hpp"),
        "codec/line.hpp": header("codec/line.hpp", "message/date.hpp"),
        "message/date.hpp": header("message/date.hpp", "server/session.hpp"),
        "result.hpp": header("result.hpp", body="#include <fmt/format.h>"),
        "server/session.hpp": header("server/session.hpp", body="#include <chrono>"),
    }
    for name, text in broken.items():
        changed = house()
        changed[name] = text
        assert check(changed), f"a broken {name} was not noticed"
    def without_door(name):
        return house()["ehlo.hpp"].replace(f"#include <ehlo/{name}>\n", "")

    # Each row: what must be said, and the house of which it must be said.
    rows = {
        "lost.hpp: stands on no floor": house(**{"lost.hpp": header("lost.hpp")}),
        "error.hpp: does not begin with the licence line": house(**{"error.hpp": header("error.hpp").replace("SPDX", "XDPS")}),
        "error.hpp: has no guard EHLO_ERROR_HPP": house(**{"error.hpp": header("error.hpp").replace("EHLO_ERROR", "ERROR")}),
        "error.hpp: is not ASCII": house(**{"error.hpp": header("error.hpp", body="// \u00e9")}),
        "error.hpp: includes lost.hpp, which is not there": house(**{"error.hpp": header("error.hpp", "lost.hpp")}),
        "error.hpp: an include is not written as #include <...>": house(**{"error.hpp": header("error.hpp", body='#include "x.hpp"')}),
        "error.hpp: does not stand in the door": house(**{"ehlo.hpp": without_door("error.hpp")}),
        "error.hpp: includes ehlo.hpp, which stands above it": house(**{"error.hpp": header("error.hpp", "ehlo.hpp")}),
        "ehlo.hpp: the door adds something": house(**{"ehlo.hpp": house()["ehlo.hpp"] + "\nnamespace ehlo {}"}),
        "circle: result.hpp > error.hpp > result.hpp": house(**{"error.hpp": header("error.hpp", "result.hpp")}),
    }
    for said, changed in rows.items():
        assert said in check(changed), f"not said: {said}; but {check(changed)}"
    print("the checks of the floors can fail")


def main():
    if "--self-test" in sys.argv:
        self_test()
        return 0
    root = pathlib.Path(__file__).resolve().parents[2] / "include" / "ehlo"
    headers = {str(p.relative_to(root)): p.read_text(encoding="utf-8") for p in root.rglob("*.hpp")}
    wrong = check(headers)
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{len(headers)} headers, {len(wrong)} out of order")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

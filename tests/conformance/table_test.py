#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Tests of table.py: each makes a small checkout in a temporary folder and runs the script on it."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parent / "table.py"
COLUMNS = "id\tsection\tlevel\trole\tscope\tsummary\ttest_idea\tbasis\n"


def clause(identity, role="parser", scope="library"):
    return f"{identity}\t4\tMUST\t{role}\t{scope}\tA | of <{identity}>.\tsend it\ttext\n"


class TableTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("tests/conformance/rfc5321.tsv", COLUMNS + clause("5321-4.1-01") + clause("5321-4.1-02") + clause("5321-D-01", "data"))
        self.deviations("")
        self.hooks("")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def deviations(self, rows):
        self.write("tests/conformance/deviations.tsv", "id\treason\toption\n" + rows)

    def hooks(self, rows):
        self.write("tests/conformance/hooks.tsv", "id\thook\ttest\n" + rows)

    def run_table(self, *arguments):
        done = subprocess.run([sys.executable, SCRIPT, "--root", self.root, *arguments], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def covered(self):
        """The ids that the script counts as covered."""
        status, out, _ = self.run_table("--missing")
        self.assertEqual(status, 0)
        missing = [line.split()[0] for line in out.splitlines() if not line.startswith(" ")]
        return {"5321-4.1-01", "5321-4.1-02", "5321-D-01"} - set(missing)

    def page(self):
        self.assertEqual(self.run_table()[0], 0)
        return (self.root / "docs/reference/conformance.md").read_text(encoding="utf-8")

    def test_only_the_first_id_of_a_test_is_covered(self):
        self.write("tests/a_test.cpp", 'TEST_CASE("Says a", "[room][T23][5321-4.1-01][5321-4.1-02]") {}')
        self.assertEqual(self.covered(), {"5321-4.1-01"})

    def test_a_test_case_may_span_lines_and_literals(self):
        self.write("tests/x/a_test.cpp", 'TEST_CASE("Says a "\n  "and b",\n  "[room]"\n  "[5321-4.1-02]") {}')
        self.assertEqual(self.covered(), {"5321-4.1-02"})
        self.assertIn("| Says a and b | `x/a_test.cpp` |", self.page())

    def test_a_row_that_begins_with_an_id_covers_it(self):
        self.write("tests/a_test.cpp", 'TEST_CASE("t", "[r]") { row{"5321-4.1-01", 1}; std::pair{1, "5321-4.1-02"}; }')
        self.assertEqual(self.covered(), {"5321-4.1-01"})

    def test_a_step_of_a_dialogue_covers_its_ids(self):
        self.write("tests/a_test.cpp", 'TEST_CASE("t", "[r]") { play(R"(\n  # [5321-4.1-01] [5321-D-01] both\n  C: QUIT\n)"); }')
        self.assertEqual(self.covered(), {"5321-4.1-01", "5321-D-01"})
        self.assertIn("| both | `a_test.cpp` |", self.page())

    def test_a_comment_line_of_an_interop_script_covers_its_id(self):
        self.write("tests/interop/01_x.py", "# [5321-D-01] dots come back\n")
        self.assertEqual(self.covered(), {"5321-D-01"})
        self.assertIn("| dots come back | `interop/01_x.py` |", self.page())

    def test_comments_headers_and_other_files_cover_nothing(self):
        self.write("tests/a_test.cpp", '// TEST_CASE("t", "[5321-4.1-01]")\n/* {"5321-4.1-02"} */\nchar c = \'"\'; // # [5321-D-01]\n')
        self.write("tests/a.hpp", 'TEST_CASE("t", "[5321-4.1-01]") {}')
        self.write("tests/a.cpp", 'row{"5321-4.1-01", 1};')
        self.write("examples/a_test.cpp", 'TEST_CASE("t", "[5321-4.1-01]") {}')
        self.assertEqual(self.covered(), set())

    def test_a_test_that_is_hidden_or_meant_to_fail_covers_nothing(self):
        self.write("tests/a_test.cpp", 'TEST_CASE("t", "[.][5321-4.1-01]") { row{"5321-4.1-02"}; }\nTEST_CASE("u", "[!shouldfail][5321-D-01]") {}')
        self.assertEqual(self.covered(), set())

    def test_an_unknown_id_is_a_fault_with_its_place(self):
        self.write("tests/a_test.cpp", '\nTEST_CASE("t",\n "[r][5321-4.1-01][5321-9-99]") {}')
        for mode in ([], ["--check"], ["--missing"], ["--draw", "1"]):
            status, _, errors = self.run_table(*mode)
            self.assertEqual(status, 1)
            self.assertIn("tests/a_test.cpp:3: no clause list has the id 5321-9-99", errors)
        self.assertFalse((self.root / "docs/reference/conformance.md").exists())

    def test_unknown_ids_are_found_in_rows_dialogues_and_scripts(self):
        self.write("tests/a_test.cpp", 'TEST_CASE("t", "[5321-4.1-1]") {\n row{"5321-4.1-03", 1};\n R"(\n# [5321-E-01] x\n)"; }')
        self.write("tests/interop/a.sh", "#!/bin/sh\n# [5321-F-01] x\n")
        errors = self.run_table("--check")[2]
        for place in ("a_test.cpp:1: no clause list has the id 5321-4.1-1\n", "a_test.cpp:2: no clause list has the id 5321-4.1-03",
                      "a_test.cpp:4: no clause list has the id 5321-E-01", "interop/a.sh:2: no clause list has the id 5321-F-01"):
            self.assertIn(place, errors)

    def test_a_calendar_date_is_no_id(self):
        self.write("tests/a_test.cpp", 'TEST_CASE("t", "[r]") { row{"2026-11-23", 1}; }')
        self.assertEqual(self.run_table()[0], 0)

    def test_check_passes_when_all_is_covered_and_the_page_is_fresh(self):
        self.write("tests/a_test.cpp", 'TEST_CASE("t", "[5321-4.1-01]") { row{"5321-4.1-02"}; }\nTEST_CASE("u", "[5321-D-01]") {}')
        self.assertIn("not up to date", self.run_table("--check")[2])
        self.assertEqual(self.run_table()[0], 0)
        self.assertEqual(self.run_table("--check")[0], 0)

    def test_check_wants_a_test_or_a_reason_for_each_clause_of_the_library(self):
        self.write("tests/a_test.cpp", 'TEST_CASE("t", "[5321-4.1-01]") { row{"5321-D-01"}; }')
        self.run_table()
        status, _, errors = self.run_table("--check")
        self.assertEqual(status, 1)
        self.assertIn("no test covers 5321-4.1-02, and no row says why", errors)
        self.assertIn("2 of 3 library clauses", errors)
        self.deviations("5321-4.1-02\ta b c\t-\n")
        self.run_table()
        self.assertEqual(self.run_table("--check")[0], 0)

    def test_there_are_fewer_than_fifteen_deviations(self):
        ids = [f"5321-4.2-{n:02}" for n in range(15)]
        self.write("tests/conformance/rfc5321.tsv", COLUMNS + "".join(clause(i) for i in ids))
        for count, status in ((14, 0), (15, 1)):
            self.deviations("".join(f"{i}\ta b c\t-\n" for i in ids[:count]))
            self.write("tests/a_test.cpp", "".join(f'TEST_CASE("t", "[{i}]") {{}}\n' for i in ids[count:]))
            self.assertEqual(self.run_table()[0], status)
            self.assertEqual("15 deviations are more than 14" in self.run_table("--check")[2], status == 1)

    def test_deviations_have_a_real_id_once_a_reason_and_an_option(self):
        self.deviations("5321-9-99\ta b c\t-\n5321-4.1-01\t\t-\n5321-4.1-02\ta b c\t\n5321-D-01\ta b c\t-\n5321-D-01\ta b c\t-\nshort\n")
        errors = self.run_table("--check")[2]
        for part in (":2: no clause list", ":3: 5321-4.1-01 has no reason", ":4: 5321-4.1-02 has no option", ":6: 5321-D-01 stands there twice", ":7: 1 fields"):
            self.assertIn("tests/conformance/deviations.tsv" + part, errors)

    def test_a_deviation_stands_on_the_page_with_reason_option_and_test(self):
        self.write("tests/a_test.cpp", 'TEST_CASE("Pins it", "[5321-4.1-01]") {}')
        self.deviations("5321-4.1-01\tit is safer so\tserver_options::lenient\n")
        self.assertIn("| it is safer so | `server_options::lenient` | Pins it |", self.page())

    def two_sides(self):
        self.write("tests/conformance/rfc5321.tsv", COLUMNS + clause("5321-4.1-01") + clause("5321-4.1-02", "client-session") +
                   clause("5321-4.1-03", scope="caller") + clause("5321-4.1-04", "routing") + clause("5321-4.1-05", scope="out"))
        self.write("tests/conformance/rfc9422.tsv", COLUMNS + clause("9422-1-01") + clause("9422-1-02", "client-session"))

    def test_the_figures_are_server_client_beside_and_caller_each_of_all_lists(self):
        self.two_sides()
        self.assertIn("0 of 5 library clauses are tested or deviate, 0 of 1 caller clauses have a hook", self.run_table("--missing")[2])
        self.write("tests/a_test.cpp", 'TEST_CASE("t", "[9422-1-02]") {}')
        self.deviations("9422-1-01\ta b c\t-\n")
        parts = self.page().split("## ")
        self.assertIn("The server's side", parts[1])
        self.assertIn("| rfc9422 | 1 | 0 | 1 | 0 |\n| **all** | 2 | 0 | 1 | 1 |\n\n50.0 %", parts[1])
        self.assertIn("The client's side", parts[2])
        self.assertIn("| rfc9422 | 1 | 1 | 0 | 0 |\n| **all** | 2 | 1 | 0 | 1 |\n\n50.0 %", parts[2])
        self.assertIn("Beside the sessions", parts[3])
        self.assertIn("| **all** | 1 | 0 | 0 | 1 |\n\n0.0 %", parts[3])
        self.assertIn("The caller's side", parts[4])
        self.assertIn("| **all** | 1 | 0 | 1 |\n\n0.0 %", parts[4])

    def with_a_hook(self, row="5321-4.1-03\tsession::reject options::strict\tRefuses it\n"):
        self.two_sides()
        self.hooks(row)
        self.write("include/a.hpp", "struct session { void reject(); };  // not_there")
        self.write("include/b.hpp", "struct options { bool strict; };")
        self.write("tests/a_test.cpp", """TEST_CASE("t", "[5321-4.1-01]") { row{"5321-4.1-02"}; row{"5321-4.1-04"}; row{"9422-1-01"};
            row{"9422-1-02"}; }\nTEST_CASE("Refuses " "it", "[r]") {}\nTEST_CASE("Hides", "[.]") {}""")

    def test_a_clause_of_the_caller_has_a_hook_and_a_test_of_it(self):
        self.with_a_hook("")
        self.run_table()
        status, _, errors = self.run_table("--check")
        self.assertEqual(status, 1)
        self.assertIn("nothing serves 5321-4.1-03", errors)
        self.assertIn("5321-4.1-03", self.run_table("--missing")[1])
        self.with_a_hook()
        self.assertIn("| `session::reject`, `options::strict` | Refuses it | `a_test.cpp` |", self.page())
        self.assertEqual(self.run_table("--check")[0], 0)
        self.assertEqual(self.run_table("--missing")[1], "")
        self.assertIn("session::reject options::strict: tests/a_test.cpp: Refuses it", self.run_table("--draw", "6")[1])

    def test_a_hook_is_in_one_header_and_its_test_is_run(self):
        for row, fault in (("5321-4.1-03\tsession::accept\tRefuses it\n", ":2: no header has session::accept"),
                           ("5321-4.1-03\tsession::strict\tRefuses it\n", ":2: no header has session::strict"),
                           ("5321-4.1-03\tnot_there\tRefuses it\n", ":2: no header has not_there"),
                           ("5321-4.1-03\t \tRefuses it\n", ":2: 5321-4.1-03 has no hook"),
                           ("5321-4.1-03\tsession\tRefuses\n", ":2: no test case has the name: Refuses"),
                           ("5321-4.1-03\tsession\tHides\n", ":2: no test case has the name: Hides"),
                           ("5321-4.1-01\tsession\tRefuses it\n", ":2: 5321-4.1-01 is not of scope caller"),
                           ("5321-4.1-05\tsession\tRefuses it\n", ":2: 5321-4.1-05 is not of scope caller"),
                           ("5321-4.1-03\tsession\n", ":2: 2 fields and not id, hook, test"),
                           ("5321-9-99\tsession\tRefuses it\n", ":2: no clause list has the id 5321-9-99")):
            self.with_a_hook(row)
            status, _, errors = self.run_table("--check")
            self.assertEqual(status, 1)
            self.assertIn("tests/conformance/hooks.tsv" + fault, errors)

    def test_only_clauses_of_the_library_deviate(self):
        self.with_a_hook()
        self.deviations("5321-4.1-03\ta b c\t-\n")
        self.assertIn("deviations.tsv:2: 5321-4.1-03 is not of scope library", self.run_table("--check")[2])

    def test_lists_of_documents_that_are_no_rfcs_count_too(self):
        self.write("tests/conformance/proxy.tsv", COLUMNS + clause("PROXY-2.1-01") + clause("PROXY-2.1-02"))
        self.write("tests/a_test.cpp", 'TEST_CASE("t", "[r][PROXY-2.1-01]") { row{"PROXY-2.1-02"}; }\nTEST_CASE("u", "[PROXY-9-01]") {}')
        self.assertIn("a_test.cpp:2: no clause list has the id PROXY-9-01", self.run_table("--check")[2])
        self.assertIn("2 of 5 library clauses", self.run_table("--check")[2])

    def test_a_role_restricts_what_is_listed_and_drawn(self):
        self.two_sides()
        self.write("tests/a_test.cpp", 'TEST_CASE("t", "[5321-4.1-01]") { row{"5321-4.1-02"}; }')
        self.assertIn("1 of 2 library clauses", self.run_table("--missing", "--role", "client-session")[2])
        for seed in range(5):
            self.assertIn("5321-4.1-02", self.run_table("--draw", "1", "--seed", str(seed), "--role", "client-session")[1])
        self.assertEqual(self.run_table("--draw", "2", "--role", "client-session")[0], 2)
        self.assertEqual(self.run_table("--draw", "1", "--role", "nobody")[0], 2)
        self.assertEqual(self.run_table("--check", "--role", "parser")[0], 2)

    def test_a_draw_depends_on_the_seed_only(self):
        self.write("tests/a_test.cpp", 'TEST_CASE("t", "[5321-4.1-01]") { row{"5321-4.1-02"}; row{"5321-D-01"}; }')
        draws = {self.run_table("--draw", "2", "--seed", str(seed))[1] for seed in range(20)}
        self.assertGreater(len(draws), 1)
        self.assertEqual(self.run_table("--draw", "2", "--seed", "7"), self.run_table("--draw", "2", "--seed", "7"))
        self.assertEqual(self.run_table("--draw", "4")[0], 2)

    def test_a_list_of_a_document_that_is_no_rfc_has_its_name_in_its_ids(self):
        self.write("tests/conformance/proxy.tsv", COLUMNS + clause("PROXY-2.1-01") + clause("PROXY-2.1-02") + clause("PROXY-2.2-01"))
        self.write("tests/a_test.cpp", 'TEST_CASE("t", "[proxy][PROXY-2.1-01][PROXY-2.1-02]") { row{"PROXY-2.2-01", 1}; }')
        page = self.page()
        self.assertIn("| proxy | 3 | 2 | 0 | 1 |", page)
        self.assertIn("| PROXY-2.2-01 | MUST | t | `a_test.cpp` |", page)
        self.write("tests/b_test.cpp", 'TEST_CASE("t", "[PROXY-9-01]") {\n R"(\n# [XCLIENT-2-01] x\n)"; }')
        errors = self.run_table("--check")[2]
        self.assertIn("tests/b_test.cpp:1: no clause list has the id PROXY-9-01", errors)
        self.assertIn("tests/b_test.cpp:3: no clause list has the id XCLIENT-2-01", errors)

    def test_a_list_that_no_document_has_is_not_read(self):
        self.write("tests/conformance/other.tsv", COLUMNS + clause("OTHER-1-01"))
        self.write("tests/a_test.cpp", 'TEST_CASE("t", "[OTHER-1-01]") {}')
        self.assertEqual(self.run_table("--missing")[0], 0)
        self.write("tests/conformance/rfc1.tsv", COLUMNS + clause("OTHER-1-01"))
        self.assertIn("not a row of a clause list", self.run_table("--missing")[2])

    def test_markup_in_a_summary_stays_text(self):
        self.assertIn("A \\| of \\<5321-4.1-01\\>.", self.page())


if __name__ == "__main__":
    unittest.main()

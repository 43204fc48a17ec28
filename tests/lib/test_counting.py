"""What tests/run.sh reports rests on these counts: a failure, a crash or an empty run must never count as passed."""

import contextlib
import io
import tempfile
import textwrap
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import run_ctest
import run_python
from latchkey_test.paths import ROOT


class PythonCounts(unittest.TestCase):
    def totals_of(self, source):
        """(exit status, last line) of a run over one module."""
        status, lines = self.run_over(source)
        return status, lines[-1]

    def run_over(self, source):
        """(exit status, lines) of it."""
        with tempfile.TemporaryDirectory() as directory:
            # Each module needs a name of its own: Python imports a name once.
            name = f"test_{self.id().rsplit('.', 1)[1]}.py"
            Path(directory, name).write_text("import unittest\n" + textwrap.dedent(source), encoding="ascii")
            with contextlib.redirect_stdout(io.StringIO()) as output:
                status = run_python.main(directory)
        return status, output.getvalue().splitlines()

    def test_every_kind_of_outcome_is_counted_once(self):
        self.assertEqual((1, "1 passed, 3 failed"), self.totals_of("""
            class T(unittest.TestCase):
                def test_passes(self): pass
                def test_fails(self): self.fail()
                def test_breaks(self): raise ValueError
                def test_is_skipped(self): self.skipTest("why")
                @unittest.expectedFailure
                def test_passes_against_expectation(self): pass
            """))

    def test_what_failed_is_named_with_its_reason(self):
        _, lines = self.run_over("""
            class T(unittest.TestCase):
                def test_breaks(self): raise ValueError("three\\nlines\\nof it")
            """)
        self.assertRegex("\n".join(lines), r"(?m)^failed: .*test_breaks.*: ValueError: three \| lines \| of it$")

    def test_bytes_that_are_no_text_hide_no_count(self):
        self.assertEqual((0, "1 passed, 0 failed"), self.totals_of("""
            import os
            class T(unittest.TestCase):
                def test_passes(self): os.write(1, b"\\xff\\0")
            """))

    def test_a_class_that_fails_to_set_up_is_a_failure(self):
        self.assertEqual((1, "0 passed, 1 failed"), self.totals_of("""
            class T(unittest.TestCase):
                @classmethod
                def setUpClass(cls): raise OSError
                def test_never_runs(self): pass
            """))

    def test_a_module_that_does_not_import_is_a_failure(self):
        self.assertEqual((1, "0 passed, 1 failed"), self.totals_of("import no_such_module\n"))

    def test_a_run_without_tests_is_a_failure(self):
        self.assertEqual((1, "0 passed, 1 failed"), self.totals_of(""))

    def outcome_of_two_runs(self, first):
        """(exit status, lines) of a file whose first run does `first`, and whose second one passes."""
        with tempfile.TemporaryDirectory() as directory:
            return self.run_over(f"""
                import pathlib
                class T(unittest.TestCase):
                    def test_x(self):
                        mark = pathlib.Path({directory!r}, "ran")
                        if not mark.exists():
                            mark.touch()
                            {first}
                """)

    def test_a_test_that_waited_in_vain_is_run_again_alone_and_named(self):
        status, lines = self.outcome_of_two_runs('raise TimeoutError("the server: not within 60 s")')
        self.assertEqual((0, "1 passed, 0 failed"), (status, lines[-1]))
        self.assertRegex("\n".join(lines), r"(?m)^again: .*test_x.*: TimeoutError: the server: not within 60 s$")

    def test_one_that_waits_in_vain_twice_is_a_failure(self):
        status, lines = self.run_over("""
            class T(unittest.TestCase):
                def test_x(self): raise TimeoutError
            """)
        self.assertEqual((1, "0 passed, 1 failed"), (status, lines[-1]))
        self.assertRegex("\n".join(lines), r"(?m)^failed: .*test_x")

    def test_a_wrong_answer_is_not_forgiven(self):
        for first in ("self.fail('admitted')", "self.assertEqual(1, 2)", "raise ValueError",
                      "raise TimeoutError('WARNING: ThreadSanitizer: data race')", "import os; os.kill(os.getpid(), 9)"):
            with self.subTest(first):
                status, lines = self.outcome_of_two_runs(first)
                self.assertEqual((1, "0 passed, 1 failed"), (status, lines[-1]))

    def test_many_that_wait_in_vain_are_no_accident(self):
        with tempfile.TemporaryDirectory() as directory:
            for number in range(4):
                Path(directory, f"test_{number}.py").write_text(textwrap.dedent(f"""
                    import pathlib, unittest
                    class T(unittest.TestCase):
                        def test_x(self):
                            mark = pathlib.Path({directory!r}, "ran{number}")
                            if not mark.exists():
                                mark.touch()
                                raise TimeoutError
                    """), encoding="ascii")
            with contextlib.redirect_stdout(io.StringIO()) as output:
                status = run_python.main(directory)
        self.assertEqual((1, "0 passed, 4 failed"), (status, output.getvalue().splitlines()[-1]))

    def test_the_files_of_several_directories_add_up(self):
        with contextlib.ExitStack() as stack, contextlib.redirect_stdout(io.StringIO()) as output:
            directories = [stack.enter_context(tempfile.TemporaryDirectory()) for _ in range(2)]
            for directory in directories:
                Path(directory, "test_same.py").write_text("import unittest\nclass T(unittest.TestCase):\n"
                                                           "    def test_x(self): pass\n", encoding="ascii")
            status = run_python.main(*directories)
        self.assertEqual((0, "2 passed, 0 failed"), (status, output.getvalue().splitlines()[-1]))

    def test_the_longest_files_come_first_whatever_directory_they_are_in(self):
        integration = ROOT / "tests/integration"
        found = [path.name for path in run_python.find_files([integration, integration / "schema", integration / "system"])]
        self.assertEqual(found[:3], ["test_revocations.py", "test_schema.py", "test_history.py"])
        self.assertEqual(len(found), len(set(found)))

    def test_what_is_named_as_long_is_there(self):
        there = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
        self.assertEqual(set(run_python.LONGEST) - there, set())

    def test_success_is_status_0(self):
        self.assertEqual((0, "1 passed, 0 failed"), self.totals_of("""
            class T(unittest.TestCase):
                def test_passes(self): pass
            """))


class ProgramCounts(unittest.TestCase):
    def outcome_of(self, status, output):
        """(counts, what is said) of a program with that output."""
        case = ElementTree.Element("testcase", name="test_x", status=status)
        ElementTree.SubElement(case, "system-out").text = output
        with contextlib.redirect_stdout(io.StringIO()) as said:
            return run_ctest.count_program(case), said.getvalue()

    def counts_of(self, status, output):
        return self.outcome_of(status, output)[0]

    def test_the_cases_of_a_cmocka_program_are_counted(self):
        self.assertEqual((12, 0), self.counts_of("run", "[  PASSED  ] 12 test(s).\n"))
        self.assertEqual((3, 2), self.counts_of("fail", textwrap.dedent("""
            [  FAILED  ] a_zero_is_refused
            [  SKIPPED ] it_needs_a_database
            [  PASSED  ] 3 test(s).
            [  SKIPPED ] 1 test(s), listed below:
            [  SKIPPED ] it_needs_a_database
            [  FAILED  ] 2 test(s), listed below:
            [  FAILED  ] a_zero_is_refused
            """)))

    def test_several_groups_of_one_program_add_up(self):
        self.assertEqual((5, 0), self.counts_of("run", "[  PASSED  ] 2 test(s).\n[  PASSED  ] 3 test(s).\n"))

    def test_a_program_that_crashed_after_its_cases_is_a_failure(self):
        self.assertEqual((4, 1), self.counts_of("fail", "[  PASSED  ] 4 test(s).\nERROR: LeakSanitizer\n"))

    def test_what_ended_a_program_without_a_count_is_told(self):
        for output, reason in (
                ("ERROR: not in time\nCould not run test: [   LINE   ] --- scene.c:144: error: Failure!Test setup failed\n"
                 "[  ERROR   ] it_follows\n[  PASSED  ] 0 test(s).\n", r"ERROR: not in time \| .*scene.c:144.* \| .*it_follows"),
                ("[ RUN      ] it_follows\nWARNING: ThreadSanitizer: data race (pid=1)\n  Write of size 8\nSUMMARY: data race x.c:7 in f\n",
                 r"WARNING: ThreadSanitizer: data race .* SUMMARY: data race x.c:7"),
                ("one\ntwo\n", "two"), ("", "it said nothing")):
            with self.subTest(output):
                counts, said = self.outcome_of("fail", output)
                self.assertEqual((0, 1), counts)
                self.assertRegex(said, f"(?m)^failed: test_x: ended without a count: {reason}")

    def test_a_program_without_counts_is_one_test(self):
        self.assertEqual((1, 0), self.counts_of("run", "17 inputs\n"))
        self.assertEqual((0, 1), self.counts_of("fail", ""))


if __name__ == "__main__":
    unittest.main()

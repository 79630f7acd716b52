#!/usr/bin/env python3
"""Plants a violation of each rule in a small clean tree and expects to hear of it, and of nothing else."""

import tempfile
import unittest
from pathlib import Path

import tidy

# Words that would break the rules if they stood here whole.
LATER = "TO" + "DO"
MACHINE = "/ro" + "ot/x"


def header(path, body=""):
    guard = "".join(c if c.isalnum() else "_" for c in path.upper()) + "_"
    return f"// What it is.\n#ifndef {guard}\n#define {guard}\n{body}\n#endif  // {guard}\n"


CLEAN = {
    "README.md": "# Title\n\n## Part\n\n```sh\n# a comment, no title\n```\n",
    "exporter/base/CMakeLists.txt": "house_library(b SOURCES a.cc)\nhouse_test(t SOURCES a_test.cc)\n",
    "exporter/base/a.h": header("exporter/base/a.h", "#include <string>"),
    "exporter/base/a.cc": '#include "exporter/base/a.h"\n',
    "exporter/base/a_test.cc": '#include "exporter/base/a.h"\n',
    "exporter/metrics/m.h": header("exporter/metrics/m.h", '#include "exporter/base/a.h"'),
}


class TidyTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name).resolve()
        for path, text in CLEAN.items():
            self.write(path, text)

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode("utf-8"))

    def found(self):
        return [f"{path}:{line}: {rule}" for path, line, rule, _ in tidy.violations(self.root)[1]]

    def expect(self, path, text, *places):
        """With `path` holding `text`, exactly `places` (`line: rule`) in it are reported."""
        self.write(path, text)
        self.assertEqual(self.found(), [f"{path}:{place}" for place in places], text)

    def expect_include(self, path, include, rule=None):
        self.expect(path, header(path, f"#include {include}"), *([f"4: {rule}"] if rule else []))

    def test_a_clean_tree_passes(self):
        self.assertEqual(self.found(), [])

    def test_include_direction(self):
        wrong = (
            ("exporter/base/x.h", '"exporter/metrics/m.h"'),
            ("exporter/metrics/x.h", '"exporter/collect/c.h"'),
            ("exporter/metrics/x.h", '"exporter/expose/c.h"'),
            ("exporter/collect/x.h", '"exporter/expose/e.h"'),
            ("exporter/expose/x.h", '"exporter/collect/c.h"'),
            ("exporter/expose/x.h", '"exporter/http/h.h"'),
            ("exporter/slo/x.h", '"exporter/expose/e.h"'),
            ("exporter/http/x.h", '"exporter/app/a.h"'),
            ("exporter/http/x.h", '"exporter/config/c.h"'),
            ("exporter/config/x.h", '"exporter/log/l.h"'),
            ("exporter/log/x.h", '"exporter/metrics/m.h"'),
            ("exporter/http/x.h", '"collectors/catalog.h"'),
            ("exporter/app/x.h", '"collectors/telemetry/t.h"'),
            ("exporter/base/x.h", '"tests/fakes/f.h"'),
            ("collectors/telemetry/x.h", '"collectors/postgres/p.h"'),
            ("collectors/telemetry/x.h", '"collectors/catalog.h"'),
            ("collectors/telemetry/x.h", '"exporter/expose/e.h"'),
            ("collectors/telemetry/x.h", '"exporter/http/h.h"'),
            ("collectors/clients/http/x.h", '"collectors/clients/spire/s.h"'),
            ("collectors/clients/http/x.h", '"exporter/collect/c.h"'),
            ("exporter/base/x.h", '"a.h"'),
            ("exporter/base/x.h", '"../base/a.h"'),
            ("exporter/base/x.h", "<exporter/base/a.h>"),
        )
        for path, include in wrong:
            self.expect_include(path, include, "include_direction")
            (self.root / path).unlink()

    def test_includes_along_the_direction_pass(self):
        right = (
            ("exporter/http/x.h", '"exporter/expose/e.h"'),
            ("exporter/http/x.h", '"exporter/collect/c.h"'),
            ("exporter/slo/x.h", '"exporter/metrics/m.h"'),
            ("exporter/config/x.h", '"exporter/base/a.h"'),
            ("exporter/app/x.h", '"collectors/catalog.h"'),
            ("exporter/app/x.h", '"exporter/http/h.h"'),
            ("collectors/catalog.h", '"collectors/telemetry/t.h"'),
            ("collectors/telemetry/x.h", '"collectors/telemetry/t.h"'),
            ("collectors/telemetry/x.h", '"collectors/clients/http/h.h"'),
            ("collectors/telemetry/x.h", '"exporter/collect/c.h"'),
            ("tests/e2e/x.h", '"exporter/app/a.h"'),
            ("exporter/base/x.h", "<sys/socket.h>"),
        )
        for path, include in right:
            self.expect_include(path, include)

    def test_package_doors(self):
        doors = {
            "<civetweb.h>": "exporter/http/x.h",
            "<openssl/ssl.h>": "exporter/tls/x.h",
            "<prometheus/counter.h>": "exporter/expose/x.h",
            "<yaml-cpp/yaml.h>": "exporter/config/x.h",
            "<spdlog/logger.h>": "exporter/log/x.h",
            "<fmt/core.h>": "exporter/log/x.h",
            "<CLI/CLI.hpp>": "exporter/app/x.h",
            "<pqxx/pqxx>": "collectors/clients/postgres/x.h",
            "<libpq-fe.h>": "collectors/clients/postgres/x.h",
            "<grpcpp/grpcpp.h>": "collectors/clients/spire/x.h",
            "<google/protobuf/message.h>": "exporter/expose/x.h",
            "<metrics.pb.h>": "exporter/expose/x.h",
        }
        for include, home in doors.items():
            self.expect_include(home, include)
            (self.root / home).unlink()
            for stranger in ("exporter/base/x.h", "collectors/telemetry/x.h", "tests/e2e/x.h"):
                self.expect_include(stranger, include, "package_doors")
                (self.root / stranger).unlink()
        self.expect_include("tests/bench/x.h", "<prometheus/histogram.h>")

    def test_banned_calls(self):
        for call in (
            "std::cout << 1;",
            "std::cerr << 1;",
            'spdlog::info("x");',
            "spdlog::set_default_logger(l);",
            "std::this_thread::sleep_for(1s);",
            "usleep(1);",
            "::sleep(1);",
            "sleep(1);",
            "auto t = std::chrono::system_clock::now();",
            "auto t = std::chrono::steady_clock::now();",
            "auto l = std::source_location::current();",
            'auto s = std::format("{}", 1);',
            "for (int i : std::views::iota(1)) {}",
            "for (int i : std::ranges::views::iota(1)) {}",
            "std::atomic<std::shared_ptr<int>> p;",
            "EXPECT_TRUE(true);",
            "GTEST_SKIP();",
            "TEST(X, DISABLED_Y) {}",
            "#include <format>",
            "#include <ranges>",
            "#include <source_location>",
        ):
            path = "exporter/metrics/x.h"
            self.expect(path, header(path, call), "4: banned_calls")

    def test_banned_words_in_comments_strings_and_names_pass(self):
        path = "exporter/metrics/x.h"
        for text in (
            "// std::cout, sleep_for(1)",
            "/* usleep\n std::cerr */",
            'auto s = "std::cout << \\" sleep(1)";',
            'auto s = R"x(std::cout ")" usleep)x";',
            "auto c = '\"'; auto n = 1'000'000;",
            "void Sleep(); driver.sleep(1); x->sleep(1); Clock::sleep(2); int sleep_total = 0;",
            'GTEST_SKIP() << "no IPv6";',
            "std::ranges::sort(v);",
            "std::cout_like x;",
        ):
            self.expect(path, header(path, text))

    def test_code_after_a_string_is_still_read(self):
        path = "exporter/metrics/x.h"
        self.expect(path, header(path, "char c = '\"'; usleep(1);"), "4: banned_calls")
        self.expect(path, header(path, 'int n = 1\'000; auto s = "x"; usleep(1);'), "4: banned_calls")
        self.expect(path, header(path, 'auto s = R"(")";\nusleep(1);'), "5: banned_calls")

    def test_calls_pass_where_they_belong(self):
        for path, call in (
            ("exporter/app/x.h", "std::cerr << 1;"),
            ("tests/fakes/x.h", "std::cout << 1;"),
            ("exporter/base/x.h", "std::chrono::system_clock::now();"),
            ("exporter/base/x.h", "std::chrono::steady_clock::now();"),
        ):
            self.expect(path, header(path, call))

    def test_header_guards(self):
        path = "exporter/base/x.h"
        rule = "header_guards"
        self.expect(path, "int x;\n", f"1: {rule}")
        self.expect(path, "#pragma once\nint x;\n", f"1: {rule}")
        self.expect(path, header("exporter/base/y.h"), f"2: {rule}")
        self.expect(path, header(path) + "#include <string>\n", f"2: {rule}")
        self.expect(path, "#include <string>\n" + header(path), f"1: {rule}")

    def test_sources_are_built(self):
        self.expect("exporter/base/b_test.cc", "int x;\n", "1: sources_are_built")
        self.write("exporter/base/CMakeLists.txt", CLEAN["exporter/base/CMakeLists.txt"] + "# b_test.cc\n")
        self.assertEqual(self.found(), ["exporter/base/b_test.cc:1: sources_are_built"])
        self.write("exporter/base/CMakeLists.txt", CLEAN["exporter/base/CMakeLists.txt"] + "x(lib_test.cc)\n")
        self.assertEqual(self.found(), ["exporter/base/b_test.cc:1: sources_are_built"])
        self.write("exporter/base/CMakeLists.txt", CLEAN["exporter/base/CMakeLists.txt"] + "x(b_test.cc)\n")
        self.assertEqual(self.found(), [])

    def test_a_list_may_be_included_from_beside_it(self):
        self.write("exporter/base/part.cmake", "x(b_test.cc)\n")
        self.expect("exporter/base/b_test.cc", "int x;\n", "1: sources_are_built")
        lists = CLEAN["exporter/base/CMakeLists.txt"] + "include(part.cmake OPTIONAL)\n"
        self.write("exporter/base/CMakeLists.txt", lists)
        self.assertEqual(self.found(), [])

    def test_a_list_further_up_names_a_source_by_its_path(self):
        self.write("exporter/CMakeLists.txt", "x(deep/c.cc)\n")
        self.expect("exporter/deep/c.cc", "int x;\n")
        self.expect("exporter/other/c.cc", "int x;\n", "1: sources_are_built")

    def test_a_fuzzer_is_built_by_its_name(self):
        self.write("tests/fuzz/CMakeLists.txt", "fuzz_target(config LINKS c)\n")
        self.expect("tests/fuzz/config_fuzz.cc", "int x;\n")
        self.expect("tests/fuzz/conf_fuzz.cc", "int x;\n", "1: sources_are_built")

    def test_columns(self):
        path = "exporter/base/x.h"
        self.expect(path, header(path, "//" + "x" * 98))
        self.expect(path, header(path, "//" + "é" * 98))
        self.expect(path, header(path, "//" + "x" * 99), "4: columns")

    def test_file_length(self):
        self.expect("x.py", "x = 1\n" * 400)
        self.expect("x.py", "x = 1\n" * 401, "401: file_length")
        (self.root / "x.py").unlink()
        self.expect("run", "#!/usr/bin/env bash\n" + ":\n" * 400, "401: file_length")
        (self.root / "run").unlink()
        self.expect("data.txt", "x\n" * 1000)

    def test_one_title(self):
        self.expect("docs/a.md", "# One\n\n# Two\n", "3: one_title")
        self.expect("docs/a.md", "Text\n", "1: one_title")
        self.expect("docs/a.md", "Text\n\n# One\n", "3: one_title")
        self.expect("docs/a.md", "# One\n\n~~~\n# no title\n~~~\n")

    def test_promises_have_issues(self):
        self.expect("docs/a.md", f"# A\n\n{LATER}: x\n", "3: promises_have_issues")
        (self.root / "docs/a.md").unlink()
        self.expect("x.sh", f"# {LATER}(me): x\n", "1: promises_have_issues")
        self.expect("x.sh", f"# {LATER}(#12): x\n")

    def test_no_machine_paths(self):
        self.expect("x.sh", f"ls {MACHINE}\n", "1: no_machine_paths")
        self.expect("x.sh", "ls /ho" + "me/jane/src\n", "1: no_machine_paths")
        self.expect("x.sh", f"ls sub{MACHINE} https://example.org{MACHINE} /etc/x $HOME{MACHINE}\n")

    def test_plain_text(self):
        self.expect("x.sh", "ls\r\nls\r\n", "1: plain_text", "1: plain_text")
        self.expect("x.sh", "ls", "1: plain_text")
        self.expect("x.sh", "ls \n", "1: plain_text")
        self.expect("x.sh", "")

    def test_targets_not_globals(self):
        for call in ("include_directories(..)", "add_compile_options(-O2)", "file(GLOB s *.cc)"):
            self.expect("exporter/CMakeLists.txt", call + "\n", "1: targets_not_globals")
        self.expect("exporter/CMakeLists.txt", "target_compile_options(x PRIVATE -O2)\n")

    def test_foreign_files_are_left_alone(self):
        self.expect("tests/testdata/captures/a.md", f"no title {MACHINE}")
        self.expect("tests/fuzz/corpus/config/a.yaml", "x \r")

    def test_the_command_says_where_and_fails(self):
        self.assertEqual(tidy.main(["tidy.py", str(self.root)]), 0)
        self.write("x.sh", "ls")
        self.assertEqual(tidy.main(["tidy.py", str(self.root)]), 1)
        with tempfile.TemporaryDirectory() as empty:
            self.assertEqual(tidy.main(["tidy.py", empty]), 2)
        self.assertEqual(tidy.main(["tidy.py"]), 2)


if __name__ == "__main__":
    unittest.main(buffer=True)

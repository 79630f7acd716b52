"""House rules on C++ sources. A rule takes all files and yields (file, line, message)."""

import re

# What the files of a folder may include besides their own folder. The longest prefix counts.
BASE, METRICS, COLLECT = "exporter/base/", "exporter/metrics/", "exporter/collect/"
TLS, CLIENTS = "exporter/tls/", "collectors/clients/"
# What certificates come from, as an interface.
CERTIFICATES, WORKLOAD = TLS + "certificate_source.h", TLS + "workload_source.h"
DIRECTION = {
    "exporter/base/": (),
    "exporter/metrics/": (BASE,),
    "exporter/collect/": (BASE, METRICS),
    "exporter/slo/": (BASE, METRICS),
    "exporter/expose/": (BASE, METRICS),
    "exporter/tls/": (BASE,),
    "exporter/http/": (BASE, METRICS, COLLECT, TLS, "exporter/slo/", "exporter/expose/"),
    "exporter/web/": (BASE, METRICS, TLS, "exporter/http/", "exporter/config/yaml.h"),
    "exporter/config/": (BASE,),
    "exporter/log/": (BASE,),
    "exporter/app/": ("exporter/", "collectors/catalog.h"),
    "exporter/": ("exporter/", "collectors/catalog.h"),
    "collectors/clients/": (BASE, CLIENTS + "net/", "exporter/tls/test_certificates.h",
                            "tests/fakes/hung_server.h"),
    "collectors/clients/http/": (BASE, CLIENTS + "net/", CERTIFICATES, TLS + "spiffe_roots.h",
                                 TLS + "test_certificates.h", TLS + "fake_workload_source.h",
                                 "tests/fakes/hung_server.h"),
    "collectors/clients/workload/": (BASE, TLS, CLIENTS + "spiffe/", CLIENTS + "spire/",
                                      "tests/fakes/workload_agent.h"),
    "collectors/catalog": (BASE, METRICS, COLLECT, WORKLOAD, "collectors/"),
    "collectors/agent/": (BASE, METRICS, COLLECT, CLIENTS, "collectors/svid/svid_descriptions.h",
                          "tests/fakes/hung_server.h", "tests/fakes/identity/"),
    # The fakes for tests: no library of the product links them.
    "collectors/": (BASE, METRICS, COLLECT, CLIENTS, "tests/fakes/hung_server.h",
                    "tests/fakes/identity/"),
    "tests/": ("exporter/", "collectors/", "tests/"),
}

# Which folders may see a third party's headers.
DOORS = (
    (r"civetweb\.h$", ("exporter/http/",)),
    # clients/spire reads the certificates of authorities in SPIRE's records and shakes hands with
    # servers; clients/spiffe verifies SVIDs.
    (
        r"openssl/",
        (
            "exporter/tls/",
            "collectors/clients/http/",
            "collectors/clients/spiffe/",
            "collectors/clients/spire/",
            "tests/fakes/identity/",
            "tests/fakes/keymanager/",
        ),
    ),
    (r"nlohmann/", ("exporter/app/", "collectors/clients/spiffe/")),
    (r"prometheus/", ("exporter/expose/", "tests/bench/")),
    (r"yaml-cpp/", ("exporter/config/",)),
    (r"(spdlog|fmt)/", ("exporter/log/",)),
    (r"CLI/", ("exporter/app/",)),
    (r"(pqxx/|libpq-fe\.h$|libpq/)", ("collectors/clients/postgres/",)),
    (r"(grpc|grpcpp)/", ("collectors/clients/spire/", "tests/fakes/")),
    (
        r"(google/protobuf/|.*\.pb\.h$)",
        ("collectors/clients/spire/", "exporter/expose/", "tests/fakes/", "tests/bench/", "tests/fuzz/"),
    ),
)

# (pattern, where it is right, what is expected instead)
NOWHERE = r"$^"
BANNED = (
    (r"\bstd::(cout|cerr|clog)\b", r"exporter/(app/|main\.cc)|tests/", "a Logger"),
    (
        r"\bspdlog::(trace|debug|info|warn|error|critical|log|get|default_logger\w*"
        r"|set_default_logger)\b",
        NOWHERE,
        "the injected Logger, no default one",
    ),
    (
        r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.:>])(::)?sleep\s*\(",
        NOWHERE,
        "a wait that ends: a condition, poll(2), a stop token",
    ),
    (r"\bsystem_clock::now\b", r"exporter/base/", "a Clock"),
    (
        r"\b(steady_clock|high_resolution_clock)::now\b",
        r"exporter/base/|tests/|.*_test(_\w+)?\.(cc|h)$",  # tests wait with deadlines
        "a Clock",
    ),
    (r"\bstd::source_location\b", NOWHERE, "nothing: clang 14 cannot read it"),
    (r"\bstd::v?format(_to|_to_n)?\s*\(", NOWHERE, "nothing: g++ 12 has none"),
    (r"\bstd::(ranges::)?views\b", NOWHERE, "a loop: clang 14 cannot read views"),
    (r"\batomic\s*<\s*(std::)?shared_ptr\b", NOWHERE, "a Mutex around a shared_ptr"),
    (r"\b(EXPECT|ASSERT)_TRUE\s*\(\s*true\s*\)", NOWHERE, "a test that can fail"),
    (r"\bGTEST_SKIP\s*\(\s*\)\s*;", NOWHERE, "GTEST_SKIP() << reason"),
    (r"\bDISABLED_\w+", NOWHERE, "a test that runs"),
)
BANNED_HEADERS = (
    (r"format$", "nothing: g++ 12 has no <format>"),
    (r"ranges$", "a loop: clang 14 cannot read views"),
    (r"source_location$", "nothing: clang 14 cannot read it"),
)

LINES_MAX = 400
COLUMNS_MAX = 100


def _allowed(path):
    """The longest prefix of DIRECTION that `path` has, with what it allows; None outside."""
    fits = [prefix for prefix in DIRECTION if path.startswith(prefix)]
    return DIRECTION[max(fits, key=len)] if fits else None


def _own(path):
    """The folder that a file may always include from: that of its library."""
    parts = path.split("/")
    if path.startswith("collectors/clients/") or path.startswith("tests/"):
        return "/".join(parts[:3]) + "/"
    return "/".join(parts[:2]) + "/"


def include_direction(files):
    for file in files:
        if not file.is_cpp:
            continue
        allowed = _allowed(file.path)
        for line, mark, path in file.includes():
            ours = path.startswith(("exporter/", "collectors/", "tests/"))
            if mark == '"' and not ours:
                yield file, line, f'"{path}" is no path from the top; others\' headers take <>'
            elif mark == "<" and ours:
                yield file, line, f"<{path}> is ours and takes quotes"
            elif ours and allowed is not None:
                if path.startswith(_own(file.path)) or path.startswith(allowed):
                    continue
                yield file, line, f"{_own(file.path)} must not include {path}"


def package_doors(files):
    for file in files:
        if not file.is_cpp:
            continue
        for line, _, path in file.includes():
            for pattern, folders in DOORS:
                if re.match(pattern, path) and not file.path.startswith(folders):
                    yield file, line, f"<{path}> belongs in {' or '.join(folders)}"


def banned_calls(files):
    for file in files:
        if not file.is_cpp:
            continue
        for pattern, right, expected in BANNED:
            if re.match(right, file.path):
                continue
            for line, match in file.code_matches(pattern):
                yield file, line, f"{match.group().strip()}: expected {expected}"
        for line, mark, path in file.includes():
            for pattern, expected in BANNED_HEADERS:
                if mark == "<" and re.match(pattern, path):
                    yield file, line, f"<{path}>: expected {expected}"


def header_guards(files):
    for file in files:
        if not file.path.endswith(".h"):
            continue
        name = re.sub(r"[^A-Z0-9]", "_", file.path.upper()) + "_"
        directives = [
            (number, line.strip())
            for number, line in enumerate(file.code.split("\n"), 1)
            if line.lstrip().startswith("#")
        ]
        texts = [text for _, text in directives]
        if texts[:2] != [f"#ifndef {name}", f"#define {name}"] or texts[-1:] != ["#endif"]:
            line = directives[0][0] if directives else 1
            yield file, line, f"expected a guard called {name} around the whole header"


def sources_are_built(files):
    """A source that no CMakeLists.txt names is dead code, and a dead test proves nothing.
    What a CMakeLists.txt includes from beside it counts as its text."""
    lists = {f.folder: f.text for f in files if f.path.endswith("CMakeLists.txt")}
    for part in files:
        if part.path.endswith(".cmake") and part.folder in lists:
            name = part.path[len(part.folder) :].lstrip("/")
            if re.search(rf"^include\({re.escape(name)}\b", lists[part.folder], re.MULTILINE):
                lists[part.folder] += "\n" + part.text
    for file in files:
        if not file.path.endswith(".cc"):
            continue
        folder = file.folder
        while True:
            relative = file.path[len(folder) :].lstrip("/")
            named = re.compile(rf"(?<![\w./-]){re.escape(relative)}(?![\w.-])")
            if relative.endswith("_fuzz.cc"):
                named = re.compile(rf"fuzz_target\({re.escape(relative[:-8])}\b")
            if any(
                named.search(line.split("#")[0]) for line in lists.get(folder, "").split("\n")
            ):
                break
            if not folder:
                yield file, 1, "no CMakeLists.txt names it"
                break
            folder = folder.rpartition("/")[0]


def columns(files):
    for file in files:
        if not file.is_cpp:
            continue
        for number, line in enumerate(file.lines, 1):
            if len(line) > COLUMNS_MAX:
                yield file, number, f"{len(line)} columns: expected at most {COLUMNS_MAX}"


def file_length(files):
    for file in files:
        script = file.text.startswith("#!") and "sh\n" in file.text[:64]
        if not script and not file.path.endswith((".cc", ".h", ".py", ".sh")):
            continue
        count = file.text.count("\n")
        if count > LINES_MAX:
            yield file, count, f"{count} lines: expected at most {LINES_MAX}"


RULES = (
    include_direction,
    package_doors,
    banned_calls,
    header_guards,
    sources_are_built,
    columns,
    file_length,
)

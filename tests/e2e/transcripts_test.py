"""The transcripts of docs/reference/endpoints.md: every command gives what is printed below it."""

from __future__ import annotations

import re
import subprocess
import unittest

from harness import PATIENCE, SOURCE, ExporterTestCase, wait_for

PAGE = SOURCE / "docs/reference/endpoints.md"


def transcripts(text: str) -> list[tuple[str, str]]:
    """Commands of the console blocks, with what is to come out: a command begins with `$ ` and goes on
    after a backslash at the end of its line."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command = re.match(r"(?:.*\\\n)*.*\n", part)
            assert command, part
            found.append((command.group(0), part[command.end() :]))
    return found


class TranscriptsTest(ExporterTestCase):
    def test_every_command_gives_what_the_page_says(self) -> None:
        exporter = self.start()
        line = b"spire_server.rpc.agent.v1.agent.attest_agent.elapsed_time:%d.000000|ms|#status:OK\n"
        self.send(line % 4, line % 30)
        wait_for("the lines", lambda: exporter.page().get("spire_rpc_duration_seconds_count") == 2)
        wait_for("readiness", lambda: exporter.request("/-/ready")[0] == 200)
        found = transcripts(PAGE.read_text())
        self.assertGreaterEqual(len(found), 12)
        for command, expected in found:
            with self.subTest(command):
                self.assertIn("localhost:9925", command)
                done = subprocess.run(
                    ["bash", "-c", command.replace("localhost:9925", f"127.0.0.1:{exporter.port}")],
                    capture_output=True, text=True, timeout=PATIENCE, check=False,
                )  # fmt: skip
                self.assertEqual(done.stdout, expected)
                self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()

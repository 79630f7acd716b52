"""Where SPIRE's programs come from: a folder, PATH, or an archive that must prove itself."""

import hashlib
import io
import os
import platform
import tarfile
import tempfile
import unittest
from unittest import mock

from spirelab.errors import LabError
from spirelab.spire_release import (PINNED_VERSION, archive_names, expected_checksum, find_older,
                                    find_spire)

_SCRIPT = b"#!/bin/sh\necho 1.15.3 >&2\n"


class ReleaseTest(unittest.TestCase):
    def test_names_of_the_official_archive(self) -> None:
        self.assertEqual(archive_names("1.15.3", "x86_64"),
                         ("spire-1.15.3-linux-amd64-musl.tar.gz",
                          "spire-1.15.3-linux-amd64-musl_sha256sum.txt"))
        with self.assertRaises(LabError):
            archive_names("1.15.3", "riscv64")

    def test_checksum_is_taken_for_the_right_file_only(self) -> None:
        good, bad = "a" * 64, "b" * 64
        text = f"{bad}  spire-extras.tar.gz\n{good.upper()} *./spire.tar.gz\n"
        self.assertEqual(expected_checksum(text, "spire.tar.gz"), good)
        with self.assertRaises(LabError):
            expected_checksum("<html>404</html>", "spire.tar.gz")


class FindTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(dir="/tmp")
        self.addCleanup(folder.cleanup)
        self.root = folder.name
        self.cache = os.path.join(self.root, "cache")
        self.archive, self.sums = archive_names(PINNED_VERSION, platform.machine())
        self.place = os.path.join(self.root, f"v{PINNED_VERSION}")
        os.mkdir(self.place)
        environment = {"PATH": "/usr/bin:/bin", "SPIRE_RELEASE_BASE": f"file://{self.root}"}
        patch = mock.patch.dict(os.environ, environment, clear=True)
        patch.start()
        self.addCleanup(patch.stop)

    def publish(self, members: list[str], checksum: str | None = None) -> None:
        path = os.path.join(self.place, self.archive)
        with tarfile.open(path, "w:gz") as packed:
            for name in members:
                member = tarfile.TarInfo(name)
                member.size = len(_SCRIPT)
                packed.addfile(member, io.BytesIO(_SCRIPT))
        with open(path, "rb") as file:
            actual = hashlib.sha256(file.read()).hexdigest()
        with open(os.path.join(self.place, self.sums), "w", encoding="ascii") as file:
            file.write(f"{checksum or actual}  {self.archive}\n")

    def test_a_verified_archive_is_unpacked_and_kept(self) -> None:
        top = f"spire-{PINNED_VERSION}"
        self.publish([f"{top}/bin/spire-server", f"{top}/bin/spire-agent", "../../evil"])
        found = find_spire(self.cache)
        self.assertEqual(found.version, "1.15.3")
        self.assertEqual(sorted(os.listdir(os.path.dirname(found.server))),
                         ["spire-agent", "spire-server"])
        os.remove(os.path.join(self.place, self.archive))
        self.assertEqual(find_spire(self.cache).server, found.server)

    def test_an_archive_with_another_checksum_is_refused_and_leaves_nothing(self) -> None:
        self.publish(["bin/spire-server", "bin/spire-agent"], checksum="0" * 64)
        with self.assertRaisesRegex(LabError, "sha256"):
            find_spire(self.cache)
        self.assertFalse(os.path.exists(self.cache))

    def test_an_archive_without_the_programs_is_refused(self) -> None:
        self.publish(["bin/spire-server"])
        with self.assertRaisesRegex(LabError, "holds no"):
            find_spire(self.cache)
        self.assertEqual(os.listdir(self.cache), [])

    def test_every_place_that_was_tried_is_named(self) -> None:
        os.environ["SPIRE_BIN_DIR"] = "/nonexistent"
        with self.assertRaisesRegex(LabError, "SPIRE_BIN_DIR=/nonexistent.*PATH.*sha256sum.txt"):
            find_spire(self.cache)

    def folder_of(self, version: str) -> str:
        folder = os.path.join(self.root, "bin-" + version)
        os.mkdir(folder)
        for name in ("spire-server", "spire-agent"):
            path = os.path.join(folder, name)
            with open(path, "w", encoding="ascii") as file:
                file.write(f"#!/bin/sh\necho {version} >&2\n")
            os.chmod(path, 0o755)
        return folder

    def test_an_older_version_is_taken_from_the_folder_that_has_it(self) -> None:
        folders = [self.folder_of("1.13.3"), self.folder_of("1.14.7")]
        os.environ["SPIRE_OLD_BIN_DIR"] = ":".join(folders)
        self.assertEqual(os.path.dirname(find_older("1.14.7", self.cache).server), folders[1])
        with self.assertRaisesRegex(LabError, "1.12.0: .*has 1.13.3.*has 1.14.7.*v1.12.0"):
            find_older("1.12.0", self.cache)

    def test_without_a_folder_it_comes_from_its_archive(self) -> None:
        self.publish(["bin/spire-server", "bin/spire-agent"])
        found = find_older(PINNED_VERSION, self.cache)
        self.assertEqual(os.path.dirname(found.server),
                         os.path.join(self.cache, f"spire-{PINNED_VERSION}"))


if __name__ == "__main__":
    unittest.main()

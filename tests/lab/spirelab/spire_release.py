"""Finds SPIRE's programs: SPIRE_BIN_DIR, then PATH, then the official release archive; those of
older versions in SPIRE_OLD_BIN_DIR, then in their archives."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import tarfile
import urllib.error
import urllib.request
from dataclasses import dataclass

from spirelab.errors import LabError
from spirelab.process import run_tool

PINNED_VERSION = "1.15.3"
DEFAULT_BASE = "https://github.com/spiffe/spire/releases/download"
_PROGRAMS = ("spire-server", "spire-agent")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Spire:
    """Real SPIRE programs and where they came from."""

    server: str
    agent: str
    version: str
    origin: str


def archive_names(version: str, machine: str) -> tuple[str, str]:
    """Names of the release archive and of its checksum file."""
    architecture = _ARCHITECTURES.get(machine)
    if architecture is None:
        raise LabError(f"SPIRE publishes no archive for {machine}")
    stem = f"spire-{version}-linux-{architecture}-musl"
    return f"{stem}.tar.gz", f"{stem}_sha256sum.txt"


def expected_checksum(text: str, archive: str) -> str:
    """The sum the checksum file gives for the archive."""
    for line in text.splitlines():
        match = re.fullmatch(r"([0-9a-fA-F]{64})\s+\*?(?:.*/)?([^/\s]+)", line.strip())
        if match and match.group(2) == archive:
            return match.group(1).lower()
    raise LabError(f"the checksum file does not name {archive}")


def find_spire(cache: str) -> Spire:
    """Real SPIRE, or LabError with every place that was tried and why it would not do."""
    tried: list[str] = []
    folder = os.environ.get("SPIRE_BIN_DIR", "")
    if folder:
        found = _in_folder(folder)
        if found:
            return _describe(found, f"SPIRE_BIN_DIR={folder}")
        tried.append(f"SPIRE_BIN_DIR={folder} has no spire-server and spire-agent")
    on_path = [shutil.which(name) for name in _PROGRAMS]
    if on_path[0] and on_path[1]:
        return _describe((on_path[0], on_path[1]), "PATH")
    tried.append("PATH has no spire-server and spire-agent")
    base = os.environ.get("SPIRE_RELEASE_BASE") or DEFAULT_BASE
    try:
        return _describe(_download(base, cache, PINNED_VERSION), f"release archive of {base}")
    except LabError as error:
        tried.append(str(error))
    raise LabError("; ".join(tried))


def find_older(version: str, cache: str) -> Spire:
    """Real SPIRE of that very version: from the folders of SPIRE_OLD_BIN_DIR, divided by `:`, or
    its release archive. LabError with every place that was tried."""
    tried: list[str] = []
    for folder in filter(None, os.environ.get("SPIRE_OLD_BIN_DIR", "").split(":")):
        found = _in_folder(folder)
        if not found:
            tried.append(f"SPIRE_OLD_BIN_DIR: {folder} has no spire-server and spire-agent")
            continue
        spire = _describe(found, f"SPIRE_OLD_BIN_DIR, {folder}")
        if spire.version == version:
            return spire
        tried.append(f"SPIRE_OLD_BIN_DIR: {folder} has {spire.version}")
    base = os.environ.get("SPIRE_RELEASE_BASE") or DEFAULT_BASE
    try:
        return _describe(_download(base, cache, version), f"release archive of {base}")
    except LabError as error:
        tried.append(str(error))
    raise LabError(f"SPIRE {version}: " + "; ".join(tried))


def _in_folder(folder: str) -> tuple[str, str] | None:
    paths = [os.path.abspath(os.path.join(folder, name)) for name in _PROGRAMS]
    if all(os.access(path, os.X_OK) for path in paths):
        return paths[0], paths[1]
    return None


def _describe(paths: tuple[str, str], origin: str) -> Spire:
    version = run_tool([paths[0], "--version"], None, 20, with_errors=True).strip()
    return Spire(paths[0], paths[1], version or "unknown", origin)


def _download(base: str, cache: str, version: str) -> tuple[str, str]:
    """Fetches, verifies and unpacks the archive once; the folder appears only when it is whole."""
    archive, sums = archive_names(version, platform.machine())
    target = os.path.join(cache, f"spire-{version}")
    found = _in_folder(target)
    if found:
        return found
    address = f"{base.rstrip('/')}/v{version}"
    wanted = expected_checksum(_fetch(f"{address}/{sums}", 1 << 16).decode("ascii", "replace"),
                               archive)
    packed = _fetch(f"{address}/{archive}", 1 << 30)
    actual = hashlib.sha256(packed).hexdigest()
    if actual != wanted:
        raise LabError(f"{address}/{archive}: sha256 is {actual}, the checksum file says {wanted}")
    os.makedirs(cache, exist_ok=True)
    half_done = f"{target}.{os.getpid()}"
    os.makedirs(half_done, exist_ok=True)
    try:
        path = os.path.join(half_done, archive)
        with open(path, "wb") as file:
            file.write(packed)
        _unpack(path, half_done)
        os.remove(path)
        if not _in_folder(half_done):
            raise LabError(f"{address}/{archive} holds no {' and '.join(_PROGRAMS)}")
        shutil.rmtree(target, ignore_errors=True)
        os.rename(half_done, target)
    finally:
        shutil.rmtree(half_done, ignore_errors=True)
    server, agent = (os.path.join(target, name) for name in _PROGRAMS)
    return server, agent


def _unpack(archive: str, folder: str) -> None:
    """Takes the two programs out and nothing else, whatever paths the archive names."""
    try:
        with tarfile.open(archive, "r:gz") as packed:
            for member in packed:
                name = os.path.basename(member.name)
                if not member.isfile() or name not in _PROGRAMS:
                    continue
                source = packed.extractfile(member)
                if source is None:
                    continue
                target = os.path.join(folder, name)
                with source, open(target, "wb") as file:
                    shutil.copyfileobj(source, file)
                os.chmod(target, 0o755)
    except (tarfile.TarError, OSError) as error:
        raise LabError(f"{archive}: {error}") from error


def _fetch(address: str, limit: int) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            body = answer.read(limit + 1)
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise LabError(f"{address}: {reason}") from error
    if len(body) > limit:
        raise LabError(f"{address}: larger than {limit} bytes")
    return bytes(body)

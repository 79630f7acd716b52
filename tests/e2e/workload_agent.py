"""An agent's Workload API for the real program: authorities, SVIDs, and the fake that serves them."""

from __future__ import annotations

import datetime
import os
import pathlib
import subprocess

AGENT = pathlib.Path(os.environ["WORKLOAD_AGENT"])


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


def der(pem: pathlib.Path) -> bytes:
    return subprocess.run(
        ["openssl", "x509", "-in", str(pem), "-outform", "DER"], check=True, capture_output=True, timeout=60
    ).stdout


class TrustDomain:
    """A trust domain's authority in a folder, and the SVIDs it signs."""

    def __init__(self, folder: pathlib.Path, name: str) -> None:
        self.folder, self.name, self.count = folder, name, 0
        self.bundle, self.authority_key = folder / f"{name}.crt", folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                f"/CN={name}", "-keyout", str(self.authority_key), "-out", str(self.bundle))  # fmt: skip

    def issue(self, path: str, seconds: int = 86400, spiffe_id: str = "") -> tuple[pathlib.Path, pathlib.Path]:
        """Certificate and key of an SVID with so many seconds left."""
        self.count += 1
        stem = f"{self.name}-{self.count}"
        certificate, key, request, extension = (self.folder / f"{stem}.{kind}" for kind in ("pem", "key", "csr", "ext"))
        extension.write_text(f"subjectAltName=URI:{spiffe_id or f'spiffe://{self.name}{path}'}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/O=SPIRE",
                "-keyout", str(key), "-out", str(request))  # fmt: skip
        # `openssl x509` knows whole days alone; `openssl ca` knows seconds, and wants a folder of its own.
        now = datetime.datetime.now(datetime.timezone.utc)
        database = self.folder / f"{stem}.ca"
        database.mkdir()
        (database / "index").write_text("")
        (database / "conf").write_text(
            f"[ca]\ndefault_ca=c\n[c]\ndatabase={database}/index\nnew_certs_dir={database}\nrand_serial=yes\n"
            "default_md=sha256\npolicy=p\n[p]\norganizationName=optional\n"
        )
        stamp = "%Y%m%d%H%M%SZ"
        openssl("ca", "-batch", "-notext", "-config", str(database / "conf"), "-cert", str(self.bundle), "-keyfile",
                str(self.authority_key), "-in", str(request), "-extfile", str(extension), "-out", str(certificate),
                "-startdate", (now - datetime.timedelta(seconds=60)).strftime(stamp),
                "-enddate", (now + datetime.timedelta(seconds=seconds)).strftime(stamp))  # fmt: skip
        return certificate, key


class WorkloadAgent:
    """The fake as a process; ends with its test."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.socket, self.count = folder, folder / "agent.sock", 0
        self.process = subprocess.Popen(
            [AGENT, str(self.socket)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def say(self, line: str) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer == "done\n", answer

    def serve(self, domain: TrustDomain, path: str, seconds: int = 86400, *foreign: TrustDomain) -> pathlib.Path:
        """Sends a new SVID with the domain's bundle and those of foreign ones; the certificate."""
        certificate, key = domain.issue(path, seconds)
        self.count += 1
        out = self.folder / f"served-{self.count}"
        out.mkdir()
        (out / "id").write_text(f"spiffe://{domain.name}{path}")
        (out / "svid.der").write_bytes(der(certificate))
        openssl("pkcs8", "-topk8", "-nocrypt", "-in", str(key), "-outform", "DER", "-out", str(out / "key.der"))
        (out / "bundle.der").write_bytes(der(domain.bundle))
        for other in foreign:
            (out / f"{other.name}.federated").write_bytes(der(other.bundle))
        self.say(f"serve {out}")
        return certificate

    def close(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=15)

"""Certificates for x509pop attestation, made with openssl."""

from __future__ import annotations

import os

from spirelab.account import Account
from spirelab.process import run_tool
from spirelab.workspace import Workspace


class NodeCertificates:
    """A throw-away authority and one node certificate."""

    def __init__(self, workspace: Workspace, account: Account, common_name: str) -> None:
        folder = workspace.folder("x509pop", 0o750)
        self.ca = os.path.join(folder, "ca.crt")
        self.certificate = os.path.join(folder, "node.crt")
        self.key = os.path.join(folder, "node.key")
        authority_key = os.path.join(folder, "ca.key")
        request = os.path.join(folder, "node.csr")
        extensions = workspace.write(
            "x509pop/node.ext", "basicConstraints=critical,CA:FALSE\n"
            "keyUsage=critical,digitalSignature\n")
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self._openssl(account, folder, ["req", "-x509", *curve, "-keyout", authority_key, "-out",
                                        self.ca, "-days", "2", "-subj", "/CN=lab node authority"])
        self._openssl(account, folder, ["req", *curve, "-keyout", self.key, "-out", request,
                                        "-subj", f"/CN={common_name}"])
        self._openssl(account, folder, ["x509", "-req", "-in", request, "-CA", self.ca, "-CAkey",
                                        authority_key, "-CAcreateserial", "-days", "2", "-extfile",
                                        extensions, "-out", self.certificate])

    @staticmethod
    def _openssl(account: Account, folder: str, words: list[str]) -> None:
        run_tool(["openssl", *words], account, 20, directory=folder)

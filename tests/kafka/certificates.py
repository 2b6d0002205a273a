"""Certificates of an authority of the test's own, made with openssl when they are needed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.conftest import cannot_run

STORE_PASSWORD = "of the test's key store"
DAYS = "2"


class Certificates(NamedTuple):
    """Files."""

    authority: Path  # PEM, what clients trust
    another: Path  # PEM, an authority that signed nothing here
    server: Path  # PKCS#12, key and certificate of 127.0.0.1


def make_certificates(folder: Path) -> Certificates:
    """Skips the test, or fails it where parts are required, if there is no openssl."""
    if shutil.which("openssl") is None:
        cannot_run("there is no openssl to make certificates with")
    authority, another = (_authority(folder, name) for name in ("authority", "another"))
    key, request, signed, store = (folder / f"server.{ending}" for ending in ("key", "csr", "pem", "p12"))
    _openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=127.0.0.1")
    names = folder / "names"
    names.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    signer = ("-CA", authority, "-CAkey", authority.with_suffix(".key"), "-CAcreateserial")
    _openssl("x509", "-req", "-in", request, *signer, "-days", DAYS, "-extfile", names, "-out", signed)
    password = f"pass:{STORE_PASSWORD}"
    _openssl("pkcs12", "-export", "-in", signed, "-inkey", key, "-passout", password, "-out", store)
    return Certificates(authority, another, store)


def _authority(folder: Path, name: str) -> Path:
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    subject = ("-subj", f"/CN={name} of a test")
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", DAYS, *subject, "-keyout", key, "-out", certificate)
    return certificate


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)

"""A certificate that nobody but its maker knows, and clients that know it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from http.client import HTTPSConnection
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sample.plan import Tls
from sample.ports import LOOPBACK
from sample.processes import find_free_port
from test.e2e.stack import Answer, read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def make_tls(folder: Path) -> Tls:
    """TLS on a free port, with a certificate of its own for this machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "aisle of a test")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOOPBACK)), x509.DNSName("localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    tls = Tls(find_free_port(LOOPBACK), folder / "tls.crt", folder / "tls.key")
    tls.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    tls.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    tls.key.chmod(0o600)
    return tls


def trust(tls: Tls, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """What a client needs that knows the certificate; one that speaks this version of TLS alone, where it is named."""
    context = ssl.create_default_context(cafile=tls.certificate)
    if version is not None:
        context.set_ciphers("ALL:@SECLEVEL=0")  # or OpenSSL would not even offer the old ones
        context.minimum_version = context.maximum_version = version
    return context


def fetch_securely(
    tls: Tls, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Answer:
    """One request over TLS, on a connection of its own."""
    connection = HTTPSConnection(LOOPBACK, tls.port, timeout=20, context=trust(tls))
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        return read(connection.getresponse())
    finally:
        connection.close()

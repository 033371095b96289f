"""A TLS certificate and its key: made for an office that has none, read, and checked in words that say the mend."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from engine.core.errors import RefusedError
from engine.net.addresses import own_addresses

VALID_DAYS = 3650
RENEWED_DAYS = 30
"""A certificate that the office made itself is renewed this long before its end."""
_KEY_BITS = 2048
"""RSA, because desk phones of every age know it."""
_OURS = "Frontdesk"


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its key, ready to be shown."""

    server: ssl.SSLContext
    client: ssl.SSLContext
    """For connections that we open: a phone's certificate is its own affair, nobody vouches for it."""
    subject: str
    expires_at: datetime
    fingerprint: str
    """SHA-256 of the certificate, in pairs of hex digits."""
    is_own: bool
    """Whether the office made it itself."""


def read_identity(certificate: Path, key: Path) -> Identity:
    """Read and check both files (PEM, the certificate first in its chain); raises ``RefusedError`` with the mend.

    An expired certificate is read: phones that do not look at the date still get through.
    """
    leaf = _read_certificate(certificate)
    try:  # what is wrong inside shows only where it is looked at
        _check_key(key, certificate, leaf)
        server, client = _server_context(), _client_context()
        for context in (server, client):
            context.load_cert_chain(certificate, key, password="")
        digits = leaf.fingerprint(hashes.SHA256()).hex(":").upper()
        return Identity(server, client, _name_of(leaf), leaf.not_valid_after_utc, digits, _is_own(leaf))
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        why = getattr(error, "reason", None) or error
        raise RefusedError(f"{certificate} cannot be used ({why})", "have another one made") from None


def make_certificate(certificate: Path, key: Path, at: datetime) -> None:
    """Write a self-signed certificate for every name and address of this machine, and its key (mode 0600).

    A key that is there already is kept. Raises ``RefusedError`` when the folder cannot be written.
    """
    try:
        certificate.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if key.exists():
            pair = serialization.load_pem_private_key(key.read_bytes(), None)
        else:
            pair = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
            _write(key, pair.private_bytes(Encoding.PEM, _PKCS8, serialization.NoEncryption()))
        if not isinstance(pair, rsa.RSAPrivateKey):
            raise RefusedError(f"{key} is no RSA key of ours", f"put its certificate into {certificate}")
        _write(certificate, _self_signed(pair, at).public_bytes(Encoding.PEM))
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise RefusedError(
            f"no certificate can be made in {certificate.parent} ({why})", "mend that folder"
        ) from None


def _read_certificate(path: Path) -> x509.Certificate:
    data = _read(path, "certificate")
    try:
        return x509.load_pem_x509_certificates(data)[0]
    except ValueError:
        raise RefusedError(
            f"{path} holds no certificate", "put one in PEM form there, its chain behind it"
        ) from None


def _check_key(path: Path, certificate: Path, leaf: x509.Certificate) -> None:
    data = _read(path, "key")
    try:
        public = serialization.load_pem_private_key(data, None).public_key()
    except TypeError:
        raise RefusedError(
            f"the key {path} is locked with a password", f"unlock it: openssl pkey -in {path} -out unlocked.pem"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise RefusedError(f"{path} holds no private key", "put the certificate's key in PEM form there") from None
    spki = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public.public_bytes(*spki) != leaf.public_key().public_bytes(*spki):
        raise RefusedError(
            f"the key {path} does not belong to {certificate}", "put the two there that were made together"
        )


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise RefusedError(f"there is no {what} {path}", "put it there, in PEM form") from None
    except PermissionError:
        raise RefusedError(
            f"the {what} {path} may not be read", "let the user that runs Frontdesk read it (chown, chmod)"
        ) from None
    except OSError as error:
        raise RefusedError(f"the {what} {path} cannot be read ({error.strerror})", "mend that file") from None


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing, readable for the owner alone."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(data)
        os.fsync(file.fileno())
    new.rename(path)


def _self_signed(pair: rsa.RSAPrivateKey, at: datetime) -> x509.Certificate:
    host = socket.gethostname() or "localhost"
    name = x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, _OURS),
        x509.NameAttribute(NameOID.COMMON_NAME, host[:64]),
    ])  # fmt: skip
    names = [x509.DNSName(text) for text in dict.fromkeys((host, "localhost")) if text.isascii()]
    addresses = [x509.IPAddress(ipaddress.ip_address(text)) for text in own_addresses()]
    public = pair.public_key()
    usage = x509.KeyUsage(
        digital_signature=True, key_encipherment=True, content_commitment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))  # a phone's clock may be behind ours
        .not_valid_after(at + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName([*names, *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(pair, hashes.SHA256())
    )


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


def _client_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _name_of(leaf: x509.Certificate) -> str:
    names = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else leaf.subject.rfc4514_string()


def _is_own(leaf: x509.Certificate) -> bool:
    makers = leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return leaf.issuer == leaf.subject and [maker.value for maker in makers] == [_OURS]


_PKCS8 = serialization.PrivateFormat.PKCS8

"""Keys and certificates: whether they can be read, belong together and are still good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.doctor.finding import Finding, failed, ok, warning

SSH_HOST_KEY = "ssh_host_key"
SOON = timedelta(days=14)


def check_ssh_key(folder: Path) -> Iterator[Finding]:
    """The host key that ssh clients know this office by."""
    path = folder / SSH_HOST_KEY
    if not path.exists():
        return
    import asyncssh

    try:
        key = asyncssh.read_private_key(path)
    except (OSError, asyncssh.KeyImportError) as error:
        yield failed(
            "SSH host key",
            f"{path}: {error}",
            "restore it from a backup, or remove it to have a new one made (ssh clients will then warn once)",
        )
        return
    yield ok("SSH host key", f"{key.get_algorithm()}, {key.get_fingerprint()}")


def check_certificate(
    certificate: Path, key: Path, now: datetime | None = None, *, is_wanted: bool = False
) -> Iterator[Finding]:
    """The TLS certificate and its key: readable, a pair, valid now and for a while.

    One that is not ``is_wanted`` may be missing: the engine makes it.
    """
    if not is_wanted and not certificate.exists() and not key.exists():
        return
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    mend = f"put a matching pair there, or remove {certificate.name} and {key.name} to have new ones made"
    if is_wanted:  # the engine makes none where it was told to look
        mend = "put a matching pair there, or take the office's own: frontdesk param set tls_certificate off"
    try:
        found = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
        secret = load_pem_private_key(key.read_bytes(), None)
    except OSError as error:
        yield failed("TLS certificate", f"cannot read {error.filename}: {error.strerror}", mend)
        return
    except (ValueError, TypeError) as error:
        yield failed(
            "TLS certificate", f"{certificate.name} or {key.name} is no PEM that can be used: {error}", mend
        )
        return
    if secret.public_key() != found.public_key():
        yield failed("TLS certificate", f"{key.name} is not the key of {certificate.name}", mend)
        return
    moment = now or datetime.now(UTC)
    ends = found.not_valid_after_utc
    if not found.not_valid_before_utc <= moment <= ends:
        yield failed(
            "TLS certificate", f"valid from {found.not_valid_before_utc:%Y-%m-%d} to {ends:%Y-%m-%d} only", mend
        )
    elif ends - moment < SOON:
        yield warning(
            "TLS certificate", f"ends on {ends:%Y-%m-%d}", "renew it: a new pair counts without a restart"
        )
    else:
        yield ok(
            "TLS certificate", f"{found.subject.rfc4514_string() or 'without a name'}, valid to {ends:%Y-%m-%d}"
        )

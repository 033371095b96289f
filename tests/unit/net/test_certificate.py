"""The TLS certificate: made once, read again when its files change, and every trouble in one line with its mend."""

from __future__ import annotations

import errno
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat

from engine.core.errors import RefusedError
from engine.net import certificate as making
from engine.net.certificate import RENEWED_DAYS, VALID_DAYS, make_certificate, read_identity
from engine.net.tls import TlsIdentity

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
_RSA = bytes.fromhex("06092a864886f70d010101")
"""The algorithm of an RSA key, as a certificate names it (RFC 8017 appendix A.1)."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A pair that nobody changes."""
    return a_pair(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Another one."""
    return a_pair(tmp_path_factory.mktemp("other"))


def a_pair(folder: Path, at: datetime = NOW) -> tuple[Path, Path]:
    pair = folder / "tls" / "cert.pem", folder / "tls" / "key.pem"
    make_certificate(*pair, at)
    return pair


def copied(made: tuple[Path, Path], folder: Path) -> tuple[Path, Path]:
    folder.mkdir(exist_ok=True)
    pair = folder / "cert.pem", folder / "key.pem"
    for source, target in zip(made, pair, strict=True):
        target.write_bytes(source.read_bytes())
    return pair


class Office:
    """Whoever keeps a TLS identity: its files, its calendar, and what it is told."""

    def __init__(self, pair: tuple[Path, Path], *, own: bool = False) -> None:
        self.pair = pair
        self.now = NOW
        self.told: list[str] = []
        kept = pair if own else (Path("/nowhere/cert.pem"), Path("/nowhere/key.pem"))
        self.identity = TlsIdentity(lambda: self.pair, kept, lambda: self.now, self.told.append)


def test_a_new_certificate_names_this_machine_and_is_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "own_addresses", lambda: ["127.0.0.1", "2001:db8::1"])
    monkeypatch.setattr(making.socket, "gethostname", lambda: "frontdesk.example.org")
    certificate, key = a_pair(tmp_path)
    leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["frontdesk.example.org", "localhost"]
    assert [str(item) for item in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "2001:db8::1"]
    assert leaf.not_valid_after_utc == NOW + timedelta(days=VALID_DAYS)
    assert [path.stat().st_mode & 0o777 for path in (certificate, key)] == [0o600, 0o600]
    assert certificate.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in certificate.parent.iterdir()) == ["cert.pem", "key.pem"]


def test_what_was_made_can_be_shown_with_tls_1_2_at_least(made: tuple[Path, Path]) -> None:
    identity = read_identity(*made)
    assert identity.is_own
    assert identity.server.minimum_version is ssl.TLSVersion.TLSv1_2
    assert identity.client.minimum_version is ssl.TLSVersion.TLSv1_2
    assert len(identity.fingerprint) == 32 * 3 - 1


def test_a_certificate_and_its_key_may_stand_in_one_file(made: tuple[Path, Path], tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(made[1].read_bytes() + made[0].read_bytes())
    assert read_identity(both, both).fingerprint == read_identity(*made).fingerprint


def refusal(certificate: Path, key: Path) -> str:
    with pytest.raises(RefusedError) as refused:
        read_identity(certificate, key)
    text = str(refused.value)
    assert len(text.splitlines()) == 1
    assert refused.value.mend
    return text


def test_every_trouble_with_the_files_says_which_and_what_to_do(made: tuple[Path, Path], tmp_path: Path) -> None:
    certificate, key = copied(made, tmp_path)
    missing, empty = tmp_path / "missing.pem", tmp_path / "empty.pem"
    empty.touch()
    assert refusal(missing, key).startswith(f"there is no certificate {missing}")
    assert refusal(certificate, missing).startswith(f"there is no key {missing}")
    assert refusal(empty, key).startswith(f"{empty} holds no certificate")
    assert refusal(certificate, empty).startswith(f"{empty} holds no private key")
    assert refusal(certificate, certificate).startswith(f"{certificate} holds no private key")
    assert "cannot be read (Is a directory)" in refusal(tmp_path, key)


def test_a_key_of_another_certificate_is_refused(made: tuple[Path, Path], other: tuple[Path, Path]) -> None:
    assert f"the key {other[1]} does not belong to {made[0]}" in refusal(made[0], other[1])


def test_a_locked_key_is_refused_and_nobody_is_asked_for_its_password(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    certificate, key = copied(made, tmp_path)
    pair = serialization.load_pem_private_key(key.read_bytes(), None)
    lock = serialization.BestAvailableEncryption(b"secret")
    key.write_bytes(pair.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    assert "locked with a password" in refusal(certificate, key)
    assert "openssl pkey" in refusal(certificate, key)


def test_a_file_that_may_not_be_read_says_who_must_be_let(
    made: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "may not be read: let the user that runs Frontdesk read it" in refusal(*made)


# -- in force -----------------------------------------------------------------------------------------------------


async def test_an_office_without_a_certificate_makes_its_own(tmp_path: Path) -> None:
    office = Office((tmp_path / "tls" / "cert.pem", tmp_path / "tls" / "key.pem"), own=True)
    await office.identity.start()
    assert office.identity.server is not None
    assert office.identity.view().is_own
    assert not office.told


async def test_a_given_certificate_that_is_missing_is_never_made(tmp_path: Path) -> None:
    office = Office((tmp_path / "cert.pem", tmp_path / "key.pem"))
    await office.identity.start()
    assert office.identity.server is None
    assert not office.pair[0].exists()
    (told,) = office.told
    assert told.startswith(f"TLS: there is no certificate {tmp_path}/cert.pem")
    with pytest.raises(RefusedError, match="no certificate"):
        office.identity.view()


async def test_a_folder_that_may_not_be_entered_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object, *more: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    office = Office((tmp_path / "tls" / "cert.pem", tmp_path / "tls" / "key.pem"), own=True)
    for name in ("stat", "mkdir"):
        monkeypatch.setattr(f"os.{name}", refuse)
    await office.identity.start()
    monkeypatch.undo()
    assert office.told == [
        f"TLS: no certificate can be made in {tmp_path / 'tls'} (Permission denied): mend that folder"
    ]


async def test_a_certificate_whose_key_nobody_knows_never_replaces_a_good_one(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    office = Office(copied(made, tmp_path / "given"))
    await office.identity.start()
    leaf = x509.load_pem_x509_certificate(made[0].read_bytes()).public_bytes(Encoding.DER)
    odd = leaf.replace(_RSA, _RSA[:-1] + b"\x4d", 1)
    office.pair[0].write_bytes(x509.load_der_x509_certificate(odd).public_bytes(Encoding.PEM))
    for _ in range(2):
        await office.identity.look()
    assert office.identity.server is not None
    assert [text for text in office.told if "cannot be used" in text] == office.told != []


async def test_a_bad_file_never_replaces_a_good_certificate(made: tuple[Path, Path], tmp_path: Path) -> None:
    office = Office(copied(made, tmp_path))
    await office.identity.start()
    before = office.identity.server
    office.pair[0].write_text("nonsense")
    with pytest.raises(RefusedError, match="holds no certificate"):
        await office.identity.reload()
    assert office.identity.server is before


async def test_an_expired_certificate_is_shown_on_and_told(made: tuple[Path, Path], tmp_path: Path) -> None:
    office = Office(copied(made, tmp_path))
    office.now = NOW + timedelta(days=VALID_DAYS + 1)
    await office.identity.start()
    assert office.identity.server is not None
    (told,) = office.told
    assert "expired on 2036-02-27: put a new one there" in told


async def test_a_certificate_that_ends_soon_is_told_in_time(made: tuple[Path, Path], tmp_path: Path) -> None:
    office = Office(copied(made, tmp_path))
    office.now = NOW + timedelta(days=VALID_DAYS - 10)
    await office.identity.start()
    (told,) = office.told
    assert "ends on 2036-02-27" in told


async def test_our_own_certificate_is_renewed_in_time_with_the_same_key(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    office = Office(copied(made, tmp_path), own=True)
    await office.identity.start()
    before, key = office.identity.view(), office.pair[1].read_bytes()
    office.now = NOW + timedelta(days=VALID_DAYS - RENEWED_DAYS + 1)
    await office.identity.reload()
    after = office.identity.view()
    assert after.fingerprint != before.fingerprint
    assert after.expires_at == office.now + timedelta(days=VALID_DAYS)
    assert office.pair[1].read_bytes() == key


async def test_changed_files_are_read_once_they_are_at_rest(
    made: tuple[Path, Path], other: tuple[Path, Path], tmp_path: Path
) -> None:
    office = Office(copied(made, tmp_path))
    await office.identity.start()
    before = office.identity.view().fingerprint
    copied(other, tmp_path)
    await office.identity.look()
    assert office.identity.view().fingerprint == before, "somebody may still be writing"
    await office.identity.look()
    after = office.identity.server
    assert office.identity.view().fingerprint != before
    await office.identity.look()
    assert office.identity.server is after
    assert not office.told


async def test_the_same_trouble_is_told_once_and_the_mend_is_noticed(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    office = Office(copied(made, tmp_path))
    await office.identity.start()
    office.pair[1].unlink()
    for _ in range(5):
        await office.identity.look()
    (told,) = office.told
    assert "there is no key" in told
    before = office.identity.server
    copied(made, tmp_path)
    for _ in range(2):
        await office.identity.look()
    assert office.identity.server is not before
    office.pair[1].unlink()
    for _ in range(2):
        await office.identity.look()
    assert len(office.told) == 2


async def test_other_paths_count_as_a_change(
    made: tuple[Path, Path], other: tuple[Path, Path], tmp_path: Path
) -> None:
    office = Office(copied(made, tmp_path))
    await office.identity.start()
    office.pair = other
    for _ in range(2):
        await office.identity.look()
    assert office.identity.view().certificate == str(other[0])


async def test_our_own_certificate_is_looked_at_for_its_end_although_no_file_changes(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    office = Office(copied(made, tmp_path), own=True)
    await office.identity.start()
    before = office.identity.view().fingerprint
    office.now = NOW + timedelta(days=VALID_DAYS - 1)
    await office.identity.look()
    assert office.identity.view().fingerprint != before
    assert not office.told

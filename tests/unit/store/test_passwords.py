"""Passwords are strong, typable, and checked without telling who exists."""

from __future__ import annotations

import base64

from engine.store.configuration import Configuration, Operator, Role
from engine.store.passwords import (
    check_key,
    check_operator,
    digest_secrets,
    hash_password,
    make_password,
    make_realm,
    matches,
)

KEY_BODY = base64.b64encode(b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + bytes(32)).decode()
KEY = f"ssh-ed25519 {KEY_BODY} anna@laptop"


def office(operator: Operator) -> Configuration:
    return Configuration(1, "r", operators={operator.login: operator})


def test_password_is_random_and_has_no_look_alikes() -> None:
    passwords = {make_password() for _ in range(200)}
    assert len(passwords) == 200
    assert not set("".join(passwords)) & set("0O1Iil")
    assert all(len(password) == 19 for password in passwords)


def test_digest_secrets_are_those_of_rfc_7616_section_3_9_1() -> None:
    # H(A1) of the RFC's example user, recomputed with md5sum and sha256sum
    secrets = digest_secrets("Mufasa", "http-auth@example.org", "Circle of Life")
    assert secrets.md5 == "3d78807defe7de2157e2b0b6573a855f"
    assert secrets.sha256 == "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232"


def test_realm_is_an_offices_own() -> None:
    assert make_realm().startswith("frontdesk-")
    assert make_realm() != make_realm()


def test_operator_is_found_with_the_right_password_only() -> None:
    anna = Operator("anna", Role.VIEWER, hash_password("s3cret"))
    assert check_operator(office(anna), "anna", "s3cret") == anna
    assert check_operator(office(anna), "anna", "S3cret") is None
    assert check_operator(office(anna), "nobody", "s3cret") is None


def test_operator_without_password_never_logs_in_with_one() -> None:
    assert check_operator(office(Operator("anna", Role.VIEWER, None)), "anna", "") is None


def test_hash_of_another_make_never_matches() -> None:
    for stored in ("", "plain", "md5$1$2$3$4$5", "scrypt$x$8$1$AA==$AA==", "scrypt$16384$8$1$!$AA=="):
        assert not matches("plain", stored)


def test_key_counts_without_its_comment() -> None:
    anna = Operator("anna", Role.VIEWER, None, keys=(KEY,))
    assert check_key(office(anna), "anna", f"ssh-ed25519 {KEY_BODY}") == anna
    other = base64.b64encode(b"\x00\x00\x00\x0bssh-ed25519" + b"x" * 36).decode()
    assert check_key(office(anna), "anna", f"ssh-ed25519 {other}") is None
    assert check_key(office(anna), "berta", KEY) is None
    assert check_key(office(anna), "anna", "garbage") is None

"""Whose certificate it is: the rows of RFC 5922 section 7."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from engine.core.errors import RefusedError
from engine.net.trust import CertificateDemand, Trust, is_named, names_of


def certificate(*alternatives: tuple[str, str], common: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"subject": ((("commonName", common),),)} if common else {}
    return found | ({"subjectAltName": alternatives} if alternatives else {})


@pytest.mark.parametrize(
    ("shown", "names"),
    [
        (certificate(("DNS", "a.example"), ("DNS", "b.example"), common="c.example"), ["a.example", "b.example"]),
        (certificate(("URI", "sip:a.example"), ("DNS", "b.example")), ["a.example"]),
        (certificate(("URI", "SIP:a.example"), ("URI", "https://b.example")), ["a.example"]),
        (certificate(("URI", "sip:alice@a.example"), ("DNS", "a.example")), []),
        (certificate(("email", "x@a.example"), common="a.example"), []),
        (certificate(common="a.example"), ["a.example"]),
        (certificate(("IP Address", "192.0.2.1")), ["192.0.2.1"]),
        ({}, []),
    ],
)
def test_whom_a_certificate_is_for(shown: dict[str, Any], names: list[str]) -> None:
    assert names_of(shown) == names


@pytest.mark.parametrize(
    ("domain", "name", "is_its"),
    [
        ("carrier.example", "carrier.example", True),
        ("Carrier.Example.", "carrier.example", True),
        ("carrier.example", "sip.carrier.example", False),
        ("sip.carrier.example", "carrier.example", False),
        ("sip.carrier.example", "*.carrier.example", True),
        ("a.sip.carrier.example", "*.carrier.example", False),
        ("carrier.example", "*.example", False),
        ("carrier.example", "*", False),
        ("carrier.example", "car*.example", False),
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "*.0.2.1", False),
        ("2001:db8::1", "2001:DB8:0:0:0:0:0:1", True),
        ("carrier.example", "192.0.2.1", False),
    ],
)
def test_whether_a_name_is_that_of_the_domain(domain: str, name: str, is_its: bool) -> None:
    assert is_named(domain, [name]) is is_its


def test_only_a_name_is_asked_for() -> None:
    assert CertificateDemand("carrier.example", Trust()).server_name == "carrier.example"
    assert CertificateDemand("192.0.2.1", Trust()).server_name == ""


@pytest.mark.parametrize(
    ("code", "mend"),
    [
        (10, "have the carrier renew it"),
        (9, "this machine's clock"),
        (18, "trunk_ca"),
        (20, "trunk_ca"),
        (23, "mend it"),
    ],
)
def test_each_refusal_says_its_mend(code: int, mend: str) -> None:
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_code, error.verify_message = code, "what OpenSSL says"
    text = CertificateDemand("carrier.example", Trust()).explain(error)
    assert text.startswith("the certificate of 'carrier.example' is refused (what OpenSSL says): ")
    assert mend in text


def test_other_troubles_speak_for_themselves() -> None:
    demand = CertificateDemand("carrier.example", Trust())
    assert demand.explain(ConnectionRefusedError(111, "Connection refused")) == "Connection refused"
    assert demand.explain(TimeoutError()) == "no answer"


async def test_the_file_of_authorities_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    trust = Trust(lambda: str(path))
    with pytest.raises(RefusedError, match="cannot be read"):
        await trust.context()
    path.write_text("no certificate")
    with pytest.raises(RefusedError, match="put their certificates there in PEM form"):
        await trust.context()
    system = Trust()
    assert await system.context() is await system.context()
    assert (await system.context()).verify_mode is ssl.CERT_REQUIRED

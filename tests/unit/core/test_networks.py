"""Addresses and the networks that they are in."""

from __future__ import annotations

import pytest

from engine.core.networks import AddressList, is_within


@pytest.mark.parametrize(
    ("host", "network", "inside"),
    [
        ("192.0.2.7", "192.0.2.0/24", True),
        ("192.0.3.7", "192.0.2.0/24", False),
        ("192.0.2.7", "192.0.2.7", True),
        ("::ffff:192.0.2.7", "192.0.2.0/24", True),
        ("2001:db8::1", "2001:db8::/32", True),
        ("fe80::1%eth0", "fe80::/10", True),
        ("2001:db8::1", "192.0.2.0/24", False),
        ("example.org", "192.0.2.0/24", False),
        ("192.0.2.7", "nonsense", False),
    ],
)
def test_within(host: str, network: str, inside: bool) -> None:
    assert is_within(host, network) is inside


def test_the_smallest_network_decides() -> None:
    addresses = AddressList(
        [("10.0.0.0/8", False), ("10.1.0.0/16", True), ("10.1.1.1/32", False), ("spoilt", False)]
    )
    verdicts = [addresses.verdict(host) for host in ("10.2.0.1", "10.1.0.1", "10.1.1.1", "192.0.2.1", "name")]
    assert verdicts == [False, True, False, None, None]
    assert addresses.has_black


def test_an_empty_list_has_no_opinion() -> None:
    assert AddressList().verdict("10.0.0.1") is None
    assert not AddressList([("10.0.0.0/8", True)]).has_black

"""A phone is told addresses it can reach."""

from __future__ import annotations

from engine.core.views import ListenerView
from tui.reach import phone_servers

MACHINE = ("127.0.0.1", "192.0.2.7", "::1", "2001:db8::7", "fe80::1%eth0")


def test_a_listener_on_every_address_stands_for_those_of_the_machine() -> None:
    listeners = (
        ListenerView("udp", "0.0.0.0:5060"),
        ListenerView("udp", "[::]:5060"),
        ListenerView("ssh", "*:8022"),
    )
    assert phone_servers(listeners, MACHINE) == [("192.0.2.7:5060", "UDP"), ("[2001:db8::7]:5060", "UDP")]


def test_a_given_address_is_taken_as_it_is() -> None:
    assert phone_servers((ListenerView("udp", "127.0.0.1:5070"),), MACHINE) == [("127.0.0.1:5070", "UDP")]


def test_loopback_counts_where_there_is_nothing_else() -> None:
    assert phone_servers((ListenerView("udp", "0.0.0.0:5060"),), ("127.0.0.1",)) == [("127.0.0.1:5060", "UDP")]

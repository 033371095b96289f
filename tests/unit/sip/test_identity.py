"""Every way of being anonymous, whose word on a caller is believed, and how we tell it (RFC 3323, 3325)."""

from __future__ import annotations

import pytest

from engine.core.peering import Identity
from engine.sip.headers import Headers
from engine.sip.identity import ANONYMOUS_FROM, Caller, asks_privacy, caller_of, is_anonymous, told_fields

PLAIN = ("From", '"Anna" <sip:4930555@carrier.test>;tag=a')
HIDDEN = ("From", '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=a')
ASSERTED = ("P-Asserted-Identity", '"Weber" <sip:+49301234@carrier.test>')


def fields(*pairs: tuple[str, str]) -> Headers:
    return Headers(pairs)


@pytest.mark.parametrize(
    "pairs",
    [
        [HIDDEN],
        [("From", "<sip:anonymous@anonymous.invalid>;tag=a")],
        [("From", '"Anonymous" <sip:4930555@carrier.test>;tag=a')],
        [("From", '"ANONYMOUS" <sip:4930555@carrier.test>;tag=a')],
        [("From", "<sip:unknown@carrier.test>;tag=a")],
        [("From", "<sip:Unavailable@carrier.test>;tag=a")],
        [("From", "<sip:restricted@carrier.test>;tag=a")],
        [("From", "<sip:carrier.test>;tag=a")],
        [("From", "<sip:@carrier.test>;tag=a")],
        [("From", "<tel:>;tag=a")],
        [("From", "nonsense without an address <")],
        [],
        [PLAIN, ("Privacy", "id")],
        [PLAIN, ("Privacy", "user")],
        [PLAIN, ("Privacy", "header;ID;critical")],
        [PLAIN, ("Remote-Party-ID", "<sip:4930555@carrier.test>;party=calling;privacy=full")],
    ],
)
def test_anonymous_in_every_form(pairs: list[tuple[str, str]]) -> None:
    assert is_anonymous(fields(*pairs))


@pytest.mark.parametrize(
    "pairs",
    [
        [PLAIN],
        [PLAIN, ("Privacy", "none")],
        [PLAIN, ("Privacy", "session;critical")],
        [("From", "<tel:+49-30-555>;tag=a")],
        [("From", "<sip:anonymouse@carrier.test>;tag=a")],
        [PLAIN, ("Remote-Party-ID", "<sip:4930555@carrier.test>;privacy=off")],
        [PLAIN, ("Remote-Party-ID", "<<")],
    ],
)
def test_not_anonymous(pairs: list[tuple[str, str]]) -> None:
    assert not is_anonymous(fields(*pairs))


def test_a_trusted_network_is_believed_and_no_other() -> None:
    headers = fields(PLAIN, ASSERTED)
    assert caller_of(headers, is_trusted=True) == Caller("+49301234", "Weber", False)
    assert caller_of(headers, is_trusted=False) == Caller("4930555", "Anna", False)


def test_what_is_asserted_of_who_hides_is_known_and_private() -> None:
    headers = fields(HIDDEN, ASSERTED, ("Privacy", "id"))
    assert caller_of(headers, is_trusted=True) == Caller("+49301234", "Weber", True)
    assert caller_of(headers, is_trusted=False) == Caller(None, "Anonymous", True)


def test_the_number_of_a_tel_uri_and_of_the_second_identity() -> None:
    both = ("P-Asserted-Identity", "<sip:unknown@carrier.test>, <tel:+49-30-1234;phone-context=x>")
    assert caller_of(fields(HIDDEN, both), is_trusted=True).number == "+49301234"


def test_an_unreadable_assertion_is_passed_over() -> None:
    assert caller_of(fields(PLAIN, ("P-Asserted-Identity", "<<")), is_trusted=True).number == "4930555"


FIELD = {
    Identity.PAI: ("P-Asserted-Identity", '"Anna" <sip:101@office>'),
    Identity.PPI: ("P-Preferred-Identity", '"Anna" <sip:101@office>'),
    Identity.RPID: ("Remote-Party-ID", '"Anna" <sip:101@office>;party=calling;screen=yes;privacy=off'),
}


@pytest.mark.parametrize("identity", Identity)
def test_who_calls_is_told_as_the_peer_reads_it(identity: Identity) -> None:
    address, more = told_fields(Caller("101", "Anna"), identity, "office", is_trusted=False)
    assert address == '"Anna" <sip:101@office>'
    assert more == ((FIELD[identity],) if identity in FIELD else ())


def test_a_private_number_is_told_to_trusted_peers_alone() -> None:
    caller = Caller("101", "Anna", is_private=True)
    address, more = told_fields(caller, Identity.PAI, "office", is_trusted=True)
    assert address == ANONYMOUS_FROM
    assert more == (("P-Asserted-Identity", '"Anna" <sip:101@office>'), ("Privacy", "id"))
    assert told_fields(caller, Identity.PAI, "office", is_trusted=False) == (ANONYMOUS_FROM, (("Privacy", "id"),))
    rpid = told_fields(caller, Identity.RPID, "office", is_trusted=True)[1][0]
    assert rpid[1].endswith(";privacy=full")


def test_a_withheld_number_is_told_to_nobody() -> None:
    told = told_fields(Caller(None), Identity.PAI, "office", is_trusted=True)
    assert told == (ANONYMOUS_FROM, (("Privacy", "id"),))
    assert is_anonymous(Headers([("From", told[0])]))
    assert asks_privacy(Headers(told[1]))


def test_a_name_breaks_out_of_no_field() -> None:
    address, _ = told_fields(Caller("101", 'A" <sip:evil@x>\r\nX: y'), Identity.FROM, "office", is_trusted=False)
    assert "\r" not in address
    assert "\n" not in address
    assert caller_of(Headers([("From", address)]), is_trusted=False).number == "101"

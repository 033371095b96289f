"""An outside line that registers: what it says to its carrier, and where it stands afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest

from engine.core.events import TrunkChanged
from engine.core.views import TrunkState, TrunkView
from engine.net.resolve import Server
from engine.pbx.trunks.line import TrunkLine
from engine.sip.digest import Algorithm
from engine.sip.message import Request, Response
from engine.store.outside import Trunk
from tests.unit.pbx.carrier import MemoryRegistrar, reply
from tests.unit.pbx.office import MemoryOffice

FIRST, SECOND, THIRD = "198.51.100.1", "198.51.100.2", "198.51.100.3"
GIVE_UP_S = 32.0
MEND = "see that the trunk's address and transport are right"


def has_trunk(office: MemoryOffice, name: str = "carrier", **fields: Any) -> None:
    """Give the office a registering line, or change it."""
    known = office.configuration.trunks.get(name)
    usual: dict[str, Any] = {"host": FIRST, "registers": True, "username": "line1", "password": "pass1"}
    if known is not None:
        usual = {field: getattr(known, field) for field in Trunk.__slots__ if field != "name"}
    trunk = Trunk(name, **{**usual, **fields})
    office.configure(trunks=MappingProxyType({**office.configuration.trunks, name: trunk}))
    office.settle()


def loses_trunk(office: MemoryOffice, name: str = "carrier") -> None:
    left = {key: trunk for key, trunk in office.configuration.trunks.items() if key != name}
    office.configure(trunks=MappingProxyType(left))
    office.settle()


def view(office: MemoryOffice, name: str = "carrier") -> TrunkView:
    return next(item for item in office.office.trunks() if item.name == name)


def line(office: MemoryOffice, name: str = "carrier") -> TrunkLine:
    found = office.office.exchange.trunks.line(name)
    assert found is not None
    return found


def states(office: MemoryOffice) -> list[TrunkState]:
    return [event.state for event in office.events if isinstance(event, TrunkChanged)]


def served_by(office: MemoryOffice, *hosts: str) -> list[MemoryRegistrar]:
    """Carriers behind the name ``carrier.example``, the best one first."""
    office.resolver.known["carrier.example"] = tuple(Server(host, 5060, "UDP") for host in hosts)
    return [MemoryRegistrar(office, host) for host in hosts]


# -- the usual life ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_registers_with_its_password_and_takes_it_back(office: MemoryOffice, algorithm: Algorithm) -> None:
    carrier = MemoryRegistrar(office)
    carrier.algorithm = algorithm
    has_trunk(office)
    assert view(office).state is TrunkState.REGISTERED
    assert carrier.nonce_counts() == [None, "00000001"]
    assert [request.cseq.number for request in carrier.registers] == [1, 2]
    assert len({request.call_id for request in carrier.registers}) == 1
    assert view(office).last_error is None
    assert view(office).server == f"{FIRST}:5060"
    assert states(office) == [TrunkState.TRYING, TrunkState.REGISTERED]
    loses_trunk(office)
    assert not carrier.contacts
    assert carrier.last.headers.get("Expires") == "0"
    assert carrier.last.headers.get("Contact") != "*"
    assert carrier.nonce_counts()[-1] == "00000002", "the nonce serves again"


def test_its_contact_is_a_word_of_its_own(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    has_trunk(office)
    assert carrier.last.headers.get("Contact") == f"<sip:{line(office).contact_user}@192.0.2.1:5060>"
    board = office.office.exchange.trunks
    assert board.line_of_contact(line(office).contact_user) is line(office)
    assert board.line_of_contact("carrier") is None
    loses_trunk(office)
    assert board.line_of_contact(f"line-{'carrier'}") is None


@pytest.mark.parametrize(
    ("granted", "soonest", "latest"), [(3600, 2850, 3000), (120, 57, 60), (60, 28, 30), (1, 0, 1)]
)
def test_a_registration_is_refreshed_in_time(
    office: MemoryOffice, granted: int, soonest: float, latest: float
) -> None:
    carrier = MemoryRegistrar(office)
    carrier.granted_s = granted
    has_trunk(office)
    before = len(carrier.registers)
    office.advance(max(soonest - 1, 0))
    assert len(carrier.registers) == before
    office.advance(latest - soonest + 2)
    assert len(carrier.registers) > before
    assert set(carrier.nonce_counts()[2:]) != {None}
    assert view(office).state is TrunkState.REGISTERED
    assert carrier.registers[before].call_id == carrier.registers[0].call_id


def test_two_lines_live_side_by_side(office: MemoryOffice) -> None:
    first, second = MemoryRegistrar(office, FIRST), MemoryRegistrar(office, SECOND, user="line2", password="other")
    has_trunk(office, "one")
    has_trunk(office, "two", host=SECOND, username="line2", password="other")
    assert {item.name: item.state for item in office.office.trunks()} == dict.fromkeys(
        ("one", "two"), TrunkState.REGISTERED
    )
    loses_trunk(office, "one")
    assert not first.contacts
    assert second.contacts


def test_the_ways_of_the_carrier_are_kept(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    carrier.extra = (
        ("Service-Route", "<sip:in.carrier.example;lr>"),
        ("Path", "<sip:edge.carrier.example;lr>"),
        ("P-Associated-URI", "<sip:+49301@carrier.example>, <sip:+49302@carrier.example>"),
    )
    has_trunk(office, proxy=f"{FIRST}:5060")
    assert line(office).routes == (f"<sip:{FIRST}:5060;lr>", "<sip:in.carrier.example;lr>")
    assert line(office).path == ("<sip:edge.carrier.example;lr>",)
    assert len(line(office).associated) == 2
    assert carrier.last.headers.all("Route") == [f"<sip:{FIRST}:5060;lr>"], "the way of a REGISTER is its own"


def test_everything_goes_to_the_proxy(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office, SECOND)
    has_trunk(office, host="carrier.example", proxy=SECOND)
    assert view(office).state is TrunkState.REGISTERED
    assert carrier.last.uri == "sip:carrier.example"
    assert "<sip:line1@carrier.example>" in (carrier.last.headers.get("To") or "")


def test_a_stopping_office_takes_leave(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    has_trunk(office)
    office.while_time_passes(office.office.drain(0.0), 5.0)
    assert not carrier.contacts
    assert view(office).state is TrunkState.UNREGISTERED


def test_a_stopping_office_waits_for_no_dead_carrier(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    has_trunk(office)
    carrier.stop()
    office.while_time_passes(office.office.drain(0.0), 5.0)


def test_the_clock_may_be_set(office: MemoryOffice) -> None:
    MemoryRegistrar(office)
    has_trunk(office)
    since = view(office).state_since
    assert since is not None
    office.clock.set_wall(timedelta(days=400))
    office.advance(3)
    assert view(office).state_since == since + timedelta(days=400)
    assert view(office).state is TrunkState.REGISTERED


# -- refusals ---------------------------------------------------------------------------------------------------


def test_a_wrong_password_is_shown_and_tried_seldom(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    has_trunk(office, password="wrong")
    assert view(office).state is TrunkState.FAILED
    error = view(office).last_error or ""
    assert "(401 Unauthorized)" in error
    assert "see that user and password are right" in error
    assert view(office).last_error_at is not None
    tried = len(carrier.registers)
    assert tried == 2
    office.advance(200)
    assert len(carrier.registers) == tried
    office.advance(110)
    assert len(carrier.registers) == tried + 2
    has_trunk(office, password="pass1")
    office.advance(5)
    assert view(office).state is TrunkState.REGISTERED, "a person who mends it need not wait"
    assert view(office).last_error is None


@pytest.mark.parametrize(
    ("status", "words"), [(403, "(403 Forbidden): see"), (404, "404 Not Found"), (603, "603 Decline")]
)
def test_a_plain_no_is_failed(office: MemoryOffice, status: int, words: str) -> None:
    carrier = MemoryRegistrar(office)
    carrier.script = [status]
    has_trunk(office)
    assert view(office).state is TrunkState.FAILED
    assert words in (view(office).last_error or "")
    office.advance(301)
    assert view(office).state is TrunkState.REGISTERED
    assert states(office) == [TrunkState.TRYING, TrunkState.FAILED, TrunkState.REGISTERED]


def test_a_carrier_without_password_question(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office, password=None)
    has_trunk(office, password=None)
    assert view(office).state is TrunkState.REGISTERED
    assert len(carrier.registers) == 1


def test_a_password_that_is_missing_is_said(office: MemoryOffice) -> None:
    MemoryRegistrar(office)
    has_trunk(office, password=None)
    assert view(office).state is TrunkState.FAILED
    assert "see that user and password are right" in (view(office).last_error or "")


def test_an_interval_too_brief_is_made_longer(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)

    def brief(request: Request) -> Response:
        if int(request.headers.get("Expires") or 0) in range(1, 7200):
            return reply(request, 423, headers=(("Min-Expires", "7200"),))
        return carrier.register(request)

    carrier.script_always = brief
    has_trunk(office)
    assert view(office).state is TrunkState.REGISTERED
    assert carrier.last.headers.get("Expires") == "7200"
    loses_trunk(office)
    assert carrier.last.headers.get("Expires") == "0"
    assert not carrier.contacts


def test_a_success_without_our_contact_is_none(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    carrier.script = [
        lambda request: reply(request, 200, headers=(("Contact", "<sip:other@192.0.2.9>;expires=60"),))
    ]
    has_trunk(office)
    assert view(office).state is TrunkState.FAILED
    assert "keeps other contacts and not ours" in (view(office).last_error or "")


# -- carriers that call a CSeq invalid --------------------------------------------------------------------------


def in_reason(request: Request) -> Response:
    return reply(request, 400, "Invalid CSeq number")


def in_header(request: Request) -> Response:
    return reply(request, 400, "Bad Request", headers=(("P-Registrar-Error", "Invalid CSeq number"),))


def picky(carrier: MemoryRegistrar, complain: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """Takes each Call-ID for one REGISTER alone."""
    seen: set[str] = set()

    def answer(request: Request) -> Response:
        if request.call_id in seen:
            return complain(request)
        seen.add(request.call_id)
        return carrier.register(request)

    return answer


FORMS = pytest.mark.parametrize("complain", [in_reason, in_header])


@FORMS
def test_an_invalid_cseq_heals_by_itself_and_is_remembered(
    office: MemoryOffice, complain: Callable[[Request], Response]
) -> None:
    carrier = MemoryRegistrar(office)
    carrier.script_always = picky(carrier, complain)
    has_trunk(office)
    assert view(office).state is TrunkState.REGISTERED
    assert [request.call_id for request in carrier.registers].count(carrier.registers[0].call_id) == 2
    assert office.line_memory.taught == {("carrier", FIRST)}
    known = len(carrier.registers)
    office.advance(3100)
    assert len(carrier.registers) == known + 1, "no second 400"
    loses_trunk(office)
    calls = [request.call_id for request in carrier.registers[known - 1 :]]
    assert len(set(calls)) == len(calls)
    assert not carrier.contacts
    has_trunk(office)
    assert view(office).state is TrunkState.REGISTERED
    assert len({request.call_id for request in carrier.registers}) == len(carrier.registers) - 1, "still remembered"


@FORMS
@pytest.mark.parametrize("by", ["site", "trunk"])
def test_the_switches_avoid_it_from_the_first(
    office: MemoryOffice, complain: Callable[[Request], Response], by: str
) -> None:
    carrier = MemoryRegistrar(office)
    carrier.script_always = picky(carrier, complain)
    if by == "site":
        office.sets(gVarSipRegSameDialog=0)
    has_trunk(office, new_call_id=True if by == "trunk" else None)
    office.advance(3100)
    loses_trunk(office)
    assert len(carrier.registers) == 4, "asked, authorised, refreshed, taken back"
    assert len({request.call_id for request in carrier.registers}) == 4
    assert not carrier.contacts
    assert not office.line_memory.taught


def test_the_trunk_has_the_last_word_over_the_site(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    office.sets(gVarSipRegSameDialog=0)
    has_trunk(office, new_call_id=False)
    assert len({request.call_id for request in carrier.registers}) == 1
    has_trunk(office, new_call_id=None)
    assert len({request.call_id for request in carrier.registers}) == 2


@FORMS
def test_a_carrier_that_never_likes_a_cseq_is_failed(
    office: MemoryOffice, complain: Callable[[Request], Response]
) -> None:
    carrier = MemoryRegistrar(office)
    carrier.script_always = complain
    has_trunk(office)
    assert view(office).state is TrunkState.FAILED
    assert "Invalid CSeq number" in (view(office).last_error or "")
    assert len(carrier.registers) == 2, "healing is tried once"
    assert not office.line_memory.taught


# -- several servers --------------------------------------------------------------------------------------------


def test_a_name_that_does_not_resolve_is_said_with_its_mend(office: MemoryOffice) -> None:
    has_trunk(office, host="carrier.example")
    assert view(office).state is TrunkState.UNREACHABLE
    assert view(office).last_error == (
        "'carrier.example' does not resolve: correct the trunk's host, or its entry in the DNS"
    )
    assert line(office).reachable_servers() == ()
    served_by(office, FIRST)
    office.advance(6)
    assert view(office).state is TrunkState.REGISTERED
    assert view(office).last_error is None


@pytest.mark.parametrize("trouble", ["silence", "503", "500", "unreachable"])
def test_another_server_takes_over_and_the_better_one_is_returned_to(office: MemoryOffice, trouble: str) -> None:
    first, second = served_by(office, FIRST, SECOND)
    if trouble == "silence":
        first.stop()
    elif trouble == "unreachable":
        office.wire.unreachable.add(FIRST)
    else:
        first.script_always = lambda request: reply(request, int(trouble))
    has_trunk(office, host="carrier.example")
    office.advance(7)
    assert view(office).state is TrunkState.REGISTERED
    assert view(office).server == f"{SECOND}:5060"
    assert FIRST in (view(office).last_error or "")
    assert line(office).reachable_servers() == (second.server, first.server)
    tried = len(first.registers)
    office.wire.unreachable.clear()
    first.start()
    first.script_always = None
    office.advance(32)
    assert view(office).server == f"{FIRST}:5060"
    assert view(office).state is TrunkState.REGISTERED
    assert len(first.registers) > tried
    assert view(office).last_error is None
    assert states(office) == [TrunkState.TRYING, TrunkState.REGISTERED], "nobody was without a line"


def test_a_server_that_stays_down_is_tried_ever_more_seldom(office: MemoryOffice) -> None:
    first, _second = served_by(office, FIRST, SECOND)
    first.script_always = lambda request: reply(request, 503)
    has_trunk(office, host="carrier.example")
    office.advance(3600)
    assert 5 <= len(first.registers) <= 9
    assert view(office).state is TrunkState.REGISTERED
    assert states(office) == [TrunkState.TRYING, TrunkState.REGISTERED]


def test_retry_after_is_heeded(office: MemoryOffice) -> None:
    first, _second = served_by(office, FIRST, SECOND)
    first.script_always = lambda request: reply(request, 503, headers=(("Retry-After", "600"),))
    has_trunk(office, host="carrier.example")
    office.advance(590)
    assert len(first.registers) == 1
    office.advance(15)
    assert len(first.registers) == 2


def test_retry_after_of_the_only_server_is_heeded(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    carrier.script = [lambda request: reply(request, 503, headers=(("Retry-After", "100"),))]
    has_trunk(office)
    assert view(office).state is TrunkState.UNREACHABLE
    office.advance(99)
    assert len(carrier.registers) == 1
    office.advance(2)
    assert view(office).state is TrunkState.REGISTERED


def test_when_none_serves_it_rests_longer_each_time(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    carrier.script_always = lambda request: reply(request, 503)
    has_trunk(office)
    office.advance(3600)
    assert 13 <= len(carrier.registers) <= 28, "5, 10, 20 … 300 s, and by chance down to half of it"
    assert view(office).state is TrunkState.UNREACHABLE
    assert "says 503 Service Unavailable" in (view(office).last_error or "")


def test_a_silent_server_is_shown_and_comes_back(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    carrier.stop()
    has_trunk(office)
    office.advance(GIVE_UP_S + 1)
    assert view(office).state is TrunkState.UNREACHABLE
    assert view(office).last_error == f"{FIRST}:5060 does not answer: {MEND}"
    carrier.start()
    office.advance(12)
    assert view(office).state is TrunkState.REGISTERED


def test_a_registrar_that_falls_silent_is_noticed_between_refreshes(office: MemoryOffice) -> None:
    first, second = served_by(office, FIRST, SECOND)
    has_trunk(office, host="carrier.example")
    assert view(office).server == f"{FIRST}:5060"
    office.advance(130)
    assert len(first.options) == 2
    first.stop()
    office.advance(75)
    assert view(office).server == f"{SECOND}:5060"
    assert view(office).state is TrunkState.REGISTERED
    assert second.contacts


def test_a_registrar_that_knows_no_options_is_left_in_peace(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    carrier.answers_options = False
    has_trunk(office)
    office.advance(2700)
    assert len({request.call_id for request in carrier.options}) == 1
    assert len(carrier.registers) == 3
    assert view(office).state is TrunkState.REGISTERED
    assert view(office).last_error is None


def test_a_server_of_a_family_that_we_lack_is_passed_over(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office, SECOND)
    office.resolver.known["carrier.example"] = (Server(FIRST, 5060, "TCP"), Server(SECOND, 5060, "UDP"))
    has_trunk(office, host="carrier.example")
    assert carrier.contacts
    office.resolver.known["other.example"] = (Server(FIRST, 5061, "TLS"),)
    has_trunk(office, "other", host="other.example", transport="tls")
    assert view(office, "other").state is TrunkState.UNREACHABLE
    assert "has no TLS socket for the IPv4 address of 'other.example': start it with --tls" in (
        view(office, "other").last_error or ""
    )


def test_it_registers_over_ipv6(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office, "2001:db8::99")
    has_trunk(office, host="2001:db8::99")
    assert view(office).state is TrunkState.REGISTERED
    assert carrier.last.uri == "sip:[2001:db8::99]"
    assert "@[2001:db8::1]:5060>" in (carrier.last.headers.get("Contact") or "")


def test_servers_of_another_order_are_the_same_servers(office: MemoryOffice) -> None:
    first, second = served_by(office, FIRST, SECOND)
    has_trunk(office, host="carrier.example")
    office.resolver.known["carrier.example"] = (second.server, first.server)
    office.advance(3100)
    assert view(office).server == f"{FIRST}:5060"
    assert not second.registers


def test_a_carrier_that_moves_is_followed(office: MemoryOffice) -> None:
    first, second = served_by(office, FIRST, SECOND)
    office.resolver.known["carrier.example"] = (first.server,)
    has_trunk(office, host="carrier.example")
    office.resolver.known["carrier.example"] = (second.server,)
    office.advance(3100)
    assert view(office).server == f"{SECOND}:5060"
    assert second.contacts


@pytest.mark.parametrize("becomes", [("203.0.113.9", 5060), ("203.0.113.7", 41000)], ids=["address", "port"])
def test_a_public_address_that_changes_is_registered_anew(office: MemoryOffice, becomes: tuple[str, int]) -> None:
    carrier = MemoryRegistrar(office)
    carrier.sees = ("203.0.113.7", 5060)
    has_trunk(office)
    office.advance(200)
    known = len(carrier.registers)
    assert known == 2
    carrier.sees = becomes
    office.advance(61)
    assert len(carrier.registers) == known + 1
    office.advance(600)
    assert len(carrier.registers) == known + 1
    assert states(office) == [TrunkState.TRYING, TrunkState.REGISTERED]


@pytest.mark.parametrize(("after", "within"), [(5, 26), (100, 2)])
def test_a_lost_connection_is_registered_over_again_but_not_ever_again(
    office: MemoryOffice, after: int, within: int
) -> None:
    carrier = MemoryRegistrar(office)
    has_trunk(office)
    office.advance(after)
    known, flow = len(carrier.registers), line(office).flow(carrier.server)
    assert flow is not None
    office.office.exchange.trunks.note_lost({flow})
    office.settle()
    assert len(carrier.registers) == known
    office.advance(within)
    assert len(carrier.registers) == known + 1
    office.office.exchange.trunks.note_lost(set())
    office.advance(29)
    assert len(carrier.registers) == known + 1


# -- changes ----------------------------------------------------------------------------------------------------


def test_what_does_not_concern_the_way_changes_nothing(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    has_trunk(office)
    known, kept = len(carrier.registers), line(office)
    has_trunk(office, max_in=3, max_out=0)
    assert len(carrier.registers) == known
    assert line(office) is kept
    assert view(office).max_in == 3


def test_a_new_password_takes_leave_and_registers_anew(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    has_trunk(office)
    kept = line(office)
    carrier.password, carrier.nonce = "pass2", 2
    has_trunk(office, password="pass2")
    office.advance(1)
    assert view(office).state is TrunkState.REGISTERED
    assert line(office) is kept
    assert carrier.contacts


def test_another_host_is_registered_with_after_leave_was_taken(office: MemoryOffice) -> None:
    first, second = MemoryRegistrar(office, FIRST), MemoryRegistrar(office, SECOND)
    has_trunk(office)
    has_trunk(office, host=SECOND)
    assert not first.contacts
    assert second.contacts
    assert view(office).server == f"{SECOND}:5060"


def test_a_host_that_is_dead_does_not_hold_up_the_next(office: MemoryOffice) -> None:
    first, second = MemoryRegistrar(office, FIRST), MemoryRegistrar(office, SECOND)
    has_trunk(office)
    first.stop()
    has_trunk(office, host=SECOND)
    office.advance(5)
    assert second.contacts


def test_a_line_removed_and_added_again_at_once_is_registered(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    has_trunk(office)
    trunk = office.configuration.trunks["carrier"]
    for trunks in ({}, {"carrier": trunk}):
        office.configure(trunks=MappingProxyType(trunks))  # nothing has travelled in between
    office.settle()
    assert carrier.contacts, "the old line's leave came before the new one's registration"
    assert view(office).state is TrunkState.REGISTERED


def test_a_line_that_no_longer_registers_takes_leave(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    has_trunk(office)
    has_trunk(office, registers=False)
    assert not carrier.contacts
    assert view(office).state is TrunkState.STATIC


def test_a_line_removed_amid_its_registration_leaves_nothing_behind(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    office.wire.weather = type(office.wire.weather)(delay=0.3)
    has_trunk(office)
    office.advance(0.8)  # the authorised REGISTER is under way
    loses_trunk(office)
    office.advance(5)
    assert not carrier.contacts
    assert carrier.last.headers.get("Expires") == "0"


def test_a_line_removed_while_its_server_is_silent_ends_soon(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    carrier.stop()
    has_trunk(office)
    loses_trunk(office)
    office.advance(5)
    assert len(office._tasks) == 1, "the regular sweep alone"

"""What carriers do within calls, on the wire: session timers, UPDATE, glare, forks, identity, fail-over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import Phones
from tests.live.network import Network
from tests.live.office import Office
from tests.live.outside import Outside, OutsidePhone, open_outside
from tests.live.processes import wait_until
from tests.live.script import Callee, Caller, sdp

ANNA, BO, CHEF = "201", "202", "203"
NUMBER = "4930555"
TAKES_UPDATE = "Allow: INVITE, ACK, CANCEL, BYE, UPDATE"


@pytest.fixture(scope="module", autouse=True)
def people(office: Office) -> None:
    for number in (ANNA, BO, CHEF):
        office.extension(number)


@pytest.fixture
def outside(tmp_path: Path, network: Network) -> Iterator[Outside]:
    with open_outside(tmp_path, network) as outside:
        yield outside


@pytest.fixture
def line(office: Office, network: Network) -> Iterator[str]:
    """The address of a carrier that the office knows by it."""
    host = network.host()
    office.cli("trunk", "add", "line", "--host", f"{host}:5060")
    office.cli("inbound", "add", "--trunk", "line", "--called", NUMBER, "--extension", ANNA)
    yield host
    forget_lines(office)


def forget_lines(office: Office) -> None:
    """Every line, and all that leads to it."""
    for kind in ("inbound", "route"):
        for rule in office.json(kind, "list"):
            office.cli(kind, "remove", str(rule["id"]))
    for trunk in office.json("trunk", "list"):
        office.cli("trunk", "remove", trunk["name"])


def calls(outside: Outside, script: str, line: str, office: Office) -> OutsidePhone:
    return outside.calls(script, line, NUMBER, office.address)


def begins(fields: str, session_expires: str = "") -> Caller:
    """A caller that is answered."""
    ringing = Caller().invite(fields).hears(100, optional=True).hears(180, optional=True)
    if session_expires:
        return ringing.hears(200, rrs=True, session_expires=session_expires).ack()
    return ringing.hears(200, rrs=True).ack()


def moved_to(number: str) -> str:
    """A phone that sends a call on."""
    script = Callee().asked("INVITE").says("302 Moved Temporarily").asked("ACK").script()
    return script.replace("<sip:outside@[local_ip]:[local_port]>", f"<sip:{number}@[remote_ip]>")


def message(trace: str, start: str) -> str:
    """The first message in a trace that begins so."""
    _, found, rest = trace.partition(f"\n{start}")
    assert found, f"no message begins with '{start}': {trace[-3000:]}"
    return found.strip() + rest.split("\n----", 1)[0]


def last_record(office: Office) -> dict[str, Any]:
    return max(office.json("records"), key=lambda record: record["started_at"])


# -- session timers (RFC 4028) ----------------------------------------------------------------------------------


async def test_a_caller_with_too_short_an_interval_is_told_and_then_refreshes(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    anna = await phones.baresip(office.account(ANNA), answer="auto")
    await anna.registered()
    script = (
        Caller()
        .invite("Supported: timer\nSession-Expires: 20;refresher=uac")
        .hears(100, optional=True)
        .refused(422)
        .invite("Supported: timer\nSession-Expires: 90;refresher=uac\nMin-SE: 90")
        .hears(100, optional=True)
        .hears(180, optional=True)
        .hears(200, rrs=True, session_expires="90; *refresher=uac")
        .ack()
        .request("UPDATE", "Supported: timer\nSession-Expires: 90;refresher=uac")
        .hears(200, session_expires="90; *refresher=uac")
        .hangs_up()
    )
    trace = await calls(outside, script, line, office).plays_to_the_end()
    assert "Min-SE: 90" in message(trace, "SIP/2.0 422")
    await anna.ended()


async def test_a_callee_that_wants_longer_intervals_is_called_again(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    office.cli("trunk", "set", "line", "--preset", "ims")
    script = (
        Callee()
        .asked("INVITE", session_expires="1800")
        .says("422 Session Interval Too Small", "Min-SE: 3600")
        .asked("ACK")
        .script()
    )
    again = Callee().asked("INVITE", session_expires="3600").says("180 Ringing", tag="p")
    rest = again.says("200 OK", "Require: timer\nSession-Expires: 3600;refresher=uas", sdp(), tag="p").asked("ACK")
    both = script.replace("</scenario>", "") + rest.is_hung_up_on().split('<scenario name="script">', 1)[1]
    weber = outside.waits(both, line)
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    await anna.dial("94711")
    await anna.talks()
    await anna.hang_up()
    await weber.plays_to_the_end()


async def test_a_caller_that_leaves_it_to_us_is_refreshed_until_nobody_refreshes(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    """UPDATE without SDP at half time; its answer leaves the next one to the caller, which sends none."""
    anna = await phones.baresip(office.account(ANNA), answer="auto")
    await anna.registered()
    script = (
        begins(f"Session-Expires: 2\n{TAKES_UPDATE}", session_expires="2; *refresher=uas")
        .asked("UPDATE", session_expires="2; *refresher=uac", supported="timer")
        .says("200 OK", "Require: timer\nSession-Expires: 2;refresher=uas")
        .is_hung_up_on(reason="Session Expired")
    )
    await calls(outside, script, line, office).plays_to_the_end()
    await anna.ended()


async def test_a_callee_that_takes_no_update_is_refreshed_by_reinvite_until_nobody_refreshes(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    """It grants a timer that nobody asked for: ours to refresh at first, its own then."""
    script = (
        Callee()
        .answers("Require: timer\nSession-Expires: 2;refresher=uac\nAllow: INVITE, ACK, CANCEL, BYE")
        .asked("INVITE", session_expires="2; *refresher=uac")
        .confirms("200 OK", "Require: timer\nSession-Expires: 2;refresher=uas", sdp())
        .asked("ACK")
        .is_hung_up_on(reason="Session Expired")
    )
    await phones.scripted(office.account(BO), script)
    office.cli("inbound", "add", "--trunk", "line", "--called", "4930777", "--extension", BO)
    caller = outside.calls(begins("").is_hung_up_on(), line, "4930777", office.address)
    await phones.scripts[0].plays_to_the_end()
    await caller.plays_to_the_end()


async def test_a_session_that_the_peer_has_forgotten_is_over(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    anna = await phones.baresip(office.account(ANNA), answer="auto")
    await anna.registered()
    script = begins(f"Session-Expires: 1\n{TAKES_UPDATE}").asked("UPDATE").says("481 Call Does Not Exist").script()
    await calls(outside, script, line, office).plays_to_the_end()
    await anna.ended()


# -- UPDATE and re-INVITE ---------------------------------------------------------------------------------------


async def test_an_offer_in_update_is_answered_at_once(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    anna = await phones.baresip(office.account(ANNA), answer="auto")
    await anna.registered()
    script = (
        Caller()
        .invite()
        .hears(100, optional=True)
        .hears(180, optional=True)
        .hears(200, rrs=True)
        .ack()
        .request("UPDATE", body=sdp("sendonly", 2))
        .hears(200)
        .request("UPDATE", body=sdp("sendrecv", 3))
        .hears(200)
        .hangs_up()
    )
    trace = await calls(outside, script, line, office).plays_to_the_end()
    answers = [
        part for part in trace.split("\nSIP/2.0 200")[1:] if " UPDATE\n" in part.partition("Content-Length")[0]
    ]
    assert ["a=recvonly" in part for part in answers] == [True, False]
    await anna.ended()


async def test_digits_of_info_reach_a_phone_as_events(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    """The carrier says digits by INFO; a real phone understands the events (RFC 4733) made of them."""
    anna = await phones.baresip(office.account(ANNA), answer="auto")
    await anna.registered()
    kind = "Content-Type: application/dtmf-relay"
    script = (
        Caller().invite().hears(100, optional=True).hears(180, optional=True).hears(200, rrs=True).ack().waits(300)
    )
    for key in "5*":
        script.request("INFO", kind, f"Signal={key}\nDuration=160\n").hears(200).waits(400)
    phone = calls(outside, script.hangs_up(), line, office)
    heard = [(await anna.wait_for("CALL_DTMF_START"))["param"] for _ in range(2)]
    assert heard == ["5", "*"]
    await phone.plays_to_the_end()


async def test_digits_of_a_phone_reach_a_carrier_as_info(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    """The carrier's SDP knows no events, and its Allow names INFO."""
    script = Callee().answers("Allow: INVITE, ACK, CANCEL, BYE, INFO").asked("INFO").confirms().is_hung_up_on()
    weber = outside.waits(script, line)
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    await anna.dial("94711")
    await anna.talks()
    await anna.command("sndcode", "7")
    wait_until(lambda: "Signal=7" in weber.messages(), 8, "the digit has come")
    await anna.hang_up()
    await weber.plays_to_the_end()


async def test_an_offer_in_update_comes_before_the_answer(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    """Behind an acknowledged 183 with SDP the callee may offer anew (RFC 3311 section 5.1)."""
    script = (
        Callee()
        .asked("INVITE", supported="100rel")
        .says("183 Session Progress", f"Require: 100rel\nRSeq: 7\n{TAKES_UPDATE}", sdp())
        .asked("PRACK")
        .confirms()
        .request("UPDATE", body=sdp(version=2))
        .hears(200)
        .says_later("200 OK")
        .asked("ACK")
        .is_hung_up_on()
    )
    weber = outside.waits(script, line)
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    await anna.dial("94711")
    await anna.talks()
    await anna.hang_up()
    trace = await weber.plays_to_the_end()
    answer = message(trace[trace.index("\nUPDATE ") :], "SIP/2.0 200")
    assert "a=sendrecv" in answer


async def test_an_update_without_sdp_changes_nothing(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    anna = await phones.baresip(office.account(ANNA), answer="auto")
    await anna.registered()
    trace = await calls(
        outside, begins("").request("UPDATE").hears(200).hangs_up(), line, office
    ).plays_to_the_end()
    answer = message(trace[trace.index("\nUPDATE ") :], "SIP/2.0 200")
    assert "Content-Length: 0" in answer
    await anna.ended()


async def test_reinvites_that_cross_are_both_refused_and_ours_comes_again(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    office.cli("extension", "set", ANNA, "--hold", "pass")
    script = (
        Callee()
        .answers()
        .crossed()
        .request("INVITE", body=sdp(version=2))
        .refused(491)
        .says_later("491 Request Pending", to="crossed")
        .asked("ACK")
        .asked("INVITE")
        .confirms("200 OK", body=sdp("recvonly", 3))
        .asked("ACK")
        .is_hung_up_on()
    )
    weber = outside.waits(script, line)
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    await anna.dial("94711")
    await anna.talks()
    await anna.command("hold")
    wait_until(lambda: weber.messages().count("\na=recvonly") == 1, 8, "our re-INVITE is taken at last")
    await anna.hang_up()
    await weber.plays_to_the_end()
    office.cli("extension", "set", ANNA, "--hold", "local")


async def test_two_reinvites_meet_and_ours_comes_again(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    """Anna holds while the carrier changes something itself: 491 both ways, then one after the other."""
    office.cli("extension", "set", ANNA, "--hold", "pass")
    script = (
        Callee()
        .answers()
        .asked("INVITE")
        .confirms("491 Request Pending")
        .asked("ACK")
        .request("INVITE", body=sdp(version=2))
        .hears(200)
        .ack()
    )
    whole = script.asked("INVITE").confirms("200 OK", body=sdp("recvonly", 3)).asked("ACK").is_hung_up_on()
    weber = outside.waits(whole, line)
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    await anna.dial("94711")
    await anna.talks()
    await anna.command("hold")
    wait_until(lambda: office.json("calls")[0]["state"] == "held", 10, "the hold is passed on after the glare")
    await anna.hang_up()
    await weber.plays_to_the_end()
    office.cli("extension", "set", ANNA, "--hold", "local")


async def test_a_carrier_that_forks_is_heard_in_the_branch_that_answers(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    script = (
        Callee()
        .asked("INVITE")
        .says("183 Session Progress", body=sdp(), tag="a")
        .says("180 Ringing", tag="b")
        .says("200 OK", body=sdp(version=2), tag="b")
        .asked("ACK")
        .is_hung_up_on()
    )
    weber = outside.waits(script, line)
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    await anna.dial("94711")
    await anna.talks()
    await anna.hang_up()
    trace = await weber.plays_to_the_end()
    assert "b1" in message(trace, "BYE ").partition("To:")[2].partition("\n")[0]


async def test_a_caller_without_an_offer_gets_ours(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    anna = await phones.baresip(office.account(ANNA), answer="auto")
    await anna.registered()
    script = (
        Caller()
        .invite(body="")
        .hears(100, optional=True)
        .hears(180, optional=True)
        .hears(200, rrs=True)
        .ack(sdp())
        .waits(300)
        .hangs_up()
    )
    trace = await calls(outside, script, line, office).plays_to_the_end()
    assert "m=audio" in message(trace, "SIP/2.0 200")
    await anna.ended()


# -- who calls, and who sent the call on ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identity", "field"),
    [("pai", "P-Asserted-Identity"), ("ppi", "P-Preferred-Identity"), ("rpid", "Remote-Party-ID"), ("from", None)],
)
async def test_the_carrier_hears_who_calls_as_it_likes(
    office: Office, phones: Phones, outside: Outside, line: str, identity: str, field: str | None
) -> None:
    office.cli("trunk", "set", "line", "--identity", identity)
    office.cli("extension", "set", ANNA, "--outside-number", "4930201")
    weber = outside.waits("outside_callee", line)
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    await anna.dial("94711")
    await anna.talks()
    await anna.hang_up()
    invite = message(await weber.plays_to_the_end(), "INVITE ")
    told = [
        name
        for name in ("P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID")
        if f"\n{name}:" in invite
    ]
    assert told == ([field] if field else [])
    assert "4930201" in invite.partition(f"\n{field or 'From'}:")[2].partition("\n")[0]


@pytest.mark.parametrize("fields", ["Privacy: id", "", "Privacy: user"])
async def test_anonymous_callers_are_refused(
    office: Office, phones: Phones, outside: Outside, line: str, fields: str
) -> None:
    hidden = None if fields else '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=[pid]c[call_number]'
    is_told = fields == "Privacy: id"
    office.cli("param", "set", "announce_refusals", "on" if is_told else "off")
    caller = Caller().invite(fields, from_field=hidden).hears(100, optional=True)
    script = (caller.hears(183) if is_told else caller).refused(433).script()
    messages = await calls(outside, script, line, office).plays_to_the_end()
    assert ("m=audio" in messages.partition("SIP/2.0 183")[2]) == is_told
    office.cli("param", "set", "announce_refusals", "on")


async def test_a_call_that_a_phone_sends_on_says_who_sent_it(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    bo = await phones.scripted(office.account(BO), moved_to("94711"))
    weber = outside.waits("outside_callee", line)
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    await anna.dial(BO)
    await anna.talks()
    await anna.hang_up()
    invite = message(await weber.plays_to_the_end(), "INVITE ")
    await bo.plays_to_the_end()
    assert "\nDiversion:" in invite or "\nHistory-Info:" in invite
    sent_on = invite.partition("\nDiversion:")[2] or invite.partition("\nHistory-Info:")[2]
    assert BO in sent_on


async def test_an_ims_core_hears_the_history_and_of_early_media(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    office.cli("trunk", "set", "line", "--preset", "ims")
    bo = await phones.scripted(office.account(BO), moved_to("94711"))
    weber = outside.waits("outside_callee", line)
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    await anna.dial(BO)
    await anna.talks()
    await anna.hang_up()
    invite = message(await weber.plays_to_the_end(), "INVITE ")
    await bo.plays_to_the_end()
    assert "\nP-Early-Media: supported" in invite
    history = invite.partition("\nHistory-Info:")[2].partition("\n")[0]
    assert history.index(f"sip:{BO}@") < history.index("sip:4711@")
    assert "cause=480" in history
    assert "\nDiversion:" not in invite


@pytest.mark.parametrize("trusted", [False, True])
async def test_what_a_network_asserts_is_believed_of_who_is_trusted(
    office: Office, phones: Phones, outside: Outside, line: str, trusted: bool
) -> None:
    office.cli("trunk", "set", "line", "--trusted" if trusted else "--not-trusted")
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    script = begins('P-Asserted-Identity: "Boss" <sip:4930111@[local_ip]>').is_hung_up_on()
    weber = calls(outside, script, line, office)
    await anna.rings()
    (call,) = office.json("calls")
    assert call["caller"].endswith("4930111" if trusted else "4930999")
    await anna.accept()
    await anna.talks()
    await anna.hang_up()
    await weber.plays_to_the_end()


async def test_a_loop_of_redirections_ends(office: Office, phones: Phones) -> None:
    """Bo's phone sends to Chef's, and that one back."""
    bo = await phones.scripted(office.account(BO), moved_to(CHEF))
    chef = await phones.scripted(office.account(CHEF), moved_to(BO))
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    await anna.dial(BO)
    await anna.ended()
    await bo.plays_to_the_end()
    await chef.plays_to_the_end()
    assert office.json("calls") == []


# -- where calls go when a way is closed ------------------------------------------------------------------------


async def test_an_emergency_call_makes_room(office: Office, phones: Phones, outside: Outside, line: str) -> None:
    office.cli("trunk", "set", "line", "--max-out", "1")
    office.cli("route", "add", "--called", "112", "--emergency", "--trunk", "line")
    first = outside.waits("outside_callee", line)
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    await anna.dial("94711")
    await anna.talks()
    await bo.dial("112")
    await anna.ended()
    await first.plays_to_the_end()
    records = office.json("records")
    assert any("Emergency" in record["cause"] for record in records[:2]), records[:2]


async def test_room_that_is_kept_for_emergencies_is_given_to_them_alone(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    office.cli("trunk", "set", "line", "--max-out", "1", "--reserve-emergency", "1")
    office.cli("route", "add", "--called", "112", "--emergency", "--trunk", "line")
    weber = outside.waits("outside_callee", line)
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    await anna.dial("94711")
    assert (await anna.ended(12)).startswith("503")
    await anna.dial("112")
    await anna.talks()
    await anna.hang_up()
    assert "INVITE sip:112@" in await weber.plays_to_the_end()


@pytest.mark.parametrize("trouble", ["refuses", "silent", "full", "no TCP"])
async def test_the_next_line_takes_a_call_that_the_first_does_not(
    office: Office, phones: Phones, outside: Outside, line: str, network: Network, trouble: str
) -> None:
    broken = network.host()
    more = {"full": ("--max-out", "0"), "no TCP": ("--transport", "tcp")}.get(trouble, ())
    office.cli("trunk", "add", "broken", "--host", f"{broken}:5060", *more)
    office.cli("route", "add", "--called", "0", "--trunk", "broken", "--trunk", "line")
    if trouble == "refuses":
        outside.waits(Callee().asked("INVITE").says("503 Service Unavailable").asked("ACK").script(), broken)
    weber = outside.waits("outside_callee", line)
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    await anna.dial("04711")
    await anna.talks(12)
    (call,) = office.json("calls")
    assert call["trunk_out"] == "line"
    await anna.hang_up()
    await weber.plays_to_the_end()

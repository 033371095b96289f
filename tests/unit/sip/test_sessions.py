"""Sessions over a link that loses, doubles and reorders: what each side is told, and that nothing stays."""

from __future__ import annotations

import pytest

from engine.core.errors import LocalError
from engine.sip.agent import AgentOutput
from engine.sip.session import Session
from engine.sip.session.core import SessionState
from engine.sip.session.events import (
    Acknowledged,
    Answered,
    Cancelled,
    Ended,
    Failed,
    Progress,
    ReofferAnswered,
    ReofferDelayed,
    ReofferDue,
    Reoffered,
    ReofferRefused,
)
from engine.sip.transaction.outputs import RequestArrived, ResponseArrived
from tests.unit.sip.link import Link, Weather

STORM = Weather(loss=0.25, doubling=0.25, overtaking=0.3)
SEEDS = range(25)
LINGERING_S = 200.0


class Phone:
    """A party that takes every call the way the test says and remembers its session."""

    def __init__(self, link: Link, host: str) -> None:
        self.party = link.join(host)
        self.party.on_event = self.hear
        self.link = link
        self.session: Session | None = None
        self.picks_up = True
        self.refuses_with: int | None = None
        self.answers_reoffers = True

    def hear(self, event: AgentOutput) -> None:
        if isinstance(event, RequestArrived):
            self.session = self.party.agent.take_invite(event, f"<sip:102@{self.party.host}>")
            self.session.ring(self.link.now)
            if self.refuses_with is not None:
                self.session.reject(self.link.now, self.refuses_with)
            elif self.picks_up:
                self.session.answer(self.link.now, b"answer" if event.request.sdp else b"offer")
        elif isinstance(event, Reoffered) and self.answers_reoffers:
            event.session.accept_reoffer(self.link.now, b"reanswer" if event.sdp else b"offer")
        elif isinstance(event, ReofferDue):
            event.session.reoffer(self.link.now, b"reoffer")
        elif isinstance(event, Answered) and event.session.user == "late":
            event.session.acknowledge(b"late answer")

    def call(self, other: Phone, sdp: bytes = b"offer", user: object = "user") -> Session:
        self.session = self.party.agent.invite(
            target=f"sip:102@{other.party.host}",
            flow=self.party.flow_to(other.party),
            caller="<sip:101@office>",
            callee="<sip:102@office>",
            contact=f"<sip:101@{self.party.host}>",
            sdp=sdp,
            now=self.link.now,
            user=user,
        )
        return self.session

    def told(self, kind: type) -> list[AgentOutput]:
        return [event for event in self.party.events if isinstance(event, kind)]


def a_pair(seed: int = 1, weather: Weather | None = None) -> tuple[Link, Phone, Phone]:
    link = Link(seed, weather)
    return link, Phone(link, "192.0.2.1"), Phone(link, "192.0.2.2")


def assert_nothing_is_left(link: Link, *phones: Phone) -> None:
    link.run(LINGERING_S)
    for phone in phones:
        assert phone.party.is_clean(), (
            phone.party.host,
            phone.party.agent.sessions,
            phone.party.agent.layer.servers,
        )


def test_a_call_is_made_answered_and_ended_in_the_fewest_messages() -> None:
    link, alice, bob = a_pair()
    session = alice.call(bob)
    link.run(5)
    assert [name for _, _, name in link.story] == ["INVITE", "180", "200", "ACK"]
    assert alice.party.names() == ["Progress", "Answered"]
    assert bob.party.names() == ["RequestArrived", "Acknowledged"]
    session.end(link.now, reason="Q.850;cause=16")
    link.run(5)
    assert [name for _, _, name in link.story[4:]] == ["BYE", "200"]
    ended = bob.party.events[-1]
    assert isinstance(ended, Ended)
    assert (ended.by_peer, ended.status, ended.reason) == (True, 200, "Q.850;cause=16")
    assert alice.party.names() == ["Progress", "Answered"]
    assert_nothing_is_left(link, alice, bob)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("ender", ["caller", "callee"])
def test_a_call_through_a_storm_is_answered_once_and_ended_once(seed: int, ender: str) -> None:
    link, alice, bob = a_pair(seed, STORM)
    session = alice.call(bob)
    link.run(35)
    assert len(alice.told(Answered)) == 1
    assert len(bob.told(RequestArrived)) == len(bob.told(Acknowledged)) == 1
    assert bob.session is not None
    assert session.state is bob.session.state is SessionState.CONFIRMED
    first, second = (alice, bob) if ender == "caller" else (bob, alice)
    assert first.session is not None
    first.session.end(link.now)
    link.run(70)
    assert len(second.told(Ended)) == 1
    assert first.told(Ended) == []
    assert_nothing_is_left(link, alice, bob)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_refusal_through_a_storm_is_told_once(seed: int) -> None:
    link, alice, bob = a_pair(seed, STORM)
    bob.refuses_with = 486
    alice.call(bob)
    link.run(70)
    failures = alice.told(Failed)
    assert [event.status for event in failures if isinstance(event, Failed)] == [486]
    assert alice.told(Answered) == []
    assert_nothing_is_left(link, alice, bob)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cancel_through_a_storm_ends_both_sides(seed: int) -> None:
    link, alice, bob = a_pair(seed, STORM)
    bob.picks_up = False
    session = alice.call(bob)
    link.run(20)
    session.end(link.now, reason='SIP;cause=200;text="Call completed elsewhere"')
    link.run(70)
    assert [event.status for event in alice.told(Failed) if isinstance(event, Failed)] == [487]
    assert len(bob.told(Cancelled)) == 1
    assert_nothing_is_left(link, alice, bob)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("after", [0.0, 0.01, 0.03, 0.05, 0.3])
def test_a_cancel_that_crosses_the_answer_leaves_no_half_a_call(seed: int, after: float) -> None:
    link, alice, bob = a_pair(seed, STORM)
    session = alice.call(bob)
    link.run(after)
    session.end(link.now)
    link.run(150)
    assert session.state is SessionState.ENDED
    assert bob.session is None or bob.session.state is SessionState.ENDED
    assert_nothing_is_left(link, alice, bob)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_invite_may_reach_two_phones_and_the_second_that_answers_is_let_go(seed: int) -> None:
    """RFC 3261 sections 12.1 and 13.2.2.4: an early dialog for each To tag; one 2xx more is ACKed and ended."""
    link, alice, proxy = a_pair(seed, STORM)
    behind: list[Session] = []

    def fork(event: AgentOutput) -> None:
        if isinstance(event, RequestArrived):
            behind.extend(proxy.party.agent.take_invite(event, f"<sip:{name}@192.0.2.2>") for name in ("a", "b"))
            for place, session in enumerate(behind):
                session.ring(link.now, 180 + 3 * place, sdp=b"early" if place else b"")
            invite = event.request
            for session in behind:
                event.transaction.request = invite  # the first answer lets it go
                session.answer(link.now, b"answer of " + session.contact.encode())

    proxy.party.on_event = fork
    session = alice.call(proxy)
    link.run(100)
    tags = {event.tag for event in alice.told(Progress) if isinstance(event, Progress)}
    assert tags <= {one.local_tag for one in behind}
    (answered,) = [event for event in alice.told(Answered) if isinstance(event, Answered)]
    winner = next(one for one in behind if one.local_tag == answered.response.to_tag)
    assert answered.sdp == b"answer of " + winner.contact.encode()
    assert session.state is winner.state is SessionState.CONFIRMED
    (loser,) = [one for one in behind if one is not winner]
    assert loser.state is SessionState.ENDED
    session.end(link.now)
    assert_nothing_is_left(link, alice, proxy)


def test_a_call_is_not_cancelled_before_the_other_side_has_answered_anything() -> None:
    link, alice, bob = a_pair()
    bob.picks_up = False
    session = alice.call(bob)
    session.end(link.now)
    assert [name for _, _, name in link.story] == []
    link.run(5)
    assert [name for _, _, name in link.story][:3] == ["INVITE", "180", "CANCEL"]
    assert link.sent("CANCEL") == 1
    assert_nothing_is_left(link, alice, bob)


def test_a_callee_that_ends_before_the_ack_waits_for_it() -> None:
    link, alice, bob = a_pair()
    alice.call(bob)
    link.run(0.03)
    assert bob.session is not None
    assert bob.session.state is SessionState.ANSWERED
    bob.session.end(link.now)
    assert link.sent("BYE") == 0
    link.run(1)
    assert [name for _, _, name in link.story] == ["INVITE", "180", "200", "ACK", "BYE", "200"]
    assert len(alice.told(Ended)) == 1
    assert_nothing_is_left(link, alice, bob)


def test_an_answer_nobody_acknowledges_is_resent_and_ends_after_32_seconds() -> None:
    link, alice, bob = a_pair()
    alice.call(bob)
    link.run(0.03)
    link.unplug(alice.party)
    link.run(40)
    ended = bob.told(Ended)
    assert [(event.by_peer, event.status) for event in ended if isinstance(event, Ended)] == [(False, 408)]
    assert link.sent("200", bob.party) == 11
    assert link.sent("BYE", bob.party) > 0
    assert_nothing_is_left(link, bob)


def test_a_call_to_nobody_fails_after_32_seconds() -> None:
    link, alice, bob = a_pair()
    link.unplug(bob.party)
    alice.call(bob)
    link.run(31.9)
    assert alice.party.names() == []
    link.run(0.2)
    assert [event.status for event in alice.told(Failed) if isinstance(event, Failed)] == [408]
    assert_nothing_is_left(link, alice)


def test_ringing_is_repeated_each_minute_and_told_as_progress() -> None:
    link, alice, bob = a_pair()
    bob.picks_up = False
    alice.call(bob)
    link.run(185)
    assert link.sent("180") == 4
    assert len(alice.told(Progress)) == 4
    assert bob.session is not None
    bob.session.answer(link.now, b"answer")
    link.run(100)
    assert link.sent("180") == 4
    assert len(alice.told(Answered)) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_late_offer_is_answered_in_the_ack(seed: int) -> None:
    link, alice, bob = a_pair(seed, STORM)
    alice.call(bob, b"", "late")
    link.run(35)
    assert [event.sdp for event in alice.told(Answered) if isinstance(event, Answered)] == [b"offer"]
    assert [event.sdp for event in bob.told(Acknowledged) if isinstance(event, Acknowledged)] == [b"late answer"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("offerer", ["caller", "callee"])
def test_a_reoffer_through_a_storm_is_answered_once(seed: int, offerer: str) -> None:
    link, alice, bob = a_pair(seed, STORM)
    alice.call(bob)
    link.run(35)
    first, second = (alice, bob) if offerer == "caller" else (bob, alice)
    for round_number in range(3):
        assert first.session is not None
        first.session.reoffer(link.now, b"reoffer")
        link.run(40)
        answers = [event.sdp for event in first.told(ReofferAnswered) if isinstance(event, ReofferAnswered)]
        assert answers == [b"reanswer"] * (round_number + 1)
        assert len(second.told(Reoffered)) == round_number + 1
    first.session.end(link.now)
    assert_nothing_is_left(link, alice, bob)


@pytest.mark.parametrize("seed", SEEDS)
def test_both_sides_reoffering_at_once_both_succeed_in_the_end(seed: int) -> None:
    link, alice, bob = a_pair(seed)
    alice.call(bob)
    link.run(5)
    assert alice.session is not None
    assert bob.session is not None
    alice.session.reoffer(link.now, b"reoffer")
    bob.session.reoffer(link.now, b"reoffer")
    link.run(30)
    assert link.sent("491") == 2
    for phone in (alice, bob):
        assert phone.told(ReofferRefused) == []
        assert phone.told(ReofferDelayed)
        assert len(phone.told(ReofferAnswered)) == len(phone.told(Reoffered)) == 1
    bob.session.end(link.now)
    assert_nothing_is_left(link, alice, bob)


def test_the_owner_of_the_call_id_waits_longer_after_a_glare() -> None:
    """RFC 3261 section 14.1: 2.1 to 4 s for the owner, 0 to 2 s for the other, in steps of 10 ms."""
    waits: dict[str, list[float]] = {"owner": [], "other": []}
    for seed in SEEDS:
        link, alice, bob = a_pair(seed)
        alice.call(bob)
        link.run(5)
        assert alice.session is not None
        assert bob.session is not None
        alice.session.reoffer(link.now, b"reoffer")
        bob.session.reoffer(link.now, b"reoffer")
        met_at = link.now
        link.run(10)
        again = [(at - met_at, way) for at, way, name in link.story if name == "INVITE" and at > met_at + 0.02]
        waits["owner"] += [after for after, way in again if way.startswith(alice.party.host)]
        waits["other"] += [after for after, way in again if way.startswith(bob.party.host)]
        bob.session.end(link.now)
        assert_nothing_is_left(link, alice, bob)
    round_trip = 0.1
    assert 2.1 <= min(waits["owner"]) < max(waits["owner"]) <= 4 + round_trip
    assert 0 <= min(waits["other"]) < max(waits["other"]) <= 2 + round_trip
    assert len({round(wait, 2) for wait in waits["owner"]}) > 10


def test_a_peer_that_answers_491_for_ever_is_given_up() -> None:
    link, alice, bob = a_pair()
    bob.answers_reoffers = False
    session = alice.call(bob)
    link.run(5)
    session.reoffer(link.now, b"reoffer")
    for _ in range(60):
        link.run(1)
        assert bob.session is not None
        if bob.session.has_reoffer:
            bob.session.refuse_reoffer(link.now, 491)
    assert [event.status for event in alice.told(ReofferRefused) if isinstance(event, ReofferRefused)] == [491]
    assert len(alice.told(ReofferDelayed)) == 10
    assert session.may_reoffer
    session.end(link.now)
    assert_nothing_is_left(link, alice, bob)


def test_a_second_reinvite_while_the_first_waits_is_told_to_come_later() -> None:
    """RFC 3261 section 14.2: 500 with a Retry-After of 0 to 10 seconds."""
    link, alice, bob = a_pair()
    bob.answers_reoffers = False
    session = alice.call(bob)
    link.run(5)
    session.reoffer(link.now, b"reoffer")
    link.run(1)
    assert session.dialog is not None
    again = session.dialog.make_request("INVITE")
    again.headers.add("Contact", session.contact)
    alice.party.agent.send_request(again, session.flow, link.now, alice)
    link.run(1)
    told = [event.response for event in alice.told(ResponseArrived) if isinstance(event, ResponseArrived)]
    (answer,) = [response for response in told if response.status >= 200]
    assert answer.status == 500
    assert 0 <= int(answer.headers.get("Retry-After") or "99") <= 10
    assert bob.session is not None
    bob.session.accept_reoffer(link.now, b"reanswer")
    link.run(1)
    assert len(alice.told(ReofferAnswered)) == 1


def test_a_peer_that_knows_the_session_stays_when_it_is_asked() -> None:
    link, alice, bob = a_pair()
    session = alice.call(bob)
    link.run(5)
    for phone in (alice, bob):
        assert phone.session is not None
        phone.session.probe(link.now)
    link.run(40)
    assert link.sent("OPTIONS") == 2
    assert alice.told(Ended) == bob.told(Ended) == []
    session.end(link.now)
    session.probe(link.now)
    assert link.sent("OPTIONS") == 2
    assert_nothing_is_left(link, alice, bob)


@pytest.mark.parametrize("forgets", [True, False])
def test_a_peer_that_has_forgotten_the_session_or_says_nothing_has_ended_it(forgets: bool) -> None:
    link, alice, bob = a_pair()
    session = alice.call(bob)
    link.run(5)
    if forgets:
        bob.party.agent.sessions.clear()
    else:
        link.unplug(bob.party)
    session.probe(link.now)
    link.run(33)
    ended = [event for event in alice.told(Ended) if isinstance(event, Ended)]
    assert [(event.by_peer, event.status) for event in ended] == [(False, 481 if forgets else 408)]
    session.end(link.now)
    assert_nothing_is_left(link, alice)


def test_a_reoffer_that_is_refused_leaves_the_call_as_it_was() -> None:
    link, alice, bob = a_pair()
    bob.answers_reoffers = False
    session = alice.call(bob)
    link.run(5)
    session.reoffer(link.now, b"reoffer")
    with pytest.raises(LocalError):
        session.reoffer(link.now, b"another")
    link.run(1)
    assert bob.session is not None
    bob.session.refuse_reoffer(link.now, 488)
    link.run(5)
    assert [event.status for event in alice.told(ReofferRefused) if isinstance(event, ReofferRefused)] == [488]
    assert session.state is bob.session.state is SessionState.CONFIRMED
    assert session.may_reoffer


def test_a_reoffer_that_only_meets_trying_counts_as_unanswered_in_the_end() -> None:
    link, caller, callee = a_pair()
    callee.answers_reoffers = False
    session = caller.call(callee)
    link.run(1)
    session.reoffer(link.now, b"hold")
    link.run(100)
    assert [event.status for event in caller.told(ReofferRefused)] == [408]  # type: ignore[union-attr]
    assert session.may_reoffer


def test_a_call_that_ends_while_a_reoffer_waits_answers_it_first() -> None:
    link, alice, bob = a_pair()
    bob.answers_reoffers = False
    session = alice.call(bob)
    link.run(5)
    session.reoffer(link.now, b"reoffer")
    link.run(1)
    assert bob.session is not None
    bob.session.end(link.now)
    link.run(1)
    assert link.sent("487", bob.party) == 1
    assert session.state is SessionState.ENDED
    assert_nothing_is_left(link, alice, bob)


def test_our_bye_that_nobody_answers_ends_the_session_anyway() -> None:
    link, alice, bob = a_pair()
    session = alice.call(bob)
    link.run(5)
    link.unplug(bob.party)
    session.end(link.now)
    link.run(33)
    assert session.state is SessionState.ENDED
    assert_nothing_is_left(link, alice)


def test_both_sides_hanging_up_at_once_is_no_trouble() -> None:
    link, alice, bob = a_pair()
    session = alice.call(bob)
    link.run(5)
    assert bob.session is not None
    session.end(link.now)
    bob.session.end(link.now)
    session.end(link.now)
    link.run(5)
    assert session.state is bob.session.state is SessionState.ENDED
    assert_nothing_is_left(link, alice, bob)


def test_an_answer_after_our_cancel_is_acknowledged_and_ended_once() -> None:
    link, alice, bob = a_pair(weather=Weather(loss=0.0, doubling=1.0))
    session = alice.call(bob)
    link.run(0.03)
    session.end(link.now)
    link.run(60)
    assert alice.told(Answered) == []
    assert len(bob.told(Ended)) + len(bob.told(Cancelled)) == 1
    assert link.sent("BYE", alice.party) == 1

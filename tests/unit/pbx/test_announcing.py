"""A caller that is refused outside hears why before the refusal itself."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pytest

from engine.media.gateway import Clip
from engine.media.prompts import Prompts
from engine.pbx.announcing import prompt_for
from engine.store.outside import Level, RouteRule, ScreenRow
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.outside import MemoryCarrier, connect
from tests.unit.pbx.phone import MemoryPhone, PhoneCall

TWO_SECONDS = b"\0\0" * 16000


@pytest.fixture
def alice(office: MemoryOffice) -> MemoryPhone:
    office.office.exchange.prompts = lambda name, language: Clip(name, TWO_SECONDS)
    (alice,) = office.registered("101")
    return alice


@pytest.fixture
def carrier(office: MemoryOffice) -> MemoryCarrier:
    carrier = MemoryCarrier(office)
    connect(office)
    carrier.rings = False
    return carrier


def refusal(call: PhoneCall) -> str:
    assert call.failure is not None
    return f"{call.failure.status} {call.failure.reason}"


def test_it_hears_the_sentence_and_then_its_phone_is_refused(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    call = alice.call("94711")
    office.settle()
    carrier.ringing.refuse(404, "Unallocated Number")
    office.settle()
    assert call.heard[-1] == "183"
    assert office.hears(alice) == "not-in-service"
    office.advance(2)
    assert call.failure is None
    office.advance(0.5)
    assert refusal(call) == "404 Unallocated Number"
    assert office.record.cause == "404 Unallocated Number"
    assert not office.gateway.legs


@pytest.mark.parametrize(("status", "reason"), [(486, "Busy Here"), (603, "Decline"), (487, "Gone")])
def test_what_the_phones_own_tone_says_is_not_said_in_words(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier, status: int, reason: str
) -> None:
    call = alice.call("94711")
    office.settle()
    carrier.ringing.refuse(status, reason)
    office.settle()
    assert call.failure is not None
    assert "183" not in call.heard


def test_a_carrier_that_has_spoken_itself_is_not_repeated(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    call = alice.call("94711")
    office.settle()
    carrier.ringing.ring(183, carrier.answer_to(carrier.ringing.remote_sdp))
    office.settle()
    carrier.ringing.refuse(404)
    office.settle()
    assert refusal(call).startswith("404")
    assert call.heard.count("183") == 1


def test_who_may_not_call_there_hears_so(office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier) -> None:
    office.configure(
        levels=MappingProxyType({"abroad": Level("abroad", 3)}),
        routes=(RouteRule(1, "900", strip=1, level="abroad", trunks=("line",)),),
    )
    call = alice.call("90044")
    office.settle()
    assert office.hears(alice) == "not-allowed"
    office.advance(3)
    assert refusal(call).startswith("403 Call Level")


def test_a_caller_that_hangs_up_amid_the_sentence_leaves_nothing(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    call = alice.call("94711")
    office.settle()
    carrier.ringing.refuse(404)
    office.settle()
    call.cancel()
    office.settle()
    assert office.record.cause == "487 Request Terminated"
    assert not office.gateway.legs


@pytest.mark.parametrize("how", ["late offer", "no playable codec", "off", "no prompt"])
def test_it_is_refused_at_once_where_nothing_can_be_said(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier, how: str
) -> None:
    sdp: bytes | None = None
    if how == "late offer":
        sdp = b""
    elif how == "no playable codec":
        office.has("101", codecs=("G729",))
        connect(office, codecs=("G729",))
        sdp = alice.sdp(codecs=("G729",))
    elif how == "off":
        office.sets(announce_refusals="off")
    elif how == "no prompt":
        office.office.exchange.prompts = lambda name, language: None
    call = alice.call("94711", sdp=sdp)
    office.settle()
    carrier.ringing.refuse(404)
    office.settle()
    assert refusal(call).startswith("404")
    assert "183" not in call.heard


@pytest.mark.parametrize(
    ("number", "caller", "prompt", "heard"),
    [
        ("199", "<sip:4930999@carrier.test>", "not-in-service", "404 No Such Number"),
        ("101", "<sip:anonymous@anonymous.invalid>", "anonymous-refused", "433 Anonymity Disallowed"),
    ],
)
def test_a_caller_from_outside_hears_why_the_office_refuses_it(
    office: MemoryOffice,
    alice: MemoryPhone,
    carrier: MemoryCarrier,
    number: str,
    caller: str,
    prompt: str,
    heard: str,
) -> None:
    office.configure(screening=(ScreenRow(1, "anonymous", "*"),))
    call = carrier.dials(number, caller)
    office.settle()
    assert office.hears(carrier) == prompt
    office.advance(3)
    assert refusal(call) == heard


def test_what_a_phone_refuses_is_not_explained_to_callers_from_outside(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    alice.refuses_with = 404
    call = carrier.dials("101")
    office.settle()
    assert refusal(call).startswith("404")
    assert "183" not in call.heard


@pytest.mark.parametrize(
    ("status", "reason", "prompt"),
    [
        (403, "Call Level Abroad Needed", "not-allowed"),
        (403, "Too Many Calls To The Outside", "lines-busy"),
        (403, "Barred", "cannot-complete"),
        (503, "All Lines Busy", "lines-busy"),
        (503, "Outside Line Refuses", "line-down"),
        (404, "Not Found", "not-in-service"),
        (486, "Busy Here", None),
        (480, "No Answer", None),
    ],
)
def test_each_reason_has_its_sentence(tmp_path: Path, status: int, reason: str, prompt: str | None) -> None:
    assert prompt_for(status, reason) == prompt
    shipped = Prompts(tmp_path, human=tmp_path)
    assert prompt is None or (shipped.find(prompt, "en") and shipped.find(prompt, "zh"))

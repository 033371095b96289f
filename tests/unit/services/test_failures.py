"""Services that fail, hang up, wait and clean up: what the caller, the log and the others notice of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.events import AlarmRaised, ServiceFailed
from engine.core.views import ReleasedBy
from engine.media.gateway import Clip
from engine.pbx.service import ServiceError
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.phone import PhoneCall
from tests.unit.services.host import services_in, write_service


def call_echo(office: MemoryOffice, number: str = "101") -> PhoneCall:
    """``number`` dials the echo test, whatever file is behind it."""
    (phone,) = office.registered(number)
    call = phone.call("*43")
    office.settle()
    return call


def failures(office: MemoryOffice) -> list[str]:
    return [event.reason for event in office.events if isinstance(event, ServiceFailed)]


def test_the_offices_own_file_goes_before_the_shipped_one(office: MemoryOffice, own: Path) -> None:
    write_service(own, "echo", 'call:answer() call:play("busy") call:wait(60)')
    call = call_echo(office)
    assert office.hears(call.phone) == "busy-de"


def test_an_edit_counts_from_the_next_call_on(office: MemoryOffice, own: Path) -> None:
    write_service(own, "echo", "call:answer() call:wait(60)")
    first = call_echo(office)
    write_service(own, "echo", "return")
    second = call_echo(office, "102")
    assert first.is_up
    assert second.heard[-1] == "480"
    assert not failures(office)


def test_a_file_that_does_not_compile_refuses_the_caller(
    office: MemoryOffice, own: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (own / "echo.lua").write_text("local service = {}\nfunction service.run(call\n")
    call = call_echo(office)
    assert call.heard[-1] == "500"
    assert call.failure is not None
    assert call.failure.reason == "Service Failed"
    assert office.record.cause == "500 Service Failed"
    (reason,) = failures(office)
    assert reason.startswith("echo.lua:3:")
    assert str(own / "echo.lua") in caplog.text


def test_an_error_before_the_answer_refuses_the_caller(office: MemoryOffice, own: Path) -> None:
    write_service(own, "echo", "local nothing\nnothing.here()")
    assert call_echo(office).heard[-1] == "500"
    (reason,) = failures(office)
    assert reason.startswith("echo.lua:4: attempt to index a nil value")


def test_an_error_after_the_answer_hangs_up(
    office: MemoryOffice, own: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_service(own, "echo", 'call:answer()\nerror("my fault")')
    call = call_echo(office)
    assert call.heard[-2:] == ["answered", "ended"]
    assert (office.record.released_by, office.record.cause) == (ReleasedBy.SYSTEM, "500 Service Failed")
    assert "service echo of call" in caplog.text
    assert "echo.lua:4: my fault" in caplog.text


def test_an_error_ends_no_other_call(office: MemoryOffice, own: Path) -> None:
    write_service(own, "echo", "call:answer() call:echo() call:wait(60)")
    first = call_echo(office)
    write_service(own, "echo", 'error("broken since")')
    second = call_echo(office, "102")
    assert second.heard[-1] == "500"
    assert first.is_up
    assert office.hears(first.phone) == "101"


def test_an_endless_loop_ends_its_call(office: MemoryOffice, own: Path) -> None:
    write_service(own, "echo", "call:answer()\nwhile true do end")
    assert call_echo(office).heard[-1] == "ended"
    (reason,) = failures(office)
    assert reason.startswith("echo.lua:4: used up its")


def test_a_service_that_asks_without_end_cannot_outrun_a_bye(office: MemoryOffice, own: Path) -> None:
    write_service(own, "echo", "call:answer() while call:wait(0) do call:echo() end")
    (phone,) = office.registered("101")
    call = phone.call("*43")
    office.settle()
    call.hang_up()
    office.advance(1)
    assert office.record.released_by is ReleasedBy.CALLER
    assert not failures(office)


def test_a_missing_service_says_where_it_was_looked_for(office: MemoryOffice, own: Path) -> None:
    host = services_in(own)
    with pytest.raises(ServiceError, match=f"no service 'nothing', neither in {own} nor in"):
        office.run(host.open("nothing", {}))
    with pytest.raises(ServiceError, match="is no name of a service"):
        office.run(host.open("../echo", {}))


def test_hanging_up_during_a_wait_is_an_error_that_the_service_may_catch(office: MemoryOffice, own: Path) -> None:
    witness = """
    call:answer()
    local is_well, problem = pcall(function() call:wait(600) end)
    local value, why = call:play("beep")
    error(tostring(is_well) .. " " .. problem .. " " .. tostring(value) .. " " .. why, 0)
    """
    write_service(own, "echo", witness)
    call = call_echo(office)
    call.hang_up()
    office.settle()
    assert failures(office) == ["echo.lua:7: false hangup nil ended"]
    assert (office.record.released_by, office.record.cause) == (ReleasedBy.CALLER, "normal")


def test_after_hanging_up_itself_a_service_may_clean_up(office: MemoryOffice, own: Path) -> None:
    write_service(own, "echo", 'call:answer() call:hangup() local _, why = call:echo() error("then " .. why, 0)')
    call = call_echo(office)
    assert call.heard[-1] == "ended"
    assert failures(office) == ["echo.lua:3: then ended"]
    assert (office.record.released_by, office.record.cause) == (ReleasedBy.SYSTEM, "normal")


def test_cleaning_up_that_never_ends_is_stopped(office: MemoryOffice, own: Path) -> None:
    write_service(own, "echo", "call:answer() pcall(call.wait, call, 600) while true do call:play('beep') end")
    call = call_echo(office)
    call.hang_up()
    office.settle()
    assert "used up its" in failures(office)[0]
    assert office.record.cause == "normal"


def test_giving_up_before_the_answer_ends_the_service_quietly(office: MemoryOffice, own: Path) -> None:
    write_service(own, "echo", "call:wait(5) call:answer()")
    call = call_echo(office)
    call.cancel()
    office.advance(1)
    assert office.record.cause == "487 Request Terminated"
    assert not failures(office)


def test_a_service_that_never_answers_is_heard_as_480(office: MemoryOffice, own: Path) -> None:
    write_service(own, "echo", "call:wait(2)")
    call = call_echo(office)
    office.advance(3)
    assert call.heard[-1] == "480"
    assert office.record.cause == "480 Service Did Not Answer"


def test_verbs_that_fail_return_why(office: MemoryOffice, own: Path) -> None:
    witness = """
    local _, early = call:echo()
    local _, silent = call:play("beep")
    call:answer()
    local _, unknown = call:play("trumpet")
    error(early .. "; " .. silent .. "; " .. unknown .. "; " .. call.caller .. "; " .. call.dialled, 0)
    """
    write_service(own, "echo", witness)
    call_echo(office)
    (reason,) = failures(office)
    assert reason.endswith(
        "the call is not answered; the call is not answered; "
        "there is no clip 'trumpet': use one of beep, ringback, busy, congestion, or a prompt's name; 101; *43"
    )


def test_a_service_that_hangs_raises_an_alarm(office: MemoryOffice) -> None:
    class Hanging:
        async def resume(self, value: bool | None = None, failure: str | None = None) -> None:
            raise ServiceError("hangs", is_stuck=True)

        async def end(self, *, hung_up: bool) -> None:
            raise AssertionError("it must not be touched")

        def close(self) -> None:
            """Nothing is held."""

    class Host:
        async def open(self, service: str, facts: object) -> Hanging:
            return Hanging()

    office.office.exchange.services = Host()
    assert call_echo(office).heard[-1] == "500"
    (alarm,) = office.heard_events(AlarmRaised)
    assert alarm.text == "service echo: hangs"  # type: ignore[attr-defined]
    assert office.office.health().warnings == ("service echo: hangs",)


def apology(office: MemoryOffice, seconds: int = 2) -> None:
    """The office has a sentence for a service that broke."""
    clip = Clip("apology", b"\1\0" * 8000 * seconds)
    office.office.exchange.prompts = lambda name, language: clip if name == "apology" else None


def test_who_was_answered_hears_that_it_went_wrong(office: MemoryOffice, own: Path) -> None:
    apology(office)
    write_service(own, "echo", 'call:answer()\nerror("my fault")')
    call = call_echo(office)
    assert call.is_up
    assert office.hears(call.phone) == "apology"
    assert len(failures(office)) == 1
    office.advance(2.4)
    assert call.heard[-1] == "ended"
    assert office.record.cause == "500 Service Failed"
    office.linger()
    office.assert_nothing_is_left()


def test_who_hangs_up_over_the_apology_ends_the_call(office: MemoryOffice, own: Path) -> None:
    apology(office)
    write_service(own, "echo", 'call:answer()\nerror("my fault")')
    call = call_echo(office)
    call.hang_up()
    office.settle()
    assert office.record.cause == "500 Service Failed"
    office.linger()
    office.assert_nothing_is_left()


def test_who_was_not_answered_hears_no_apology(office: MemoryOffice, own: Path) -> None:
    apology(office)
    write_service(own, "echo", 'error("my fault")')
    assert call_echo(office).heard[-1] == "500"

"""Operators in calls of others: who hears whom, who is refused, and what the audit log says of it."""

from __future__ import annotations

import pytest

from engine.core.audit import AuditEntry, Outcome
from engine.core.deeds import Deed
from engine.core.errors import NotAllowedError, NotFoundError, RefusedError
from engine.core.ids import CallId
from engine.core.views import CallState, Lamp, PartyRole, ReleasedBy
from engine.pbx.call import Release, Retuned
from engine.pbx.operator import Acting
from engine.pbx.supervising import change_inside, wish_of
from engine.store.configuration import Right
from engine.store.services import GroupKind
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.outside import MemoryCarrier, connect
from tests.unit.pbx.phone import MemoryPhone
from tests.unit.pbx.test_replaces import names
from tests.unit.services.scene import dial, has_group, hears_all, may


class Operator:
    """Carl at 103, who does what the desk is asked for; the audit log beside him."""

    def __init__(self, scene: MemoryOffice) -> None:
        self.scene = scene
        (self.phone,) = scene.registered("103")
        self.phone.picks_up = True
        self.log: list[AuditEntry] = []
        scene.office.exchange.audit = self.log.append

    @property
    def acting(self) -> Acting:
        return Acting("desk", self.scene.configuration.extensions["103"], "the boss asks")

    def does(self, deed: Deed, target: str = "102", side: str | None = None) -> CallId:
        call = self.scene.run(self.scene.office.operator.supervise(deed, target, side, self.acting, None))
        self.scene.settle()
        return call

    def told(self) -> list[tuple[str, str, str | None]]:
        return [(each.action, each.outcome.value, each.reason) for each in self.log]


@pytest.fixture
def carl(scene: MemoryOffice) -> Operator:
    return Operator(scene)


def hears(scene: MemoryOffice, phone: MemoryPhone) -> set[str]:
    """Whom a phone hears: in a mix, or in a conversation."""
    media = scene.media_of(phone)
    if media.mix is None:
        heard = scene.hears(phone)
        return {heard} if heard else set()
    found = set()
    for number, each in scene.gateway.legs.items():
        owner = scene._owner(each)
        is_with_it = each is not media and each.mix == media.mix and owner is not None
        if is_with_it and (media.hears is None or number in media.hears):
            found.add(owner.number)
    return found


# -- who hears whom ---------------------------------------------------------------------------------------------


def test_who_listens_hears_both_and_is_heard_by_neither(scene: MemoryOffice, carl: Operator) -> None:
    anna, ben, _, _ = scene.talking()
    may(scene, "103", Right.LISTEN)
    carl.does(Deed.LISTEN)
    assert hears(scene, carl.phone) == {"101", "102"}
    assert hears(scene, anna) == {"102"}
    assert hears(scene, ben) == {"101"}
    (call,) = scene.office.calls()
    assert call.state is CallState.TALKING
    assert [party.role for party in call.parties] == [PartyRole.CALLER, PartyRole.CALLEE, PartyRole.LISTENER]
    assert carl.told() == [("listen", "done", "the boss asks")]
    assert (carl.log[0].who, carl.log[0].acting, carl.log[0].target) == ("desk", "103", "102")


@pytest.mark.parametrize(
    ("target", "side", "hearing"), [("102", None, "102"), ("101", None, "101"), ("102", "101", "101")]
)
def test_a_whisper_is_heard_by_one_side(
    scene: MemoryOffice, carl: Operator, target: str, side: str | None, hearing: str
) -> None:
    anna, ben, _, _ = scene.talking()
    may(scene, "103", Right.WHISPER)
    carl.does(Deed.WHISPER, target, side)
    assert hears(scene, carl.phone) == {"101", "102"}
    assert hears(scene, anna) == {"102"} | ({"103"} if hearing == "101" else set())
    assert hears(scene, ben) == {"101"} | ({"103"} if hearing == "102" else set())


def test_all_three_hear_each_other_after_a_barge_in(scene: MemoryOffice, carl: Operator) -> None:
    anna, ben, _, _ = scene.talking()
    may(scene, "103", Right.BARGE_IN)
    carl.does(Deed.BARGE_IN)
    assert (hears(scene, anna), hears(scene, ben)) == ({"102", "103"}, {"101", "103"})
    assert hears(scene, carl.phone) == {"101", "102"}
    assert scene.office.calls()[0].state is CallState.CONFERENCE


def test_taking_over_leaves_the_other_party_with_the_operator(scene: MemoryOffice, carl: Operator) -> None:
    anna, _, call, other = scene.talking()
    may(scene, "103", Right.TAKE_OVER)
    carl.does(Deed.TAKE_OVER)
    assert other.is_over
    assert not call.is_over
    assert (hears(scene, anna), hears(scene, carl.phone)) == ({"103"}, {"101"})
    assert carl.told() == [("take-over", "done", "the boss asks")]


def test_who_is_in_changes_what_it_does_there(scene: MemoryOffice, carl: Operator) -> None:
    anna, ben, call, other = scene.talking()
    may(scene, "103", Right.LISTEN, Right.WHISPER, Right.BARGE_IN, Right.TAKE_OVER)
    carl.does(Deed.LISTEN)
    carl.does(Deed.WHISPER, side="101")
    assert (hears(scene, anna), hears(scene, ben)) == ({"102", "103"}, {"101"})
    carl.does(Deed.BARGE_IN)
    assert (hears(scene, anna), hears(scene, ben)) == ({"102", "103"}, {"101", "103"})
    carl.does(Deed.LISTEN)
    assert (hears(scene, anna), hears(scene, ben)) == ({"102"}, {"101"})
    assert len(carl.phone.calls) == 1  # its phone rang once
    carl.does(Deed.TAKE_OVER, side="101")
    assert call.is_over
    assert not other.is_over
    assert (hears(scene, ben), hears(scene, carl.phone)) == ({"103"}, {"102"})
    assert [action for action, _, _ in carl.told()] == ["listen", "whisper", "barge-in", "listen", "take-over"]


def test_who_comes_for_a_place_among_three_is_refused(scene: MemoryOffice, carl: Operator) -> None:
    anna, ben, _, other = scene.talking()
    may(scene, "103", Right.BARGE_IN)
    scene.has("104", rights=frozenset({Right.TAKE_OVER}))
    carl.does(Deed.BARGE_IN)
    (dora,) = scene.registered("104")
    picked = dora.call("102", extra=names(other))
    scene.settle()
    assert picked.heard[-1] == "486"
    assert (hears(scene, anna), hears(scene, ben)) == ({"102", "103"}, {"101", "103"})


def test_a_change_that_comes_after_the_end_is_told_as_failed(scene: MemoryOffice, carl: Operator) -> None:
    scene.talking()
    may(scene, "103", Right.LISTEN, Right.WHISPER)
    carl.does(Deed.LISTEN)
    call = scene.office.exchange.calls[scene.office.calls()[0].id]
    mine, told = call.legs[-1], list[str | None]()
    scene.in_one_breath(
        lambda: call.post(Release(ReleasedBy.SYSTEM, "normal")),
        lambda: call.post(Retuned(mine, PartyRole.WHISPERER, None, False, told.append)),
    )
    scene.settle()
    assert told == ["481 Call Ended"]


def test_settings_of_a_service_put_nothing_into_the_audit_log(scene: MemoryOffice, carl: Operator) -> None:
    """Whoever runs the service by itself may name anything there."""
    scene.talking()
    may(scene, "103", Right.LISTEN)
    settings = {"deed": "listen", "call": scene.office.calls()[0].id, "target": "somebody else"}
    scene.run(scene.office.run_service("supervise", "103", settings))
    scene.settle()
    assert [(each.who, each.target) for each in carl.log] == [("103", settings["call"])]


# -- leaving ----------------------------------------------------------------------------------------------------


def test_two_go_on_when_the_listener_hangs_up(scene: MemoryOffice, carl: Operator) -> None:
    anna, ben, _, _ = scene.talking()
    may(scene, "103", Right.LISTEN)
    carl.does(Deed.LISTEN)
    carl.phone.ringing.hang_up()
    scene.settle()
    assert (hears(scene, anna), hears(scene, ben)) == ({"102"}, {"101"})
    assert scene.media_of(anna).mix is None


def test_a_call_that_ends_takes_its_listener_along(scene: MemoryOffice, carl: Operator) -> None:
    _, _, call, other = scene.talking()
    may(scene, "103", Right.LISTEN)
    carl.does(Deed.LISTEN)
    call.hang_up()
    scene.settle()
    assert other.is_over
    assert carl.phone.ringing.is_over
    assert not scene.office.calls()
    assert not scene.gateway.legs


def test_a_transfer_ends_the_listening_and_is_done(scene: MemoryOffice, carl: Operator) -> None:
    anna, _, _, _ = scene.talking()
    (dora,) = scene.registered("104")
    dora.picks_up = True
    may(scene, "103", Right.LISTEN)
    call = carl.does(Deed.LISTEN)
    by = scene.configuration.extensions["102"]
    scene.run(scene.office.operator.transfer(call, "104", by, None))
    scene.settle()
    assert carl.phone.ringing.is_over
    assert hears(scene, anna) == {"104"}


def test_who_is_held_while_somebody_listens_hears_music(scene: MemoryOffice, carl: Operator) -> None:
    anna, ben, _, other = scene.talking()
    may(scene, "103", Right.LISTEN)
    carl.does(Deed.LISTEN)
    other.hold()
    scene.settle()
    playing = scene.media_of(anna).playing
    assert playing is not None
    assert playing.name == "music"
    assert scene.office.lamps()["102"] is Lamp.HELD
    other.resume()
    scene.settle()
    assert scene.media_of(anna).playing is None
    assert hears(scene, ben) == {"101"}


# -- refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", list(Deed))
def test_each_deed_has_its_right(scene: MemoryOffice, carl: Operator, deed: Deed) -> None:
    anna, _, _, _ = scene.talking()
    may(scene, "103", *(Right(each.value) for each in Deed if each is not deed))
    with pytest.raises(NotAllowedError, match=f"--right {deed.value}"):
        carl.does(deed)
    assert hears(scene, anna) == {"102"}
    assert not carl.phone.calls


@pytest.mark.parametrize("deed", list(Deed))
@pytest.mark.parametrize("boss", ["101", "102"])
def test_overstep_of_either_party_protects(scene: MemoryOffice, carl: Operator, deed: Deed, boss: str) -> None:
    scene.talking()
    may(scene, "103", Right(deed.value))
    may(scene, boss, Right.OVERSTEP)
    with pytest.raises(NotAllowedError, match="overstep right protects"):
        carl.does(deed)
    scene.configure(params={**scene.configuration.params, "overstep_protects": "dialled"})
    if boss == "102":
        with pytest.raises(NotAllowedError, match="overstep right protects"):
            carl.does(deed)
    else:
        carl.does(deed)
        assert carl.told() == [(deed.value, "done", "the boss asks")]


def test_what_is_no_call_of_two_is_left_alone(scene: MemoryOffice, carl: Operator) -> None:
    may(scene, "103", Right.LISTEN, Right.WHISPER)
    scene.has("102")
    with pytest.raises(RefusedError, match="102 is in no answered call of two"):
        carl.does(Deed.LISTEN)
    with pytest.raises(NotFoundError, match="no call or extension 'ffff'"):
        carl.does(Deed.LISTEN, "ffff")
    anna, _, _, _ = scene.talking()
    with pytest.raises(RefusedError, match="104 is no party"):
        carl.does(Deed.WHISPER, side="104")
    carl.does(Deed.LISTEN)
    (dora,) = scene.registered("104")
    may(scene, "104", Right.LISTEN)
    acting = Acting("other", scene.configuration.extensions["104"])
    with pytest.raises(RefusedError, match="in no answered call of two"):
        scene.run(scene.office.operator.supervise(Deed.LISTEN, "102", None, acting, None))
    assert hears(scene, anna) == {"102"}
    assert not dora.calls


def test_a_call_that_ends_before_the_phone_answers_is_told_of(scene: MemoryOffice, carl: Operator) -> None:
    _, _, call, _ = scene.talking()
    may(scene, "103", Right.LISTEN)
    carl.phone.picks_up = False
    carl.does(Deed.LISTEN)
    call.hang_up()
    scene.settle()
    carl.phone.ringing.answer()
    scene.settle()
    assert hears_all(scene, carl.phone, carl.phone.ringing) == ["barge-not-talking"]
    assert carl.told() == [("listen", "refused", "unknown")]


def test_a_phone_that_does_not_answer_is_told_of(scene: MemoryOffice, carl: Operator) -> None:
    scene.talking()
    may(scene, "103", Right.LISTEN)
    carl.phone.picks_up = False
    carl.does(Deed.LISTEN)
    carl.phone.ringing.refuse(486)
    scene.settle()
    assert carl.told() == [("listen", "failed", "480 No Answer")]


def test_a_change_that_comes_too_late_is_told_of(scene: MemoryOffice, carl: Operator) -> None:
    """The operator hangs up in the same breath: the two talk on, and the log says what became of it."""
    anna, ben, _, _ = scene.talking()
    may(scene, "103", Right.LISTEN, Right.BARGE_IN)
    call = scene.office.exchange.calls[carl.does(Deed.LISTEN)]
    wish = wish_of(scene.office.exchange, scene.configuration.extensions["103"], Deed.BARGE_IN, call.id)
    carl.phone.ringing.hang_up()
    scene.settle()
    told: list[str | None] = []
    change_inside(scene.office.exchange, wish, told.append)
    scene.settle()
    assert told == ["the call is one of two again"]
    assert (hears(scene, anna), hears(scene, ben)) == ({"102"}, {"101"})


def test_the_code_is_in_the_audit_log_too(scene: MemoryOffice, carl: Operator) -> None:
    scene.talking()
    (dora,) = scene.registered("104")
    call = dial(scene, dora, "*75*102")
    assert hears_all(scene, dora, call) == ["no-right"]
    may(scene, "104", Right.BARGE_IN)
    dial(scene, dora, "*75*102")
    assert carl.told() == [("barge-in", "refused", "no_right"), ("barge-in", "done", None)]
    assert {(each.who, each.acting) for each in carl.log} == {("104", "104")}


# -- release, park, record --------------------------------------------------------------------------------------


def test_others_calls_are_released_by_right(scene: MemoryOffice, carl: Operator) -> None:
    _, _, call, _ = scene.talking()
    operator, extensions = scene.office.operator, scene.configuration.extensions
    with pytest.raises(NotAllowedError, match="103 may not release calls of others"):
        scene.run(operator.release("101", None, extensions["103"]))
    may(scene, "103", Right.RELEASE)
    scene.run(operator.release("101", None, scene.configuration.extensions["103"]))
    scene.settle()
    assert call.is_over


def test_a_call_is_parked_for_who_was_called_and_comes_back_to_it(scene: MemoryOffice, carl: Operator) -> None:
    anna, ben, call, other = scene.talking()
    assert scene.run(scene.office.operator.park("101", "7", None, None)) == "7"
    scene.settle()
    assert other.is_over
    assert scene.hears(anna) == "music"
    assert scene.office.calls()[0].state is CallState.PARKED
    with pytest.raises(RefusedError, match="cannot be parked now"):
        scene.run(scene.office.operator.park("101", None, None, None))
    scene.advance(61)
    assert ben.ringing is not other
    ben.ringing.answer()
    scene.settle()
    assert scene.hears(anna) == "102"
    assert not call.is_over


@pytest.mark.parametrize("slot", ["100", "0", "x"])
def test_there_are_ninety_nine_slots(scene: MemoryOffice, carl: Operator, slot: str) -> None:
    scene.talking()
    with pytest.raises(RefusedError, match="there is no slot"):
        scene.run(scene.office.operator.park("101", slot, None, None))


def test_a_call_is_recorded_for_an_operator_and_no_longer(scene: MemoryOffice, carl: Operator) -> None:
    scene.talking()
    with pytest.raises(NotAllowedError, match="103 may not record"):
        scene.run(scene.office.operator.record("101", carl.acting, None))
    may(scene, "103", Right.RECORD, Right.LISTEN)
    file = scene.run(scene.office.operator.record("101", carl.acting, None))
    assert file is not None
    assert scene.office.calls()[0].recording == file
    carl.does(Deed.LISTEN)
    assert scene.run(scene.office.operator.record("101", carl.acting, None)) is None


# -- pull, pick up ----------------------------------------------------------------------------------------------


def test_a_caller_is_pulled_out_of_a_queue(scene: MemoryOffice, carl: Operator) -> None:
    anna, _, _, _ = scene.talking("101", "102")
    scene.run(scene.office.operator.park("101", "7", None, None))
    scene.settle()
    with pytest.raises(NotAllowedError, match="--right pull"):
        scene.run(scene.office.operator.pull("7", carl.acting, None))
    may(scene, "103", Right.PULL)
    scene.run(scene.office.operator.pull("7", carl.acting, None))
    scene.settle()
    assert hears(scene, anna) == {"103"}
    assert carl.told() == [("pull", "done", "the boss asks")]
    with pytest.raises(RefusedError, match="waits in no menu"):
        scene.run(scene.office.operator.pull("101", carl.acting, None))


def test_what_rings_is_picked_up_from_the_desk(scene: MemoryOffice, carl: Operator) -> None:
    anna, ben = scene.registered("101", "102")
    call = dial(scene, anna, "102")
    with pytest.raises(NotAllowedError, match="--right pickup"):
        scene.run(scene.office.operator.pick_up("102", carl.acting, None))
    has_group(scene, "690", GroupKind.PICKUP, "102", "103")
    scene.run(scene.office.operator.pick_up("102", carl.acting, None))
    scene.settle()
    assert call.is_up
    assert ben.ringing.is_over
    assert hears(scene, anna) == {"103"}


# -- override ---------------------------------------------------------------------------------------------------


def override(scene: MemoryOffice, carl: Operator, target: str) -> None:
    scene.run(scene.office.operator.override(target, carl.acting))
    scene.settle()


@pytest.mark.parametrize("hidden", [{"dnd": True}, {"forward_always": "101"}, {"dnd": True, "forward_busy": "101"}])
def test_an_override_reaches_through_what_others_meet(
    scene: MemoryOffice, carl: Operator, hidden: dict[str, object]
) -> None:
    anna, ben = scene.registered("101", "102")
    scene.has("102", **hidden)
    with pytest.raises(NotAllowedError, match="--right override"):
        override(scene, carl, "102")
    may(scene, "103", Right.OVERRIDE)
    override(scene, carl, "102")
    assert not anna.calls
    invite = ben.ringing.invite
    assert invite is not None
    assert invite.headers.get("Priority") == "urgent"
    ben.ringing.answer()
    scene.settle()
    assert hears(scene, ben) == {"103"}
    assert carl.told() == [("override", "done", "the boss asks")]


def test_who_talks_is_broken_into_where_that_is_allowed(scene: MemoryOffice, carl: Operator) -> None:
    anna, _, _, _ = scene.talking()
    may(scene, "103", Right.OVERRIDE, Right.BARGE_IN)
    override(scene, carl, "102")
    assert hears(scene, anna) == {"102", "103"}


def test_who_talks_and_is_protected_is_rung_when_it_is_free(scene: MemoryOffice, carl: Operator) -> None:
    anna, ben, call, _ = scene.talking()
    may(scene, "103", Right.OVERRIDE, Right.BARGE_IN)
    may(scene, "101", Right.OVERSTEP)
    override(scene, carl, "102")
    assert hears(scene, anna) == {"102"}
    assert carl.told() == [("override", "done", "camps on until it is free")]
    hears_all(scene, carl.phone, carl.phone.ringing)
    assert carl.phone.ringing.is_over
    call.hang_up()
    scene.settle()
    scene.advance(5)
    assert carl.phone.ringing.is_up  # the recall
    ben.ringing.answer()
    scene.settle()
    assert hears(scene, ben) == {"103"}
    assert [each.outcome for each in carl.log] == [Outcome.DONE] * 2
    assert {each.who for each in carl.log} == {"desk"}


def test_an_outside_number_is_overridden_only_where_the_office_wants_that(
    scene: MemoryOffice, carl: Operator
) -> None:
    may(scene, "103", Right.OVERRIDE)
    with pytest.raises(RefusedError, match="param set override_trunk_limit 1"):
        override(scene, carl, "90301234")


def test_a_full_line_takes_one_call_of_an_operator_who_may_override(scene: MemoryOffice, carl: Operator) -> None:
    carrier = MemoryCarrier(scene)
    connect(scene, max_out=1)
    (anna,) = scene.registered("101")
    first = anna.call("94711")
    scene.settle()
    carrier.ringing.answer()
    scene.settle()
    assert first.is_up
    may(scene, "103", Right.OVERRIDE)
    refused = dial(scene, carl.phone, "94712")  # without an override the limit holds
    assert (scene.office.trunks()[0].active_out, refused.is_up) == (1, False)
    refused.cancel()
    scene.settle()
    scene.sets(override_trunk_limit=1)
    override(scene, carl, "94712")
    assert scene.office.trunks()[0].active_out == 2
    carrier.ringing.answer()
    scene.settle()
    assert scene.hears(carl.phone) is not None
    assert carl.told() == [("override", "done", "the boss asks")]
    connect(scene, max_out=0)
    carl.phone.ringing.hang_up()
    scene.settle()
    override(scene, carl, "94712")
    hears_all(scene, carl.phone, carl.phone.ringing)
    assert scene.office.trunks()[0].active_out == 1  # 0 is absolute

"""A call's messages at the desk: pages, who may see what, and the capture file in the state folder."""

from __future__ import annotations

import asyncio

import pytest

from engine.core.errors import NotAllowedError, NotFoundError, RefusedError
from engine.core.ladder import Ladder
from engine.desk.capture import capture_file
from engine.desk.commands import AddOperator, OperatorFields, ReadLadder, SaveLadder
from engine.desk.door import Desk
from engine.desk.wire import RESULTS, decode, encode, parse_line, to_line
from engine.pbx.rights import OWNER, Asker
from engine.store.configuration import Role
from engine.store.store import Store
from tests.unit.desk.fakes import FakeOffice, a_ladder
from tests.unit.store.samples import a_record


async def a_login(desk: Desk, role: Role) -> Asker:
    await desk.ask(OWNER, AddOperator(str(role), OperatorFields(password="s3cret", role=role)))
    return Asker(str(role), role)


async def test_a_viewer_reads_pages_without_secrets(desk: Desk, office: FakeOffice) -> None:
    viewer = await a_login(desk, Role.VIEWER)
    page: Ladder = await desk.ask(viewer, ReadLadder("101", 3, 2))
    assert [message.number for message in page.messages] == [3, 4]
    assert page.total == 13
    with pytest.raises(NotAllowedError, match="see digests and keys"):
        await desk.ask(viewer, ReadLadder("101", with_secrets=True))
    assert office.ladders == [("101", 3, False)]


async def test_what_nobody_could_mean_is_read_as_the_nearest_page(desk: Desk, office: FakeOffice) -> None:
    assert (await desk.ask(OWNER, ReadLadder("101", -5, -1))).messages == ()
    assert office.ladders == [("101", 0, False)]


async def test_a_ladder_crosses_the_wire_unchanged() -> None:
    ladder = a_ladder()
    line = to_line({"result": encode(ladder)})
    assert decode(RESULTS[ReadLadder], parse_line(line)["result"]) == ladder


async def test_a_capture_is_saved_for_the_owner_alone(desk: Desk, store: Store) -> None:
    for _ in range(2):  # the second one takes the place of the first
        path = await desk.ask(OWNER, SaveLadder("101"))
    file = store.folder / "captures" / "call-7f3a.pcap"
    assert path == str(file)
    assert file.read_bytes() == capture_file(a_ladder().messages)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [item.name for item in file.parent.iterdir()] == ["call-7f3a.pcap"]


async def test_a_viewer_saves_nothing_and_a_receptionist_does(desk: Desk, store: Store) -> None:
    with pytest.raises(NotAllowedError, match="save a call's messages"):
        await desk.ask(await a_login(desk, Role.VIEWER), SaveLadder("101"))
    assert not (store.folder / "captures").exists()
    assert await desk.ask(await a_login(desk, Role.RECEPTIONIST), SaveLadder("101"))


async def test_where_nothing_can_be_written_the_refusal_names_the_file(desk: Desk, store: Store) -> None:
    (store.folder / "captures").write_text("in the way")
    with pytest.raises(RefusedError, match=r"cannot write .*call-7f3a\.pcap") as refused:
        await desk.ask(OWNER, SaveLadder("101"))
    assert refused.value.mend == "make room, then try again"


async def test_a_call_that_is_only_a_record_says_what_is_left_of_it(desk: Desk, store: Store) -> None:
    store.put_record(a_record("beef"))
    await asyncio.wrap_future(store.flush())
    with pytest.raises(NotFoundError, match="the messages of call beef are no longer there"):
        await desk.ask(OWNER, ReadLadder("beef"))
    with pytest.raises(NotFoundError, match="there is no call 'ffff'"):
        await desk.ask(OWNER, SaveLadder("ffff"))


async def test_without_an_engine_there_are_no_messages(closed_office: Desk) -> None:
    with pytest.raises(RefusedError, match="no engine runs"):
        await closed_office.ask(OWNER, ReadLadder("101"))

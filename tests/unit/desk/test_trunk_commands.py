"""Outside lines by command: what is taken, what is refused and with which mend."""

from __future__ import annotations

import pytest

from engine.core.errors import NotFoundError, RefusedError
from engine.core.views import TrunkState
from engine.desk.door import Desk
from engine.desk.lines import AddTrunk, ListTrunks, RemoveTrunk, SetTrunk, ShowTrunk, TrunkFields
from engine.pbx.rights import OWNER
from engine.store.outside import Srtp, Trunk, TrunkTransport
from engine.store.store import Store

PLAIN = TrunkFields(host="sip.example.org")


async def test_a_trunk_is_added_changed_shown_and_removed(desk: Desk, store: Store) -> None:
    await desk.ask(OWNER, AddTrunk("line", TrunkFields("sip.example.org", username="u", password="p", max_in=3)))
    await desk.ask(OWNER, SetTrunk("line", TrunkFields(max_out=0, clear=frozenset({"max_in"}))))
    trunk = store.configuration.trunks["line"]
    assert (trunk.max_in, trunk.max_out, trunk.password) == (None, 0, "p")
    shown = await desk.ask(OWNER, ShowTrunk("line"))
    assert isinstance(shown, Trunk)
    assert shown.password is None
    await desk.ask(OWNER, RemoveTrunk("line"))
    assert not store.configuration.trunks


async def test_the_list_is_that_of_the_running_office(desk: Desk) -> None:
    (view,) = await desk.ask(OWNER, ListTrunks())
    assert (view.name, view.state) == ("carrier", TrunkState.REGISTERED)


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("-x", PLAIN, "is no name of a trunk"),
        ("a b", PLAIN, "is no name of a trunk"),
        ("line", TrunkFields(), "has no host: give it --host"),
        ("line", TrunkFields("1.2.3"), "is no host"),
        ("line", TrunkFields("a.b", 0), "is no port"),
        ("line", TrunkFields("a.b", addresses=("10.0.0.0/33",)), "is no network"),
        ("line", TrunkFields("a.b", max_in=-1), "max-in cannot be -1: use 0 to 10000, or unlimited"),
        ("line", TrunkFields("a.b", over_limit=404), "use 486 or 503"),
        ("line", TrunkFields("a.b", registers=True), "cannot register without a login"),
        ("line", TrunkFields("a.b", registers=True, username="u"), "give it --username and --password"),
        ("line", TrunkFields("a.b", password="a\nb"), "the password cannot be used"),
        ("line", TrunkFields("a.b", codecs=("MP3",)), "there is no codec 'MP3'"),
        ("line", TrunkFields("a.b", max_out=1, reserve_emergency=2), "lower --reserve-emergency"),
        ("line", TrunkFields("a.b", srtp=Srtp.REQUIRED), "use --transport tls"),
        ("line", TrunkFields("a.b", srtp=Srtp.OPTIONAL, transport=TrunkTransport.TLS), "cannot be encrypted yet"),
        ("line", TrunkFields("a.b", proxy="1.2.3:5060"), "is no host"),
        ("line", TrunkFields("a.b", clear=frozenset({"host"})), "'host' cannot be cleared"),
        ("line", TrunkFields("a.b", max_in=2, clear=frozenset({"max_in"})), "both given and cleared"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_mend(
    desk: Desk, store: Store, name: str, fields: TrunkFields, said: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        await desk.ask(OWNER, AddTrunk(name, fields))
    assert said in str(caught.value)
    assert not store.configuration.trunks


async def test_a_name_is_taken_once(desk: Desk) -> None:
    await desk.ask(OWNER, AddTrunk("line", PLAIN))
    with pytest.raises(RefusedError, match="trunk line exists already: change it with 'frontdesk trunk set line'"):
        await desk.ask(OWNER, AddTrunk("line", PLAIN))


@pytest.mark.parametrize("command", [ShowTrunk("x"), SetTrunk("x", PLAIN), RemoveTrunk("x")])
async def test_a_trunk_that_is_not_there_is_missed(desk: Desk, command: ShowTrunk | SetTrunk | RemoveTrunk) -> None:
    with pytest.raises(NotFoundError, match="there is no trunk 'x'"):
        await desk.ask(OWNER, command)

"""An outside line that registers: what it says to its carrier, and where it stands afterwards."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from engine.core.views import TrunkState, TrunkView
from engine.store.outside import Trunk
from tests.unit.pbx.carrier import MemoryRegistrar
from tests.unit.pbx.office import MemoryOffice


def has_trunk(office: MemoryOffice, name: str = "carrier", **fields: Any) -> None:
    """Give the office a registering line, or change it."""
    known = office.configuration.trunks.get(name)
    usual: dict[str, Any] = {"host": "198.51.100.1", "registers": True, "username": "line1", "password": "pass1"}
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


def test_registers_with_its_password(office: MemoryOffice) -> None:
    carrier = MemoryRegistrar(office)
    has_trunk(office)
    assert view(office).state is TrunkState.REGISTERED
    assert carrier.nonce_counts() == [None, "00000001"]
    assert [request.cseq.number for request in carrier.registers] == [1, 2]
    assert len({request.call_id for request in carrier.registers}) == 1
    assert view(office).last_error is None
    assert view(office).server == "198.51.100.1:5060"
    loses_trunk(office)
    assert not carrier.contacts
    assert carrier.last.headers.get("Expires") == "0"
    assert carrier.nonce_counts()[-1] == "00000002"

"""Outside lines and everything about them come back as they were put."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from engine.core.peering import ReliableProvisional
from engine.store.outside import Identity, Preset, Srtp, Trunk, TrunkTransport
from engine.store.store import Store

PLAIN = Trunk("gateway", "127.0.0.9")
FULL = Trunk(
    name="telekom",
    host="sip.example.org",
    port=5071,
    transport=TrunkTransport.TLS,
    registers=True,
    username="4930555",
    password="secret word",
    proxy="edge.example.org:5061",
    addresses=("192.0.2.0/24", "2001:db8::/32"),
    max_in=4,
    max_out=0,
    reserve_emergency=1,
    reliable_provisional=ReliableProvisional.REQUIRED,
    new_call_id=False,
    identity=Identity.PPI,
    preset=Preset.IMS,
    srtp=Srtp.REQUIRED,
    over_limit=503,
    codecs=("PCMU", "PCMA"),
    is_trusted=True,
)


def kept(trunk: Trunk, folder: Path) -> Trunk:
    store = Store.open(folder)
    store.submit(lambda rows: rows.trunks.put(trunk)).result(5)
    store.close()
    again = Store.open(folder)
    again.close()
    return again.configuration.trunks[trunk.name]


def test_every_field_of_the_full_trunk_differs_from_its_default() -> None:
    same = [each.name for each in fields(Trunk) if getattr(FULL, each.name) == getattr(PLAIN, each.name)]
    assert same == []


def test_trunks_come_back_as_they_were_put(tmp_path: Path) -> None:
    assert kept(FULL, tmp_path) == FULL
    assert kept(PLAIN, tmp_path) == PLAIN


def test_a_removed_trunk_is_gone(store: Store) -> None:
    store.submit(lambda rows: rows.trunks.put(FULL)).result(5)
    assert store.submit(lambda rows: rows.trunks.remove("telekom")).result(5)
    assert not store.submit(lambda rows: rows.trunks.remove("telekom")).result(5)
    assert store.read(lambda rows: rows.trunks.all()).result(5) == []


def test_the_password_is_shown_in_no_text() -> None:
    assert "secret word" not in repr(FULL)
    assert "secret word" in repr(_columns(FULL))


def _columns(trunk: Trunk) -> dict[str, Any]:
    return {each.name: getattr(trunk, each.name) for each in fields(trunk)}


def test_a_spoilt_trunk_is_left_out_and_the_others_stay(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.submit(lambda rows: rows.trunks.put(PLAIN)).result(5)
    store.submit(lambda rows: rows.trunks.put(replace(FULL, name="spoilt"))).result(5)
    store.submit(lambda rows: _spoil(rows.session)).result(5)
    store.close()
    again = Store.open(tmp_path)
    again.close()
    assert list(again.configuration.trunks) == ["gateway"]


def _spoil(session: Any) -> None:
    from sqlalchemy import text

    session.execute(text("UPDATE trunk SET identity = 'nonsense' WHERE name = 'spoilt'"))

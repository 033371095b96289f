"""Who watches what outlives the engine, with numbers that are never used twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from engine.store.store import Store
from engine.store.subscriptions import RESERVE, StoredSubscription
from tests.unit.store.samples import MONDAY


def a_subscription(call_id: str = "watch@127.6.0.1", **fields: object) -> StoredSubscription:
    kept = StoredSubscription(
        call_id=call_id,
        local_tag="ours",
        event="dialog",
        event_id=None,
        watched="102",
        watcher="101",
        is_list=False,
        local_address="<sip:102@127.5.0.1>;tag=ours",
        remote_address='"张伟" <sip:101@127.5.0.1>;tag=theirs',
        remote_tag="theirs",
        remote_target="sip:101@127.6.0.1:5070",
        routes=("<sip:one;lr>", "<sip:two;lr>"),
        cseq=3,
        remote_cseq=7,
        version=2,
        contact="<sip:102@127.5.0.1:5060>",
        transport="UDP",
        local_host="127.5.0.1",
        local_port=5060,
        remote_host="127.6.0.1",
        remote_port=5070,
        granted_at=MONDAY,
        expires_at=MONDAY + timedelta(hours=1),
    )
    return replace(kept, **fields)  # type: ignore[arg-type]


def test_subscriptions_survive_a_restart_and_numbers_rise_with_each(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "state")
    store.put_subscription(a_subscription(cseq=1))
    store.put_subscription(a_subscription())
    store.put_subscription(a_subscription("list", is_list=True, event_id="7", routes=()))
    store.put_subscription(a_subscription("gone"))
    store.drop_subscription("gone", "ours")
    store.close()
    for opened in (1, 2):
        again = Store.open(tmp_path / "state")
        ahead = {"cseq": 3 + opened * RESERVE, "version": 2 + opened * RESERVE}
        assert sorted(again.load_subscriptions(), key=lambda kept: kept.call_id) == [
            a_subscription("list", is_list=True, event_id="7", routes=(), **ahead),
            a_subscription(**ahead),
        ]
        again.close()

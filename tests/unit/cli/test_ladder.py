"""``frontdesk ladder``: arrows, JSON and capture files of what the engine tells page by page."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

from engine.core.ladder import StreamView
from engine.desk.capture import capture_file
from engine.desk.documents import ladder_document
from engine.store.store import Store
from tests.unit.cli.conftest import Engine, Frontdesk
from tests.unit.desk.fakes import START, FakeOffice, a_ladder
from tests.unit.store.samples import a_record


def test_a_call_is_drawn_as_arrows(frontdesk: Frontdesk, engine: Engine) -> None:
    outcome = frontdesk("ladder", "101")
    assert (outcome.status, outcome.err) == (0, "")
    head, _, names, addresses, *arrows = outcome.out.splitlines()
    assert head.startswith("call 7f3a   101 Anna → 102 Bo Chen 陈波   talking ")
    assert "101 Anna" in names
    assert "Frontdesk" in names
    assert "UDP 192.0.2.20:5060" in addresses
    assert "UDP 192.0.2.21:5062" in addresses
    assert len(arrows) == 13
    assert "─── INVITE SDP ─" in arrows[0]
    assert "◀─── 407 Proxy Authentication Required ─" in arrows[1]
    assert "─── INVITE (auth) SDP ─" in arrows[3]
    assert "─── ↻ INVITE SDP ─" in arrows[6]


def test_every_page_is_asked_for(frontdesk: Frontdesk, engine: Engine, office: FakeOffice) -> None:
    document = json.loads(frontdesk("ladder", "7f3a", "--json").out)
    assert [message["number"] for message in document["messages"]] == list(range(13))
    assert office.ladders == [("7f3a", 0, False), ("7f3a", 5, False), ("7f3a", 10, False)]
    assert document["messages"][1] == {
        "number": 1, "at": "2026-01-01T00:00:00.137Z", "leg": 0, "direction": "out", "transport": "UDP",
        "local": "192.0.2.10:5060", "remote": "192.0.2.20:5060", "title": "407 Proxy Authentication Required",
        "method": "INVITE", "sdp": False, "credentials": False, "resent": False,
        "text": a_ladder().messages[1].data.decode(),
    }  # fmt: skip
    assert document["legs"][0]["media"]["received"] == {
        "packets": 6700, "lost": 13, "loss_percent": 0.2, "jitter_ms": 2.4, "mos": 4.3,
    }  # fmt: skip
    assert (document["state"], document["cause"], document["left_out"]) == ("talking", None, 0)


def test_a_direction_without_audio_has_no_mos() -> None:
    (leg, *others) = a_ladder().legs
    assert leg.media is not None
    silent = replace(leg.media, received=StreamView(0, 0, 0.0, 0.0, 4.5))
    document = ladder_document(replace(a_ladder(), legs=(replace(leg, media=silent), *others)), START)
    received = document["legs"][0]["media"]["received"]
    assert (received["packets"], received["mos"]) == (0, None)


def test_secrets_are_asked_for_by_name(frontdesk: Frontdesk, engine: Engine, office: FakeOffice) -> None:
    assert frontdesk("ladder", "7f3a", "--secrets", "--json").status == 0
    assert {with_secrets for _, _, with_secrets in office.ladders} == {True}


def test_a_capture_file_holds_every_message(frontdesk: Frontdesk, engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "call.pcap"
    outcome = frontdesk("ladder", "101", "--pcap", str(file))
    assert outcome.out == f"13 messages of call 7f3a are in {file}\n"
    assert file.read_bytes() == capture_file(a_ladder().messages)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    nowhere = frontdesk("ladder", "101", "--pcap", str(tmp_path / "no" / "folder"))
    assert (nowhere.status, nowhere.out) == (1, "")
    assert "cannot write" in nowhere.err


def test_what_cannot_be_told_is_refused_in_words(frontdesk: Frontdesk, engine: Engine, folder: Path) -> None:
    assert "there is no call '999'" in frontdesk("ladder", "999").err
    assert frontdesk("ladder", "7f3a", "--json", "--pcap", "x").status == 2


def test_an_old_call_is_known_from_its_record(frontdesk: Frontdesk, folder: Path, engine: Engine) -> None:
    store = Store.open(folder)
    try:
        store.put_record(a_record("beef"))
        store.flush().result(5)
    finally:
        store.close()
    assert "the messages of call beef are no longer there" in frontdesk("ladder", "beef").err


def test_without_an_engine_there_is_nothing_to_tell(frontdesk: Frontdesk) -> None:
    assert "no engine runs" in frontdesk("ladder", "101").err

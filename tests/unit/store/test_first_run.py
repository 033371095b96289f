"""The first run makes an office one can telephone in, and shows its passwords once."""

from __future__ import annotations

import logging
import stat

import pytest

from engine.core.errors import StateFolderError
from engine.store.configuration import Role
from engine.store.first_run import FirstRun, set_up, write_first_run
from engine.store.passwords import check_operator, digest_secrets
from engine.store.store import Store
from tests.unit.store.samples import an_extension


def show(first: FirstRun) -> None:
    """Where the passwords would be written."""


def test_first_run_makes_three_extensions_and_an_administrator(store: Store) -> None:
    assert store.is_new
    first = set_up(store, show)
    assert not store.is_new
    assert [phone.name for phone in first.phones] == ["100", "101", "102"]
    for phone in first.phones:
        kept = store.configuration.extensions[phone.name]
        assert kept.secrets == digest_secrets(phone.name, store.configuration.realm, phone.password)
        assert not kept.multi_device
    assert first.operator is not None
    admin = check_operator(store.configuration, "admin", first.operator.password)
    assert admin is not None
    assert admin.role is Role.ADMIN


def test_first_run_leaves_what_is_there_alone(store: Store) -> None:
    store.submit(lambda rows: rows.extensions.put(an_extension("101"))).result(5)
    first = set_up(store, show)
    assert [phone.name for phone in first.phones] == ["100", "102"]
    assert store.configuration.extensions["101"] == an_extension("101")


def test_passwords_are_written_for_the_owner_and_never_logged(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    first = set_up(store, show)
    path = write_first_run(store.folder, first, "192.0.2.1:5060", "ssh -p 8022 admin@192.0.2.1", "192.0.2.1:5061")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    passwords = [phone.password for phone in first.phones]
    assert all(password in text for password in passwords)
    assert "192.0.2.1:5060  (UDP or TCP)" in text
    assert "over TLS    192.0.2.1:5061" in text
    assert not any(password in caplog.text or password in repr(first) for password in passwords)


def test_passwords_that_cannot_be_written_are_not_set(store: Store) -> None:
    (store.folder / "first-run.txt").mkdir()

    def keep(first: FirstRun) -> None:
        write_first_run(store.folder, first, "192.0.2.1:5060", "ssh -p 8022 admin@192.0.2.1")

    with pytest.raises(StateFolderError, match=r"cannot write .*first-run\.txt: .*nothing has been set up"):
        set_up(store, keep)
    assert store.is_new
    assert not store.configuration.extensions
    assert not store.configuration.operators

"""What an office remembers of its outside lines from one run to the next."""

from __future__ import annotations

from pathlib import Path

from engine.store.store import Store


def test_the_word_of_a_line_stays_and_is_no_guess(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "one")
    word, other = store.line_memory.token_of("carrier"), store.line_memory.token_of("second")
    store.close()
    store = Store.open(tmp_path / "one")
    assert store.line_memory.token_of("carrier") == word
    store.close()
    assert word != other
    assert len(word) == 20
    elsewhere = Store.open(tmp_path / "two")
    assert elsewhere.line_memory.token_of("carrier") != word
    elsewhere.close()


def test_what_a_carrier_taught_is_remembered_for_its_host_alone(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "one")
    memory = store.line_memory
    before = store.configuration
    assert not memory.needs_new_call_id("carrier", "a.example")
    memory.note_new_call_id("carrier", "a.example")
    memory.note_new_call_id("carrier", "a.example")
    store.flush().result(5)
    assert store.configuration is before, "it is no configuration"
    store.close()
    store = Store.open(tmp_path / "one")
    assert store.line_memory.needs_new_call_id("carrier", "a.example")
    assert not store.line_memory.needs_new_call_id("carrier", "b.example")
    store.line_memory.note_new_call_id("carrier", "b.example")
    assert not store.line_memory.needs_new_call_id("carrier", "a.example")
    store.close()

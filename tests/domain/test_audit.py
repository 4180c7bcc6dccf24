"""The audit log: acts are chained, and what is changed, moved or taken out is found."""

from __future__ import annotations

import asyncio
import hashlib
from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution_engine.domain import audit
from execution_engine.domain.audit import Act
from execution_engine.domain.inputs import SecurityAct
from execution_engine.domain.origin import Origin, acting, actor
from execution_engine.domain.rows import AuditEntry
from tests.house import NOON, House


def log(*details: str) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    for id, detail in enumerate(details, 1):
        entry = AuditEntry(id=id, at=NOON + timedelta(minutes=id), act=Act.EXIT, detail=detail)
        entries.append(audit.chain(entries[-1].hash if entries else audit.BEGINNING, entry))
    return entries


def test_a_hash_covers_the_hash_before_and_the_entry_in_one_way_of_writing():
    first, second = log("one", "zwei “€”")
    text = r'{"act":"exit","at":"2026-11-20T12:02:00.000000Z","detail":"zwei \u201c\u20ac\u201d","id":2}'
    assert second.hash == hashlib.sha256((first.hash + text).encode()).hexdigest()


def test_the_zone_in_which_a_time_is_written_changes_nothing():
    (entry,) = log("one")
    elsewhere = entry.at.astimezone(timezone(timedelta(hours=9)))
    assert audit.hash_of("", replace(entry, at=elsewhere)) == entry.hash


def test_a_whole_log_is_fine():
    assert list(audit.verify(log("one", "two", "three"))) == []
    assert list(audit.verify([])) == []


@pytest.mark.fault(90)
@given(st.data())
def test_whatever_is_changed_moved_or_taken_out_is_found(data):
    entries = log(*data.draw(st.lists(st.text(), min_size=2, max_size=6)))
    at = data.draw(st.integers(0, len(entries) - 2))
    wrong = data.draw(
        st.sampled_from(
            [
                [*entries[:at], replace(entries[at], detail=entries[at].detail + "."), *entries[at + 1 :]],
                [*entries[:at], replace(entries[at], act=Act.PAUSED), *entries[at + 1 :]],
                [
                    *entries[:at],
                    replace(entries[at], at=datetime(2020, 1, 1, tzinfo=UTC)),
                    *entries[at + 1 :],
                ],
                [*entries[:at], *entries[at + 1 :]],
                [*entries[:at], entries[at + 1], entries[at], *entries[at + 2 :]],
            ]
        )
    )
    assert list(audit.verify(wrong))


def test_a_fault_names_the_entry():
    entries = log("one", "two", "three")
    (told,) = audit.verify([entries[0], replace(entries[1], detail="another"), entries[2]])
    assert told.startswith("Audit entry 2 (exit) does not follow from the one before it")


def test_a_break_is_news_until_the_log_itself_tells_of_it():
    entries = log("one", "two", "three")
    entries[1] = replace(entries[1], detail="another")
    assert audit.news(log("one", "two")) == ""
    told = audit.news(entries)
    assert told.startswith("Audit entry 2 (exit) does not follow")
    written = AuditEntry(id=4, at=NOON, act=Act.AUDIT_BROKEN, detail=told)
    entries.append(audit.chain(entries[-1].hash, written))
    assert audit.news(entries) == ""
    entries[0] = replace(entries[0], detail="and this")
    assert audit.news(entries).startswith("Audit entry 1 (exit)")


def test_of_a_log_that_was_written_anew_only_some_breaks_are_told_and_once():
    entries = [replace(entry, hash="x" * 64) for entry in log(*"abcdefgh")]
    told = audit.news(entries)
    assert told.endswith("And more of them: 3.")
    entries.append(AuditEntry(id=9, at=NOON, act=Act.AUDIT_BROKEN, detail=told))
    entries = [*entries, *(replace(entry, id=entry.id + 10) for entry in entries[:7])]
    assert audit.news(entries) == ""


def test_a_checkpoint_stands_in_for_what_was_removed():
    entries = log("one", "two", "three", "four")
    shorter = [audit.checkpoint(entries[1]), *entries[2:]]
    assert list(audit.verify(shorter)) == []
    assert shorter[0].hash == entries[1].hash
    assert list(audit.verify([shorter[0], replace(entries[2], detail="another"), entries[3]]))


def test_a_checkpoint_in_the_middle_hides_nothing():
    entries = log("one", "two", "three")
    assert list(audit.verify([entries[0], audit.checkpoint(entries[1]), entries[2]]))


def acts(house: House) -> list[AuditEntry]:
    return [row for row in house.store.committed if isinstance(row, AuditEntry)]


def note(house: House, detail: str, act: Act = Act.VAULT_UNLOCKED) -> None:
    house.post(SecurityAct(act=act, detail=detail))


def test_the_chain_goes_on_from_decision_to_decision_and_after_a_restart():
    house = House()
    note(house, "one")
    note(house, "two")
    later = house.restarted()
    note(later, "three")
    assert [row.detail for row in acts(later)] == ["one", "two", "three"]
    assert list(audit.verify(acts(later))) == []


def test_what_no_database_can_hold_is_replaced_before_it_is_hashed():
    house = House()
    note(house, "a\0b\ud800c")
    (entry,) = acts(house)
    assert entry.detail == "a?b?c"
    assert list(audit.verify([entry])) == []


def test_every_entry_says_where_it_came_from_and_its_hash_covers_that():
    house = House()
    note(house, "by itself")
    with acting(Origin.WINDOW):
        note(house, "by hand")
        with acting(Origin.COMMAND_LINE):
            note(house, "by a command")
    house.post(SecurityAct(act=Act.BACKUP_RESTORED, detail="earlier", origin=Origin.WINDOW))
    entries = acts(house)
    assert [entry.origin for entry in entries] == ["automatic", "window", "command line", "window"]
    assert list(audit.verify(entries)) == []
    assert list(audit.verify([replace(entries[0], origin=""), *entries[1:]]))
    assert list(audit.verify([*entries[:3], replace(entries[3], origin="listener")]))


def test_entries_from_before_their_origin_was_noted_stay_as_they_are():
    entries = log("one", "two")
    entries.append(audit.chain(entries[-1].hash, replace(entries[-1], id=3, origin="window")))
    assert [entry.origin for entry in entries] == ["", "", "window"]
    assert list(audit.verify(entries)) == []


def test_an_act_is_told_as_a_matter_of_security():
    house = House()
    note(house, "The vault was unlocked.")
    (fact,) = [fact for fact in house.facts if fact.code == "vault_unlocked"]
    assert (fact.category, fact.text) == ("SECURITY", "The vault was unlocked.")


def test_an_act_that_was_abandoned_ends_quietly_and_leaves_others_as_they_are() -> None:
    async def abandoned() -> None:
        with acting(Origin.WINDOW):
            await asyncio.sleep(0)

    work = abandoned()
    copy_context().run(work.send, None)  # begun in one context, ended in another
    with acting(Origin.LISTENER):
        work.close()
        assert actor() is Origin.LISTENER
    assert actor() is Origin.AUTOMATIC

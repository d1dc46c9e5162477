"""Services and servers die in the middle of bulk posts; the long form is `make faults-bulk`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.bulk import Plan, Verdict, run
from tests.faults.checker import violations
from tests.faults.journal import Journal, Posting
from tests.faults.snapshot import Snapshot

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
async def verdict() -> Verdict:
    forms = ("csv", "json", "ndjson")
    plan = Plan(kills=3, seed=11, clients=8, most_rows=200, communes=30, longest_life=0.6, forms=forms)
    return await run(plan)


def test_every_promise_holds_after_every_death(verdict: Verdict) -> None:
    assert verdict.broken == []
    assert verdict.kept.versions
    assert verdict.journal.acknowledged


Alteration = Callable[[Journal, Snapshot], tuple[Journal, Snapshot]]


def _other_rows(journal: Journal, kept: Snapshot) -> tuple[Journal, Snapshot]:
    posting = _told(journal)
    first, *rest = posting.rows
    return _with(journal, posting, replace(posting, rows=[replace(first, value=first.value + 1), *rest])), kept


def _other_count(journal: Journal, kept: Snapshot) -> tuple[Journal, Snapshot]:
    posting = _told(journal)
    assert posting.reply is not None
    body = {**posting.reply.body, "created": posting.reply.body["created"] + 1}
    return _with(journal, posting, replace(posting, replies=[replace(posting.reply, body=body)])), kept


def _other_answer_to_the_same_key(journal: Journal, kept: Snapshot) -> tuple[Journal, Snapshot]:
    posting = _told(journal)
    assert posting.reply is not None
    again = replace(posting.reply, raw=b"{}", is_replayed=True)
    return _with(journal, posting, replace(posting, replies=[posting.reply, again])), kept


def _acknowledged_and_never_sent(journal: Journal, kept: Snapshot) -> tuple[Journal, Snapshot]:
    posting = _told(journal)
    assert posting.reply is not None
    reply = replace(posting.reply, body={**posting.reply.body, "import_id": "none"})
    more = replace(posting, number=10**9, replies=[reply])
    return Journal([*journal.postings, more], journal.statuses), kept


def _lost_row(journal: Journal, kept: Snapshot) -> tuple[Journal, Snapshot]:
    return journal, replace(kept, versions=kept.versions[1:])


def _half_a_posting_nobody_was_told_of(journal: Journal, kept: Snapshot) -> tuple[Journal, Snapshot]:
    posting = _told(journal)
    rows = [one for one in kept.versions if one.import_id == posting.import_id]
    fewer = [one for one in kept.versions if one is not rows[0]]
    return _with(journal, posting, replace(posting, replies=[])), replace(kept, versions=fewer)


def _doubled_row(journal: Journal, kept: Snapshot) -> tuple[Journal, Snapshot]:
    return journal, replace(kept, versions=[kept.versions[0], *kept.versions])


def _hole_in_a_history(journal: Journal, kept: Snapshot) -> tuple[Journal, Snapshot]:
    old = next(one for one in kept.versions if one.superseded_at)
    return journal, replace(kept, versions=[one for one in kept.versions if one is not old])


def _silent_change(journal: Journal, kept: Snapshot) -> tuple[Journal, Snapshot]:
    first, *rest = kept.events
    return journal, replace(kept, events=[replace(first, changes=first.changes[1:]), *rest])


def _change_told_twice(journal: Journal, kept: Snapshot) -> tuple[Journal, Snapshot]:
    first, *rest = kept.events
    return journal, replace(kept, events=[replace(first, changes=[*first.changes, first.changes[0]]), *rest])


def _event_out_of_order(journal: Journal, kept: Snapshot) -> tuple[Journal, Snapshot]:
    *rest, last = kept.events
    return journal, replace(kept, events=[*rest, replace(last, version=last.version + 1)])


def _position_left_out(journal: Journal, kept: Snapshot) -> tuple[Journal, Snapshot]:
    return journal, replace(kept, positions=kept.positions[:-1])


def _import_without_figures(journal: Journal, kept: Snapshot) -> tuple[Journal, Snapshot]:
    more = replace(kept.postings[0], import_id="nobody's")
    return journal, replace(kept, postings=[*kept.postings, more])


def _fault_of_the_program(journal: Journal, kept: Snapshot) -> tuple[Journal, Snapshot]:
    return Journal(journal.postings, {**journal.statuses, "500": 1}), kept


def _told(journal: Journal) -> Posting:
    """A posting that was told of its import."""
    return next(posting for posting in journal.postings if posting.import_id and posting.has_key)


def _with(journal: Journal, old: Posting, new: Posting) -> Journal:
    return Journal([new if posting is old else posting for posting in journal.postings], journal.statuses)


@pytest.mark.parametrize(
    "alter",
    [
        _other_rows,
        _other_count,
        _other_answer_to_the_same_key,
        _acknowledged_and_never_sent,
        _lost_row,
        _half_a_posting_nobody_was_told_of,
        _doubled_row,
        _hole_in_a_history,
        _silent_change,
        _change_told_twice,
        _event_out_of_order,
        _position_left_out,
        _import_without_figures,
        _fault_of_the_program,
    ],
)
def test_a_planted_fault_is_found(verdict: Verdict, alter: Alteration) -> None:
    assert violations(*alter(verdict.journal, verdict.kept))

"""What must hold after any number of deaths; each thing that does not is one sentence.

The postings are played again, one after the other, in the order of their recorded time, by rules written here
anew. If that gives every version that is kept, every count that was told and every event that was said, then the
run was as good as one without concurrency and without deaths.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from tests.faults.journal import Journal, Key, Posting, Row
from tests.faults.snapshot import Snapshot, Version

Content = tuple[int, str, date]  # value, source, day measured
COUNTS = ("created", "updated", "unchanged", "stale", "duplicates", "refused")


def violations(journal: Journal, kept: Snapshot) -> list[str]:
    """Every promise that was broken."""
    return [
        *journal.broken,
        *_unforeseen(journal),
        *_replays(journal),
        *_histories(kept),
        *_serial(journal, kept),
        *_without_trace(journal, kept),
        *_real_time(journal, kept),
        *_events(kept),
        *_resources(journal, kept),
    ]


def _unforeseen(journal: Journal) -> Iterator[str]:
    """A client meets refusals, conflicts and absence, never a fault of the program."""
    for what, number in journal.statuses.items():
        if what.startswith("5") and what != "503":
            yield f"{number} attempts were answered with {what}"
    for posting in journal.acknowledged:
        assert posting.reply is not None
        has_bad = any(row.is_bad for row in posting.rows)
        wanted = {(False, "atomic"): 200, (False, "partial"): 200, (True, "partial"): 207, (True, "atomic"): 422}
        if posting.reply.status != wanted[has_bad, posting.mode] and not posting.was_given_up:
            yield f"{posting.source} was answered with {posting.reply.status}: {posting.reply.raw[:300]!r}"
        told = posting.reply.body
        if "received" in told and told["received"] != sum(told[name] for name in COUNTS):
            yield f"{posting.source} was told numbers that do not add up: {posting.reply.raw[:300]!r}"


def _replays(journal: Journal) -> Iterator[str]:
    """A key asked again has the same answer, to the byte."""
    for posting in journal.acknowledged:
        for first, again in pairwise(posting.replies):
            is_stored = first.status in (200, 207) and posting.has_key and not posting.is_dry_run
            if is_stored and (again.raw != first.raw or not again.is_replayed):
                yield f"{posting.source} was answered anew: {first.raw[:200]!r}, then {again.raw[:200]!r}"


def _histories(kept: Snapshot) -> Iterator[str]:
    """Versions count 1, 2, 3 … to the one in force, each superseded when the next was recorded."""
    for key, versions in _by_key(kept.versions).items():
        if [one.version for one in versions] != list(range(1, len(versions) + 1)):
            yield f"{key} has the versions {[one.version for one in versions]}"
        ends = [one.superseded_at for one in versions]
        if ends != [*(one.recorded_at for one in versions[1:]), None]:
            yield f"{key} has a history with holes: {versions}"


def _by_key(versions: Iterable[Version]) -> dict[Key, list[Version]]:
    found: dict[Key, list[Version]] = defaultdict(list)
    for one in versions:
        found[one.key].append(one)
    return found


@dataclass(slots=True)
class _Model:
    """The rules of settling, told a second time."""

    last_day: Mapping[str, date]
    figures: dict[Key, list[Content]] = field(default_factory=dict)

    def post(self, posting: Posting) -> Counter[str]:
        """Take the rows in; answers what became of them."""
        rows = posting.sound_rows
        counts = Counter(self._settle(row, posting.source) for row in rows)
        sent = [row for row in posting.rows if not row.is_bad]
        return counts + Counter(duplicates=len(sent) - len(rows), refused=len(posting.rows) - len(sent))

    def _settle(self, row: Row, source: str) -> str:
        history = self.figures.setdefault(row.key, [])
        day = row.measured_on or self.last_day[row.period]
        if not history:
            history.append((row.value, source, day))
            return "created"
        value, known_source, known_day = history[-1]
        if (row.value, source) == (value, known_source):
            return "unchanged"
        if row.measured_on and row.measured_on < known_day:
            return "stale"
        history.append((row.value, source, max(day, known_day)))
        return "updated"


def _serial(journal: Journal, kept: Snapshot) -> Iterator[str]:
    """What is kept is what the postings give in the order of their recorded time: none lost, none by half."""
    known = _by_import(journal, kept)
    model, writers = _Model(kept.last_day), defaultdict[Key, list[str]](list)
    for each in kept.postings:
        posting = known.get(each.import_id)
        if posting is None or not posting.may_write:
            yield f"import {each.import_id} is there and nobody asked for it"
            continue
        before = {row.key: len(model.figures.get(row.key, ())) for row in posting.sound_rows}
        counts = model.post(posting)
        for key, number in before.items():
            writers[key] += [each.import_id] * (len(model.figures[key]) - number)
        told = posting.reply.body if posting.reply and posting.import_id == each.import_id else {}
        yield from _wrong_counts(posting.source, counts, {"its client was told": told, "the import says": each.counts})
    yield from _differences(model, writers, kept)


def _by_import(journal: Journal, kept: Snapshot) -> dict[str, Posting]:
    """Whose import it is: as the client was told, else as the rows say."""
    by_source = {posting.source: posting for posting in journal.postings}
    found = {one.import_id: by_source[one.source] for one in kept.versions if one.source in by_source}
    return found | {posting.import_id: posting for posting in journal.postings if posting.import_id}


def _wrong_counts(source: str, counts: Counter[str], told: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    for witness, said in told.items():
        wrong = {name: (said[name], counts[name]) for name in COUNTS if said.get(name, counts[name]) != counts[name]}
        if wrong:
            yield f"{source}: {witness} (and it was) {wrong}"


def _differences(model: _Model, writers: Mapping[Key, list[str]], kept: Snapshot) -> Iterator[str]:
    expected = {
        (key, number): (*content, writers[key][number - 1])
        for key, history in model.figures.items()
        for number, content in enumerate(history, start=1)
    }
    found = {(one.key, one.version): (one.value, one.source, one.measured_on, one.import_id) for one in kept.versions}
    for place in sorted(expected.keys() | found.keys()):
        if expected.get(place) != found.get(place):
            yield f"{place} must be {expected.get(place)} and is {found.get(place)}"


def _without_trace(journal: Journal, kept: Snapshot) -> Iterator[str]:
    """Who was told of an import finds it; who was told that nothing changed finds the reason."""
    there = {each.import_id for each in kept.postings}
    histories = _by_key(kept.versions)
    for posting in journal.acknowledged:
        if posting.import_id is not None and posting.import_id not in there:
            yield f"{posting.source} was acknowledged as import {posting.import_id}, which is not there"
        if posting.import_id is not None or not posting.may_write:
            continue
        for row in posting.sound_rows:
            history = histories.get(row.key, [])
            is_said = any((one.value, one.source) == (row.value, posting.source) for one in history)
            is_older = bool(history) and row.measured_on is not None and row.measured_on < history[-1].measured_on
            if not is_said and not is_older:
                yield f"{posting.source} was acknowledged, and {row} is not there"


def _real_time(journal: Journal, kept: Snapshot) -> Iterator[str]:
    """A posting that was answered before another one was sent is not recorded after it for the same unit."""
    known = _by_import(journal, kept)
    latest: dict[str, tuple[float, str]] = {}
    for each in kept.postings:
        posting = known.get(each.import_id)
        if posting is None:
            continue
        answered = posting.reply.at if posting.reply else float("inf")
        for unit in {row.admin_unit for row in posting.sound_rows}:
            sent_at, source = latest.get(unit, (0.0, ""))
            if answered < sent_at:
                yield f"{posting.source} was answered before {source} was sent, and is recorded after it"
            latest[unit] = max(latest.get(unit, (0.0, "")), (posting.sent_at, posting.source))


def _events(kept: Snapshot) -> Iterator[str]:
    """Every change of every version is announced exactly once, in dense positions and consecutive versions."""
    if list(kept.positions) != list(range(1, kept.head + 1)):
        yield f"the log has {len(kept.positions)} positions, and its head is {kept.head}"
    heard: dict[str, int] = defaultdict(int)
    for event in kept.events:
        if event.version != heard[event.subject] + 1:
            yield f"{event.subject} has event version {event.version} after {heard[event.subject]}"
        heard[event.subject] = event.version
    said = Counter(
        ((event.subject, change["indicator"], change["period"]), change["version"], _value(change["old"]),
         _value(change["new"]), event.import_id)
        for event in kept.events
        for change in event.changes
    )  # fmt: skip
    happened = Counter(
        (key, one.version, before.value if before else None, one.value, one.import_id)
        for key, versions in _by_key(kept.versions).items()
        for before, one in zip([None, *versions], versions, strict=False)
    )
    for change in (said - happened).elements():
        yield f"{change} was announced and did not happen (or twice)"
    for change in (happened - said).elements():
        yield f"{change} happened and was not announced"


def _resources(journal: Journal, kept: Snapshot) -> Iterator[str]:
    """An import says it is done where its rows are in, and refused or given up where none is; none is under way for
    ever.
    """
    given_up = {(posting.place or "").rpartition("/")[2] for posting in journal.postings if posting.was_given_up}
    there = {each.import_id: each.counts for each in kept.postings}
    for one in kept.resources:
        is_in = one.import_id in there
        ends = ("failed",) if one.import_id in given_up else ("done", "refused")
        if one.state not in ends or is_in != (one.state == "done" and not one.is_dry_run):
            yield f"import {one.import_id} says {one.state}; rows of it are {'' if is_in else 'not '}there"
    for one in [*kept.resources, *kept.at_once]:
        counts = there.get(one.import_id)
        if counts is not None and (one.state != "done" or one.counts != counts):
            yield f"import {one.import_id} says {one.state} with {one.counts}, and it was {counts}"


def _value(figure: Mapping[str, object] | None) -> int | None:
    return None if figure is None else int(str(figure["value"]))

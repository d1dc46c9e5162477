"""Large posts: created once, sent in pieces from wherever the service stands, followed to their end."""

from __future__ import annotations

from typing import Any

import anyio

from chitieu.client.bodies import Body
from chitieu.client.errors import Conflict, FileTrouble, ImportFailed, problem_of
from chitieu.client.results import Import, Posted, Step, import_of
from chitieu.client.wire import Report, Sending, Wire

IMPORTS = "/v1/indicators/imports"
PIECE = 8 * 1024 * 1024
PARTIAL = "application/partial-upload"
FIRST_LOOK, LONGEST_LOOK = 0.1, 2.0
MOST_STUCK = 5  # refusals of a piece in a row that leave the import where it was


async def create_import(wire: Wire, body: Body, terms: dict[str, Any], key: str, report: Report) -> Import:
    """Make an import for a body; with the key of one made before, that one."""
    described = {
        "content_type": body.content_type,
        "content_encoding": body.content_encoding,
        "name": body.name,
        "size_bytes": body.size,
        "sha256": body.sha256,
        **terms,
    }
    sent = {name: value for name, value in described.items() if value is not None}
    return import_of(await wire.read(Sending("POST", IMPORTS, headers={"Idempotency-Key": key}, json=sent), report))


async def look_at(wire: Wire, import_id: object, report: Report) -> Import:
    """The import as it stands."""
    return import_of(await wire.read(Sending("GET", f"{IMPORTS}/{import_id}"), report))


async def upload(wire: Wire, body: Body, import_id: object, report: Report) -> None:
    """Send what the service does not hold yet; a cut connection goes on where it broke.

    Raises:
        FileTrouble: the file became shorter meanwhile.
    """
    found = await look_at(wire, import_id, report)
    offset, stuck = found.received_bytes or 0, 0
    while found.state == "receiving":
        if stuck == MOST_STUCK:
            raise ImportFailed(found.import_id, found.state, f"it takes no more bytes from {offset} on")
        report(Step(phase="sending", done=offset, total=body.size))
        try:
            offset = await _send_piece(wire, body, import_id, offset, report)
            if offset >= body.size:
                break
        except Conflict:
            # Another try of ours, whose reply was lost, moved it on; or it is complete.
            found = await look_at(wire, import_id, report)
            stuck = stuck + 1 if found.received_bytes == offset else 0
            offset = found.received_bytes or 0
    report(Step(phase="sending", done=body.size, total=body.size))


async def _send_piece(wire: Wire, body: Body, import_id: object, offset: int, report: Report) -> int:
    piece = body.read(offset, PIECE)
    if not piece and offset < body.size:
        raise FileTrouble(f"{body.name or 'The body'} became shorter while it was sent.")
    headers = {"Content-Type": PARTIAL, "Upload-Offset": str(offset)}
    if offset + len(piece) >= body.size:
        headers["Upload-Complete"] = "?1"
    answer = await wire.send(Sending("PATCH", f"{IMPORTS}/{import_id}", headers=headers, content=piece), report)
    return int(answer.headers.get("Upload-Offset", offset + len(piece)))


async def follow(wire: Wire, import_id: object, lines: int | None, report: Report) -> Posted:
    """Wait for the end of an import.

    Raises:
        Refused: it was refused as a whole, with the faults of its rows.
        ImportFailed: it was cancelled, or failed.
    """
    pause = FIRST_LOOK
    while not (found := await look_at(wire, import_id, report)).is_over:
        rows = found.progress
        done = (rows.rows_read + rows.rows_checked + rows.rows_written) / 3
        report(Step(phase="working", done=done, total=lines, note=found.state))
        await anyio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_LOOK)
    return result_of(found)


def result_of(found: Import) -> Posted:
    """What an import that is over came to; see `follow`."""
    if found.result is not None:
        return found.result
    problem = found.problem or {}
    if found.state == "refused":
        refusal = problem_of(int(problem.get("status", 422)), problem)
        refusal.import_id = found.import_id
        raise refusal
    raise ImportFailed(found.import_id, found.state, str(problem.get("detail", "no reason given")))

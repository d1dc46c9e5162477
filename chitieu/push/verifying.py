"""Receipts against the service: what it still has, what it lost (after a restore), and what was sent again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from joserfc.jwk import KeySet

from chitieu.client import AsyncClient, ClientError, NotReached, body_of
from chitieu.push.receipts import Kept, Receipt, ReceiptInvalid, keep, kept_in, still_there, verified


class Standing(StrEnum):
    """What a receipt is worth now."""

    THERE = "there"
    NOTHING_WRITTEN = "nothing_written"
    REPLACED = "replaced"
    SENT_AGAIN = "sent_again"
    MISSING = "missing"
    LOST = "lost"
    DIFFERS = "differs"
    INVALID = "invalid"
    NOT_SENT = "not_sent"


GOOD = {Standing.THERE, Standing.NOTHING_WRITTEN, Standing.REPLACED, Standing.SENT_AGAIN}
WORDS = {
    Standing.THERE: "máy chủ còn giữ, đúng số đếm và mã băm",
    Standing.NOTHING_WRITTEN: "lần gửi này không ghi gì, không có gì để đối chiếu",
    Standing.REPLACED: "đã có biên nhận mới thay thế",
    Standing.SENT_AGAIN: "máy chủ không còn, đã gửi lại",
    Standing.MISSING: "máy chủ không còn, cần gửi lại",
    Standing.LOST: "máy chủ không còn, và tệp gốc đã mất hoặc đã đổi nên không gửi lại được",
    Standing.DIFFERS: "máy chủ giữ lượt nhập này với số đếm hoặc mã băm khác",
    Standing.INVALID: "chữ ký không đúng hoặc tệp không phải biên nhận",
    Standing.NOT_SENT: "máy chủ không còn, gửi lại không được",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """One receipt, and what it is worth now."""

    file: Path
    standing: Standing
    note: str = ""
    is_key_published: bool = True

    def as_dict(self) -> dict[str, str | bool]:
        """For machines."""
        return {
            "file": str(self.file),
            "standing": self.standing.value,
            "note": self.note,
            "is_key_published": self.is_key_published,
        }

    def words(self) -> str:
        """For people."""
        note = f" ({self.note})" if self.note else ""
        unpublished = "" if self.is_key_published else "; khóa ký không còn được công bố, đối chiếu bằng khóa giữ kèm"
        return f"{self.file}: {WORDS[self.standing]}{note}{unpublished}."


async def verify_folder(client: AsyncClient, folder: Path, *, sends_again: bool) -> list[Checked]:
    """Check every receipt of a folder, oldest first; what the service lost is sent again in that order.

    Raises:
        NotReached: nobody answers.
        Problem: the token may not read imports.
    """
    published = await client.receipt_keys()
    return [await _check(client, kept, published, sends_again=sends_again) for kept in kept_in(folder)]


async def _check(client: AsyncClient, kept: Kept | Path, published: KeySet, *, sends_again: bool) -> Checked:
    if isinstance(kept, Path):
        return Checked(kept, Standing.INVALID)
    try:
        said, is_published = verified(kept, published)
    except ReceiptInvalid:
        return Checked(kept.file, Standing.INVALID)
    standing, note = await _stand(client, kept, said, sends_again=sends_again)
    return Checked(kept.file, standing, note, is_published)


async def _stand(client: AsyncClient, kept: Kept, said: Receipt, *, sends_again: bool) -> tuple[Standing, str]:
    if kept.replaced_by:
        return Standing.REPLACED, kept.replaced_by
    if said.import_id is None or not said.counts["created"] + said.counts["updated"]:
        return Standing.NOTHING_WRITTEN, ""
    is_there = await still_there(client, said)
    if is_there is not False:
        return (Standing.THERE if is_there else Standing.DIFFERS), ""
    source = kept.source(said.sha256)
    if source is None:
        return Standing.LOST, kept.path or "stdin"
    if not sends_again:
        return Standing.MISSING, str(source)
    return await _send_again(client, kept, source)


async def _send_again(client: AsyncClient, kept: Kept, source: Path) -> tuple[Standing, str]:
    try:
        with await body_of(source, kept.content_type) as body:
            posted = await client.post_body(body, kept.terms)
    except NotReached:
        raise
    except ClientError as error:
        return Standing.NOT_SENT, str(error)
    new = await keep(client, kept.file.parent, posted, path=source, content_type=kept.content_type, terms=kept.terms)
    if new is not None and new != kept.file:
        kept.replace(new)
    return Standing.SENT_AGAIN, str(source)

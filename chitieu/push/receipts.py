"""Receipts kept in a folder: one file each, with where the figures came from, so that what is lost is sent again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from joserfc.jwk import KeySet

from chassis.postgres.folder import write_private
from chassis.receipts import KeyUnknown, Receipt, ReceiptInvalid, read_keys, verify_receipt
from chitieu.client import AsyncClient, Import, NotFound, Posted, Terms


@dataclass(slots=True)
class Kept:
    """One receipt in its file."""

    file: Path
    receipt: str
    path: str | None
    content_type: str | None
    terms: Terms
    keys: KeySet
    replaced_by: str | None = None

    def source(self, sha256: str) -> Path | None:
        """The file the figures came from, where it is still there and the same."""
        path = Path(self.path) if self.path else None
        if path is None or not path.is_file():
            return None
        with path.open("rb") as stream:
            return path if hashlib.file_digest(stream, "sha256").hexdigest() == sha256 else None

    def replace(self, new: Path) -> None:
        """Note that another receipt stands for this one now."""
        found = json.loads(self.file.read_text(encoding="utf-8"))
        write_private(self.file, _text({**found, "replaced_by": new.name}))


async def keep(
    client: AsyncClient, folder: Path, posted: Posted, *, path: Path | None, content_type: str | None, terms: Terms
) -> Path | None:
    """Write the receipt of a post into a folder; None where there is none (a dry run)."""
    if posted.receipt is None or posted.dry_run:
        return None
    keys = await client.receipt_keys()
    said = verify_receipt(posted.receipt, keys)
    facts = {
        "receipt": posted.receipt,
        "sha256": said.sha256,
        "content_type": content_type,
        "terms": asdict(terms),
        "keys": keys.as_dict(private=False),
    }
    return _written(folder, said, path, facts)


def _written(folder: Path, said: Receipt, path: Path | None, facts: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    moment = said.at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    file = folder / f"{moment}-{said.import_id or said.sha256[:12]}.json"
    place = {"path": str(path.resolve()) if path else None, "kept_at": datetime.now(UTC).isoformat()}
    write_private(file, _text({**facts, **place}))
    return file


def _text(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, indent=1) + "\n"


def kept_in(folder: Path) -> Iterator[Kept | Path]:
    """The receipts of a folder, oldest first; a file that is none as its path."""
    for file in sorted(folder.glob("*.json")):
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
            yield Kept(
                file, found["receipt"], found["path"], found["content_type"], Terms(**found["terms"]),
                read_keys(found["keys"]), found.get("replaced_by"),
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError):
            yield file


def verified(kept: Kept, published: KeySet) -> tuple[Receipt, bool]:
    """What a receipt says, by the keys the service publishes, else by those kept with it (then the second is False).

    Raises:
        ReceiptInvalid: the signature holds by neither.
    """
    try:
        return verify_receipt(kept.receipt, published), True
    except KeyUnknown:
        return verify_receipt(kept.receipt, kept.keys), False


async def still_there(client: AsyncClient, said: Receipt) -> bool | None:
    """Whether the service has the post with the same counts and digest; None: it has another one under its id."""
    assert said.import_id is not None
    try:
        found = await client.get_import(said.import_id)
    except NotFound:
        return False
    return True if _is_same(found, said) else None


def _is_same(found: Import, said: Receipt) -> bool:
    if found.result is None or found.sha256 not in (None, said.sha256):
        return False
    return all(getattr(found.result, name) == count for name, count in said.counts.items())


__all__ = ["Kept", "Receipt", "ReceiptInvalid", "keep", "kept_in", "still_there", "verified"]

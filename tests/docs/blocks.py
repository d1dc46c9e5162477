"""The fenced blocks of a Markdown file: shell blocks, each with the answer that stands below it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ANY = "…"  # in a shown answer: whatever stands here at the time

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Shown:
    """One shell block, the line it starts at, and the answer shown right below it (none: not shown)."""

    line: int
    script: str
    answer: str | None = None
    answer_kind: str | None = None


def shell_blocks(markdown: str) -> list[Shown]:
    """Every `sh` block, in order."""
    fences = list(_FENCE.finditer(markdown))
    found = []
    for fence, following in zip(fences, [*fences[1:], None], strict=True):
        if fence[1] != "sh":
            continue
        line = markdown.count("\n", 0, fence.start()) + 1
        is_answer = following is not None and following[1] in ("json", "text", "csv")
        between = markdown[fence.end() : following.start()] if following is not None else "#"
        if following is not None and is_answer and "\n#" not in between:
            found.append(Shown(line, fence[2], following[2], following[1]))
        else:
            found.append(Shown(line, fence[2]))
    return found


def differences(shown: Shown, real: str) -> list[str]:
    """Where a real answer is not the shown one."""
    if shown.answer is None:
        return []
    if shown.answer_kind == "json":
        return _compare(json.loads(shown.answer), json.loads(real), "")
    expected, found = shown.answer.splitlines(), real.replace("\ufeff", "").splitlines()
    if len(expected) != len(found):
        return [f"{len(found)} lines, {len(expected)} are shown: {real[:2000]}"]
    pairs = zip(expected, found, strict=True)
    return [f"{line!r} is shown, {real_line!r} is real" for line, real_line in pairs if not _alike(line, real_line)]


def _alike(shown: str, real: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, shown.split(ANY))), real) is not None


def _compare(shown: Any, real: Any, place: str) -> list[str]:
    if isinstance(shown, str) and ANY in shown:
        return [] if _alike(shown, real if isinstance(real, str) else json.dumps(real)) else [f"{place}: {real!r}"]
    if isinstance(shown, dict) and isinstance(real, dict):
        if shown.keys() != real.keys():
            return [f"{place}: fields {sorted(shown.keys() ^ real.keys())}"]
        return [found for name in shown for found in _compare(shown[name], real[name], f"{place}/{name}")]
    if isinstance(shown, list) and isinstance(real, list) and len(shown) == len(real):
        pairs = zip(shown, real, strict=True)
        return [found for i, (one, other) in enumerate(pairs) for found in _compare(one, other, f"{place}/{i}")]
    return [] if shown == real else [f"{place}: {shown!r} is shown, {real!r} is real"]

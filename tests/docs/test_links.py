"""Links between our own documents lead somewhere, and no decision is missing from its list."""

import re
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
ADR = ROOT / "docs" / "adr"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_decision_is_listed_once_and_has_its_parts() -> None:
    pages = sorted(path.name for path in ADR.glob("0*.md"))
    assert re.findall(r"\]\((0[^)]+)\)", (ADR / "README.md").read_text(encoding="utf-8")) == pages
    assert len({name[:4] for name in pages}) == len(pages)
    for name in pages:
        text = (ADR / name).read_text(encoding="utf-8")
        assert text.startswith(f"# {name[:4]} "), name
        assert re.findall(r"^## (\w+)", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Alternatives"]
        assert len(re.findall(r"^> ", text, re.MULTILINE)) >= 1, name


def test_sources_are_numbered_once() -> None:
    register = (ROOT / "docs" / "legal" / "sources.md").read_text(encoding="utf-8")
    sources = register.split("What they say that the code relies on")[0]
    numbers = re.findall(r"^\| (SRC-\d{3}) \|", sources, re.MULTILINE)
    assert len(numbers) == len(set(numbers)) == 18
    folders = ("chassis", "services", "gateway", "chitieu", "reference")
    code = [path for name in folders for kind in ("py", "yaml") for path in (ROOT / name).rglob(f"*.{kind}")]
    cited = {number for path in code for number in re.findall(r"SRC-\d{3}", path.read_text(encoding="utf-8"))}
    assert cited <= set(numbers)

"""What is written about the project is true of it: pages made by programs are current, and links lead somewhere."""

import re
from pathlib import Path

import pytest
from scripts import conformance, settings_page

from sealane.node import registry
from sealane.settings.index_settings import INDEX_REGISTRY

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCED = re.compile(r"```.*?```", re.DOTALL)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def test_the_page_of_conformance_is_current() -> None:
    """`python -m scripts.conformance` makes it so."""
    assert conformance.PAGE.read_text() == conformance.page()


def test_the_page_of_settings_is_current() -> None:
    """`python -m scripts.settings_page` makes it so."""
    assert settings_page.PAGE.read_text() == settings_page.page()


def test_every_setting_says_what_it_does() -> None:
    public = [each for each in (*registry(), *INDEX_REGISTRY) if not each.private]
    assert [settings_page.key_of(each) for each in public if not each.help] == []
    page = settings_page.PAGE.read_text()
    absent = [key for each in public if f"| `{(key := settings_page.key_of(each))}` |" not in page]
    assert absent == []


def _anchors(page: Path) -> set[str]:
    """A heading's anchor as hosts of Markdown make it: lowercase, words joined by hyphens."""
    headings = _HEADING.findall(_FENCED.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_lead_to_files_and_headings(page: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCED.sub("", page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in _anchors(target)
        ):
            broken.append(link)
    assert broken == []


def test_every_item_that_a_test_names_is_of_a_list() -> None:
    """A number beyond a list's end is a slip of the pen; `items_in` leaves it out, so it is looked for here."""
    beyond = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for letter, number in re.findall(r"\b([CSRX])-(\d{1,3})\b", path.read_text()):
            if not 0 < int(number) <= conformance.LISTS[letter][1]:
                beyond.append(f"{path.name}: {letter}-{number}")
    assert beyond == []

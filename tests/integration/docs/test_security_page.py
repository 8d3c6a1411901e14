"""A first start off loopback, and a second node that joins, as their pages have it."""

import stat
from pathlib import Path

from tests.integration.docs.pages import Page, run


def test_the_first_start(tmp_path: Path) -> None:
    """X-111: certificates and settings are made, no password stands in the log, and one is set from the machine."""
    start, password = run(Page("security.md").blocks("## The first start"), tmp_path)
    node = tmp_path / "empty" / "node"
    assert "Certificates were made in node/certs" in start.text
    assert "none is shown where the output is" in start.text
    (known,) = password.answers()
    assert (known["username"], known["roles"]) == ("elastic", ["superuser"])
    assert (node / "password").read_text().strip() not in (node / "log").read_text()
    for private in ("data", "sealane.yml", "certs/http.key", "certs/transport_ca.key"):
        assert not stat.S_IMODE((node / private).stat().st_mode) & 0o077, private


def test_a_second_node(tmp_path: Path) -> None:
    """It is let in by a certificate of the authority that the first start has made, and knows the cluster's users."""
    first = Page("security.md")
    second = Page("several-nodes.md", first.ports)
    blocks = [*first.blocks("## The first start"), *second.blocks("## With security")]
    *_, joined = run(blocks, tmp_path)
    nodes = [line.split()[0] for line in joined.text.splitlines() if line.endswith((" -", " *"))]
    assert "gateway-1" in nodes
    assert len(nodes) == 2

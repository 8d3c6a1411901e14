"""The second half of the demo, with few documents and little time: the leader is killed while it is written to."""

import io

import pytest
from rich.console import Console

from sealane.cli import demo_replication
from sealane.testing.secured import secured_clusters


def test_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """R-94: kill -9 of the leader in the tail; every acknowledged write arrives, once. By an API key."""
    monkeypatch.setattr(demo_replication, "_BEFORE_S", 0.5)
    monkeypatch.setattr(demo_replication, "_AFTER_S", 0.5)
    out = io.StringIO()
    access = {"replication": [{"names": [demo_replication.LEADER]}]}
    with secured_clusters(access) as (europe, americas):
        for number in range(20):
            americas.call(
                "PUT", f"/{demo_replication.LEADER}/_doc/{number}", {"name": f"n{number}"}
            )
        console = Console(file=out, width=120)
        assert demo_replication.show_replication(console, europe, americas), out.getvalue()
    told = out.getvalue()
    assert "americas is killed" in told
    assert "nothing is lost" in told

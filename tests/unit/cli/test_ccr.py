"""`sealane ccr`: what is shown of followers, and with which exit code it ends."""

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from rich.console import Console, RenderableType

from sealane.cli.ccr import compared, shown
from sealane.cli.ccr_rows import Row, rate, rows_of
from sealane.cli.main import main

NO_RULES: dict[str, Any] = {"recent_auto_follow_errors": []}


def info(name: str, status: str = "active", **more: Any) -> dict[str, Any]:
    return {
        "follower_index": name,
        "remote_cluster": "eu",
        "leader_index": "l",
        "status": status,
        **more,
    }


def shard(number: int = 0, leader: int = 9, follower: int = 9, **more: Any) -> dict[str, Any]:
    ours = more.pop("ours", {"phase": "following", "lag_millis": 0})
    return {
        "shard_id": number,
        "leader_global_checkpoint": leader,
        "follower_global_checkpoint": follower,
        "operations_written": 100,
        "read_exceptions": [],
        **({} if ours is None else {"sealane": ours}),
        **more,
    }


def rows(infos: list[Any], stats: dict[str, list[Any]]) -> list[Row]:
    indices = [{"index": name, "shards": shards} for name, shards in stats.items()]
    return rows_of({"follower_indices": infos}, {"indices": indices})


def printed(what: RenderableType) -> str:
    out = io.StringIO()
    Console(file=out, highlight=False, width=120).print(what, soft_wrap=True)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def test_a_row_is_of_all_shards() -> None:
    """The lag is that of the worst, operations are added up."""
    (row,) = rows(
        [info("copy")],
        {
            "copy": [
                shard(0, 10, 8, ours={"phase": "following", "lag_millis": 40}),
                shard(1, 5, 5, ours={"phase": "following", "lag_millis": 1500}),
            ]
        },
    )
    assert (row.index, row.leader, row.status) == ("copy", "eu:l", "active")
    assert (row.behind, row.lag, row.operations, row.doing) == (2, "1.5s", 200, "following")


def test_a_lag_that_is_not_known_is_not_shown_as_none() -> None:
    unknown = {"phase": "starting", "lag_millis": None}
    (row,) = rows([info("copy")], {"copy": [shard(0), shard(1, ours=unknown)]})
    assert (row.lag, row.doing) == ("", "starting")
    (row,) = rows([info("copy")], {"copy": [shard()]})
    assert row.lag == "none"


def test_how_far_a_copy_is() -> None:
    copying = {
        "phase": "copying",
        "lag_millis": None,
        "copy": {"docs": 30, "total_docs": 100, "bytes": 1536},
    }
    empty = {**copying, "copy": {"docs": 0, "total_docs": 0, "bytes": 0}}
    (row,) = rows([info("copy")], {"copy": [shard(0, ours=copying), shard(1, ours=empty)]})
    assert row.doing == "copying 30% (1.5kb)"
    (row,) = rows([info("copy")], {"copy": [shard(ours=empty)]})
    assert row.doing == "copying 100% (0b)"


def test_the_worst_phase_and_the_bottleneck() -> None:
    at = {
        phase: {"phase": phase, "lag_millis": 1, "slowest": "network"}
        for phase in ("following", "waiting", "failed")
    }
    for worst in ("waiting", "failed"):
        both = [shard(0, ours=at["following"]), shard(1, ours=at[worst])]
        assert rows([info("c")], {"c": both})[0].doing == worst
    (row,) = rows([info("c")], {"c": [shard(ours=at["following"])]})
    assert row.doing == "following, slowest: network"


def test_errors_are_told_once_each() -> None:
    refused = {"type": "t", "reason": "refused [a]"}
    ours = {
        "phase": "waiting",
        "lag_millis": 9,
        "last_error": refused,
        "lease": {"last_error": {"type": "t", "reason": "no"}},
    }
    failing = [{"from_seq_no": 1, "retries": 2, "exception": refused}]
    both = [shard(each, ours=ours, read_exceptions=failing) for each in (0, 1)]
    failure = {"type": "t", "reason": "over"}
    (row,) = rows([info("c", "failed", failure=failure)], {"c": both})
    assert row.errors == ("over", "refused [a]", "retention lease: no")


def test_a_paused_one_and_another_product() -> None:
    """No statistics, or none of ours."""
    one, other = rows([info("p", "paused"), info("c")], {"c": [shard(ours=None)]})
    assert (one.behind, one.lag, one.doing) == (None, "", "")
    assert (other.behind, other.lag, other.doing) == (0, "", "")


def test_operations_a_second() -> None:
    led = {"index": "c", "leader": "eu:l", "status": "active"}
    now = Row(**led, operations=300)
    assert rate(now, Row(**led, operations=100), 2.0) == 100
    assert rate(now, None, 2.0) is None
    assert rate(now, Row(**led, operations=400), 2.0) is None


def test_the_table() -> None:
    """Names with brackets are no markup; what is wrong stands below."""
    led = {"leader": "eu:l", "behind": 12345}
    found = [
        Row(index="a[b]", status="active", doing="following", lag_ms=20, **led),
        Row(index="c", status="failed", errors=("of [two] minds",), **led),
    ]
    assert printed(shown(found, {"a[b]": 8123.4})).splitlines() == [
        "follower  leader  status             behind   lag  operations/s",
        "a[b]      eu:l    active  following  12,345  20ms         8,123",
        "c         eu:l    failed             12,345",
        "c: of [two] minds",
    ]
    assert "operations/s" not in printed(shown(found))
    assert printed(shown([])) == "no index follows another"


SHARD = {"shard": 0, "equal": True, "checkpoint": 1234}
SIDES = {"leader": {"docs": 2000, "hash": "a"}, "follower": {"docs": 1999, "hash": "b"}}
VERIFIED = {"follower_index": "copy", "remote_cluster": "eu", "leader_index": "l"}


def test_both_sides() -> None:
    shards = [
        {**SHARD, **SIDES, "equal": False},
        {"shard": 1, "equal": False, "error": {"type": "t", "reason": "no [way]"}},
    ]
    told = printed(compared({**VERIFIED, "equal": False, "shards": shards}))
    assert told.splitlines() == [
        "shard  checkpoint  docs there  docs here",
        "0      1,234       2,000       1,999      DIFFERENT",
        "1                                         no [way]",
        "eu:l and copy do NOT hold the same",
    ]


class _Node(BaseHTTPRequestHandler):
    answers: dict[str, tuple[int, Any]]

    def do_GET(self) -> None:
        status, body = self.answers[self.path]
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """A test's output is not the place."""


@contextmanager
def node(answers: dict[str, tuple[int, Any]]) -> Iterator[str]:
    """The URL of a node that gives these answers."""
    handler = type("Node", (_Node,), {"answers": answers})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


def stats(shards: dict[str, list[Any]], rules: dict[str, Any] = NO_RULES) -> dict[str, Any]:
    indices = [{"index": name, "shards": each} for name, each in shards.items()]
    return {"auto_follow_stats": rules, "follow_stats": {"indices": indices}}


@pytest.mark.parametrize(("status", "code"), [("active", 0), ("paused", 0), ("failed", 1)])
def test_list(capsys: pytest.CaptureFixture[str], status: str, code: int) -> None:
    error = {"type": "t", "reason": "it is taken"}
    rules = {"recent_auto_follow_errors": [{"leader_index": "p:x", "auto_follow_exception": error}]}
    answers = {
        "/_all/_ccr/info": (200, {"follower_indices": [info("copy", status)]}),
        "/_ccr/stats": (200, stats({"copy": [shard()]}, rules)),
    }
    with node(answers) as url:
        assert main(["ccr", "list", "--url", url]) == code
    told = capsys.readouterr().out
    assert "copy" in told
    assert status in told
    assert "auto-follow p:x: it is taken" in told


def test_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing but what was asked for."""
    answers = {
        "/l*,m/_ccr/info": (200, {"follower_indices": [info("l1")]}),
        "/_ccr/stats": (200, stats({"l1": [shard()], "other": [shard()]})),
    }
    with node(answers) as url:
        assert main(["ccr", "list", "l*,m", "--json", "--url", url]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["follower_index"] for each in found["follower_indices"]] == ["l1"]
    assert [each["index"] for each in found["follow_stats"]["indices"]] == ["l1"]


@pytest.mark.parametrize(("equal", "code"), [(True, 0), (False, 1)])
@pytest.mark.parametrize("as_json", [True, False])
def test_verify(capsys: pytest.CaptureFixture[str], equal: bool, code: int, as_json: bool) -> None:
    answer = {**VERIFIED, "equal": equal, "shards": [{**SHARD, **SIDES, "equal": equal}]}
    options = ["--json"] if as_json else []
    with node({"/copy/_ccr/verify": (200, answer)}) as url:
        assert main(["ccr", "verify", "copy", "--url", url, *options]) == code
    told = capsys.readouterr().out
    assert json.loads(told) == answer if as_json else "the same" in told


def test_an_index_that_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    missing = {"error": {"type": "index_not_found_exception", "reason": "no such index [x]"}}
    with node({"/x/_ccr/info": (404, missing)}) as url:
        assert main(["ccr", "list", "x", "--url", url]) == 1
    assert capsys.readouterr().err == "sealane ccr list: no such index [x]\n"


def test_watching_ends_with_an_interrupt(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on where the node does not answer, and shows what it found last."""
    answers: dict[str, tuple[int, Any]] = {
        "/_all/_ccr/info": (200, {"follower_indices": [info("copy")]}),
        "/_ccr/stats": (503, {"error": "not yet", "status": 503}),
    }
    looks: list[float] = []

    def passed(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            raise KeyboardInterrupt
        written = len(looks) * 500
        answers["/_ccr/stats"] = (200, stats({"copy": [shard(operations_written=written)]}))

    monkeypatch.setattr("sealane.cli.ccr.time.sleep", passed)
    with node(answers) as url:
        assert main(["ccr", "watch", "--interval", "0.5", "--url", url]) == 0
    assert looks == [0.5, 0.5, 0.5]
    assert "operations/s" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [[], ["verify"], ["watch", "--interval", "0"], ["watch", "--interval", "x"]]
)
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ccr", *arguments])
    assert ended.value.code == 2
    assert "usage: sealane" in capsys.readouterr().err


def test_a_url_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ccr", "list", "--url", "b:9200"]) == 2
    assert "must begin with http:// or https://" in capsys.readouterr().err

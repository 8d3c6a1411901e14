"""The links part of `make peers`: what it counts, and what it calls a failure."""

from types import SimpleNamespace

import pytest
from rich.console import Console
from scripts.peer_servers import JDK_17, JDK_21, PeersUnavailableError, find_jdk
from scripts.peers import links
from scripts.peers.links import Link


def link(*, connected: bool = True, said: str = "") -> Link:
    return Link("we dial", "OpenSearch", "3.4.0", "sniff", connected, int(connected), said)


@pytest.fixture
def console() -> Console:
    return Console(record=True, width=200, force_terminal=False)


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Link]]:
    """What each server's URL gives; servers without an entry have no Java here."""
    found: dict[str, list[Link]] = {}

    class Pair:
        def __init__(self, distribution, progress, clusters) -> None:
            self.name = clusters[0].removeprefix("links-")

        def __enter__(self) -> "Pair":
            if self.name not in found:
                raise PeersUnavailableError("the peers need a JDK from 21\nand more")
            self.local = SimpleNamespace(url=self.name)
            return self

        def __exit__(self, *exc: object) -> None:
            pass

    monkeypatch.setattr(links, "PeerPair", Pair)
    monkeypatch.setattr(links, "try_links", lambda ours, theirs: found[theirs])
    return found


def test_all_connected_is_a_success(console: Console, tried: dict[str, list[Link]]) -> None:
    for name in links.PEERS:
        tried[name] = [link()]
    assert links.run(console, sealane="http://here") == 0
    assert "links connected 4 of 4, servers skipped 0 of 4" in console.export_text()


def test_one_that_is_not_connected_is_a_failure(
    console: Console, tried: dict[str, list[Link]]
) -> None:
    tried["es819"] = [link(), link(connected=False, said="refused")]
    assert links.run(console, sealane="http://here") == 1
    assert "OpenSearch, sniff: refused" in console.export_text()


def test_a_server_without_java_is_skipped_and_counted(
    console: Console, tried: dict[str, list[Link]]
) -> None:
    tried["es819"] = tried["os219"] = [link()]
    assert links.run(console, sealane="http://here") == 0
    text = console.export_text()
    assert "skipped Elasticsearch 9.1.0: the peers need a JDK from 21" in text
    assert "servers skipped 2 of 4" in text


def test_nothing_tried_is_no_success(console: Console, tried: dict[str, list[Link]]) -> None:
    assert links.run(console, sealane="http://here") == 2


def test_a_running_server_is_taken_by_its_url(
    console: Console, tried: dict[str, list[Link]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(
        links, "try_links", lambda ours, theirs: asked.append((ours, theirs)) or [link()]
    )
    urls = {"os34": "http://there"}
    assert links.run(console, urls=urls, only_given=True, sealane="http://here") == 0
    assert asked == [("http://here", "http://there")]


def jdks(tmp_path, *versions: str):
    for version in versions:
        home = tmp_path / "jvm" / version
        (home / "bin").mkdir(parents=True)
        (home / "bin" / "java").touch()
        (home / "release").write_text(f'JAVA_VERSION="{version}"\n')
    return tmp_path / "jvm"


def test_newer_servers_get_a_newer_java(tmp_path) -> None:
    folder = jdks(tmp_path, "17.0.1", "25.0.1")
    assert find_jdk({}, (folder,), JDK_17).name == "17.0.1"
    assert find_jdk({}, (folder,), JDK_21).name == "25.0.1"
    named = {"JAVA_HOME_21": str(folder / "17.0.1"), "JAVA_HOME": str(folder / "25.0.1")}
    assert find_jdk(named, (), JDK_21).name == "25.0.1"


def test_without_a_newer_java_the_error_says_what_to_install(tmp_path) -> None:
    folder = jdks(tmp_path, "17.0.1")
    with pytest.raises(PeersUnavailableError, match=r"JDK from 21: set JAVA_HOME_21.*jdk-21"):
        find_jdk({}, (folder,), JDK_21)

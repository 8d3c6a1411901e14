"""The duel of remote clusters: every key with values that are taken and values that are refused."""

import json
from collections.abc import Iterator
from typing import Any

from scripts.peers.remote_change import (
    ALIAS,
    ELSEWHERE,
    NOBODY,
    OTHER,
    PROXY,
    SEEDS,
    Change,
    change,
    persistent,
)


def changes() -> Iterator[Change]:
    yield from _plain()
    yield from _addresses()
    yield from _values()


def _plain() -> Iterator[Change]:
    yield change("seeds", SEEDS)
    yield change("seeds as a string", persistent(seeds=NOBODY))
    yield change("seeds as a comma string", persistent(seeds=f"{NOBODY}, {ELSEWHERE},"))
    yield change("seeds, two", persistent(seeds=[ELSEWHERE, NOBODY]))
    yield change("seeds, twice the same", persistent(seeds=[NOBODY, NOBODY]))
    yield change(
        "seeds and every option",
        persistent(
            mode="sniff",
            seeds=[NOBODY],
            node_connections=5,
            skip_unavailable=False,
            transport__ping_schedule="5s",
            transport__compress=True,
            transport__compression_scheme="deflate",
        ),
    )
    yield change("seeds with a dial address", persistent(seeds=[NOBODY], proxy=ELSEWHERE))
    yield change("proxy", PROXY)
    yield change(
        "proxy and every option",
        persistent(
            mode="proxy",
            proxy_address=NOBODY,
            proxy_socket_connections=2,
            server_name="x.example.com",
            skip_unavailable=True,
            transport__ping_schedule="-1",
            transport__compress="indexing_data",
        ),
    )
    yield change("mode alone", persistent(mode="proxy"))
    yield change("mode in capitals", persistent(mode="SNIFF", seeds=[NOBODY]))
    yield change("proxy mode in mixed case", persistent(mode="Proxy", proxy_address=NOBODY))
    yield change("no seeds", persistent(seeds=[]))
    yield change("empty string of seeds", persistent(seeds=""))
    yield change("empty proxy address", persistent(mode="proxy", proxy_address=""))
    yield change(
        "empty server name", persistent(mode="proxy", proxy_address=NOBODY, server_name="")
    )
    yield change("empty dial address", persistent(seeds=[NOBODY], proxy=""))
    yield change("two aliases", persistent(ALIAS, OTHER, seeds=[NOBODY]))
    yield change(
        "sniff to proxy",
        persistent(mode="proxy", proxy_address=NOBODY, seeds=None, node_connections=None),
        persistent(seeds=[NOBODY], node_connections=2),
    )
    yield change(
        "sniff to proxy without nulls", persistent(mode="proxy", proxy_address=NOBODY), SEEDS
    )
    yield change(
        "proxy to sniff", persistent(mode="sniff", seeds=[NOBODY], proxy_address=None), PROXY
    )
    yield change("proxy to sniff without nulls", persistent(mode="sniff", seeds=[NOBODY]), PROXY)
    yield change("mode taken away", persistent(mode=None), PROXY)
    yield change(
        "seeds in another order",
        persistent(seeds=[ELSEWHERE, NOBODY]),
        persistent(seeds=[NOBODY, ELSEWHERE]),
    )
    yield change("the same again", SEEDS, SEEDS)
    yield change("flat answer", SEEDS, parameters="?flat_settings=true")


def _addresses() -> Iterator[Change]:
    addresses = {
        "no port": "nohost",
        "empty": "",
        "port is text": "h:abc",
        "port 0": "h:0",
        "port below 0": "h:-5",
        "port empty": "h:",
        "v6": "[2001:db8::1]:9300",
        "v6 without port": "[::1]",
        "v6 without brackets": "::1:9300",
        "blank after": "h:9300 ",
        "port with a blank": "h: 9300",
        "port beyond 32 bits": "h:99999999999",
        "port of another script": "h:٩٣٠٠",
        "only a colon": ":",
        "text after the brackets": "[::1]x:abc",
    }
    for name, text in addresses.items():
        yield change(f"seed, {name}", persistent(seeds=[text]))
        yield change(f"proxy address, {name}", persistent(mode="proxy", proxy_address=text))
    yield change("dial address, no port", persistent(seeds=[NOBODY], proxy="nohost"))
    yield change("dial address, port 0", persistent(seeds=[NOBODY], proxy="h:0"))
    yield change("seeds, the second is bad", persistent(seeds=[NOBODY, "nohost"]))
    yield change("seeds, two are bad", persistent(seeds=["h:abc", "nohost"]))
    yield change("seeds in a comma string, one is bad", persistent(seeds=f"{NOBODY},nohost"))
    yield change("seed is a number", persistent(seeds=[5]))
    yield change("seeds is a number", persistent(seeds=5))
    yield change("proxy address is a list", persistent(mode="proxy", proxy_address=[NOBODY]))
    yield change(
        "proxy address is a list of two",
        persistent(mode="proxy", proxy_address=[NOBODY, ELSEWHERE]),
    )


def _values() -> Iterator[Change]:
    numbers: list[Any] = [
        0,
        -1,
        1,
        "2",
        "abc",
        "",
        2.5,
        2.0,
        "2.0",
        2147483647,
        2147483648,
        99999999999,
        99999999999999999999,
        True,
        " 2",
        "+2",
        "02",
        [2],
        [2, 3],
        "１",
    ]
    for value in numbers:
        shown = json.dumps(value, ensure_ascii=False)
        yield change(
            f"node_connections {shown}", persistent(seeds=[NOBODY], node_connections=value)
        )
        if value in (0, "abc", 2.5):
            yield change(
                f"proxy_socket_connections {shown}",
                persistent(mode="proxy", proxy_address=NOBODY, proxy_socket_connections=value),
            )
    flags: list[Any] = [
        True,
        False,
        "true",
        "false",
        "TRUE",
        "",
        "maybe",
        "yes",
        1,
        0,
        [True],
        1.5,
        " true",
    ]
    for value in flags:
        yield change(
            f"skip_unavailable {json.dumps(value)}",
            persistent(seeds=[NOBODY], skip_unavailable=value),
        )
    times: list[Any] = [
        "5",
        5,
        0,
        "0",
        "-1",
        -1,
        "-2",
        "-1s",
        "5s",
        "5S",
        "5M",
        "5m",
        "1.5s",
        "5x",
        "",
        "abc",
        "s",
        "5 s",
        " 5s ",
        "500micros",
        "1500ms",
        "60s",
        "1d",
        "99999999999999999999s",
        "-5s",
        ["5s"],
        True,
    ]
    for value in times:
        yield change(
            f"ping_schedule {json.dumps(value)}",
            persistent(seeds=[NOBODY], transport__ping_schedule=value),
        )
    for value in (True, False, "indexing_data", "INDEXING_DATA", "zzz", "", "yes", 1, ["true"]):
        yield change(
            f"compress {json.dumps(value)}", persistent(seeds=[NOBODY], transport__compress=value)
        )
    for value in ("lz4", "LZ4", "deflate", "zzz", "", True):
        yield change(
            f"compression_scheme {json.dumps(value)}",
            persistent(seeds=[NOBODY], transport__compression_scheme=value),
        )
    for value in ("foo", "", "sniff ", True, 1, ["proxy"], "Sniff", "ſniff"):
        yield change(f"mode {json.dumps(value, ensure_ascii=False)}", persistent(mode=value))
    names: list[Any] = ["x", 5, True, "not a name!", ["a", "b"]]
    for value in names:
        yield change(
            f"server_name {json.dumps(value)}",
            persistent(mode="proxy", proxy_address=NOBODY, server_name=value),
        )

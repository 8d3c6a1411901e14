"""Each test here runs through every proxy there is."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.proxies.programs import PROXIES, Proxy, Routes, in_ci, missing
from tests.integration.transport.certificates import Authority

StartProxy = Callable[[Routes], Proxy]


@pytest.fixture(params=sorted(PROXIES))
def start_proxy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StartProxy]:
    """`start_proxy(routes)`: a running proxy, ended with the test."""
    reason = missing(request.param)
    if reason is not None:
        if in_ci():
            pytest.fail(f"{reason}, and .ci/run installs it")
        pytest.skip(reason)
    started: list[Proxy] = []

    def start(routes: Routes) -> Proxy:
        proxy = PROXIES[request.param](tmp_path / f"proxy-{len(started)}", routes)
        started.append(proxy)
        proxy.start()
        return proxy

    yield start
    for proxy in started:
        proxy.kill()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)

"""The official clients, unmodified, with a node that wants to know who asks, over HTTPS: passwords, keys, and the
security APIs as the clients call them.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import elasticsearch8
import elasticsearch8.helpers
import elasticsearch9
import elasticsearch9.helpers
import opensearchpy
import opensearchpy.helpers
import pytest

from sealane.testing.process import NodeProcess
from sealane.testing.secured import authority, certificate

LIBRARIES = {"8": elasticsearch8, "9": elasticsearch9}
PASSWORD = "client-password"
HTTP_TLS = "xpack.security.http.ssl"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The URL of a node with HTTPS, and the authority that its clients are to trust."""
    folder = tmp_path_factory.mktemp("secured")
    certificate(folder, "http", authority(folder, "http-ca"))
    settings = {
        "path.conf": str(folder),
        f"{HTTP_TLS}.enabled": "true",
        f"{HTTP_TLS}.key": "http.key",
        f"{HTTP_TLS}.certificate": "http.crt",
    }
    with NodeProcess("secured", folder / "node", password=PASSWORD, **settings) as node:
        yield f"https://{node.http}", folder / "http-ca.crt"


@pytest.fixture(params=["8", "9"])
def library(request: pytest.FixtureRequest) -> Any:
    return LIBRARIES[request.param]


@pytest.fixture
def client(library: Any, secured: tuple[str, Path]) -> Iterator[Any]:
    url, ca = secured
    with library.Elasticsearch(
        url, ca_certs=str(ca), basic_auth=("elastic", PASSWORD), max_retries=0
    ) as client:
        yield client


def test_a_password(client: Any, library: Any) -> None:
    """X-87, X-89: known by name, or not let in."""
    assert client.info()["tagline"] == "You Know, for Search"
    assert client.security.authenticate()["username"] == "elastic"
    with pytest.raises(library.AuthenticationException) as raised:
        client.options(basic_auth=("elastic", "wrong-password")).info()
    assert raised.value.status_code == 401


def test_nobody(library: Any, secured: tuple[str, Path]) -> None:
    """X-89: the way in is closed without credentials, `/` and the health of the cluster too."""
    url, ca = secured
    with library.Elasticsearch(url, ca_certs=str(ca), max_retries=0) as client:
        for ask in (client.info, client.cluster.health, client.search):
            with pytest.raises(library.AuthenticationException):
                ask()


def test_an_authority_that_is_not_trusted(library: Any, secured: tuple[str, Path]) -> None:
    with (
        library.Elasticsearch(secured[0], max_retries=0) as client,
        pytest.raises(library.ConnectionError, match="TLS error"),
    ):
        client.info()


def test_users_and_roles(client: Any, library: Any, index: str) -> None:
    """X-84, X-86, X-88: by the clients' own calls."""
    security = client.security
    access = [{"names": [index], "privileges": ["read"]}]
    role = f"reader-of-{index}"
    assert security.put_role(name=role, indices=access)["role"]["created"] is True
    security.put_user(username="ann", password="ann-password", roles=[role])
    client.index(index=index, id="1", document={"n": 1}, refresh=True)
    ann = client.options(basic_auth=("ann", "ann-password"))
    assert ann.search(index=index)["hits"]["total"]["value"] == 1
    with pytest.raises(library.AuthorizationException, match="is unauthorized for user"):
        ann.index(index=index, id="2", document={"n": 2})
    asked = ann.security.has_privileges(index=[{"names": [index], "privileges": ["read", "write"]}])
    assert asked["index"][index] == {"read": True, "write": False}
    assert security.get_user(username="ann")["ann"]["roles"] == [role]
    security.change_password(username="ann", password="another-password")
    with pytest.raises(library.AuthenticationException):
        ann.search(index=index)
    security.disable_user(username="ann")
    with pytest.raises(library.AuthenticationException):
        client.options(basic_auth=("ann", "another-password")).search(index=index)
    assert security.delete_user(username="ann")["found"] is True


def test_a_key(client: Any, library: Any, secured: tuple[str, Path], index: str) -> None:
    """Both forms in which the clients take one; an invalidated one is refused from the next request on."""
    url, ca = secured
    made = client.security.create_api_key(
        name="shipper",
        role_descriptors={"r": {"indices": [{"names": [index], "privileges": ["all"]}]}},
    )
    for key in ((made["id"], made["api_key"]), made["encoded"]):
        with library.Elasticsearch(url, ca_certs=str(ca), api_key=key, max_retries=0) as shipper:
            actions = ({"_index": index, "_id": str(n), "n": n} for n in range(20))
            assert library.helpers.bulk(shipper, actions, refresh=True)[0] == 20
            assert shipper.count(index=index)["count"] == 20
            with pytest.raises(library.AuthorizationException):
                shipper.cluster.health()
    assert client.security.get_api_key(id=made["id"])["api_keys"][0]["name"] == "shipper"
    found = client.security.query_api_keys(query={"term": {"name": "shipper"}})
    assert made["id"] in {each["id"] for each in found["api_keys"]}
    gone = client.security.invalidate_api_key(ids=[made["id"]])
    assert gone["invalidated_api_keys"] == [made["id"]]
    with (
        library.Elasticsearch(url, ca_certs=str(ca), api_key=made["encoded"]) as shipper,
        pytest.raises(library.AuthenticationException),
    ):
        shipper.count(index=index)


def test_a_key_for_another_cluster(client: Any, library: Any) -> None:
    """X-1, X-16, X-20: made and changed by the clients' calls, and of no use at this port."""
    made = client.security.create_cross_cluster_api_key(
        name="west", access={"search": [{"names": ["logs-*"]}]}
    )
    changed = client.security.update_cross_cluster_api_key(
        id=made["id"], access={"search": [{"names": ["*"]}]}
    )
    assert changed["updated"] is True
    shown = client.security.get_api_key(id=made["id"])["api_keys"][0]
    assert shown["type"] == "cross_cluster"
    assert shown["access"]["search"][0]["names"] == ["*"]
    with pytest.raises(library.AuthenticationException):
        client.options(api_key=made["encoded"]).info()


def test_opensearch_py(secured: tuple[str, Path], index: str) -> None:
    url, ca = secured
    host, _, port = url.removeprefix("https://").rpartition(":")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = opensearchpy.OpenSearch(
            hosts=[{"host": host, "port": int(port)}],
            http_auth=("elastic", PASSWORD),
            use_ssl=True,
            ca_certs=str(ca),
        )
    try:
        actions = ({"_index": index, "_id": str(n), "n": n} for n in range(10))
        assert opensearchpy.helpers.bulk(client, actions, refresh=True)[0] == 10
        assert client.count(index=index)["count"] == 10
        with pytest.raises(opensearchpy.AuthenticationException):
            client.info(http_auth=None, headers={"Authorization": "Basic bm9ib2R5Om5v"})
    finally:
        client.close()

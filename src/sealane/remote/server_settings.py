"""The settings `remote_cluster.*`: the port for remote clusters that come with an API key.

Names, ranges and defaults are Elasticsearch's. Whether the port is opened, its host and its number are among the
node's settings, the options of its sockets in `settings.tcp_settings`.
"""

from typing import Final

from sealane.settings import AnySetting, Setting, as_bool, as_bytes, as_int, as_list
from sealane.settings.node_settings import REMOTE_CLUSTER_HOST

_KILOBYTE: Final = 1024


BIND_HOST: Final = Setting[tuple[str, ...]](
    key="remote_cluster.bind_host",
    default=REMOTE_CLUSTER_HOST.raw,
    parse=as_list,
    help="Addresses that the port for remote clusters listens on.",
)
PUBLISH_HOST: Final = Setting[tuple[str, ...]](
    key="remote_cluster.publish_host",
    default=REMOTE_CLUSTER_HOST.raw,
    parse=as_list,
    help="The address of that port that is told to others.",
)
PUBLISH_PORT: Final = Setting[int](
    key="remote_cluster.publish_port",
    default="-1",
    parse=as_int(min=-1),
    help="The number of that port that is told to others; -1: the one it listens on.",
)
MAX_REQUEST_HEADER_SIZE: Final = Setting[int](
    key="remote_cluster.max_request_header_size",
    default="64kb",
    parse=as_bytes(min=64, max=2 * _KILOBYTE**3),
    help="The longest header of a request on that port; a longer one closes the connection.",
    dynamic=True,
)
ALLOW_CERTIFICATE_MODEL: Final = Setting[bool](
    key="transport.remote_cluster.allow_certificate_model",
    default="true",
    parse=as_bool,
    help="Whether nodes of other clusters may come by the ordinary transport port, known by their certificates. false: "
    "they have to come with an API key.",
    dynamic=True,
)

SERVER_SETTINGS: Final[tuple[AnySetting, ...]] = (
    BIND_HOST,
    PUBLISH_HOST,
    PUBLISH_PORT,
    MAX_REQUEST_HEADER_SIZE,
    ALLOW_CERTIFICATE_MODEL,
)

"""A client's request comes in: one route table, parameters, handlers, rendering."""

from sealane.rest.app import Limits, RestApp
from sealane.rest.load import NodeLoad
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices, path_indices
from sealane.rest.routes import standard_routes
from sealane.rest.services import AliasAction, Build, Services

__all__ = [
    "AliasAction",
    "Build",
    "Limits",
    "NodeLoad",
    "Request",
    "Response",
    "RestApp",
    "Route",
    "Services",
    "json_response",
    "no_indices",
    "path_indices",
    "standard_routes",
]

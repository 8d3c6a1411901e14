"""An API key as it is shown: never its secret, never the hash of that."""

from typing import Any

from sealane.errors import ApiError
from sealane.security.rules.descriptors import parse_role
from sealane.security.rules.key_access import access_json, access_of_descriptor
from sealane.security.stores.api_key_checks import CROSS_CLUSTER
from sealane.security.stores.records import ApiKeyRecord


def shown(key_id: str, key: ApiKeyRecord, *, limited_by: bool = False) -> dict[str, Any]:
    """One of `api_keys` in the answers of `_security/api_key` and `_security/_query/api_key`."""
    answer: dict[str, Any] = {
        "id": key_id,
        "name": key.name,
        "type": key.type,
        "creation": key.creation,
    }
    if key.expiration is not None:
        answer["expiration"] = key.expiration
    answer["invalidated"] = key.invalidation is not None
    if key.invalidation is not None:
        answer["invalidation"] = key.invalidation
    answer["username"] = key.creator.principal
    answer["realm"] = key.creator.realm
    answer["realm_type"] = key.creator.realm_type
    answer["metadata"] = key.metadata
    answer["role_descriptors"] = key.role_descriptors
    if key.type == CROSS_CLUSTER:
        answer["access"] = _access(key)
        if key.certificate_identity is not None:
            answer["certificate_identity"] = key.certificate_identity
    elif limited_by and key.limited_by is not None:
        answer["limited_by"] = [key.limited_by]
    return answer


def _access(key: ApiKeyRecord) -> dict[str, Any]:
    for name, body in key.role_descriptors.items():
        try:
            return access_json(access_of_descriptor(parse_role(name, body)))
        except ApiError:
            # Of another release: it grants what its descriptor says, which is shown too.
            return {}
    return {}

"""Errors of indices and of the documents in them."""

from sealane.errors.base import ApiError


class IndexNotFound(ApiError):
    es_type, status = "index_not_found_exception", 404

    def __init__(self, index: str, *, kind: str = "index_or_alias") -> None:
        super().__init__(
            f"no such index [{index}]",
            metadata={
                "resource.type": kind,
                "resource.id": index,
                "index_uuid": "_na_",
                "index": index,
            },
        )


class InvalidIndexName(ApiError):
    es_type, status = "invalid_index_name_exception", 400

    def __init__(self, index: str, problem: str) -> None:
        super().__init__(
            f"Invalid index name [{index}], {problem}",
            metadata={"index_uuid": "_na_", "index": index},
        )


class ResourceAlreadyExists(ApiError):
    es_type, status = "resource_already_exists_exception", 400

    def __init__(self, index: str, uuid: str) -> None:
        super().__init__(
            f"index [{index}/{uuid}] already exists",
            metadata={"index_uuid": uuid, "index": index},
        )


class ResourceNotFound(ApiError):
    es_type, status = "resource_not_found_exception", 404


class IndexClosed(ApiError):
    es_type, status = "index_closed_exception", 400

    def __init__(self, index: str, uuid: str) -> None:
        super().__init__("closed", metadata={"index_uuid": uuid, "index": index})


class AliasesNotFound(ApiError):
    es_type, status = "aliases_not_found_exception", 404


class MapperParsing(ApiError):
    """A mapping that makes no sense (`mapper_parsing_exception`)."""

    es_type, status = "mapper_parsing_exception", 400


class MapperError(ApiError):
    """A change that an existing mapping does not allow (`mapper_exception`)."""

    es_type, status = "mapper_exception", 500


class DocumentParsing(ApiError):
    """A document that does not fit its mapping."""

    es_type, status = "document_parsing_exception", 400


class StrictDynamicMapping(ApiError):
    es_type, status = "strict_dynamic_mapping_exception", 400


class VersionConflict(ApiError):
    """`index`, `index_uuid` and `shard` are added by whoever knows them."""

    es_type, status = "version_conflict_engine_exception", 409


class DocumentMissing(ApiError):
    es_type, status = "document_missing_exception", 404


class ClusterBlock(ApiError):
    es_type, status = "cluster_block_exception", 403

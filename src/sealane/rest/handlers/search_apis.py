"""The APIs beside `_search` of a node that holds data, put together: about indices, templates, by query."""

from sealane.clock import Clock
from sealane.cluster.scripts import StoredScripts
from sealane.cluster.store import StateStore
from sealane.model.task import TaskRegistry
from sealane.rest.handlers import about_indices, by_query, templates
from sealane.rest.handlers.by_query import ByQueryRecords
from sealane.rest.router import Route
from sealane.search.about_indices import AboutIndices, IndicesOfRemotes
from sealane.search.bulk_by_scroll import BulkByScroll, Writes
from sealane.search.by_query import ByQueryService
from sealane.search.coordinator import SearchService
from sealane.search.local_indices import Indices
from sealane.search.running_by_query import RunningByQuery


class SearchApis:
    """`records` tell of the tasks that run behind their clients; `close` ends those."""

    def __init__(self, tasks: TaskRegistry, clock: Clock) -> None:
        self._running = RunningByQuery(tasks, clock)
        self.records = ByQueryRecords(self._running)
        self.close = self._running.close

    def routes(
        self,
        local: AboutIndices,
        remotes: IndicesOfRemotes,
        *,
        store: StateStore,
        searches: SearchService,
        documents: Writes,
        indices: Indices,
    ) -> list[Route]:
        by_queries = ByQueryService(BulkByScroll(searches, documents), indices)
        return [
            *about_indices.routes(local, remotes),
            *templates.routes(StoredScripts(store), searches),
            *by_query.routes(by_queries, self._running),
        ]

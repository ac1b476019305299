"""The undocumented keys beside ``data`` in dashboards' responses (reference 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amplitude_emulator.derived_ids import derive_text

if TYPE_CHECKING:
    from amplitude_emulator.rest.routes import ApiRequest


def query_metadata(request: ApiRequest, query_type: str | None) -> dict[str, object]:
    """Return most keys of the recordings of 2026-09-24; without a query type, only those of ``events/list``."""
    now_ms = int(request.clock.now().timestamp() * 1_000)
    always: dict[str, object] = {
        "timeComputed": now_ms,
        "wasCached": False,
        "cacheFreshness": "FRESH",
        "novaRuntime": 26,
        "novaRequestDuration": 60,
        "novaCost": 0,
        "throttleTime": 0,
        "transformationIds": [],
    }
    if query_type is None:
        return always
    query_id = derive_text("query", request.http.path_qs)[:10]
    return {
        **always,
        "allQueriesCached": False,
        "wasDatasetCacheHit": False,
        "minSampleRate": 1,
        "backend": "novaV2",
        "realtimeDataMissing": False,
        "timedOutRealtimeData": False,
        "prunedResult": False,
        "hitChunkGroupByLimit": False,
        "millisSinceComputed": 0,
        "earliestServerReceivedTime": 2**63 - 1,  # rounded up: the recording tool stored numbers as doubles
        "queryIds": [query_id],
        "numQueries": 1,
        "perQueryMetadata": [{"queryId": query_id, "queryType": query_type, "cached": False, "novaCost": 0}],
    }

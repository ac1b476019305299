"""The undocumented keys that stand beside ``data`` in dashboards' answers (reference 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amplitude_emulator.derived_ids import derive_text

if TYPE_CHECKING:
    from amplitude_emulator.rest.routes import Asked


def query_metadata(asked: Asked, query_type: str | None) -> dict[str, object]:
    """Return most of the keys of recordings of 2026-09-24; without a query type only those of ``events/list``."""
    now_ms = int(asked.clock.now().timestamp() * 1_000)
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
    query_id = derive_text("query", asked.request.path_qs)[:10]
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
        "earliestServerReceivedTime": 2**63 - 1,  # recorded through a JSON of doubles, which rounds it up
        "queryIds": [query_id],
        "numQueries": 1,
        "perQueryMetadata": [{"queryId": query_id, "queryType": query_type, "cached": False, "novaCost": 0}],
    }

"""Post figures from Python, with or without await.

    from chitieu.client import Client, Refused

    with Client("https://kpi.example.vn", token) as client:
        posted = client.post_actuals([
            {"admin_unit": "26491", "indicator": "PUBLIC_WIFI_POINTS", "period": "2026-Q3", "value": 30},
        ])
        print(posted.created, posted.updated, posted.unchanged, posted.receipt)

`AsyncClient` has the same calls. Rows (dicts), files (`Path`: CSV, TSV, XLSX, XLS, NDJSON, JSON, Parquet, also .gz and
.zst) and bytes are taken. Faults of the network are waited out with the same Idempotency-Key.
"""

from chitieu.client.blocking import Client
from chitieu.client.bodies import ENCODINGS, TYPES, Body, Source, body_of, type_of
from chitieu.client.calls import AsyncClient, Mode, NumberStyle, OnBlank, OnStale, Terms
from chitieu.client.errors import (
    ClientError,
    Conflict,
    FileTrouble,
    Forbidden,
    ImportFailed,
    NotFound,
    NotReached,
    Problem,
    Refused,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from chitieu.client.results import Fault, Import, Posted, Progress, Step
from chitieu.client.wire import Patience, Report

__all__ = [
    "ENCODINGS",
    "TYPES",
    "AsyncClient",
    "Body",
    "Client",
    "ClientError",
    "Conflict",
    "Fault",
    "FileTrouble",
    "Forbidden",
    "Import",
    "ImportFailed",
    "Mode",
    "NotFound",
    "NotReached",
    "NumberStyle",
    "OnBlank",
    "OnStale",
    "Patience",
    "Posted",
    "Problem",
    "Progress",
    "Refused",
    "Report",
    "Source",
    "Step",
    "Terms",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "body_of",
    "type_of",
]

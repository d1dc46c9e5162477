"""What comes in at /graphql, and in which form the answer leaves."""

from __future__ import annotations

import gzip
import json

import httpx2
import pytest

from tests.gateway.conftest import alone, asking
from tests.house import House

MODERN = "application/graphql-response+json"
QUERY = {"query": "{__typename}"}


async def post(client: httpx2.AsyncClient, content: bytes | str, **headers: str) -> httpx2.Response:
    sent = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await client.post("/graphql", content=content, headers=sent)


def code(response: httpx2.Response) -> str:
    told: str = response.json()["errors"][0]["extensions"]["code"]
    return told


async def test_a_post_answers_in_the_media_type_asked_for(gateway: httpx2.AsyncClient) -> None:
    plain = await gateway.post("/graphql", json=QUERY)
    assert (plain.status_code, plain.headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    assert plain.json() == {"data": {"__typename": "Query"}, "extensions": {"cost": 0}}
    assert plain.headers["Cache-Control"] == "no-store"
    modern = await gateway.post("/graphql", json=QUERY, headers={"Accept": MODERN})
    assert (modern.status_code, modern.headers["Content-Type"]) == (200, f"{MODERN}; charset=utf-8")
    weighed = await gateway.post("/graphql", json=QUERY, headers={"Accept": f"{MODERN};q=0.5, application/json"})
    assert weighed.headers["Content-Type"] == "application/json; charset=utf-8"


async def test_refused_operations_are_400_in_the_modern_type_and_200_in_plain_json(gateway: httpx2.AsyncClient) -> None:
    for accept, status in ((MODERN, 400), ("application/json", 200)):
        response = await gateway.post("/graphql", json={"query": "{nothing}"}, headers={"Accept": accept})
        assert response.status_code == status
        assert response.json() == {
            "errors": [
                {
                    "message": "Cannot query field 'nothing' on type 'Query'.",
                    "locations": [{"line": 1, "column": 2}],
                    "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
                }
            ]
        }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "body_unreadable"),
        (b'{"query"', "body_unreadable"),
        (b'"{__typename}"', "body_unreadable"),
        (b'[{"query":"{__typename}"}]', "body_unreadable"),
        (b'\xef\xbb\xbf{"query":"{__typename}"}', "body_unreadable"),
        (b'{"query":"\xff{__typename}"}', "body_unreadable"),
        (b"[" * 50_000, "body_unreadable"),
        (b'{"query":' + b'{"a":' * 15_000, "body_unreadable"),
        (b"{}", "graphql_parameter_invalid"),
        (b'{"query":7}', "graphql_parameter_invalid"),
        (b'{"query":"{__typename}","variables":[]}', "graphql_parameter_invalid"),
        (b'{"query":"{__typename}","operationName":{}}', "graphql_parameter_invalid"),
        (b'{"query":"{__typename}","extensions":"x"}', "graphql_parameter_invalid"),
    ],
)
async def test_what_is_not_one_json_object_is_400(gateway: httpx2.AsyncClient, content: bytes, expected: str) -> None:
    response = await post(gateway, content)
    assert (response.status_code, code(response)) == (400, expected)


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/graphql", "multipart/form-data; boundary=x", "application/json; charset=latin-1"],
)
async def test_other_media_are_415(gateway: httpx2.AsyncClient, kind: str) -> None:
    response = await post(gateway, json.dumps(QUERY), Content_Type=kind)
    assert (response.status_code, code(response)) == (415, "media_unsupported")


async def test_a_body_without_a_type_is_415(gateway: httpx2.AsyncClient) -> None:
    response = await gateway.post("/graphql", content=b'{"query":"{__typename}"}')
    assert (response.status_code, code(response)) == (415, "media_unsupported")


async def test_a_compressed_body_is_415(gateway: httpx2.AsyncClient) -> None:
    response = await post(gateway, gzip.compress(json.dumps(QUERY).encode()), Content_Encoding="gzip")
    assert (response.status_code, code(response)) == (415, "content_encoding_unsupported")


async def test_a_body_over_the_limit_is_413_declared_or_not(gateway: httpx2.AsyncClient) -> None:
    large = b'{"query":"{__typename}","variables":{"x":"' + b"x" * 100_000 + b'"}}'
    declared = await post(gateway, large)
    assert (declared.status_code, code(declared)) == (413, "body_too_large")

    async def chunks() -> object:
        for at in range(0, len(large), 1000):
            yield large[at : at + 1000]

    streamed = await gateway.post("/graphql", content=chunks(), headers={"Content-Type": "application/json"})
    assert (streamed.status_code, code(streamed)) == (413, "body_too_large")


async def test_a_get_answers_queries_and_refuses_mutations(gateway: httpx2.AsyncClient) -> None:
    text = "query($n: String!){__type(name:$n){name}}"
    params = {"query": text, "variables": json.dumps({"n": "Plan"})}
    assert (await gateway.get("/graphql", params=params)).json()["data"] == {"__type": {"name": "Plan"}}
    refused = await gateway.get("/graphql", params={"query": "mutation{__typename}"})
    assert (refused.status_code, refused.headers["Allow"], code(refused)) == (405, "POST", "graphql_get_reads_only")
    broken = await gateway.get("/graphql", params={"query": text, "variables": "{"})
    assert (broken.status_code, code(broken)) == (400, "body_unreadable")


async def test_a_head_is_a_get_without_its_body(gateway: httpx2.AsyncClient) -> None:
    response = await gateway.head("/graphql", params={"query": "{__typename}"})
    assert (response.status_code, response.content) == (200, b"")


async def test_messages_come_in_the_callers_language(gateway: httpx2.AsyncClient) -> None:
    vietnamese = await post(gateway, b"{}")
    english = await post(gateway, b"{}", Accept_Language="en")
    assert vietnamese.json()["errors"][0]["message"] == "Tham số query phải là một chuỗi."
    assert english.json()["errors"][0]["message"] == "The parameter query must be a string."


async def test_variable_bombs_are_refused_shortly(gateway: httpx2.AsyncClient) -> None:
    text = "query($n: Int){communes(first:$n){nodes{code}}}"
    deep: object = 1
    for _ in range(200):
        deep = [deep]
    for value in (deep, 10**400, "x" * 90_000, [{"a": n} for n in range(5000)]):
        response = await gateway.post("/graphql", json={"query": text, "variables": {"n": value}})
        assert code(response) == "OPERATION_TOO_COMPLEX" or code(response) == "GRAPHQL_VALIDATION_FAILED"
        assert len(response.content) < 1_000
    many = "query(" + " ".join(f"$v{n}:Int" for n in range(200)) + "){__typename}"
    response = await gateway.post("/graphql", json={"query": many})
    assert len(response.json()["errors"]) <= 21


async def test_the_schema_is_published_even_where_introspection_is_off() -> None:
    async with asking(alone(graphql_introspection=False)) as client:
        told = await client.get("/graphql/schema.graphql")
        assert told.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert "type Query {" in told.text
        refused = await client.post("/graphql", json={"query": "{__schema{queryType{name}}}"})
        assert code(refused) == "GRAPHQL_VALIDATION_FAILED"


async def test_the_gateway_is_alive_and_documented(gateway: httpx2.AsyncClient) -> None:
    assert (await gateway.get("/livez")).json() == {"status": "ok"}
    assert (await gateway.get("/readyz")).status_code == 503
    page = await gateway.get("/docs/plans")
    assert page.status_code == 200
    assert "unsafe-eval" not in page.headers["Content-Security-Policy"]
    assert (await gateway.get("/nothing")).json()["code"] == "not_found"
    assert (await gateway.get("/v1/gateway/problems/upstream_unavailable")).json()["code"] == "upstream_unavailable"


async def test_the_gateway_is_ready_when_its_services_are(five_plans: House) -> None:
    assert (await five_plans.client.get("/readyz")).json() == {"status": "ok"}
    async with asking(alone(plans_url="http://127.0.0.1:9", budget_url="http://127.0.0.1:9")) as client:
        told = (await client.get("/readyz", headers={"Accept-Language": "en"})).json()
    assert told["detail"] == "The service is not ready: plans, budget not ready."

"""No text costs more to judge than to read; what is over a limit is told which limit."""

from __future__ import annotations

import time

import pytest
from graphql import get_introspection_query

from gateway.cache import OperationCache, RequestErrors
from gateway.limits import Limits
from gateway.schema import build_schema

SCHEMA = build_schema()._schema
LIMIT_SECONDS = 0.02


def cache(**limits: int) -> OperationCache:
    return OperationCache(SCHEMA, Limits(**limits))


def refusal(text: str, **limits: int) -> dict[str, object]:
    with pytest.raises(RequestErrors) as refused:
        cache(**limits).find(text, None)
    return refused.value.errors[0].extensions or {}


def weight(text: str) -> tuple[int, int, int, int]:
    found = cache(cost=10**9).find(text, None).weight
    return found.depth, found.fields, found.aliases, found.cost


def nested_spreads(levels: int, field: str = "province{%s}") -> str:
    """Each fragment spreads the next twice: 2^levels paths in a few hundred bytes."""
    parts = [f"fragment F{i} on Commune{{...F{i + 1} ...F{i + 1}}}" for i in range(levels)]
    return '{commune(code:"1"){...F0}}' + "".join(parts) + f"fragment F{levels} on Commune{{code}}"


def nested_fields(levels: int) -> str:
    """Each fragment asks the next below two fields."""
    parts = [
        f"fragment F{i} on Plan{{a:adminUnit{{...on Commune{{plan{{...F{i + 1}}}}}}}"
        f"b:adminUnit{{...on Commune{{plan{{...F{i + 1}}}}}}}}}"
        for i in range(levels)
    ]
    return '{plan(planKey:"1"){...F0}}' + "".join(parts) + f"fragment F{levels} on Plan{{planKey}}"


BOMBS = {
    "spreads of spreads": (nested_spreads(40), "fields"),
    "fields of spreads": (nested_fields(20), "depth"),
    "aliases": ("{" + " ".join(f"a{i}:meta{{version}}" for i in range(31)) + "}", "aliases"),
    "root fields": ("{" + "meta{version} " * 21 + "}", "root fields"),
    "root fields by fragments": ("{...A}fragment A on Query{" + "meta{version} " * 21 + "}", "root fields"),
    "directives": ("{meta" + "@include(if:true)" * 51 + "{version}}", "directives"),
    "repeated fields": ("{meta{" + "version " * 200 + "}}", "repeated fields"),
    "fragments": ("{meta{" + "".join(f"...F{i} " for i in range(51)) + "}}"
                  + "".join(f"fragment F{i} on Meta{{version}}" for i in range(51)), "fragments"),
    "long number": ("{communes(first:" + "9" * 5000 + "){nodes{code}}}", "digits of a number"),
    "deep introspection": ("{__type(name:\"Plan\"){" + "ofType{" * 25 + "name" + "}" * 25 + "}}", "depth"),
    "cost": ("{communes(first:200){nodes{plans{tasks{leadOffices{slug nameVi}}}}}}", "cost"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_by_the_limit_it_breaks_within_20_ms(name: str) -> None:
    text, what = BOMBS[name]
    best = min(timed(text) for _ in range(3))
    assert refusal(text) | {"limit": 0} == {"code": "OPERATION_TOO_COMPLEX", "limit": 0, "of": what}
    assert best < LIMIT_SECONDS


def timed(text: str) -> float:
    started = time.perf_counter()
    with pytest.raises(RequestErrors):
        cache().find(text, None)
    return time.perf_counter() - started


def test_aborted_parsing_is_told_as_too_complex() -> None:
    assert refusal("{" + "meta " * 2000 + "}") == {"code": "OPERATION_TOO_COMPLEX"}
    assert refusal("{a" * 400 + "}" * 400) == {"code": "OPERATION_TOO_COMPLEX"}
    assert refusal("# x\n" * 300 + "{meta{version}}") == {"code": "OPERATION_TOO_COMPLEX"}
    assert refusal("{") == {"code": "GRAPHQL_PARSE_FAILED"}


def test_depth_ten_is_the_deepest() -> None:
    deep = '{plan(planKey:"1"){' + "adminUnit{plans{" * 4 + "planKey" + "}}" * 4 + "}}"
    assert weight(deep)[0] == 10
    deeper = '{plan(planKey:"1"){' + "adminUnit{plans{" * 4 + "adminUnit{code}" + "}}" * 4 + "}}"
    assert refusal(deeper) == {"code": "OPERATION_TOO_COMPLEX", "limit": 10, "of": "depth"}


def test_weight_counts_objects_and_multiplies_by_first() -> None:
    assert weight("{meta{version}}") == (2, 2, 0, 1)
    assert weight('{a:commune(code:"1"){code nameVi}}') == (2, 3, 1, 1)
    # the connection 1, pageInfo 1, and 7 nodes of 1
    assert weight("{communes(first:7){nodes{code} pageInfo{endCursor}}}") == (3, 5, 0, 9)
    # the page of a feed 1, and 150 changes of 1
    assert weight("{changes(service:PLANS first:150){items{id data}}}") == (3, 4, 0, 151)
    assert weight("{changes(service:PLANS first:1000){items{id data}}}")[3] == 201
    # the default page of 50, each with one plan
    assert weight("{communes{nodes{plan{planKey}}}}") == (4, 4, 0, 1 + 50 * 2)
    # 30 targets are a scorecard's usual size, each with target and verdict
    assert weight('{commune(code:"1"){scorecard{target{key} evaluation{rule}}}}') == (4, 6, 0, 1 + 30 * 3)


def test_a_fragment_weighs_the_same_as_its_fields() -> None:
    plain = "{communes(first:20){nodes{plan{planKey titleVi}}}}"
    spread = (
        "{communes(first:20){...C}}fragment C on CommuneConnection{nodes{...N}}"
        "fragment N on Commune{plan{planKey titleVi}}"
    )
    assert weight(plain) == weight(spread)


def test_variables_size_the_cost_and_defaults_stand_in() -> None:
    operations = cache(cost=100)
    found = operations.find("query($n:Int=3){communes(first:$n){nodes{code}}}", None)
    assert found.sized_by == ("n",)
    assert operations.cost(found, {}) == 4
    assert operations.cost(found, {"n": 50}) == 51
    assert operations.cost(found, {"n": -5}) == 2
    with pytest.raises(RequestErrors):
        operations.cost(found, {"n": 100_000_000})
    with pytest.raises(RequestErrors):
        operations.cost(found, {"n": "many"})  # not a number: the largest page is assumed


def test_the_scorecard_of_200_communes_is_affordable() -> None:
    text = """query($province: String!, $year: Int!, $first: Int!) {
      communes(province: $province, first: $first) { nodes {
        code nameVi plan(year: $year) { planKey titleVi status }
        scorecard(year: $year) { target { key nameVi rawTarget } actual { value period } evaluation { achievement } }
        budget(year: $year) { lines { key titleVi amountVnd } }
      } }
    }"""
    operations = cache(cost=50_000)
    cost = operations.cost(operations.find(text, None), {"province": "75", "year": 2026, "first": 200})
    # the connection, and per commune: itself, plan, 30 entries of 4 objects, budget, 15 lines
    assert cost == 1 + 200 * (1 + 1 + 30 * 4 + 1 + 15)


def test_full_introspection_is_affordable() -> None:
    text = get_introspection_query(input_value_deprecation=True, specified_by_url=True, schema_description=True)
    operations = cache(cost=50_000)
    assert operations.cost(operations.find(text, None), {}) <= 50_000

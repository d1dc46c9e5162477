"""The checked data of the five plans, read from beside the checkout, in the words of the service.

This is no loader: it says, field by field, where each field of the checked data is to be found.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.house import read_yaml

TRUTH = Path(__file__).resolve().parents[3] / "shared" / "reference"
UNITS = {
    "tan-loi": ("25378", "75"),
    "tan-hung": ("25345", "75"),
    "giao-minh": ("14161", "37"),
    "xuan-thanh": ("26434", "75"),
    "dai-phuoc": ("26491", "75"),
}
MEASURE_UNITS = {"%": "percent", "VND": "vnd"}
COMPARATORS = {">=": "gte", "=": "eq", None: None}
LEAD_ROLES = {"phoi_hop": "coordinating", "de_nghi": "requested"}
PRESENCES = {True: "present", False: "absent", "partial": "partial"}

Found = Mapping[str, Any]


def read_truth(slug: str) -> dict[str, Any]:
    """One plan of the checked data."""
    content: dict[str, Any] = read_yaml(TRUTH / "plans" / f"{slug}.yaml")
    return content


def plan_key_of(slug: str, truth: Found) -> str:
    """The key of a plan of the checked data."""
    kind = truth["plan"]["kind"].replace("_", "-")
    return f"{UNITS[slug][0]}-{truth['plan']['year']}-{kind}"


def expected_header(slug: str, truth: Found) -> dict[str, Any]:
    """The header that must be served."""
    plan = truth["plan"]
    proposal, computed, before = plan["proposal_doc"], plan.get("budget_total_computed"), truth["prior_year_budget"]
    return {
        "plan_key": plan_key_of(slug, truth),
        "admin_unit": UNITS[slug][0],
        "province": UNITS[slug][1],
        "slug": plan["slug"],
        "source_file": plan["source"],
        "year": plan["year"],
        "kind": plan["kind"],
        "document_number": plan["number"],
        "document_number_raw": plan["number_raw"],
        "issued_on": plan["issued_on"],
        "issued_partial": plan["issued_partial"],
        "title_vi": plan["title_vi"],
        "title_en": plan["title_en"],
        "issuing_body": plan["issuing_body"],
        "signer_name": plan["signatory"]["name"],
        "signer_role": plan["signatory"]["role"],
        "signer_on_behalf": plan["signatory"]["on_behalf"],
        "standing_office": plan["standing_office"],
        "standing_office_ref": plan["standing_office_ref"],
        "proposal_document": proposal
        and {
            "document_number": proposal["number"],
            "issued_on": proposal["issued_on"],
            "office": proposal["office"],
        },
        "implements": plan["implements"],
        "implements_ref": plan.get("implements_ref"),
        "general_objectives": plan["general_objectives"],
        "budget_total_vnd": plan["budget_total_vnd"],
        "budget_total_ref": plan.get("budget_total_ref"),
        "budget_total_computed": computed
        and {
            "recurrent_vnd": computed["recurrent_vnd"],
            "investment_vnd": computed["public_investment_vnd"],
            "total_vnd": computed["all_vnd"],
            "note": computed["note"],
        },
        "prior_year_budget": before
        and {
            "budget_year": before["year"],
            "allocated_vnd": before["allocated_vnd"],
            "disbursed_vnd": before["disbursed_vnd"],
            "disbursement_rate": before["rate"],
            "as_of": before["as_of"],
            "purpose_vi": before["purpose_vi"],
            "source_ref": before["source_ref"],
        },
        "funding_sources": plan["funding_sources"],
        "annexes": [
            {"number": a["no"], "title_vi": a["title_vi"], "presence": PRESENCES[a["present"]]}
            for a in plan["appendices"]
        ],
        "notes": plan["notes"],
        "blank_in_source": [
            name for name, field in (("document_number", "number"), ("issued_on", "issued_on")) if plan[field] is None
        ],
    }


def expected_items(slug: str, truth: Found) -> dict[str, list[dict[str, Any]]]:
    """The items that must be served, by path, in the document's order."""
    own = {
        "/legal-bases": [_legal_basis(row) for row in truth["legal_bases"]],
        "/tasks": [_task(row) for row in truth["tasks"]],
        "/reporting-duties": [_duty(row) for row in truth["reporting_duties"]],
        "/budget-rules": [_rule(row) for row in truth["budget_rules"]],
        "/prior-year-results": [_result(row) for row in truth["prior_year_results"]],
        "/recipients": [_renamed(row, {"raw": "raw_text"}) for row in truth["recipients"]],
        "/external-systems": [
            _renamed(row, {"system": "key", "source_ref": "source_refs"}) for row in truth["external_systems"]
        ],
        "/discrepancies": [_renamed(row, {"where": "location", "issue": "issue_vi"}) for row in truth["discrepancies"]],
    }
    return {path: [_without_slug(slug, row) for row in rows] for path, rows in own.items()}


def _renamed(row: Found, names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in row.items()}


def _without_slug(slug: str, row: Found) -> dict[str, Any]:
    """Keys inside a plan stand without the plan's short name."""

    def short(value: Any) -> Any:
        return value.removeprefix(f"{slug}/") if isinstance(value, str) else value

    linked = ("key", "reporting_duty", "budget_rule")
    shortened = {name: short(value) if name in linked else value for name, value in row.items()}
    if "budget_lines" in row:
        shortened["budget_lines"] = [short(key) for key in row["budget_lines"]]
    return shortened


def _legal_basis(row: Found) -> dict[str, Any]:
    names = {"doc_id": "key", "number": "document_number", "kind": "document_kind", "level": "issuer_level"}
    return _renamed(row, names)


def _task(row: Found) -> dict[str, Any]:
    names = {
        "lead": "lead_offices",
        "coordinating": "coordinating_offices",
        "supporting": "supporting_offices",
        "pillar_alt": "alternative_pillar",
        "delegated_to_appendix": "delegated_to_annex",
        "from_appendix": "from_annex",
    }
    task = _renamed(row, names)
    due = task.pop("due") or {"kind": None, "value": None, "raw": None}
    value = due["value"]
    task["execution_time_kind"] = due["kind"]
    task["execution_time"] = None if value is None else str(value)
    task["execution_time_text"] = due["raw"]
    task["execution_time_ref"] = due.get("ref")
    task["lead_basis"] = task["lead_basis"].replace("appendix", "annex")
    task["lead_role"] = LEAD_ROLES.get(task.get("lead_role", ""))
    return task


def _duty(row: Found) -> dict[str, Any]:
    names = {
        "from": "from_offices",
        "to": "to_offices",
        "via": "via_offices",
        "day_before": "due_before_day",
        "months": "due_months",
        "dates": "due_dates",
    }
    return _renamed(row, names)


def _rule(row: Found) -> dict[str, Any]:
    rule = dict(row)
    if "params" in rule:
        params = rule["params"]
        rule["params"] = {
            "metric": params["metric"],
            "comparator": COMPARATORS[params["op"]],
            "value": params["value"],
            "measure_unit": MEASURE_UNITS.get(params["unit"], params["unit"]),
            "base": params["base"],
        }
    return rule


def _result(row: Found) -> dict[str, Any]:
    result = _renamed(row, {"area": "area_vi", "figure": "value", "unit": "measure_unit"})
    result["measure_unit"] = MEASURE_UNITS.get(result["measure_unit"], result["measure_unit"])
    return result

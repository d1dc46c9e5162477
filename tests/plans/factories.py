"""Bodies that are valid by default; a test names only what departs."""

from __future__ import annotations

from typing import Any

PLAN_KEY = "25378-2026-digital-transformation"
AMENDMENT = {"document_number": "12/KH-UBND", "issued_on": "2026-07-01", "reason_vi": "Điều chỉnh giữa năm"}


def make_plan(**departures: Any) -> dict[str, Any]:
    """A plan of Tân Lợi with one item of every kind."""
    return {
        "title_vi": "Kế hoạch chuyển đổi số xã Tân Lợi năm 2026",
        "title_en": "Digital transformation plan of Tân Lợi, 2026",
        "document_number": "5/KH-UBND",
        "issued_on": "2026-03-01",
        "issuing_body": "UBND xã Tân Lợi",
        "signer_name": "Nguyễn Văn Ký",
        "standing_office": "phong-vhxh",
        "notes": ["Người nhập: bản giấy mờ."],
        "legal_bases": [
            {
                "key": "57-NQ/TW@2024-12-22",
                "document_number": "57-NQ/TW",
                "document_kind": "Nghị quyết",
                "issuer_level": "central",
                "relation": "basis",
            }
        ],
        "tasks": [make_task()],
        "reporting_duties": [
            {
                "key": "RD1",
                "cycle": "quarterly",
                "due_rule": "trước ngày 15 của tháng cuối quý",
                "content_vi": "kết quả thực hiện",
                "from_offices": ["phong-vhxh"],
                "due_before_day": 15,
                "due_months": [3, 6, 9, 12],
            }
        ],
        "budget_rules": [
            {
                "key": "R1",
                "kind": "share_min",
                "rule_vi": "Tối thiểu 10,5% cho an toàn thông tin",
                "params": {
                    "metric": "an toàn thông tin",
                    "comparator": "gte",
                    "value": 10.5,
                    "measure_unit": "percent",
                },
            }
        ],
        "prior_year_results": [
            {"key": "KQ1", "area_vi": "Chính quyền số", "result_vi": "Hồ sơ trực tuyến", "value": 80.5}
        ],
        "recipients": [
            {"key": "NN1", "raw_text": "Sở KH&CN", "offices": ["so-khcn"]},
            {"key": "NN2", "raw_text": "CV (Bình)", "names_person": True},
        ],
        "external_systems": [
            {"key": "ioc-tinh", "name_vi": "IOC tỉnh", "boundary": "external", "ask_vi": "kết nối camera"}
        ],
        "discrepancies": [{"key": "D1", "location": "dòng 8", "issue_vi": "Ký hiệu sai", "type": "symbol"}],
        **departures,
    }


def make_task(**departures: Any) -> dict[str, Any]:
    """A task that links to the plan's own duty and system."""
    return {
        "key": "III.1",
        "group_vi": "Hạ tầng số",
        "title_vi": "Nâng cấp mạng nội bộ",
        "pillar": "digital_infrastructure",
        "lead_offices": ["phong-vhxh"],
        "lead_basis": "explicit",
        "coordinating_offices": ["cong-an-xa"],
        "execution_time_kind": "quarter_range",
        "execution_time": "2026-Q2/2026-Q3",
        "execution_time_text": "Quý II-III/2026",
        "reporting_duty": "RD1",
        "external_systems": ["ioc-tinh"],
        "note": "Ghi chú của người nhập",
        **departures,
    }


def make_unit(**departures: Any) -> dict[str, Any]:
    """A commune of Đồng Nai."""
    return {
        "code": "26491",
        "name_vi": "Đại Phước",
        "name_en": "Dai Phuoc",
        "type": "commune",
        "province_code": "75",
        "valid_from": "2025-07-01",
        **departures,
    }


def make_province(**departures: Any) -> dict[str, Any]:
    """Đồng Nai."""
    return {
        "code": "75",
        "name_vi": "Đồng Nai",
        "name_en": "Dong Nai",
        "type": "province",
        "valid_from": "2020-01-01",
        **departures,
    }

"""Why a value is not accepted, in Vietnamese beside pydantic's English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_VI: Mapping[str, str] = {
    "bool_parsing": "cần true hoặc false",
    "bool_type": "cần true hoặc false",
    "date_from_datetime_inexact": "cần một ngày, không có giờ",
    "date_from_datetime_parsing": "cần ngày dạng YYYY-MM-DD có thật",
    "date_parsing": "cần ngày dạng YYYY-MM-DD có thật",
    "date_type": "cần ngày dạng YYYY-MM-DD",
    "datetime_from_date_parsing": "cần thời điểm dạng 2026-06-30T00:00:00Z",
    "datetime_object_invalid": "cần thời điểm dạng 2026-06-30T00:00:00Z",
    "datetime_parsing": "cần thời điểm dạng 2026-06-30T00:00:00Z",
    "datetime_type": "cần thời điểm dạng 2026-06-30T00:00:00Z",
    "decimal_max_digits": "có nhiều hơn {max_digits} chữ số",
    "decimal_max_places": "có nhiều hơn {decimal_places} chữ số thập phân",
    "decimal_parsing": "cần một số",
    "decimal_type": "cần một số",
    "decimal_whole_digits": "có nhiều hơn {whole_digits} chữ số phần nguyên",
    "dict_type": "cần một đối tượng JSON",
    "enum": "phải là một trong: {expected}",
    "finite_number": "cần một số hữu hạn",
    "float_parsing": "cần một số",
    "float_type": "cần một số",
    "greater_than": "phải lớn hơn {gt}",
    "greater_than_equal": "phải từ {ge} trở lên",
    "int_from_float": "cần một số nguyên",
    "int_parsing": "cần một số nguyên",
    "int_parsing_size": "số nguyên quá lớn",
    "int_type": "cần một số nguyên, viết thành số JSON",
    "less_than": "phải nhỏ hơn {lt}",
    "less_than_equal": "không được quá {le}",
    "list_type": "cần một danh sách",
    "literal_error": "phải là một trong: {expected}",
    "model_attributes_type": "cần một đối tượng JSON",
    "model_type": "cần một đối tượng JSON",
    "none_required": "phải để trống (null)",
    "string_pattern_mismatch": "không đúng dạng {pattern}",
    "string_too_long": "dài hơn {max_length} ký tự",
    "string_too_short": "ngắn hơn {min_length} ký tự",
    "string_type": "cần văn bản",
    "string_unicode": "không phải văn bản Unicode hợp lệ",
    "timezone_aware": "thời điểm cần có múi giờ",
    "too_long": "có nhiều hơn {max_length} mục",
    "too_short": "có ít hơn {min_length} mục",
    "url_parsing": "không phải địa chỉ web hợp lệ",
    "url_scheme": "địa chỉ web phải bắt đầu bằng {expected_schemes}",
    "uuid_parsing": "không phải UUID",
    "uuid_type": "không phải UUID",
}


def reason_values(item: Mapping[str, Any]) -> dict[str, str]:
    """The values of a "field_invalid" sentence for one of pydantic's errors; unknown kinds keep its English."""
    english = str(item["msg"])
    template = _VI.get(item["type"])
    if template is None:
        return {"reason": english, "reason_vi": english}
    context = {name: str(value).replace(" or ", " hoặc ") for name, value in item.get("ctx", {}).items()}
    return {"reason": english, "reason_vi": template.format_map(context)}

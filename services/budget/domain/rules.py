"""Why the budget service refuses: every code with its sentence in Vietnamese and English."""

from chassis.errors import rule

BUDGET_PLAN_UNKNOWN = rule(
    "budget_plan_unknown",
    vi="Không có kế hoạch {plan_key}.",
    en="There is no plan {plan_key}.",
)
BUDGET_PLAN_CLOSED = rule(
    "budget_plan_closed",
    vi="Kế hoạch {plan_key} đã đóng nên không sửa kinh phí được nữa.",
    en="Plan {plan_key} is closed, so its budget can no longer change.",
)
BUDGET_NEEDS_AMENDMENT = rule(
    "budget_needs_amendment",
    vi="Kế hoạch {plan_key} đã ban hành; kinh phí mới cần văn bản sửa đổi (POST …/amend), sửa lỗi nhập liệu thì "
    "nêu lý do bằng ?correction=.",
    en="Plan {plan_key} has been issued; a new budget needs an amendment (POST …/amend), a wrong entry its reason in "
    "?correction=.",
)
BUDGET_ITEM_NEEDS_AMENDMENT = rule(
    "budget_item_needs_amendment",
    vi="{field} {key} khác với kinh phí đã ghi khi kế hoạch ban hành.",
    en="{field} {key} is not what was recorded of the issued plan.",
)
BUDGET_KEY_REPEATED = rule(
    "budget_key_repeated",
    vi="Khóa {key} có nhiều hơn một lần trong {field}.",
    en="Key {key} stands more than once in {field}.",
)
BUDGET_LINE_UNKNOWN = rule(
    "budget_line_unknown",
    vi="Không có dòng kinh phí {key} trong kế hoạch này.{suggestion_vi}",
    en="There is no budget line {key} in this plan.{suggestion_en}",
)
BUDGET_OFFICE_UNKNOWN = rule(
    "budget_office_unknown",
    vi="Đơn vị {admin_unit} và tỉnh của nó không có cơ quan {office}.{suggestion_vi}",
    en="Neither unit {admin_unit} nor its province has an office {office}.{suggestion_en}",
)
AMOUNT_NOT_WHOLE_DONG = rule(
    "amount_not_whole_dong",
    vi="Số tiền phải là số nguyên đồng, viết thành số JSON không có phần thập phân (1670000000).",
    en="An amount is whole đồng, written as a JSON number without decimals (1670000000).",
)
AMOUNT_OUT_OF_RANGE = rule(
    "amount_out_of_range",
    vi="Số tiền phải lớn hơn 0 và không quá {most} đồng.",
    en="An amount is more than 0 and at most {most} đồng.",
)
BUDGET_TOTAL_TOO_LARGE = rule(
    "budget_total_too_large",
    vi="Tổng các dòng là {total} đồng, quá {most} đồng.",
    en="The lines add up to {total} đồng, more than {most} đồng.",
)
RESERVE_IN_PILLAR = rule(
    "reserve_in_pillar",
    vi="Dòng dự phòng {key} đứng ngoài mọi trụ cột, nên không được ghi trụ cột {pillar}.",
    en="Reserve line {key} stands outside every pillar, so it cannot carry the pillar {pillar}.",
)
BUDGET_EXECUTION_TIME_INVALID = rule(
    "budget_execution_time_invalid",
    vi="Thời gian {execution_time} không đúng dạng {kind}, ví dụ {example}.",
    en="Time {execution_time} is not of kind {kind}, such as {example}.",
)

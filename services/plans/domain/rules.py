"""Why the plans service refuses: every code with its sentence in Vietnamese and English."""

from chassis.errors import rule

UNIT_UNKNOWN = rule(
    "unit_unknown", vi="Không có đơn vị hành chính mã {code}.", en="There is no administrative unit {code}."
)
UNIT_NOT_VALID = rule(
    "unit_not_valid",
    vi="Mã đơn vị {code} không có hiệu lực trong thời gian {first_day} - {last_day}.",
    en="Unit code {code} does not hold between {first_day} and {last_day}.",
)
UNIT_VALIDITY_OVERLAPS = rule(
    "unit_validity_overlaps",
    vi="Mã {code}: hiệu lực từ {valid_from} chồng lên dòng bắt đầu {other_from}, kết thúc {other_to}.",
    en="Code {code}: validity from {valid_from} overlaps the row from {other_from} to {other_to}.",
)
UNIT_VALIDITY_EMPTY = rule(
    "unit_validity_empty",
    vi="Mã {code}: ngày hết hiệu lực {valid_to} phải sau ngày bắt đầu {valid_from}.",
    en="Code {code}: the end of validity {valid_to} must lie after its start {valid_from}.",
)
UNIT_TYPE_MISMATCH = rule(
    "unit_type_mismatch",
    vi="Mã {code} không hợp với loại {type}: tỉnh, thành phố có 2 chữ số, cấp xã có 5 chữ số.",
    en="Code {code} does not fit type {type}: provinces and cities have 2 digits, commune-level units 5.",
)
UNIT_PROVINCE_MISSING = rule(
    "unit_province_missing",
    vi="Đơn vị cấp xã {code} cần mã tỉnh (province_code).",
    en="Commune-level unit {code} needs its province_code.",
)
UNIT_PROVINCE_UNWANTED = rule(
    "unit_province_unwanted",
    vi="Tỉnh, thành phố {code} không có province_code.",
    en="Province or city {code} has no province_code.",
)
UNIT_PROVINCE_UNKNOWN = rule(
    "unit_province_unknown",
    vi="Đơn vị {code}: không có tỉnh mã {province_code} có hiệu lực cùng thời gian.",
    en="Unit {code}: there is no province {province_code} valid at the same time.",
)
UNIT_IN_USE = rule(
    "unit_in_use",
    vi="Không xóa được đơn vị {code}: còn kế hoạch hoặc cơ quan của đơn vị này.",
    en="Unit {code} cannot be removed: a plan or an office belongs to it.",
)
UNITS_UNREADABLE = rule(
    "units_unreadable",
    vi="Không đọc được tệp CSV: {reason}.",
    en="The CSV cannot be read: {reason}.",
)

OFFICE_KIND_UNKNOWN = rule(
    "office_kind_unknown",
    vi="Không có loại cơ quan {slug} trong danh mục chung; cơ quan riêng của đơn vị cần name_vi, name_en và level.",
    en="There is no office kind {slug} in the shared list; an office of its own needs name_vi, name_en and level.",
)
OFFICE_ALIAS_AMBIGUOUS = rule(
    "office_alias_ambiguous",
    vi="Tên gọi {alias} đã thuộc cơ quan {other}.",
    en="The name {alias} already belongs to office {other}.",
)
OFFICE_KIND_IN_USE = rule(
    "office_kind_in_use",
    vi="Không xóa được loại cơ quan {slug}: còn đơn vị hoặc kế hoạch dùng.",
    en="Office kind {slug} cannot be removed: a unit or a plan uses it.",
)
OFFICE_IN_USE = rule(
    "office_in_use",
    vi="Không xóa được cơ quan {slug}: còn kế hoạch của đơn vị dùng.",
    en="Office {slug} cannot be removed: a plan of the unit uses it.",
)
OFFICE_UNKNOWN = rule(
    "office_unknown",
    vi="Không có cơ quan {office}.{suggestion_vi}",
    en="There is no office {office}.{suggestion_en}",
)
OFFICE_REPEATED = rule(
    "office_repeated",
    vi="Cơ quan {office} được ghi hai lần trong cùng một danh sách.",
    en="Office {office} stands twice in one list.",
)

PLAN_UNKNOWN = rule("plan_unknown", vi="Không có kế hoạch {plan_key}.", en="There is no plan {plan_key}.")
PLAN_REVISION_UNKNOWN = rule(
    "plan_revision_unknown",
    vi="Kế hoạch {plan_key} không có bản {revision}.",
    en="Plan {plan_key} has no revision {revision}.",
)
PLAN_KEY_INVALID = rule(
    "plan_key_invalid",
    vi="Mã kế hoạch {plan_key} không đúng dạng <mã đơn vị>-<năm>-<loại>, ví dụ 25378-2026-digital-transformation.",
    en="Plan key {plan_key} is not <unit code>-<year>-<kind>, such as 25378-2026-digital-transformation.",
)
PLAN_KEY_MISMATCH = rule(
    "plan_key_mismatch",
    vi="Trường {field} ghi {value} nhưng mã kế hoạch là {plan_key}.",
    en="Field {field} says {value} but the plan key is {plan_key}.",
)
PLAN_PHASE_INVALID = rule(
    "plan_phase_invalid",
    vi="Giai đoạn {phase} phải bắt đầu bằng năm {year} của kế hoạch và kết thúc sau đó.",
    en="Phase {phase} must start in the plan's year {year} and end later.",
)
PLAN_ALREADY_ISSUED = rule(
    "plan_already_issued",
    vi="Kế hoạch {plan_key} đã ban hành (trạng thái {status}).",
    en="Plan {plan_key} has already been issued (status {status}).",
)
PLAN_NOT_IN_FORCE = rule(
    "plan_not_in_force",
    vi="Kế hoạch {plan_key} ở trạng thái {status}; chỉ sửa đổi hoặc đóng kế hoạch đang có hiệu lực.",
    en="Plan {plan_key} is {status}; only a plan in force can be amended or closed.",
)
PLAN_NEEDS_AMENDMENT = rule(
    "plan_needs_amendment",
    vi="Kế hoạch {plan_key} đã ban hành; nội dung mới cần văn bản sửa đổi (POST …/amend), sửa lỗi nhập liệu thì "
    "nêu lý do bằng ?correction=.",
    en="Plan {plan_key} has been issued; new content needs an amendment (POST …/amend), a wrong entry its "
    "reason in ?correction=.",
)
PLAN_CLOSED = rule(
    "plan_closed",
    vi="Kế hoạch {plan_key} đã đóng nên không sửa nội dung được nữa.",
    en="Plan {plan_key} is closed, so it can no longer change.",
)
FIELD_NEEDS_AMENDMENT = rule(
    "field_needs_amendment",
    vi="{field} không phải chỗ để trống trong văn bản gốc nên không sửa được khi kế hoạch đã ban hành.",
    en="{field} was not blank in the source, so it cannot change once the plan is issued.",
)
PLAN_BLANK_UNSTATED = rule(
    "plan_blank_unstated",
    vi="Thiếu {field}; nếu văn bản để trống, hãy ghi {field} vào blank_in_source.",
    en="{field} is missing; if the document leaves it blank, name it in blank_in_source.",
)
PLAN_FIELD_ALREADY_STATED = rule(
    "plan_field_already_stated",
    vi="{field} đã ghi {stated}, khác với {value}.",
    en="{field} already says {stated}, not {value}.",
)
PLAN_ISSUED_IN_FUTURE = rule(
    "plan_issued_in_future",
    vi="Ngày ban hành {issued_on} ở sau hôm nay {today}.",
    en="The day of issue {issued_on} lies after today, {today}.",
)

ITEM_KEY_REPEATED = rule(
    "item_key_repeated",
    vi="Khóa {key} có hơn một lần trong {field}.",
    en="Key {key} stands more than once in {field}.",
)
ITEM_LINK_UNKNOWN = rule(
    "item_link_unknown",
    vi="Kế hoạch này không có {field} {key}.{suggestion_vi}",
    en="This plan has no {field} {key}.{suggestion_en}",
)
LEAD_BASIS_MISMATCH = rule(
    "lead_basis_mismatch",
    vi="lead_basis {lead_basis} không hợp với danh sách cơ quan chủ trì: none chỉ dùng khi chưa phân công.",
    en="lead_basis {lead_basis} does not fit the lead offices: none is for tasks that nobody leads.",
)
EXECUTION_TIME_INVALID = rule(
    "execution_time_invalid",
    vi="Thời gian {execution_time} không đúng dạng {kind}, ví dụ {example}.",
    en="Time {execution_time} is not of kind {kind}, such as {example}.",
)
EXECUTION_TIME_INCOMPLETE = rule(
    "execution_time_incomplete",
    vi="Thời gian thực hiện cần cả loại (execution_time_kind) và nguyên văn (execution_time_text).",
    en="An execution time needs its kind (execution_time_kind) and the document's words (execution_time_text).",
)
SYSTEM_SUCCESS_WITHOUT_CONNECTION = rule(
    "system_success_without_connection",
    vi="Hệ thống {key} có last_success_at nhưng connection không phải live.",
    en="System {key} has a last_success_at but its connection is not live.",
)

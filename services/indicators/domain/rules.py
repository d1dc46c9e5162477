"""Every reason for which this service refuses, worded once in Vietnamese and English."""

from chassis.errors import Rule, rule

__all__ = ["Rule"]

# --- catalogue
INDICATOR_UNKNOWN = rule(
    "indicator_unknown",
    vi="Danh mục không có chỉ tiêu {value}.{suggestion_vi}",
    en="The catalogue has no indicator {value}.{suggestion_en}",
)
INDICATOR_NAMED_NOT_CODED = rule(
    "indicator_named_not_coded",
    vi="“{value}” là tên; hãy ghi mã chỉ tiêu {code}.",
    en="“{value}” is a name; write the indicator's code {code}.",
)
INDICATOR_CODE_MALFORMED = rule(
    "indicator_code_malformed",
    vi="Mã {value} sai dạng; mã chung viết hoa có gạch dưới (DTI_SCORE), mã riêng thêm mã đơn vị (25378:DTI_SCORE).",
    en="Code {value} is malformed; common codes read DTI_SCORE, local ones 25378:DTI_SCORE.",
)
INDICATOR_OF_ANOTHER_OWNER = rule(
    "indicator_of_another_owner",
    vi="Chỉ tiêu {value} thuộc danh mục khác, không dùng ở đây.",
    en="Indicator {value} belongs to another catalogue and cannot be used here.",
)
INDICATOR_IN_USE = rule(
    "indicator_in_use",
    vi="Không bỏ được {codes}: còn chỉ tiêu kế hoạch hoặc số liệu dùng đến.",
    en="Cannot remove {codes}: targets or figures still use them.",
)
RELATED_UNKNOWN = rule(
    "related_unknown",
    vi="Chỉ tiêu liên quan {value} không có trong danh mục.",
    en="Related indicator {value} is not in the catalogue.",
)
SCALE_MALFORMED = rule(
    "scale_malformed", vi="Thang đo {value} phải có dạng 0-100.", en="Scale {value} must read like 0-100."
)
SCALE_MISSING = rule(
    "scale_missing",
    vi="Chỉ tiêu phần trăm hoặc chỉ số phải nêu thang đo (0-100 hay 0-1).",
    en="A percent or index needs its scale (0-100 or 0-1).",
)
RATIO_PARTS_MISMATCH = rule(
    "ratio_parts_mismatch",
    vi="Bình quân có trọng số cần đủ tử số và mẫu số, cách khác thì không nêu.",
    en="A weighted mean needs numerator and denominator, and only it has them.",
)
DIRECTION_MISMATCH = rule(
    "direction_mismatch",
    vi="Hướng {value} không hợp với loại chỉ tiêu này.",
    en="Direction {value} does not fit this type of indicator.",
)
KEY_TWICE = rule("key_twice", vi="{value} xuất hiện hai lần.", en="{value} occurs twice.")

# --- regimes and periods
REGIME_UNKNOWN = rule(
    "regime_unknown", vi="Không có chế độ báo cáo {value}.", en="There is no reporting regime {value}."
)
REGIME_IN_USE = rule(
    "regime_in_use",
    vi="Chế độ {regime} đã có số liệu nên không đổi được ngày của kỳ; hãy đặt mã chế độ mới.",
    en="Regime {regime} has figures, so its periods keep their days; give the new rule a new code.",
)
DEFAULT_TAKEN = rule(
    "default_regime_taken",
    vi="Đơn vị {unit} đã có chế độ mặc định {regime}.",
    en="Unit {unit} already has the default regime {regime}.",
)
OPENING_DAY_INVALID = rule(
    "opening_day_invalid", vi="Kỳ không thể mở vào ngày {day}.", en="Periods cannot open on day {day}."
)
SPAN_INVALID = rule(
    "span_invalid", vi="Khoảng năm {first}-{last} không hợp lệ.", en="The span {first}-{last} is not valid."
)
PERIOD_MALFORMED = rule(
    "period_malformed",
    vi="Kỳ {value} sai dạng; viết 2026, 2026-S1, 2026-N, 2026-Q2, 2026-04 hoặc 2026-04-15.",
    en="Period {value} is malformed; write 2026, 2026-S1, 2026-N, 2026-Q2, 2026-04 or 2026-04-15.",
)
PERIOD_UNKNOWN = rule(
    "period_unknown",
    vi="Chế độ {regime} không có kỳ {value}.",
    en="Regime {regime} has no period {value}.",
)
PERIOD_NOT_BEGUN = rule(
    "period_not_begun",
    vi="Kỳ {value} đến {starts_on} mới bắt đầu.",
    en="Period {value} does not begin before {starts_on}.",
)

# --- targets
PLAN_NOT_FOLLOWED = rule("target_plan_unknown", vi="Không có kế hoạch {plan_key}.", en="There is no plan {plan_key}.")
TARGETS_PLAN_CLOSED = rule(
    "targets_plan_closed",
    vi="Kế hoạch {plan_key} đã đóng nên không sửa chỉ tiêu được nữa.",
    en="Plan {plan_key} is closed, so its targets can no longer change.",
)
TARGETS_NEED_AMENDMENT = rule(
    "targets_need_amendment",
    vi="Kế hoạch {plan_key} đã ban hành; chỉ tiêu mới cần văn bản sửa đổi (POST …/amend), sửa lỗi nhập liệu thì "
    "nêu lý do bằng ?correction=.",
    en="Plan {plan_key} has been issued; new targets need an amendment (POST …/amend), a wrong entry its reason in "
    "?correction=.",
)
TARGET_NEEDS_AMENDMENT = rule(
    "target_needs_amendment",
    vi="Chỉ tiêu {key} khác với chỉ tiêu đã ghi khi kế hoạch ban hành.",
    en="Target {key} is not what was recorded of the issued plan.",
)
TARGET_TWICE = rule(
    "target_twice",
    vi="Chỉ tiêu {value} đã có trong kế hoạch này cho cùng nhóm đối tượng.",
    en="The plan already has a target for {value} and the same sub-population.",
)
TARGET_KIND_MISMATCH = rule(
    "target_kind_mismatch",
    vi="Loại {value} không hợp với chỉ tiêu trong danh mục.",
    en="Type {value} does not fit the catalogue's indicator.",
)
COMPARATOR_MISMATCH = rule(
    "comparator_mismatch",
    vi="Phép so sánh {value} không dùng cho loại giá trị này.",
    en="Comparator {value} does not fit this type of value.",
)
TARGET_VALUE_MISSING = rule(
    "target_value_missing", vi="Phép so sánh này cần một con số.", en="This comparator needs a number."
)
TARGET_VALUE_NOT_ALLOWED = rule(
    "target_value_not_allowed",
    vi="Chỉ tiêu theo thời hạn hoặc định tính không mang con số.",
    en="A target by date or in words carries no number.",
)
TARGET_UNREACHABLE = rule(
    "target_unreachable",
    vi="Không thể trên {value}: đó là hết thang đo.",
    en="Nothing lies above {value} on the scale.",
)
DUE_MALFORMED = rule(
    "due_malformed", vi="Thời hạn {value} không đúng dạng đã nêu.", en="Due time {value} is not of the stated kind."
)
DUE_MISSING = rule("due_missing", vi="Chỉ tiêu theo thời hạn phải nêu thời hạn.", en="A target by date needs its date.")
BASELINE_MISSING = rule(
    "baseline_missing",
    vi="Lộ trình tuyến tính cần giá trị và ngày xuất phát.",
    en="A linear trajectory needs a baseline value and its day.",
)
BASELINE_EQUALS_TARGET = rule(
    "baseline_equals_target",
    vi="Giá trị xuất phát {value} bằng mức phải đạt nên không có lộ trình; nếu phải giữ mức ấy, ghi standing.",
    en="Baseline {value} equals the value to reach, so there is no line; if it must be held, write standing.",
)

# --- actuals: the post
ACTUALS_TOO_MANY = rule(
    "actuals_too_many",
    vi="Một lần gửi nhận tối đa {limit_rows} dòng; nhiều hơn thì gửi qua /v1/indicators/imports.",
    en="One post takes at most {limit_rows} rows; send more by /v1/indicators/imports.",
)
ACTUALS_TOO_MANY_OF_UNIT = rule(
    "actuals_too_many_of_unit",
    vi="Đơn vị {admin_unit} có {rows} dòng; một lần nhập nhận tối đa {limit} dòng của mỗi đơn vị. "
    "Hãy chia thành nhiều lần nhập.",
    en="Unit {admin_unit} has {rows} rows; one import takes at most {limit} rows of each unit. "
    "Send them by several imports.",
)
ACTUALS_REFUSED = rule(
    "actuals_refused",
    vi="Không ghi dòng nào: {refused} trên {received} dòng bị từ chối.",
    en="Nothing was written: {refused} of {received} rows are refused.",
)
FAULTS_TOO_MANY = rule(
    "faults_too_many",
    vi="Dừng lại, không ghi dòng nào: {refused} trên {received} dòng đầu đã có hơn {limit} lỗi; tệp có lẽ không theo "
    "mẫu. Hãy xem các lỗi đầu tiên, sửa rồi gửi lại.",
    en="Stopped, and nothing was written: {refused} of the first {received} rows have more than {limit} faults; the "
    "file is perhaps not of the form expected. See the first faults, mend them and send it again.",
)
SAMPLES_REFUSED = rule(
    "samples_refused",
    vi="Hệ thống chính thức không nhận số liệu mẫu (source: sample).",
    en="A production system takes no sample figures (source: sample).",
)

# --- actuals: one row
ROW_FIELD_MISSING = rule("row_field_missing", vi="Thiếu cột {column}.", en="Column {column} is missing.")
ADDRESS_EXPECTED = rule(
    "row_address_expected", vi="Cột {column} phải là địa chỉ http(s).", en="Column {column} must be an http(s) address."
)
ADMIN_UNIT_UNKNOWN = rule(
    "admin_unit_unknown",
    vi="Không có đơn vị hành chính mã {value}.{suggestion_vi}",
    en="There is no administrative unit {value}.{suggestion_en}",
)
ADMIN_UNIT_NAMED_NOT_CODED = rule(
    "admin_unit_named_not_coded",
    vi="“{value}” là tên; hãy ghi mã đơn vị: {codes}.",
    en="“{value}” is a name; write the unit's code: {codes}.",
)
ADMIN_UNIT_NOT_VALID = rule(
    "admin_unit_not_valid",
    vi="Mã {value} chưa hoặc không còn hiệu lực trong kỳ {period}.",
    en="Code {value} is not valid in period {period}.",
)
SUB_POPULATION_UNKNOWN = rule(
    "sub_population_unknown",
    vi="Không kế hoạch nào nêu nhóm đối tượng “{value}” cho chỉ tiêu này.{suggestion_vi}",
    en="No plan states the sub-population “{value}” for this indicator.{suggestion_en}",
)
VALUE_MISSING = rule(
    "value_missing", vi="Dòng không có số liệu: cần {expected}.", en="The row carries no figure: {expected} is needed."
)
VALUE_KIND_MISMATCH = rule(
    "value_kind_mismatch",
    vi="Chỉ tiêu {indicator} nhận {expected}, không nhận {column}.",
    en="Indicator {indicator} takes {expected}, not {column}.",
)
VALUE_NOT_ALLOWED = rule(
    "value_not_allowed", vi="Dòng rút số liệu không mang {column}.", en="A withdrawal carries no {column}."
)
VALUE_OUT_OF_SCALE = rule(
    "value_out_of_scale",
    vi="{value} nằm ngoài thang đo {scale}.{suggestion_vi}",
    en="{value} is outside the scale {scale}.{suggestion_en}",
)
VALUE_ABOVE_100 = rule(
    "value_above_100",
    vi="{value} % vượt 100 % mà chỉ tiêu này không cho phép.",
    en="{value} % is above 100 %, which this indicator does not allow.",
)
VALUE_NOT_WHOLE = rule("value_not_whole", vi="{value} phải là số nguyên.", en="{value} must be a whole number.")
VALUE_TOO_PRECISE = rule(
    "value_too_precise",
    vi="{value} có quá 6 chữ số thập phân hoặc quá 14 chữ số nguyên.",
    en="{value} has more than 6 decimals or 14 whole digits.",
)
VALUE_CONTRADICTS_RATIO = rule(
    "value_contradicts_ratio",
    vi="Giá trị {value} không bằng tử số chia mẫu số ({computed}).",
    en="Value {value} is not numerator over denominator ({computed}).",
)
NUMERATOR_ABOVE_DENOMINATOR = rule(
    "numerator_above_denominator",
    vi="Tử số {value} lớn hơn mẫu số {denominator}.",
    en="Numerator {value} is above denominator {denominator}.",
)
DENOMINATOR_ZERO = rule("denominator_zero", vi="Mẫu số phải lớn hơn 0.", en="The denominator must be above zero.")
DONE_AFTER_PERIOD = rule(
    "done_after_period",
    vi="Ngày hoàn thành {value} sau khi kỳ kết thúc ({ends_on}).",
    en="Done on {value}, after the period ended ({ends_on}).",
)
DAY_IN_FUTURE = rule("day_in_future", vi="Ngày {value} ở tương lai.", en="{value} lies in the future.")
REASON_MISSING = rule("reason_missing", vi="Rút số liệu phải nêu lý do (reason).", en="A withdrawal needs its reason.")
NOTHING_TO_WITHDRAW = rule(
    "nothing_to_withdraw", vi="Không có số liệu nào để rút.", en="There is no figure to withdraw."
)
ROWS_CONTRADICT = rule(
    "rows_contradict",
    vi="Trái với dòng {other} cùng khóa trong lần gửi này.",
    en="Contradicts row {other} of this post, which has the same key.",
)
ROW_STALE = rule(
    "measured_on_older",
    vi="Số liệu ngày {value} cũ hơn số đang lưu (ngày {stored}).",
    en="A figure of {value} is older than the stored one ({stored}).",
)
BASE_VERSION_STALE = rule(
    "changed_since_template",
    vi="Số liệu đã ở phiên bản {stored}, không còn là {value}.",
    en="The figure is at version {stored}, no longer {value}.",
)

PLAN_ROW_UNKNOWN = rule(
    "plan_row_unknown",
    vi="Kế hoạch của đơn vị trong năm ấy không có mục {value}.",
    en="The unit's plan of that year has no row {value}.",
)
PLAN_ROW_CONTRADICTS = rule(
    "plan_row_contradicts",
    vi="Mục {value} của kế hoạch không phải chỉ tiêu {indicator} (hoặc nhóm đối tượng ấy).",
    en="Plan row {value} is not indicator {indicator} (or not that sub-population).",
)
PLAN_ROW_AMBIGUOUS = rule(
    "plan_row_ambiguous",
    vi="Mục {value} ứng với {found} chỉ tiêu; hãy ghi thêm mã chỉ tiêu hoặc nhóm đối tượng.",
    en="Plan row {value} stands for {found} targets; name the indicator or the sub-population too.",
)
UNIT_NAMED_TWICE = rule(
    "unit_named_twice",
    vi="Hai cột admin_unit và commune nêu hai đơn vị khác nhau.",
    en="The columns admin_unit and commune name different units.",
)

# --- warnings: the row is kept
VALUE_JUMPS = rule(
    "value_jumps",
    vi="{value} khác xa kỳ trước ({previous}); hãy kiểm tra lại.",
    en="{value} is far from the last period ({previous}); check it.",
)
VALUE_ABOVE_100_ALLOWED = rule(
    "above_100_allowed", vi="{value} % vượt 100 %; hãy kiểm tra lại.", en="{value} % is above 100 %; check it."
)
VALUE_LOOKS_LIKE_RATIO = rule(
    "looks_like_ratio",
    vi="{value} trên thang 0-100: có phải muốn ghi {meant}?",
    en="{value} on a scale of 0-100: was {meant} meant?",
)

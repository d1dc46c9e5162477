"""Why a body of rows, a row or a cell is not taken."""

from chassis.errors import rule

# The body as a whole.
ENCODING_BROKEN = rule(
    "content_encoding_broken",
    vi="Nội dung nén kiểu {encoding} bị hỏng hoặc bị cắt ngang.",
    en="The {encoding} compression of the body is broken or cut short.",
)
UNPACKED_TOO_LARGE = rule(
    "unpacked_too_large",
    vi="Nội dung sau khi giải nén vượt giới hạn {limit_bytes} byte.",
    en="Unpacked, the body is over the limit of {limit_bytes} bytes.",
)
ROWS_TOO_MANY = rule(
    "rows_too_many",
    vi="Nội dung có quá {limit_rows} dòng.",
    en="The body has more than {limit_rows} rows.",
)
COLUMNS_TOO_MANY = rule(
    "columns_too_many",
    vi="Bảng có quá {limit_columns} cột.",
    en="The table has more than {limit_columns} columns.",
)
FILE_UNREADABLE = rule(
    "file_unreadable",
    vi="Không đọc được nội dung dạng {form}: {reason_vi}.",
    en="The body cannot be read as {form}: {reason}.",
)
READERS_BUSY = rule(
    "file_readers_busy",
    vi="Đang đọc nhiều bảng tính khác; hãy gửi lại sau giây lát.",
    en="Other spreadsheets are being read; send it again in a moment.",
)
FILE_ENCRYPTED = rule(
    "file_encrypted",
    vi="Tệp có mật khẩu; hãy bỏ mật khẩu rồi gửi lại.",
    en="The file has a password; remove it and send the file again.",
)
HEADER_MISSING = rule(
    "header_missing",
    vi="Không thấy dòng tiêu đề; cần có các cột như {columns}.",
    en="No line of column titles was found; columns like {columns} are needed.",
)
SHEETS_SEVERAL = rule(
    "sheets_several",
    vi="Nhiều trang tính đều có bảng: {sheets}; hãy để lại một trang hoặc nêu tên trang cần đọc.",
    en="Several sheets hold a table: {sheets}; keep one, or name the sheet to read.",
)
SHEET_UNKNOWN = rule(
    "sheet_unknown",
    vi="Không có trang tính {sheet}; có: {sheets}.",
    en="There is no sheet {sheet}; there are: {sheets}.",
)
COLUMN_TWICE = rule(
    "column_twice",
    vi="Hai cột cùng là {column}: “{first}” và “{value}”.",
    en="Two columns are {column}: “{first}” and “{value}”.",
)
COLUMN_KIND_UNKNOWN = rule(
    "column_kind_unknown",
    vi="Cột {column} có kiểu {kind}, không đọc được thành ô.",
    en="Column {column} is of type {kind}, which has no cells to read.",
)

# A row.
ROW_UNREADABLE = rule("row_unreadable", vi="Không đọc được dòng này: {reason_vi}.", en="Unreadable row: {reason}.")
ROW_NOT_UTF8 = rule(
    "row_not_utf8",
    vi="Dòng có ký tự không phải UTF-8; hãy lưu tệp dạng “CSV UTF-8” rồi gửi lại.",
    en="The row is not UTF-8; save the file as “CSV UTF-8” and send it again.",
)
ROW_TOO_WIDE = rule(
    "row_too_wide",
    vi="Dòng có {cells} ô, dòng tiêu đề chỉ có {columns}.",
    en="The row has {cells} cells, the line of titles only {columns}.",
)
FIELD_TWICE = rule("field_twice", vi="Trường {field} được ghi hai lần.", en="Field {field} is given twice.")

# A cell.
CELL_MISSING = rule("cell_missing", vi="Cột {column} không được để trống.", en="Column {column} must not be empty.")
CELL_NESTED = rule(
    "cell_nested",
    vi="Cột {column} phải là một giá trị đơn, không phải danh sách hay đối tượng.",
    en="Column {column} takes a single value, not a list or an object.",
)
CELL_ERROR = rule(
    "cell_error",
    vi="Ô là lỗi công thức của bảng tính (như #N/A, #DIV/0!); hãy sửa công thức hoặc để trống.",
    en="The cell is a formula error of the spreadsheet (#N/A, #DIV/0!…); mend the formula or clear it.",
)
CELL_MERGED = rule(
    "cell_merged",
    vi="Ô của cột {column} bị gộp với dòng trên; hãy bỏ gộp và ghi giá trị cho từng dòng.",
    en="The cell of column {column} is merged with a row above; unmerge it and fill in every row.",
)
CELL_UNTITLED = rule(
    "cell_untitled",
    vi="Ô có giá trị nhưng cột {column} không có tiêu đề.",
    en="The cell has a value, but column {column} has no title.",
)
TEXT_NOT_UNICODE = rule(
    "text_not_unicode",
    vi="Cột {column} có nửa ký tự Unicode (surrogate lẻ), không lưu được.",
    en="Column {column} has half a Unicode character (a lone surrogate), which cannot be kept.",
)
TEXT_CONTROL_SIGN = rule(
    "text_control_sign",
    vi="Cột {column} có ký tự điều khiển (như NUL), không lưu được.",
    en="Column {column} has a control character (such as NUL), which cannot be kept.",
)
TEXT_OLD_FONT = rule(
    "text_old_font",
    vi="Văn bản gõ bằng phông {font}, không phải Unicode; hãy chuyển mã sang Unicode "
    "(UniKey: Ctrl+Shift+F6, nguồn {font}, đích Unicode) rồi gửi lại.",
    en="The text was typed in the old font code {font}, not Unicode; convert it "
    "(UniKey: Ctrl+Shift+F6, from {font} to Unicode) and send it again.",
)
TEXT_LONG = rule(
    "text_long", vi="Cột {column} dài quá {limit} ký tự.", en="Column {column} is longer than {limit} characters."
)
TEXT_EXPECTED = rule(
    "text_expected",
    vi="Cột {column} phải là văn bản (JSON: đặt trong dấu ngoặc kép; bảng tính: định dạng ô là Văn bản).",
    en="Column {column} must be text (JSON: in quotes; spreadsheet: cells formatted as Text).",
)
CHOICE_UNKNOWN = rule(
    "choice_unknown",
    vi="Cột {column} không nhận “{value}”; các giá trị: {choices}.{suggestion_vi}",
    en="Column {column} does not take “{value}”; its values: {choices}.{suggestion_en}",
)
NUMBER_EXPECTED = rule(
    "number_expected",
    vi="Cột {column} phải là một số; “{value}” không phải.",
    en="Column {column} must be a number; “{value}” is none.",
)
NUMBER_AMBIGUOUS = rule(
    "number_ambiguous",
    vi="“{value}” đọc được hai cách: {vi_comma} (kiểu vi) hoặc {en_comma} (kiểu en); hãy khai number_style=vi hoặc en.",
    en="“{value}” has two readings: {vi_point} (style vi) or {en_point} (style en); declare number_style=vi or en.",
)
NUMBER_IN_OTHER_STYLE = rule(
    "number_in_other_style",
    vi="“{value}” không viết theo kiểu số đã khai ({style}).",
    en="“{value}” is not written in the declared number style ({style}).",
)
NUMBER_TOO_FINE = rule(
    "number_too_fine",
    vi="Cột {column} nhận tối đa {places} chữ số thập phân; “{value}” có nhiều hơn. "
    "Hãy làm tròn, hoặc gửi tử số và mẫu số.",
    en="Column {column} takes at most {places} decimals; “{value}” has more. "
    "Round it, or send numerator and denominator.",
)
NUMBER_TOO_LARGE = rule(
    "number_too_large",
    vi="Cột {column} nhận tối đa {digits} chữ số phần nguyên; “{value}” có nhiều hơn.",
    en="Column {column} takes at most {digits} digits before the decimals; “{value}” has more.",
)
NUMBER_MARK_UNEXPECTED = rule(
    "number_mark_unexpected",
    vi="Cột {column} không nhận “{mark}” sau số.",
    en="Column {column} takes no “{mark}” after the number.",
)
WHOLE_NUMBER_EXPECTED = rule(
    "whole_number_expected",
    vi="Cột {column} phải là số nguyên; “{value}” không phải.",
    en="Column {column} must be a whole number; “{value}” is none.",
)
DAY_EXPECTED = rule(
    "day_expected",
    vi="Cột {column} phải là một ngày có thật, viết 2026-06-14{also}; “{value}” không phải.",
    en="Column {column} must be a day that exists, written 2026-06-14{also}; “{value}” is none.",
)
FLAG_EXPECTED = rule(
    "flag_expected",
    vi="Cột {column} phải là có hoặc không (true, false).",
    en="Column {column} must be true or false.",
)

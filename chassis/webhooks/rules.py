"""What can be wrong with a webhook, in words."""

from __future__ import annotations

from chassis.errors import rule

WEBHOOK_UNKNOWN = rule("webhook_unknown", vi="Không có webhook {webhook_id}.", en="There is no webhook {webhook_id}.")
WEBHOOKS_TOO_MANY = rule(
    "webhooks_too_many",
    vi="Mỗi ứng dụng có nhiều nhất {limit} webhook ở mỗi dịch vụ.",
    en="A client has {limit} webhooks in each service at most.",
)
URL_INVALID = rule(
    "webhook_url_invalid", vi="Địa chỉ nhận không phải URL http(s) đầy đủ.", en="The url is not a whole http(s) URL."
)
URL_INSECURE = rule("webhook_url_insecure", vi="Địa chỉ nhận phải là https.", en="The url must be https.")
URL_HAS_CREDENTIALS = rule(
    "webhook_url_has_credentials",
    vi="Địa chỉ nhận không được chứa tên hay mật khẩu.",
    en="The url must not hold a name or password.",
)
URL_PORT_REFUSED = rule(
    "webhook_url_port_refused", vi="Không gửi tới cổng {port}.", en="Nothing is sent to the port {port}."
)
URL_HOST_REFUSED = rule(
    "webhook_url_host_refused",
    vi="Không gửi tới máy {host}: địa chỉ nội bộ, đặc biệt hoặc viết khác thường.",
    en="Nothing is sent to the host {host}: it is internal, special, or oddly written.",
)
SECRET_INVALID = rule(
    "webhook_secret_invalid",
    vi="Khóa là whsec_ và 24 đến 64 byte viết theo base64.",
    en="A secret is whsec_ and 24 to 64 bytes in base64.",
)
KEY_MISSING = rule(
    "webhook_key_missing",
    vi="Máy chủ chưa có khóa để niêm phong khóa của webhook (CHITIEU_WEBHOOK_KEY_FILE).",
    en="The server has no key to seal secrets of webhooks with (CHITIEU_WEBHOOK_KEY_FILE).",
)
REPLAYS_TOO_MANY = rule(
    "webhook_replays_too_many",
    vi="Webhook đang phát lại {limit} lần; hãy đợi.",
    en="{limit} replays of the webhook are running; wait for them.",
)
REPLAY_EMPTY = rule(
    "webhook_replay_empty",
    vi="Giữa from và to không có sự kiện nào còn giữ mà webhook đã đi qua.",
    en="Between from and to there is no kept event that the webhook has passed.",
)
MOMENT_INVALID = rule(
    "webhook_moment_invalid",
    vi="{value} không phải thời điểm có múi giờ, cũng không phải con trỏ thay đổi.",
    en="{value} is neither a moment with an offset nor a change cursor.",
)

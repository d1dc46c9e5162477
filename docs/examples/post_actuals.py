"""Post the figures of a commune from Python, and say what became of them.

    CHITIEU_TOKEN=… python docs/examples/post_actuals.py

Running it again is harmless: what is recorded already is unchanged. A server that is away is waited for.
"""

import os
import sys
from decimal import Decimal

from chitieu.client import Client, NotReached, Refused

ROWS = [
    {"admin_unit": "26491", "indicator": "PUBLIC_WIFI_POINTS", "period": "2026-Q3", "value": 32},
    # Numerator and denominator instead of a rate: it is computed exactly, and the province can add communes up.
    {
        "admin_unit": "26491",
        "indicator": "FIXED_BROADBAND_1GBPS_ACCESS_RATE",
        "period": "2026-Q3",
        "numerator": Decimal(7150),
        "denominator": Decimal(10000),
        "note": "báo cáo của nhà mạng",
    },
]


def main() -> int:
    """Post, and answer the exit code of `chitieu push`."""
    url = os.environ.get("CHITIEU_URL", "http://127.0.0.1:8000")
    with Client(url, os.environ["CHITIEU_TOKEN"]) as client:
        try:
            posted = client.post_actuals(ROWS)
        except Refused as refusal:
            for fault in refusal.faults:
                print(f"row {fault.row}, {fault.column}: {fault.message}")
            return 3
        except NotReached as error:
            print(f"{error}; running this again is safe")
            return 4
    print(f"{posted.received} received: {posted.created} new, {posted.updated} changed, {posted.unchanged} unchanged")
    return 0


if __name__ == "__main__":
    sys.exit(main())

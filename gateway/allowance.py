"""How much one caller may ask for over time: a bucket of objects that fills up again, per caller."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from chassis.errors import TooManyRequests, rule

COST_EXHAUSTED = rule(
    "graphql_cost_exhausted",
    vi="Đã dùng hết hạn mức {per_minute} đối tượng mỗi phút; hãy thử lại sau {seconds} giây.",
    en="The allowance of {per_minute} objects a minute is used up; try again in {seconds} seconds.",
)
CALLERS_KEPT = 10_000
MINUTE = 60


class Allowance:
    """Buckets of the callers seen last; a caller forgotten starts with a full one, so memory is bounded."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str, cost: int) -> Mapping[str, str]:
        """Take what an operation costs (at least 1), and tell what is left in `RateLimit` headers.

        Raises:
            TooManyRequests: not enough is left ("graphql_cost_exhausted"); nothing is taken.
        """
        now = self._clock()
        left = self._left(caller, now)
        asked = max(cost, 1)
        if asked > left:
            seconds = math.ceil((asked - left) * MINUTE / self._per_minute)
            headers = {"Retry-After": str(seconds), **self._headers(left)}
            raise TooManyRequests(COST_EXHAUSTED, headers=headers, per_minute=self._per_minute, seconds=seconds)
        self._keep(caller, left - asked, now)
        return self._headers(left - asked)

    def _left(self, caller: str, now: float) -> float:
        left, at = self._buckets.get(caller, (float(self._per_minute), now))
        return min(float(self._per_minute), left + (now - at) * self._per_minute / MINUTE)

    def _keep(self, caller: str, left: float, now: float) -> None:
        self._buckets[caller] = (left, now)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > CALLERS_KEPT:
            self._buckets.popitem(last=False)

    def _headers(self, left: float) -> dict[str, str]:
        until_full = math.ceil((self._per_minute - left) * MINUTE / self._per_minute)
        return {
            "RateLimit-Policy": f'"graphql-cost";q={self._per_minute};w={MINUTE}',
            "RateLimit": f'"graphql-cost";r={int(left)};t={until_full}',
        }

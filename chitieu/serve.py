"""`chitieu serve NAME`: one service, or the gateway before services behind URLs. The same code as `up`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from chassis.settings import SERVICES, Settings
from chassis.telemetry import configure_logs
from chitieu.compose import compose
from chitieu.durability import refuse_unsafe
from chitieu.migrate import Target, refuse_unmigrated
from chitieu.places import target_of
from chitieu.serving import Serving, address_of, listen, say
from chitieu.tokens import verification_key
from chitieu.troubles import Trouble

GATEWAY = "gateway"


def serve(settings: Settings, name: str) -> None:
    """Serve one application until the signal.

    Raises:
        Trouble: unknown name, taken port, no or unreachable or unmigrated database, no keys, no service URLs.
    """
    configure_logs(settings)
    targets = _targets(settings, name)
    key = verification_key(settings)
    with contextlib.closing(listen(settings)) as listener:
        url = address_of(listener)

        async def work(serving: Serving) -> None:
            await refuse_unmigrated(targets)
            await refuse_unsafe(targets, settings)
            composition = compose(
                settings,
                _login_urls(targets),
                names=[target.service for target in targets],
                key=key,
                with_gateway=name == GATEWAY,
            )
            async with composition.running():
                await serving.serve(composition, listener, ready=lambda: say(f"chitieu {name} is ready at {url}"))

        Serving().run(work)


def _targets(settings: Settings, name: str) -> Sequence[Target]:
    if name == GATEWAY:
        missing = [f"CHITIEU_{service.upper()}_URL" for service in SERVICES if settings.url_of(service) is None]
        if missing:
            raise Trouble(f"The gateway needs to know where the services are: set {', '.join(missing)}.")
        return []
    if name not in SERVICES:
        raise Trouble(f"There is no service {name}: choose {', '.join([*SERVICES, GATEWAY])}.")
    target = target_of(settings, name)
    if target is None:
        raise Trouble(
            f"`chitieu serve {name}` needs CHITIEU_{name.upper()}_DATABASE_URL or CHITIEU_DATABASE_URL "
            "(the embedded server is for `chitieu up`)."
        )
    return [target]


def _login_urls(targets: Sequence[Target]) -> Mapping[str, str]:
    return {target.service: target.login_url for target in targets}

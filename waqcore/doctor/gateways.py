"""Whether gateways answer and senders are connected there; no question sends a message."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

from waqcore.core.outcome import Healthy, ProbeResult, SenderDown, Unreachable
from waqcore.doctor.finding import Finding, bad, ok, warn
from waqcore.senders import Account, Fleet
from waqcore.settings import Kind, Settings
from waqcore.words import count, line

ASKED_MAX = 50
"""Senders of one account that are asked about: enough to tell a gateway's trouble from theirs."""

AT_ONCE = 5
"""Questions in flight, so that an examination never is a load."""


def examine(settings: Settings, fleet: Fleet, steady: Callable[[], int]) -> list[Finding]:
    """Ask every gateway about its senders."""

    async def ask_all() -> list[Finding]:
        return [
            finding
            for account in fleet.accounts.values()
            async for finding in _account(account, settings, fleet, steady)
        ]

    return asyncio.run(ask_all())


async def _account(
    account: Account, settings: Settings, fleet: Fleet, steady: Callable[[], int]
) -> AsyncIterator[Finding]:
    numbers = [one.number for one in fleet.senders.values() if one.account == account.name]
    if not numbers:
        return
    if account.gateway is Kind.SANDBOX:
        yield warn(
            "gateway",
            "the sandbox: nothing reaches WhatsApp",
            "set WAQ_GATEWAY=mpwa where messages are to be delivered",
        )
        return
    wrong = _bare(account)
    if wrong is not None:
        yield wrong
        return
    for finding in _told(account, await _asked(account, numbers[:ASKED_MAX], settings, steady)):
        yield finding


def _bare(account: Account) -> Finding | None:
    if not account.url:
        return bad(
            "gateway",
            "it has no address",
            "set WAQ_GATEWAY_URL, such as https://wa.example.com",
        )
    if not account.api_key:
        return bad("gateway", "it has no key", "set WHATSAPP_API_KEY: every call would be refused")
    return None


async def _asked(
    account: Account, numbers: list[str], settings: Settings, steady: Callable[[], int]
) -> dict[str, ProbeResult]:
    # Imported here: who only looks at settings needs no HTTP client.
    from waqcore.gateways.http import http_client
    from waqcore.gateways.mpwa import Mpwa
    from waqcore.gateways.proxy import environment_proxy

    gateway = Mpwa(
        account.url,
        account.api_key,
        steady,
        client=http_client(proxy=environment_proxy(account.url)),
        call_timeout_s=settings.call_timeout_seconds,
    )
    free = asyncio.Semaphore(AT_ONCE)

    async def ask(number: str) -> ProbeResult:
        async with free:
            return await gateway.probe(number)

    try:
        answers = await asyncio.gather(*(ask(number) for number in numbers))
    finally:
        await gateway.aclose()
    return dict(zip(numbers, answers, strict=True))


def _told(account: Account, answers: dict[str, ProbeResult]) -> Iterator[Finding]:
    for number, answer in answers.items():
        match answer:
            case Healthy():
                continue
            case Unreachable():
                yield bad(
                    "gateway",
                    f"{account.url} cannot be reached: {line(answer.reason)}",
                    "check the address, DNS, the firewall and the certificate from this machine",
                )
                return
            case SenderDown():
                yield bad(
                    "gateway",
                    f"{account.url} says of {number}: {line(answer.reason)}",
                    "connect the number on the gateway's page, or correct the key; then "
                    f"`waq resume --sender {number}`",
                )
    if all(isinstance(answer, Healthy) for answer in answers.values()):
        connected = f"{count(len(answers), 'sender')} connected there"
        yield ok("gateway", f"{account.url} answers; {connected}")

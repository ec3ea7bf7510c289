"""The load of the service's bench, in a process of its own: posts over so many connections."""

import argparse
import asyncio
import json
import time
from typing import Any

import aiohttp

BODY = "Halo Budi, silakan bayar pendaftaran Anda di https://bayar.example/REG-1 sebelum besok. "


async def load(url: str, token: str, connections: int, seconds: float) -> dict[str, Any]:
    """Post for so long; returns the rate, and how long answers took, in milliseconds."""
    took: list[float] = []
    refused: list[int] = []
    headers = {"Authorization": f"Bearer {token}"}
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        ends = time.perf_counter() + seconds

        async def post(client: int) -> None:
            n = 0
            while (began := time.perf_counter()) < ends:
                n += 1
                number = f"0812{client:03d}{n % 100_000:05d}"
                body = {"to": number, "body": BODY * 3, "priority": "high"}
                async with session.post(url, json=body) as answer:
                    await answer.read()
                    if answer.status >= 300:
                        refused.append(answer.status)
                took.append(time.perf_counter() - began)

        began = time.perf_counter()
        await asyncio.gather(*(post(client) for client in range(connections)))
        passed = time.perf_counter() - began
    took.sort()
    return {
        "count": len(took),
        "rate": len(took) / passed,
        "p50_ms": took[len(took) // 2] * 1_000,
        "p99_ms": took[int(len(took) * 0.99)] * 1_000,
        "max_ms": took[-1] * 1_000,
        "refused": len(refused),
    }


def main() -> None:
    """Run the load that the arguments name, and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--token", default="")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=4)
    given = parser.parse_args()
    print(json.dumps(asyncio.run(load(given.url, given.token, given.connections, given.seconds))))


if __name__ == "__main__":
    main()

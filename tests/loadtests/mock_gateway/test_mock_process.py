"""The one place where the gateway runs as a process of its own."""

import asyncio
import json
from pathlib import Path
from urllib.request import Request, urlopen

import aiohttp
import pytest

from loadtests.mock_gateway.process import DidNotStart, running


def _ask(url: str, body: dict[str, str] | None = None) -> tuple[int, object]:
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data, {"Content-Type": "application/json"})) as answer:
        return answer.status, json.load(answer)


def test_a_process_takes_its_options_answers_and_ends(tmp_path: Path) -> None:
    weather = tmp_path / "weather.toml"
    weather.write_text('[[rules]]\nfault = "hang"\nrecipient = "99"\n')
    send = {"api_key": "K", "sender": "S", "number": "62811", "message": "Halo"}
    chances = ("--weather", str(weather), "--seed", "3", "--latency-ms", "1-2")

    with running(*chances, "--pace", "60", "--host", "127.0.0.2") as url:
        answered = _ask(f"{url}/send-message", send)
        with pytest.raises(asyncio.TimeoutError):
            asyncio.run(_give_up(url, send | {"sender": "T", "number": "6299"}))
        _, verdict = _ask(f"{url}/_verdict?pace=60")

    assert url.startswith("http://127.0.0.2:")
    assert answered == (200, {"status": True, "msg": "Message sent successfully!"})
    assert isinstance(verdict, dict)
    assert (verdict["calls"], verdict["delivered"]) == (2, 1)
    with pytest.raises(OSError, match="refused"):
        _ask(f"{url}/_log")


async def _give_up(url: str, send: dict[str, str]) -> None:
    timeout = aiohttp.ClientTimeout(total=0.3)
    async with aiohttp.ClientSession(url, timeout=timeout) as session:
        await session.post("/send-message", json=send)


def test_a_bad_weather_file_stops_the_start_with_its_complaint(tmp_path: Path) -> None:
    weather = tmp_path / "weather.toml"
    weather.write_text('[[rules]]\nfault = "flood"\n')

    with (
        pytest.raises(DidNotStart, match="Invalid enum value 'flood'"),
        running("--weather", str(weather)),
    ):
        pass

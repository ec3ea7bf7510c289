"""The routes a test steers the gateway by."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import aiohttp

from loadtests.mock_gateway.application import serving
from loadtests.mock_gateway.clock import Clock
from loadtests.mock_gateway.gateway import Gateway


class Heard(NamedTuple):
    status: int
    body: str


class Talk(NamedTuple):
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, body: object = None) -> Heard:
        async with self.session.request(method, path, json=body) as answer:
            return Heard(answer.status, await answer.text())

    async def send(self, text: str) -> int:
        body = {"api_key": "K", "sender": "S", "number": "0811", "message": text}
        return (await self.ask("POST", "/send-message", body)).status


def _talk(scene: Callable[[Talk], Awaitable[None]], *, now_us: int = 5) -> None:
    gateway = Gateway(
        clock=Clock(now_us=lambda: now_us, wall_s=lambda: 9.0), chance=random.Random(1)
    )

    async def served() -> None:
        async with serving(gateway) as url, aiohttp.ClientSession(url) as session:
            await scene(Talk(session))

    asyncio.run(served())


def test_weather_changes_live_and_counts_its_calls_anew() -> None:
    async def scene(talk: Talk) -> None:
        first_call_fails = {"rules": [{"fault": "failed", "last_call": 1}]}
        assert await talk.send("a") == 200
        assert (await talk.ask("PUT", "/_weather", first_call_fails)).status == 200
        assert [await talk.send("b"), await talk.send("c")] == [400, 200]
        await talk.ask("PUT", "/_weather", first_call_fails)
        shown = json.loads((await talk.ask("GET", "/_weather")).body)
        assert shown["rules"][0]["fault"] == "failed"
        assert (await talk.ask("DELETE", "/_weather")).status == 200
        assert await talk.send("d") == 200

    _talk(scene)


def test_bad_weather_is_refused_and_the_old_one_stays() -> None:
    async def scene(talk: Talk) -> None:
        await talk.ask("PUT", "/_weather", {"senders": ["T"]})
        refused = await talk.ask("PUT", "/_weather", {"rules": [{"fault": "slow"}]})
        assert refused.status == 400
        assert json.loads(refused.body) == {"error": "slow: seconds is missing - at `$.rules[0]`"}
        assert await talk.send("a") == 400

    _talk(scene)


def test_the_log_shows_every_call_in_full() -> None:
    async def scene(talk: Talk) -> None:
        assert await talk.send(" hi {number} ") == 200
        assert json.loads((await talk.ask("GET", "/_log")).body) == [
            {
                "call": 1,
                "arrived_us": 5,
                "arrived_at": 9_000_000,
                "client": "127.0.0.1",
                "sender": "S",
                "recipients": ["62811"],
                "text": " hi {number} ",
                "delivered": True,
                "deliveries": [{"recipient": "62811", "text": "hi 62811"}],
                "status": 200,
                "answer": '{"status":true,"msg":"Message sent successfully!"}',
                "fault": "ok",
            }
        ]

    _talk(scene)


def test_the_log_can_be_read_from_a_call_on_and_goes_on_counting_when_cleared() -> None:
    async def numbers(talk: Talk, since: int) -> list[int]:
        heard = await talk.ask("GET", f"/_log?since={since}")
        return [call["call"] for call in json.loads(heard.body)]

    async def scene(talk: Talk) -> None:
        for text in "abc":
            await talk.send(text)
        assert await numbers(talk, 1) == [2, 3]
        assert await numbers(talk, 3) == []
        await talk.ask("DELETE", "/_log")
        assert await numbers(talk, 0) == []
        await talk.send("d")
        assert await numbers(talk, 2) == [4]
        assert (await talk.ask("GET", "/_log?since=x")).status == 400

    _talk(scene)


def test_a_long_log_arrives_whole() -> None:
    async def scene(talk: Talk) -> None:
        for _ in range(1_001):
            await talk.send("a")
        heard = await talk.ask("GET", "/_log")
        assert [call["call"] for call in json.loads(heard.body)] == list(range(1, 1_002))

    _talk(scene)


def test_a_verdict_is_given_on_the_log() -> None:
    async def scene(talk: Talk) -> None:
        await talk.send("a")
        verdict = json.loads((await talk.ask("GET", "/_verdict?pace=10&expect=1")).body)
        assert (verdict["clean"], verdict["calls"], verdict["lost"]) == (True, 1, None)
        await talk.send("b")
        verdict = json.loads((await talk.ask("GET", "/_verdict?pace=10")).body)
        assert verdict["clean"] is False
        assert verdict["short_gaps"] == 1

    _talk(scene)


def test_a_verdict_is_given_on_what_was_expected() -> None:
    async def scene(talk: Talk) -> None:
        await talk.send("a")
        messages = [{"sender": "S", "recipient": "0811", "text": text} for text in "ab"]
        wanted = {"pace": 10.0, "expected": messages, "order": [0, 1]}
        verdict = json.loads((await talk.ask("POST", "/_verdict", wanted)).body)
        assert verdict["problems"] == ["1 expected messages were never delivered"]
        assert verdict["lost"]["examples"][0]["text"] == "b"

    _talk(scene)


def test_a_verdict_without_a_pace_or_with_a_wrong_order_is_refused() -> None:
    async def scene(talk: Talk) -> None:
        assert "pace" in (await talk.ask("GET", "/_verdict")).body
        assert (await talk.ask("GET", "/_verdict")).status == 400
        assert (await talk.ask("GET", "/_verdict?pace=soon")).status == 400
        beyond = await talk.ask("POST", "/_verdict", {"pace": 1, "expected": [], "order": [0]})
        assert beyond.status == 400
        assert "order has an index beyond the end of expected" in beyond.body

    _talk(scene)

"""The served description is kept: whatever is sent, no answer is undocumented, none a 5xx."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from tests.web.api.conftest import TOKEN, Service, environ
from tests.web.live import live

EXAMPLES = 12
"""For each operation: all of them together stay below a minute."""

load_all_checks()
CHECKED = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
        "negative_data_rejection",
    ]
)


def _describe(service: Service) -> dict[str, Any]:
    described: dict[str, Any] = service.get("/openapi.json").json()
    return described


def test_nothing_that_is_sent_breaks_it_and_every_answer_is_documented(tmp_path: Path) -> None:
    settings_ = environ(tmp_path, WAQ_API_PER_SECOND="100000")
    with live(tmp_path, settings_, "--no-dispatch") as served:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"{served.url}/v1/openapi.json"
        description = schemathesis.openapi.from_url(url, headers=headers)
        found = list(description.get_all_operations())
        operations = [one.ok() for one in found if isinstance(one, Ok)]
        assert len(operations) == len(found)
        for operation in operations:
            _try(operation, GenerationMode.POSITIVE, served.url)
            with suppress(Unsatisfiable):  # Some take nothing that could be wrong.
                _try(operation, GenerationMode.NEGATIVE, served.url)

    assert len(operations) >= 14


def _try(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, url: str) -> None:
    # Ids of registrations may hold slashes, which Litestar describes as an address: none is made.
    named = {"id_": "REG-1"} if operation.path.startswith("/v1/registrations/") else None

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode, path_parameters=named))
    def check(case: schemathesis.Case[Any]) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        # Its own registry gives what its own parameter is not annotated for.
        case.call_and_validate(base_url=url, headers=headers, checks=CHECKED)  # type: ignore[arg-type]

    check()


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/batch", "/v1/queue/pause"])
def test_what_is_asked_for_is_described_field_by_field(service: Service, path: str) -> None:
    described = _describe(service)
    body = described["paths"][path]["post"]["requestBody"]["content"]["application/json"]

    name = body["schema"]["$ref"].rpartition("/")[2]

    assert described["components"]["schemas"][name]["properties"]


def test_every_operation_documents_its_problems(service: Service) -> None:
    for path, operations in _describe(service)["paths"].items():
        for method, operation in operations.items():
            documented = set(operation["responses"])
            assert {"401", "403", "429", "503"} <= documented or "/webhooks/" in path, (
                f"{method} {path} documents only {sorted(documented)}"
            )


@pytest.mark.parametrize("id_", ["batch", "retry", "m_0"])
def test_also_what_is_no_id_of_a_message_is_answered_as_documented(
    service: Service, id_: str
) -> None:
    documented = _describe(service)["paths"]["/v1/messages/{id_}"]["get"]["responses"]

    assert str(service.get(f"/messages/{id_}").status_code) in documented


def test_nothing_of_the_description_comes_from_elsewhere(service: Service) -> None:
    assert "cdn" not in service.get("/openapi.json").text
    assert TOKEN not in service.get("/openapi.json").text

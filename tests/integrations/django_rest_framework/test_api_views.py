"""Django REST framework: what its views raise is an event of Django's, what it answers itself is none."""

# ruff: noqa: E402 - Django wants to be configured before its parts are imported

from __future__ import annotations

import sys
import types
from typing import Any

import httpx
import pytest
from django.conf import settings

pytest.importorskip("rest_framework")

if not settings.configured:  # other tests configure Django, too
    settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})

import django

django.setup()

from django import urls
from django.core.wsgi import get_wsgi_application
from django.test import override_settings
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.parsers import FormParser, JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView

import vedette
from vedette.testing import MemoryTransport

DSN = "http://key@localhost/1"
WITHOUT_ACCOUNTS = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}


class Pay(APIView):
    parser_classes = (JSONParser, FormParser)
    renderer_classes = (JSONRenderer,)

    def post(self, request: Any, item: int) -> None:
        if request.data["card"] == "stolen":
            raise ValidationError({"card": "stolen"})
        raise ValueError(f"no stock of {item}")

    def get(self, request: Any, item: int) -> None:
        raise NotFound


@api_view(["GET"])
def stock(request: Any) -> None:
    raise ValueError("no stock")


URLS = types.ModuleType("api_urls")
URLS.urlpatterns = [urls.path("pay/<int:item>/", Pay.as_view()), urls.path("stock/", stock)]


@pytest.fixture
def transport(monkeypatch):
    monkeypatch.setitem(sys.modules, "api_urls", URLS)
    transport = MemoryTransport()
    with override_settings(
        ROOT_URLCONF="api_urls", ALLOWED_HOSTS=["*"], REST_FRAMEWORK=WITHOUT_ACCOUNTS, SECRET_KEY="s3cret"
    ):
        vedette.init(DSN, transport=transport)
        yield transport


def ask(method: str, path: str, **content: Any) -> int:
    """Through WSGI, as a server does."""
    transport = httpx.WSGITransport(app=get_wsgi_application(), raise_app_exceptions=False)
    with httpx.Client(transport=transport, base_url="http://shop.example") as client:
        return client.request(method, path, headers={"Authorization": "Bearer s3cret"}, **content).status_code


@pytest.mark.parametrize("kind", ["json", "data"])
def test_what_a_view_raises_arrives_once_with_its_request_and_route(transport, kind: str) -> None:
    assert ask("POST", "/pay/3/", **{kind: {"card": "4", "password": "s3cret"}}) == 500
    (event,) = transport.events
    assert event["transaction"] == "/pay/<int:item>/"
    assert event["request"]["data"] == {"card": "4", "password": "[Filtered]"}
    assert event["request"]["headers"]["Authorization"] == "[Filtered]"
    assert "s3cret" not in str(event["request"])
    found = event["exception"]["values"][-1]
    assert (found["type"], found["value"]) == ("ValueError", "no stock of 3")
    assert (found["mechanism"]["type"], found["mechanism"]["handled"]) == ("django", False)


def test_views_that_are_functions_are_no_different(transport) -> None:
    assert ask("GET", "/stock/") == 500
    assert [event["transaction"] for event in transport.events] == ["/stock/"]


def test_what_the_framework_answers_itself_is_no_event(transport) -> None:
    assert ask("POST", "/pay/3/", json={"card": "stolen"}) == 400
    assert ask("POST", "/pay/3/", content="{") == 415
    assert ask("GET", "/pay/3/") == 404
    assert ask("PUT", "/pay/3/") == 405
    assert transport.events == []

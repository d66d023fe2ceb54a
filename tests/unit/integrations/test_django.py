"""Django, the real one: each failure once, with its request and view, under WSGI, ASGI and its test client."""

# ruff: noqa: E402, SLF001 - Django wants to be configured before its parts are imported; and what it stores is private

from __future__ import annotations

import asyncio
import inspect
import io
import logging
import subprocess
import sys
import threading
import types
from contextlib import suppress
from typing import Any
from wsgiref.util import setup_testing_defaults

import django
import httpx
import pytest
from django.conf import settings

if not settings.configured:  # the tests of the renderer configure Django, too
    settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
    django.setup()
settings.SECRET_KEY = "s3cret"

from django import http, urls
from django.core.asgi import get_asgi_application
from django.core.exceptions import PermissionDenied
from django.core.handlers import asgi as asgi_handler
from django.core.handlers import base, exception
from django.core.handlers import wsgi as wsgi_handler
from django.core.signals import got_request_exception
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.template import Context, Engine
from django.test import AsyncClient, Client, override_settings
from django.utils.functional import SimpleLazyObject

import vedette
from vedette.integrations.asgi import SentryAsgiMiddleware
from vedette.integrations.django import DjangoIntegration
from vedette.integrations.django._routes import readable
from vedette.testing import MemoryTransport, capture_events

DSN = "http://key@localhost/1"
PLAIN = wsgi_handler.WSGIHandler.__call__, base.BaseHandler.get_response, exception.response_for_exception


@pytest.fixture(autouse=True)
def client():
    return vedette.init(DSN, transport=MemoryTransport())


class User:
    def __init__(self) -> None:
        self.id, self.email, self.username = 7, "me@example.com", "me"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")


def pay(request: Any, item: int) -> Any:
    assert request.POST is not None
    raise ValueError(f"no stock of {item}")


async def pay_async(request: Any, item: int) -> Any:
    raise ValueError(f"no stock of {item}")


def mix(request: Any, marker: str) -> Any:
    vedette.set_tag("marker", marker)
    vedette.add_breadcrumb(message=marker)
    BARRIER.wait(10)
    raise ValueError(marker)


async def mix_async(request: Any, marker: str) -> Any:
    vedette.set_tag("marker", marker)
    vedette.add_breadcrumb(message=marker)
    await asyncio.sleep(0.01)
    raise ValueError(marker)


def logged(request: Any) -> Any:
    try:
        raise ValueError("no stock")
    except ValueError:
        logging.getLogger("shop").exception("it failed")
        raise


def with_user(request: Any) -> Any:
    request._cached_user = User()
    raise ValueError("no stock")


def with_user_of_a_token(request: Any) -> Any:
    request.user = User()  # as middlewares and Django REST framework do
    raise ValueError("no stock")


def with_lazy_user(request: Any) -> Any:
    request.user = SimpleLazyObject(User)
    if request.GET:
        assert str(request.user.id) == "7"
    raise ValueError("no stock")


def stream(request: Any) -> Any:
    def pieces() -> Any:
        yield b"one"
        vedette.capture_message("between")

    return http.StreamingHttpResponse(pieces())


def query(request: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", ["s3cret"])
    raise ValueError("no stock")


def failing_query(request: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM nowhere WHERE session = %s", ["s3cret"])


def template(request: Any) -> Any:
    engine = Engine(debug=True, loaders=[("django.template.loaders.locmem.Loader", {"shop.html": "a\n{% for %}\nb"})])
    return http.HttpResponse(engine.get_template("shop.html").render(Context()))


def forbidden(request: Any) -> Any:
    raise PermissionDenied


def missing(request: Any, exception: Any) -> Any:
    vedette.capture_message("missing")
    return http.HttpResponse(status=404)


def failing_middleware(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        if request.path == "/middleware":
            raise ValueError("in middleware")
        return get_response(request)

    return middleware


BARRIER = threading.Barrier(6)
URLS = types.ModuleType("shop_urls")
URLS.urlpatterns = [
    urls.path("pay/<int:item>/", pay),
    urls.path("async/<int:item>/", pay_async),
    urls.re_path(r"^old/(?P<item>\d+)/$", pay),
    urls.path("shop/", urls.include([urls.path("pay/<item>/", pay)])),
    urls.path("mix/<marker>/", mix),
    urls.path("mix-async/<marker>/", mix_async),
    urls.path("logged/", logged),
    urls.path("user/", with_user),
    urls.path("user-of-token/", with_user_of_a_token),
    urls.path("lazy-user/", with_lazy_user),
    urls.path("stream/", stream),
    urls.path("query/", query),
    urls.path("failing-query/", failing_query),
    urls.path("template/", template),
    urls.path("forbidden/", forbidden),
]
URLS.handler404 = missing


@pytest.fixture(autouse=True)
def project(monkeypatch):
    monkeypatch.setitem(sys.modules, "shop_urls", URLS)
    with override_settings(
        ROOT_URLCONF="shop_urls",
        ALLOWED_HOSTS=["*"],
        DEBUG=False,
        MIDDLEWARE=[f"{__name__}.failing_middleware"] if __name__ in sys.modules else [],
    ):
        yield


def ask_wsgi(path: str, method: str = "GET", body: bytes = b"", content_type: str = "", **headers: str) -> int:
    path, _, query_string = path.partition("?")
    environ: dict[str, Any] = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    environ.update(REQUEST_METHOD=method, PATH_INFO=path, QUERY_STRING=query_string)
    if body:
        environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": content_type})
    setup_testing_defaults(environ)
    statuses: list[str] = []
    response = get_wsgi_application()(environ, lambda status, headers, exc_info=None: statuses.append(status))
    list(response)
    response.close()
    return int(statuses[0][:3])


async def ask_asgi_async(path: str, app: Any = None, method: str = "GET", **arguments: Any) -> Any:
    transport = httpx.ASGITransport(app or get_asgi_application(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
        return await client.request(method, path, **arguments)


def ask_asgi(path: str, *args: Any, **arguments: Any) -> Any:
    return asyncio.run(ask_asgi_async(path, *args, **arguments))


@pytest.mark.spec("FW-django-03", "FW-django-04", "FW-django-05", "FW-common-21")
def test_what_a_view_raises_arrives_once_with_its_request_and_view() -> None:
    form = b"card=4&password=s3cret"
    with capture_events() as events:
        status = ask_wsgi(
            "/pay/3/?token=s3cret&a=1",
            "POST",
            form,
            "application/x-www-form-urlencoded",
            authorization="Bearer s3cret",
            cookie="sessionid=s3cret",
            x_thing="thing",
        )
    assert status == 500
    (event,) = events
    assert event["transaction"] == "/pay/<int:item>/"
    assert event["transaction_info"] == {"source": "route"}
    request = event["request"]
    assert request["url"] == "http://127.0.0.1/pay/3/"
    assert request["query_string"] == "token=[Filtered]&a=1"
    assert request["headers"]["Authorization"] == "[Filtered]"
    assert request["headers"]["X-Thing"] == "thing"
    assert request["data"] == {"card": "4", "password": "[Filtered]"}
    assert "s3cret" not in str(request)
    found = event["exception"]["values"][-1]
    assert found["mechanism"]["type"] == "django"
    assert found["mechanism"]["handled"] is False
    assert found["stacktrace"]["frames"][-1]["function"] == "pay"


@pytest.mark.parametrize("path", ["/pay/3/", "/async/3/"])
def test_the_same_under_asgi_with_sync_and_async_views(path: str) -> None:
    with capture_events() as events:
        assert ask_asgi(path, method="POST", json={"password": "s3cret", "card": 4}).status_code == 500
    (event,) = events
    assert event["transaction"] == f"/{path[1:-3]}/<int:item>/"
    assert event["request"]["url"] == f"http://shop.example{path}"
    assert event["request"]["data"] == {"password": "[Filtered]", "card": 4}
    assert event["exception"]["values"][-1]["stacktrace"]["frames"][-1]["function"].startswith("pay")


def test_the_same_with_the_test_clients_of_django() -> None:
    with capture_events() as events:
        Client(raise_request_exception=False).get("/pay/3/")
        asyncio.run(AsyncClient(raise_request_exception=False).get("/async/3/"))
        vedette.capture_message("after")
    assert [event.get("transaction") for event in events] == ["/pay/<int:item>/", "/async/<int:item>/", None]
    assert [event["request"]["url"].partition("//")[2] for event in events[:2]] == [
        "testserver/pay/3/",
        "testserver/async/3/",
    ]


@pytest.mark.spec("FW-django-04")
def test_the_view_can_be_the_name_and_a_wrong_option_raises() -> None:
    integration = DjangoIntegration(transaction_style="function_name")
    vedette.init(DSN, transport=MemoryTransport(), integrations=[integration])
    with capture_events() as events:
        ask_wsgi("/pay/3/")
    assert events[0]["transaction"].endswith(".pay")
    assert events[0]["transaction_info"] == {"source": "component"}
    with pytest.raises(ValueError, match="transaction_style"):
        DjangoIntegration(transaction_style="endpoint")


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("", "/"),
        ("pay/<int:item>/", "/pay/<int:item>/"),
        (r"^old/(?P<item>\d+)/$", "/old/<item>/"),
        (r"shop/^pay/(\w+)/(?:x|y)\.json\Z", "/shop/pay/<var>/.json"),
        (r"^a/(?P<b>(c|d)\))/e$", "/a/<b>/e"),
    ],
)
def test_a_pattern_reads_as_a_path(route: str, expected: str) -> None:
    assert readable(route) == expected


@pytest.mark.parametrize(("path", "expected"), [("/old/3/", "/old/<item>/"), ("/shop/pay/3/", "/shop/pay/<item>/")])
def test_patterns_and_included_ones_are_names(path: str, expected: str) -> None:
    with capture_events() as events:
        ask_wsgi(path)
    assert [event["transaction"] for event in events] == [expected]


@pytest.mark.spec("FW-django-03")
def test_404_is_no_event_but_what_its_handler_reports_has_the_request() -> None:
    with capture_events() as events:
        assert ask_wsgi("/nowhere/") == 404
    (event,) = events
    assert event["logentry"]["message"] == "missing"
    assert event["transaction"] == "/nowhere/"
    assert event["transaction_info"] == {"source": "url"}


@pytest.mark.parametrize(("codes", "expected"), [(None, 0), ({403}, 1), (set(), 0)])
def test_which_answers_are_failures_is_an_option(codes: Any, expected: int) -> None:
    if codes is not None:
        integration = DjangoIntegration(failed_request_status_codes=codes)
        vedette.init(DSN, transport=MemoryTransport(), integrations=[integration])
    with capture_events() as events:
        assert ask_wsgi("/forbidden/") == 403
    assert len(events) == expected
    with capture_events() as events:
        assert ask_wsgi("/pay/3/") == 500
    assert len(events) == (codes is None)


@pytest.mark.spec("PAIN-17")
def test_one_failure_is_one_event_also_where_it_is_logged_on_its_way() -> None:
    with capture_events() as events:
        ask_wsgi("/logged/")
    assert len(events) == 1


class Broken(io.BytesIO):
    def read(self, *size: Any) -> bytes:
        raise OSError("client gone")


def test_a_client_that_hangs_up_while_it_sends_the_body_is_no_error() -> None:
    environ: dict[str, Any] = {"REQUEST_METHOD": "POST", "PATH_INFO": "/pay/3/", "CONTENT_LENGTH": "9"}
    environ.update({"CONTENT_TYPE": "application/x-www-form-urlencoded", "wsgi.input": Broken()})
    setup_testing_defaults(environ)
    statuses: list[str] = []
    with capture_events() as events:
        get_wsgi_application()(environ, lambda status, headers, exc_info=None: statuses.append(status)).close()
    assert statuses == ["500 Internal Server Error"]
    assert events == []


def test_an_error_in_middleware_arrives_with_its_request() -> None:
    if __name__ not in sys.modules:
        pytest.skip("Django cannot import this test's middleware")
    with capture_events() as events:
        assert ask_wsgi("/middleware") == 500
    assert [event["request"]["url"] for event in events] == ["http://127.0.0.1/middleware"]


@pytest.mark.spec("PAIN-07", "FW-common-13")
def test_requests_in_threads_never_mix() -> None:
    with capture_events() as events:
        threads = [threading.Thread(target=ask_wsgi, args=[f"/mix/{n}/"]) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert_unmixed(events, 6)


@pytest.mark.spec("PAIN-07", "PAIN-08")
def test_requests_on_one_loop_never_mix() -> None:
    async def main() -> None:
        app = get_asgi_application()
        await asyncio.gather(*(ask_asgi_async(f"/mix-async/{n}/", app) for n in range(10)))

    with capture_events() as events:
        asyncio.run(main())
    assert_unmixed(events, 10)


def assert_unmixed(events: Any, count: int) -> None:
    assert len(events) == count
    for event in events:
        marker = event["exception"]["values"][-1]["value"]
        assert event["tags"] == {"marker": marker}
        assert event["request"]["url"].endswith(f"/{marker}/")
        crumbs = [crumb["message"] for crumb in event["breadcrumbs"]["values"] if crumb.get("category") is None]
        assert crumbs == [marker]


def test_a_streaming_answer_keeps_its_scope_until_the_last_byte() -> None:
    with capture_events() as events:
        ask_wsgi("/stream/")
    assert events[0]["transaction"] == "/stream/"


@pytest.mark.spec("FW-django-06", "DAT-16", "DAT-17")
@pytest.mark.parametrize("path", ["/user/", "/user-of-token/", "/lazy-user/?asked=1"])
@pytest.mark.parametrize("allowed", [False, True])
def test_the_user_that_django_has_loaded_is_told_where_that_is_allowed(allowed: bool, path: str) -> None:
    vedette.init(DSN, transport=MemoryTransport(), send_default_pii=allowed)
    with capture_events() as events:
        ask_wsgi(path)
    expected = {"id": 7, "email": "me@example.com", "username": "me"}
    assert events[0].get("user") == (expected if allowed else None)


def test_a_user_whom_nobody_has_asked_for_is_not_loaded() -> None:
    vedette.init(DSN, transport=MemoryTransport(), send_default_pii=True)
    with capture_events() as events:
        ask_wsgi("/lazy-user/")
    assert "user" not in events[0]


@pytest.mark.parametrize("ask", [ask_wsgi, Client(raise_request_exception=False).get])
def test_a_handler_of_500_that_fails_in_each_middleware_is_one_event_more(monkeypatch, ask: Any) -> None:
    def fail(request: Any) -> Any:
        raise ConnectionError("no database")

    def passing(get_response: Any) -> Any:
        return get_response

    monkeypatch.setattr(URLS, "handler500", fail, raising=False)
    urls.clear_url_caches()
    monkeypatch.setattr(sys.modules[__name__], "passing", passing, raising=False)
    with (
        override_settings(MIDDLEWARE=[f"{__name__}.passing"] * 4),
        capture_events() as events,
        suppress(ConnectionError),
    ):
        ask("/pay/3/")
    urls.clear_url_caches()
    found = [event["exception"]["values"][-1] for event in events]
    assert [(each["type"], each["value"]) for each in found] == [
        ("ValueError", "no stock of 3"),
        ("ConnectionError", "no database"),
    ]


@pytest.mark.spec("FW-common-23", "DAT-103")
def test_the_values_of_a_query_that_fails_are_hidden_in_its_frames() -> None:
    with capture_events() as events:
        ask_wsgi("/failing-query/")
    (event,) = events
    variables = [
        frame["vars"]
        for each in event["exception"]["values"]
        for frame in each["stacktrace"]["frames"]
        if str(frame["module"]).startswith("django.db.") and "vars" in frame
    ]
    assert any("nowhere" in str(each.get("sql")) for each in variables)
    assert any(each.get("params") == "[Filtered]" for each in variables)
    assert "s3cret" not in str(variables)


@pytest.mark.spec("FW-django-07", "FW-common-22", "FW-common-23")
def test_queries_are_breadcrumbs_with_placeholders() -> None:
    with capture_events() as events:
        ask_wsgi("/query/")
    crumbs = [crumb for crumb in events[0]["breadcrumbs"]["values"] if crumb.get("category") == "query"]
    assert [(crumb["message"], crumb["data"]) for crumb in crumbs] == [("SELECT %s", {"db.system": "sqlite"})]
    assert "s3cret" not in str(events[0]["breadcrumbs"])


def test_the_line_of_a_template_that_failed_is_a_frame() -> None:
    with capture_events() as events:
        ask_wsgi("/template/")
    frame = events[0]["exception"]["values"][-1]["stacktrace"]["frames"][-1]
    assert (frame["filename"], frame["lineno"], frame["context_line"]) == ("shop.html", 2, "{% for %}")
    assert (frame["pre_context"], frame["post_context"]) == (["a"], ["b"])


@pytest.mark.spec("PAIN-33")
def test_it_is_put_in_once_looks_like_the_original_and_is_taken_out_again() -> None:
    second = vedette.Client(DSN, transport=MemoryTransport())
    patched = wsgi_handler.WSGIHandler.__call__
    assert patched.__wrapped__ is PLAIN[0]
    assert inspect.signature(patched) == inspect.signature(PLAIN[0])
    assert inspect.iscoroutinefunction(asgi_handler.ASGIHandler.__call__)
    assert inspect.iscoroutinefunction(base.BaseHandler.get_response_async)
    vedette.get_client().close()
    vedette.get_global_scope().set_client(second)
    with capture_events() as events:
        ask_wsgi("/pay/3/")
    second.close()
    assert (wsgi_handler.WSGIHandler.__call__, base.BaseHandler.get_response, exception.response_for_exception) == PLAIN
    assert not [key for key, *_ in got_request_exception.receivers if key[0] == "vedette"]
    assert not connection.execute_wrappers
    assert len(events) == 1


def test_in_a_plain_middleware_there_is_one_event_and_it_knows_the_view() -> None:
    with capture_events() as events:
        ask_asgi("/async/3/", SentryAsgiMiddleware(get_asgi_application()))
    assert [event["transaction"] for event in events] == ["/async/<int:item>/"]


@pytest.mark.spec("PAIN-34", "FW-django-02", "FW-common-01")
def test_init_in_the_settings_imports_nothing_and_is_in_force_in_the_first_request() -> None:
    program = f"""
import sys, types, vedette
client = vedette.init({DSN!r})
assert not any(name.partition(".")[0] == "django" for name in sys.modules)
import django
assert client.get_integration("django") is not None
assert not any(name.startswith(("django.core.handlers", "django.db")) for name in sys.modules)
import django.core.handlers.wsgi
assert hasattr(django.core.handlers.wsgi.WSGIHandler.__call__, "__wrapped__")
client.close()
assert not hasattr(django.core.handlers.wsgi.WSGIHandler.__call__, "__wrapped__")
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)

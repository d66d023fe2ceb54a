"""A shop on Django that fails on purpose: each failure arrives once, with its request.

    SENTRY_DSN=http://key@127.0.0.1:8969/1 python examples/django/fails.py

It serves itself on a free port, sends itself requests, and ends. The whole project stands in this file.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from typing import Any
from wsgiref.simple_server import make_server

import vedette

vedette.init(release="shop@1.0")  # in a project: in its settings

from django.conf import settings  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import Http404, HttpRequest, HttpResponse  # noqa: E402
from django.shortcuts import render  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402

# What arrives, by the name of the transaction: the route; where a middleware fails before it is known, the path.
FAILURES = {
    "KeyError: 'AT'": "/pay/<article>",
    "ZeroDivisionError: division by zero": "/basket",
    "PermissionError: no clerk at the counter": "/counter",
}
REQUESTS = {
    "KeyError: 'AT'": "POST /pay/lamp",
    "ZeroDivisionError: division by zero": "GET /basket",
    "PermissionError: no clerk at the counter": "GET /counter",
}
BREADCRUMBS = {"KeyError: 'AT'": "query"}

VAT = {"DE": 0.19, "FR": 0.20}


class Basket:
    """What the template asks."""

    prices: tuple[float, ...] = ()

    def average(self) -> float:
        """Per article."""
        return sum(self.prices) / len(self.prices)


@csrf_exempt
def pay(request: HttpRequest, article: str) -> HttpResponse:
    order = json.loads(request.body)
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", [article])
    vedette.set_tag("country", order["country"])
    return HttpResponse(order["price"] * (1 + VAT[order["country"]]))


def basket(request: HttpRequest) -> HttpResponse:
    return render(request, "basket.html", {"basket": Basket()})


def page(request: HttpRequest) -> HttpResponse:
    raise Http404  # an answer, not a failure


def closed(get_response: Any) -> Any:
    """A middleware."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.path == "/counter":
            raise PermissionError("no clerk at the counter")
        return get_response(request)

    return answer


urlpatterns = [path("pay/<article>", pay), path("basket", basket), path("page", page)]
TEMPLATES = {"basket.html": "<h1>Your basket</h1>\n<p>{{ basket.average }} on average</p>\n"}

settings.configure(
    ROOT_URLCONF=__name__,
    SECRET_KEY="made up",
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    MIDDLEWARE=[f"{__name__}.closed"],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", TEMPLATES)]},
        }
    ],
)


def ask(url: str, body: dict[str, Any] | None = None) -> None:
    data = None if body is None else json.dumps(body).encode()
    try:
        request = urllib.request.Request(
            url, data, {"Content-Type": "application/json", "Authorization": "Bearer s3cret"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            print(url, answer.status)
    except urllib.error.HTTPError as error:
        print(url, error)


def main() -> None:
    with make_server("127.0.0.1", 0, get_wsgi_application()) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        base = f"http://127.0.0.1:{server.server_port}"
        ask(f"{base}/pay/lamp", {"country": "DE", "price": 10})  # goes well
        ask(f"{base}/pay/lamp", {"country": "AT", "price": 10, "password": "s3cret"})
        ask(f"{base}/basket")
        ask(f"{base}/counter")
        ask(f"{base}/page")
        server.shutdown()
        thread.join()


if __name__ == "__main__":
    main()

"""Django: what its views and middleware raise, with the request and the view (FW-django).

``integration.py`` is the integration, ``requests.py`` what a request says of itself, ``routes.py`` how a URL pattern
reads, ``queries.py`` the breadcrumbs of the database, ``templates.py`` the line of a template that failed.
"""

from __future__ import annotations

from vedette.integrations.django.integration import DjangoIntegration

__all__ = ["DjangoIntegration"]

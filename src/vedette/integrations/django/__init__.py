"""Django: what its views and middleware raise, with the request and the view (FW-django).

``_integration.py`` is the integration, ``_requests.py`` what a request says of itself, ``_routes.py`` how a URL pattern
reads, ``_queries.py`` the breadcrumbs of the database, ``_templates.py`` the line of a template that failed.
"""

from __future__ import annotations

from vedette.integrations.django._integration import DjangoIntegration

__all__ = ["DjangoIntegration"]

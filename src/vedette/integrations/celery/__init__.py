"""Celery: what fails in tasks, by Celery's own signals; nothing of Celery's is patched (PAIN-11).

What counts as a failure is what Celery sends ``task_failure`` for: an exception that ends a task, a soft time limit
that nobody caught, and, from the worker's main process, a time limit or a lost process. Not what a task says to Celery
by raising (``Retry``, ``Ignore``, ``Reject``), and not what it announced in ``throws``. A task that is tried again has
not failed yet.

``_integration.py`` is the integration and what listens to Celery, ``_runs.py`` the scope of a task, ``_failures.py``
what is captured, and which log records repeat that.
"""

from __future__ import annotations

from vedette.integrations.celery._integration import CeleryIntegration

__all__ = ["CeleryIntegration"]

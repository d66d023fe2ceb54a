"""What scopes are asked for by code that traces and has sessions, without either."""

from __future__ import annotations

from vedette._late import late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

    from vedette import _noops as noops
    from vedette._noops import spans
    from vedette._noops.spans import NoOpSpan, Span, StreamedSpan, Transaction
else:
    noops = late("vedette._noops")
    spans = late("vedette._noops.spans")

_TRACING: Final = "tracing is"
_SESSIONS: Final = "sessions are"


class UnbuiltOnScopes:
    """The methods of `Scope` that do nothing yet: tracing, profiles and sessions are not built."""

    __slots__ = ()

    @property
    def span(self) -> Span | None:
        """A span that is not recorded. One that is assigned is not kept."""
        noops.not_built(_TRACING, "Scope.span")
        return spans.NoOpSpan()

    @span.setter
    def span(self, span: Span | None) -> None:
        noops.not_built(_TRACING, "Scope.span")

    @property
    def streamed_span(self) -> StreamedSpan | None:
        """A span that is not recorded. One that is assigned is not kept."""
        noops.not_built(_TRACING, "Scope.streamed_span")
        return spans.StreamedSpan()

    @streamed_span.setter
    def streamed_span(self, span: StreamedSpan | None) -> None:
        noops.not_built(_TRACING, "Scope.streamed_span")

    @property
    def profile(self) -> Any | None:
        """None: there are no profiles. One that is assigned is not kept."""
        return None

    @profile.setter
    def profile(self, profile: Any | None) -> None:
        noops.not_built("profiles are", "Scope.profile")

    def start_transaction(
        self,
        transaction: Transaction | None = None,
        instrumenter: str = "sentry",
        custom_sampling_context: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Transaction | NoOpSpan:
        """A transaction that is not recorded: tracing is not built yet."""
        noops.not_built(_TRACING, "Scope.start_transaction")
        return spans.Transaction() if transaction is None else transaction

    def start_span(self, instrumenter: str = "sentry", **kwargs: Any) -> Span:
        """A span that is not recorded: tracing is not built yet."""
        noops.not_built(_TRACING, "Scope.start_span")
        return spans.NoOpSpan()

    def start_streamed_span(
        self,
        name: str,
        attributes: dict[str, Any] | None,
        parent_span: StreamedSpan | None,
        active: bool,  # noqa: FBT001 - the unified API's signature
    ) -> StreamedSpan:
        """A span that is not recorded: tracing is not built yet."""
        noops.not_built(_TRACING, "Scope.start_streamed_span")
        return spans.StreamedSpan()

    @classmethod
    def set_custom_sampling_context(cls, custom_sampling_context: dict[str, Any]) -> None:  # noqa: ARG003 - a signature is all there is
        """Do nothing: tracing is not built yet."""
        noops.not_built(_TRACING, "Scope.set_custom_sampling_context")

    def start_session(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: sessions are not built yet."""
        noops.not_built(_SESSIONS, "Scope.start_session")

    def end_session(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: sessions are not built yet."""
        noops.not_built(_SESSIONS, "Scope.end_session")

    def stop_auto_session_tracking(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: sessions are not built yet."""
        noops.not_built(_SESSIONS, "Scope.stop_auto_session_tracking")

    def resume_auto_session_tracking(self) -> None:
        """Do nothing: sessions are not built yet."""
        noops.not_built(_SESSIONS, "Scope.resume_auto_session_tracking")

"""Every option once: type, range, default, environment variable, one line of help (CFG rows, public-api.md B2).

``docs/options.md`` is made of this table (tools/options_page.py), ``vedette.types.Options`` is compared with it by
a test. Options of features that are to come stand in ``awaiting.py``.
"""

from __future__ import annotations

from vedette._late import late
from vedette._options import checks
from vedette._options.awaiting import AWAITING, DEPRECATED
from vedette._options.option import Group, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from vedette._options import nested
else:
    nested = late("vedette._options.nested")

_WHERE: Final = Group(
    "Where to",
    "",
    Option(
        "dsn",
        checks.DSN.or_none(),
        None,
        "Where to send to. Empty or None: vedette does nothing. A malformed DSN raises, wherever it comes from.",
        env="SENTRY_DSN",
    ),
    Option("transport", checks.TRANSPORT.or_none(), None, "Your own `Transport`, as instance or class."),
    Option(
        "transport_queue_size",
        checks.whole(1, 1_000_000),
        10_000,
        "Events that may wait in memory; then the oldest goes, and is counted. All of them together: 16 MiB.",
    ),
    Option(
        "shutdown_timeout",
        checks.SECONDS,
        2.0,
        "Seconds that the end of the program may wait for delivery; also the default of `flush` and `close`.",
    ),
    Option("send_client_reports", checks.BOOLEAN, True, "Tell the server how many items were dropped, and why."),
    Option(
        "max_connections",
        checks.whole(1, 100),
        4,
        "Requests that may be on their way at once, while several errors wait for a server that takes its time.",
    ),
    Option(
        "cache_dir",
        checks.FOLDER.or_none(),
        None,
        "Folder for what was captured and not yet delivered: errors are on disk when the capture returns, and survive "
        "a kill. Made if it is missing; several processes may share it. Empty or None: nothing is written to disk. See "
        "[journal.md](journal.md).",
    ),
    Option(
        "cache_max_bytes",
        checks.whole(1, 1024**4, " (bytes)"),
        64 * 1024 * 1024,
        "Bytes that one process may keep there; then the oldest goes, and is counted.",
    ),
    Option("cache_max_items", checks.whole(1, 1_000_000), 10_000, "Items that one process may keep there."),
    Option(
        "cache_max_age",
        checks.whole(1, 10 * 366 * 86_400, " (seconds)"),
        14 * 86_400,
        "Seconds after which they are given up: 14 days.",
    ),
    Option(
        "warm",
        checks.BOOLEAN,
        False,
        "Import what sending needs at `init` (60 ms), not on the first event's way. Always so with `cache_dir`, and "
        "under uWSGI.",
    ),
    Option(
        "compression",
        checks.one_of("gzip", "br", "zstd"),
        "gzip",
        "How bodies are compressed. `br` and `zstd` need the extra of that name, and a server that knows them.",
    ),
)

_NETWORK: Final = Group(
    "Proxy, certificates, sockets",
    "",
    Option(
        "request_timeout",
        checks.number(0.1, 30.0, " (seconds)").or_none(),
        None,
        "Seconds that one request may take in all, and one more for each MiB of attachments.",
        absent="30",
    ),
    Option(
        "proxy",
        checks.PROXY.or_none(),
        None,
        "Proxy for all servers, before the two below. Empty: none, whatever they and the environment say. "
        "`socks5://` needs the extra `socks`. `no_proxy` wins over all of them.",
        also=("no_proxy",),
    ),
    Option(
        "http_proxy",
        checks.PROXY.or_none(),
        None,
        "Proxy for all servers that `https_proxy` does not speak of. Empty: none, whatever the environment says.",
        also=("http_proxy", "no_proxy"),
    ),
    Option(
        "https_proxy",
        checks.PROXY.or_none(),
        None,
        "Proxy for https servers; before `http_proxy`.",
        also=("https_proxy", "no_proxy"),
    ),
    Option("proxy_headers", checks.HEADERS.or_none(), None, "Headers for an http or https proxy."),
    Option(
        "ssl_context",
        checks.SSL_CONTEXT.or_none(),
        None,
        "Your own `ssl.SSLContext`, used as it is. The certificate options and variables below are not used then.",
    ),
    Option(
        "ca_certs",
        checks.PATH.or_none(),
        None,
        "File or folder of the CA certificates to trust.",
        absent="those of the system and of certifi",
        also=("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
    ),
    Option("cert_file", checks.PATH.or_none(), None, "File of the client certificate.", env="CLIENT_CERT_FILE"),
    Option("key_file", checks.PATH.or_none(), None, "File of its key; needs `cert_file`.", env="CLIENT_KEY_FILE"),
    Option(
        "keep_alive",
        checks.BOOLEAN.or_none(),
        None,
        "TCP keep-alive probes, the first after 45 s of silence.",
        env="SENTRY_KEEP_ALIVE",
        absent="on",
    ),
    Option("socket_options", checks.SOCKET_OPTIONS.or_none(), None, "Further options of each connection's socket."),
)

_PROGRAM: Final = Group(
    "What your program is",
    "Names that servers would take out of the event are refused here, with the reason; blanks at their ends are cut.",
    Option(
        "release",
        checks.RELEASE.or_none(),
        None,
        "Version of your program: at most 200 bytes, no slashes, not `latest`. None: no release.",
        env="SENTRY_RELEASE",
        absent="the commit of the git repository around `project_root`, else what the platform says (see below)",
    ),
    Option(
        "environment",
        checks.ENVIRONMENT.or_none(),
        None,
        "`production`, `staging`, ...: at most 64 bytes, no slashes, not `None`.",
        env="SENTRY_ENVIRONMENT",
        absent="`production`",
    ),
    Option("dist", checks.DIST.or_none(), None, "Variant of the release: at most 64 of `A-Z a-z 0-9 _ . -`."),
    Option("server_name", checks.NAME.or_none(), None, "Name of this host.", absent="the system's host name"),
    Option(
        "project_root",
        checks.FOLDER.or_none(),
        None,
        "Folder of your code: what lies in it is yours.",
        absent="the working directory at `init`",
    ),
    Option("in_app_include", checks.STRINGS, (), "Modules, and what is below them, that are yours."),
    Option("in_app_exclude", checks.STRINGS, (), "Modules, and what is below them, that are not yours."),
)

_SHARE: Final = Group(
    "How much is sent",
    "What is sampled out or ignored leaves no word behind, only a count in `client.stats()` and in client reports.",
    Option(
        "sample_rate",
        checks.RATE,
        1.0,
        "Share of error events that is sent: 0.25 is one in four.",
        env="SENTRY_SAMPLE_RATE",
    ),
    Option(
        "error_sampler",
        checks.CALLBACK.or_none(),
        None,
        "Called with (event, hint); returns the share of such errors that is sent, instead of `sample_rate`.",
    ),
    Option(
        "ignore_errors",
        checks.ERROR_MATCHERS,
        (),
        "Errors that are not sent: classes (with their subclasses), names (`ValueError`, `shop.OrderError`), or "
        "compiled patterns that are searched for in `Type: message`.",
    ),
)

_HOOKS: Final = Group(
    "Hooks",
    "Plain functions, called where the item is captured. One that raises, or returns what it should not, drops the "
    "item, and vedette warns of it. An async function is refused.",
    Option("before_send", checks.CALLBACK.or_none(), None, "Called with (event, hint); returns the event, or None."),
    Option(
        "before_breadcrumb",
        checks.CALLBACK.or_none(),
        None,
        "Called with (crumb, hint); returns the crumb to keep, or None.",
    ),
    Option(
        "before_send_feedback",
        checks.CALLBACK.or_none(),
        None,
        "Called with (event, hint) for user feedback; returns the event, or None.",
    ),
)

_EVENTS: Final = Group(
    "What an event carries",
    "",
    Option("max_breadcrumbs", checks.whole(0, 10_000), 100, "Breadcrumbs kept; the oldest goes first."),
    Option("attach_stacktrace", checks.BOOLEAN, False, "Send the stack with messages, too."),
    Option(
        "add_full_stack",
        checks.BOOLEAN,
        False,
        "Send also the frames that called the one which caught the error.",
    ),
    Option(
        "max_stack_frames",
        checks.whole(1, 1000).or_none(),
        100,
        "Frames kept of a stack: the oldest 20, and the newest. None: 1000.",
    ),
    Option(
        "include_local_variables",
        checks.BOOLEAN.or_none(),
        True,
        "Send the variables of each frame (None: as True).",
    ),
    Option(
        "include_source_context",
        checks.BOOLEAN.or_none(),
        True,
        "Send the source lines around each frame's line (None: as True).",
    ),
    Option(
        "max_value_length",
        checks.whole(16, 1_000_000).or_none(),
        None,
        "Characters of one string.",
        absent="1024 in variables, 8192 in messages and exception values",
    ),
    Option(
        "custom_repr",
        checks.CALLBACK.or_none(),
        None,
        "Called with a value; returns how it is shown, or None to leave that to vedette.",
    ),
    Option(
        "max_attachment_size",
        checks.whole(0, 1 << 40, " (bytes)"),
        20 * 1024 * 1024,
        "Bytes of one attachment; a larger one is dropped, and counted.",
        absent="20971520 (20 MiB)",
    ),
)

_PRIVACY: Final = Group(
    "Privacy",
    "",
    Option(
        "send_default_pii",
        checks.BOOLEAN.or_none(),
        None,
        "Send what identifies your users: addresses, cookies, user names. `data_collection` says it in detail.",
        absent="off",
    ),
    Option(
        "data_collection",
        checks.Check("a dict", lambda value: nested.data_collection(value)).or_none(),  # noqa: PLW0108 - loads it then
        None,
        "What is collected, by category. Its keys: `user_info`, `cookies`, `http_headers`, `http_bodies`, "
        "`query_params`, `gen_ai`, `stack_frame_variables`, `frame_context_lines`.",
    ),
    Option("event_scrubber", checks.SCRUBBER.or_none(), None, "An `EventScrubber` of your own."),
)

_INTEGRATIONS: Final = Group(
    "Integrations",
    "",
    Option("integrations", checks.INTEGRATION_INSTANCES, (), "Integrations, besides the default ones."),
    Option("default_integrations", checks.BOOLEAN, True, "Whether the default integrations are set up."),
    Option(
        "disabled_integrations",
        checks.INTEGRATIONS.or_none(),
        None,
        "Integrations, or their classes, that are left out.",
    ),
    Option(
        "auto_enabling_integrations",
        checks.BOOLEAN,
        True,
        "Whether the integrations of libraries are set up once the program has imported these.",
    ),
    Option(
        "max_request_body_size",
        checks.one_of("never", "small", "medium", "always"),
        "medium",
        "Up to which size bodies of requests are sent: none, 4 kB, 10 kB, or any.",
    ),
    Option(
        "capture_failed_requests",
        checks.BOOLEAN,
        False,
        "Whether answers to outgoing requests that are failures are events (http.client, HTTPX, aiohttp).",
    ),
    Option(
        "failed_request_status_codes",
        checks.STATUS_RANGES,
        (range(500, 600),),
        "Which answers count as failed.",
        absent="`[range(500, 600)]`",
    ),
    Option(
        "failed_request_targets",
        checks.TARGETS,
        (".*",),
        "URLs of outgoing requests that are looked at: patterns.",
    ),
    Option(
        "context_tags",
        checks.STRINGS,
        (),
        "Names of values given to a logging library (`extra=`, bound values) that become tags of its events.",
    ),
)

_SPOTLIGHT: Final = Group(
    "Spotlight",
    "See [Spotlight](spotlight.md).",
    Option(
        "spotlight",
        checks.SPOTLIGHT.or_none(),
        None,
        "Show all that is captured in a local Spotlight as well, with or without a DSN: True (at "
        "`http://localhost:8969/stream`, or where the variable says), or its URL. None: as the variable says.",
        env="SENTRY_SPOTLIGHT",
        absent="off",
    ),
)

_DEBUG: Final = Group(
    "Debug mode",
    "With `debug=True`, vedette writes to stderr what it does and what goes wrong: misconfigurations, hooks that "
    "fail, trouble in sending. Otherwise it never writes to stderr or stdout. It speaks through the logger `vedette`: "
    "where your program configures `logging`, a warning for each kind of loss is heard without debug mode.",
    Option("debug", checks.BOOLEAN.or_none(), False, "Write to stderr (None: as False).", env="SENTRY_DEBUG"),
    Option(
        "diagnostic_level",
        checks.one_of("debug", "info", "warning", "error", "fatal"),
        "debug",
        "How much debug mode writes: messages of this level and above.",
        env="VEDETTE_DIAGNOSTIC_LEVEL",
    ),
)

_EXPERIMENTS: Final = Group(
    "Experiments",
    "",
    Option(
        "_experiments",
        checks.Check("a dict", lambda value: nested.experiments(value)).or_none(),  # noqa: PLW0108
        {},
        "The experimental options of sentry-sdk 2.x. Those that are options now are taken as such, and you are told; "
        "the others have no effect. An unknown name raises.",
    ),
)

GROUPS: Final = (
    _WHERE,
    _NETWORK,
    _PROGRAM,
    _SHARE,
    _HOOKS,
    _EVENTS,
    _PRIVACY,
    _INTEGRATIONS,
    _SPOTLIGHT,
    _DEBUG,
    *AWAITING,
    _EXPERIMENTS,
    DEPRECATED,
)
OPTIONS: Final = tuple(option for group in GROUPS for option in group.options)
BY_NAME: Final[Mapping[str, Option]] = {option.name: option for option in OPTIONS}

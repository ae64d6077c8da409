"""Hypothesis' way to make texts that fit a field, nearly do, or would break out of a file; and registries of them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from tests.features.texts.find import VPS
from tests.features.texts.forms import STRATEGIES
from tests.publisher.pipeline.parsing import Texts, having
from tests.registries import addresses

BREAKERS = [
    *(
        "a`) || Host(`b",
        "{{ env `HOME` }}",
        'x"}, "y": {"',
        "# END routecast",
        "a\n127.0.0.1\tb",
        "a\r",
        "\x00",
        "\x1b[2J",
    ),
    *(
        "@",
        " @ ",
        "*",
        "*.example.com",
        "-a",
        "a-",
        "a..b",
        ".",
        "xn--",
        "xn--a",
        "a_b",
        "a/../b",
        "%2e",
        "\\",
        "\u2028",
    ),
    *(
        "bücher",
        "BÜCHER.Example.",
        "例え。テスト",
        "ß",
        "K",
        "İ",
        "ﬁ",
        "a\u200db",
        "\u0301",
        "א.a",
        "\ufeffa",
        "\udcff",
    ),
    *(
        "100.067.1.1",
        "FD7A:0::0001",
        "::ffff:1.2.3.4",
        "fe80::1%eth0",
        "::",
        "224.0.0.1",
        "1.2.3",
        "[::1]",
        "1.2.3.4:80",
    ),
    *("80", "080", "80.0", "8e1", "٨٠", "-1", "65536", "true", " TRUE", "None", "null", "[]"),
    *(
        "http",
        "HTTPS ",
        "http://a",
        "round-robin",
        "Primary-Backup ",
        "geo",
        "a@file",
        "a@file, B_c@docker",
        "a@file\n",
    ),
    *(
        "immich",
        "grafana",
        "laptop",
        "vps-1",
        "curiios.com",
        " Curiios.COM.",
        VPS,
        f"{VPS} ,",
        "Vinay's MacBook",
        "node-",
    ),
    *("a" * 63, "a" * 64, ".".join(["a" * 60] * 4), ".".join(["a" * 63] * 4), "a." * 120 + "a", "a" * 301, "é" * 253),
]
_pieces = st.sampled_from([*BREAKERS, *" \t\n.-`\"'#,@A9", "\r\n", "\u00a0"])
_every_letter = st.characters(categories=["L", "M", "N", "P", "S", "Z", "C"])

labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
names = st.lists(labels, min_size=1, max_size=4).map(".".join)
middlewares = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,12}[A-Za-z0-9])?@[a-z0-9]{1,8}", fullmatch=True)

any_text = st.one_of(
    st.sampled_from(BREAKERS),
    st.lists(_pieces, max_size=4).map("".join),
    st.text(_every_letter, max_size=20),
    st.text("abz09.-_ @:", max_size=20),
    st.builds(
        lambda text, before, behind: f"{before}{text}{behind}",
        names | addresses | middlewares,
        *[st.sampled_from(["", " ", "\n", ".", ","])] * 2,
    ),
)
"""Half surrogates too: a byte that is no UTF-8 in a command's arguments is one."""

_text = any_text.map(lambda text: text.encode(errors="ignore").decode())
"""Without them: one in a document makes all of it unreadable."""
_values: st.SearchStrategy[Any] = _text | st.sampled_from(
    [None, True, 0, 80, 1.5, 1 << 70, [], {}, ["a", None], {"a": 1}]
)


def _right_but(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Make an entry that is right but for a field or two: one that is wrong all over never gets to a node."""
    none: st.SearchStrategy[dict[str, Any]] = st.just({})
    wrong = none | st.dictionaries(st.sampled_from([*fields, "x"]), _values, max_size=2)
    return st.builds(lambda right, changed: {**right, **changed}, st.fixed_dictionaries(fields), wrong)


def _keyed(names: st.SearchStrategy[str], entries: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Make an object, now and then with an entry that is wrong all over."""
    none: st.SearchStrategy[dict[str, Any]] = st.just({})
    odd = none | st.dictionaries(_text, entries | _values, max_size=1)
    return st.builds(lambda right, wrong: {**right, **wrong}, st.dictionaries(names, entries, max_size=4), odd)


_services = _right_but(
    subdomain=labels | st.just("@"),
    ip=addresses,
    port=st.integers(1, 65535),
    public=st.just(True),
    scheme=st.sampled_from(["http", "https"]),
    middlewares=st.lists(middlewares, max_size=2),
    namespace=_text,
)
_domains = _keyed(st.sampled_from(["a.example", "Bücher.Example.", "b"]) | names, _right_but(description=_text))
_nodes = st.lists(_right_but(ip=addresses, name=_text, label=_text), max_size=2)


@st.composite
def registries(draw: st.DrawFn) -> Texts:
    """Make the texts of a registry in which anything may stand anywhere, and most is right."""
    services, domains = draw(_keyed(labels, _services)), draw(_domains)
    routed = _right_but(domains=st.just([*domains]), vps_nodes=st.just([VPS]), strategy=st.sampled_from(STRATEGIES))
    return having(
        services_json=json.dumps(services),
        domains_json=json.dumps(
            {"domains": domains, "vps_nodes": [{"tailscale_ip": VPS}, *draw(st.lists(_values, max_size=1))]}
        ),
        routing_json=json.dumps({name: draw(routed) for name in services}),
        registry_json=json.dumps({"management_laptops": draw(_nodes), "vps_nodes": [{"ip": VPS, "name": "vps-1"}]}),
    )


def places(value: Any) -> Iterator[Callable[[str], None]]:
    """Yield what puts a text in the place of each key and each value, however deep."""
    items = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    for key, item in items:

        def put(text: str, key: Any = key) -> None:
            value[key] = text

        def rename(text: str, key: Any = key) -> None:
            value[text] = value.pop(key)

        yield put
        if isinstance(value, dict):
            yield rename
        yield from places(item)

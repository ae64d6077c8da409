from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import values


@pytest.mark.parametrize(
    ("check", "text", "value"),
    [
        (values.dns_name, " Photos.Example.COM. ", "photos.example.com"),
        (values.dns_name, "bücher.example", "xn--bcher-kva.example"),
        (values.subdomain, "@", ""),
        (values.subdomain, "", ""),
        (values.subdomain, "A.b", "a.b"),
        (values.address, " 100.67.1.20 ", "100.67.1.20"),
        (values.address, "FD7A:115C:A1E0:0::10", "fd7a:115c:a1e0::10"),
        (values.node_name, "vinay-laptop", "vinay-laptop"),
        (values.middleware, "authelia@file", "authelia@file"),
        (values.entry_name, "open web ui", "open web ui"),
    ],
)
def test_what_is_valid_comes_out_in_its_one_form(check: Callable[[str], str], text: str, value: str) -> None:
    """Every text has one form, whatever the case, blanks or dots it was written with."""
    assert check(text) == value


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (values.dns_name, ""),
        (values.dns_name, "a..b"),
        (values.dns_name, "-a"),
        (values.dns_name, "a_b"),
        (values.dns_name, "a b"),
        (values.dns_name, "a`b"),
        (values.dns_name, "a\nb"),
        (values.dns_name, "ü" * 70),
        (values.dns_name, "x" * 64),
        (values.dns_name, ".".join(["abcdefghi"] * 26)),
        (values.address, "100.67.243.300"),
        (values.address, "0.0.0.0"),  # noqa: S104 - nothing is bound
        (values.address, "ff02::1"),
        (values.address, "fe80::1%eth0"),
        (values.address, "host"),
        (values.node_name, "Vinay's MacBook"),
        (values.node_name, "a."),
        (values.middleware, "authelia"),
        (values.middleware, "a`@file"),
        (values.entry_name, ""),
        (values.entry_name, " a"),
        (values.entry_name, "a\nb"),
    ],
)
def test_what_is_not_valid_is_refused_with_the_text_in_the_message(check: Callable[[str], str], text: str) -> None:
    """A refused text is named, so that it can be found and mended."""
    with pytest.raises(ValueError, match="is not") as caught:
        check(text)
    assert repr(text) in str(caught.value)


@given(st.text())
def test_no_text_gets_through_as_anything_but_a_name(text: str) -> None:
    """Whatever is accepted as a DNS name holds only what may stand in a rule, a file or a subject."""
    try:
        name = values.dns_name(text)
    except ValueError:
        return
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert values.dns_name(name) == name

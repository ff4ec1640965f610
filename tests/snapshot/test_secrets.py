"""Known formats are found; what only looks like one is not."""

from __future__ import annotations

import base64
import hashlib
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellship.snapshot.secret_files import is_secret_name
from cellship.snapshot.secrets import find_secrets

LETTERS = string.ascii_letters + string.digits


def token(length: int, alphabet: str = LETTERS) -> str:
    """Random, and put together here so that no scanner takes this file for a leak."""
    return "".join(random.Random(length).choices(alphabet, k=length))


SECRETS = {
    "AWS access key": "AKIA" + token(16, string.ascii_uppercase + "234567"),
    "AWS secret key": f'aws_secret_access_key = "{token(40)}"',
    "Anthropic key": "sk-ant-" + "api03-" + token(93),
    "GitHub token": "ghp_" + token(36),
    "GitLab token": "glpat-" + token(20),
    "Google API key": "AIza" + token(35),
    "Hugging Face token": "hf_" + token(34, string.ascii_letters),
    "OpenAI key": "sk-proj-" + token(60),
    "Slack token": "xoxb-" + token(12, string.digits) + "-" + token(24),
    "Stripe key": "sk_live_" + token(24),
    "npm token": "npm_" + token(36),
    "password in an address": f"postgresql://ann:{token(12)}@db.corp.net/sales",
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----\n" + token(64) + "\n",
    "JSON web token": ".".join(
        base64.urlsafe_b64encode(part).decode().rstrip("=")
        for part in (b'{"alg":"HS256"}', b'{"sub":"1234567890"}', b"x9y8z7w6v5u4t3s2r1q0" * 2)
    ).replace("MTIzNDU2Nzg5MC", "OTg3NjU0MzIxMC"),
}


@pytest.mark.parametrize("kind", SECRETS)
def test_each_kind_is_found_with_its_line_and_not_shown(kind: str) -> None:
    text = f"import os\n\nKEY = '{SECRETS[kind]}'\n"
    (found,) = find_secrets(text)
    assert (found.kind, found.line) == (kind, 3)
    assert len(found.masked) < 10


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "key = 'sk-...'",
        "OPENAI_API_KEY = os.environ['OPENAI_API_KEY']",
        "postgresql://scott:tiger@localhost/test",
        "postgresql://postgres:postgres@db/test",
        "f'postgresql://{user}:{password}@{host}/x'",
        "https://user:password@host.com/",
        '"-----BEGIN PRIVATE KEY-----" in text',
        "risk-" + "a1b2c3" * 8,
        hashlib.sha256(b"x").hexdigest(),
        hashlib.blake2b(b"x").hexdigest(),
        base64.b64encode(random.Random(1).randbytes(3000)).decode(),
        "ghp_" + "x" * 36,
        "hf_hub_download(repo_id='a/b', filename='c')",
        "http://127.0.0.1:8000/a@b",
    ],
)
def test_what_only_looks_like_one_is_left_alone(text: str) -> None:
    assert find_secrets(text) == ()


def test_findings_come_in_the_order_of_their_lines() -> None:
    text = "\n".join(SECRETS.values())
    lines = [found.line for found in find_secrets(text)]
    assert lines == sorted(lines)
    assert len(lines) == len(SECRETS)


@given(st.text())
def test_any_text_can_be_searched(text: str) -> None:
    find_secrets(text)


@pytest.mark.parametrize("name", [".env", ".env.local", "id_rsa", "server.pem", ".netrc", "a.KEY"])
def test_files_of_secrets_are_known_by_name(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["model.pkl", "environment.py", "cacert.pem", ".env.example"])
def test_other_files_are_not(name: str) -> None:
    assert not is_secret_name(name)

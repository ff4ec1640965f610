"""Formats of secrets that carry their own mark."""

from __future__ import annotations

import re
from dataclasses import dataclass

PASSWORD = "password in an address"


@dataclass(frozen=True)
class Format:
    """A kind of secret: words of which one must be in the text, and the whole pattern."""

    kind: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]


def _format(kind: str, marks: str, pattern: str) -> Format:
    return Format(kind, tuple(marks.split()), re.compile(pattern))


FORMATS: tuple[Format, ...] = (
    _format("AWS access key", "AKIA ASIA ABIA ACCA", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    _format(
        "AWS secret key",
        "aws AWS",
        r"(?i:aws.{0,20}secret.{0,20})[\"'\s:=]+[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])",
    ),
    _format("Anthropic key", "sk-ant-", r"\bsk-ant-[a-z0-9]+-[A-Za-z0-9_-]{32,}"),
    _format("Azure storage key", "AccountKey=", r"\bAccountKey=[A-Za-z0-9+/]{86}=="),
    _format("Databricks token", "dapi", r"\bdapi[0-9a-f]{32}\b"),
    _format("DigitalOcean token", "_v1_", r"\bdo[opr]_v1_[0-9a-f]{64}\b"),
    _format("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"\bgh[pousr]_[A-Za-z0-9]{36,251}\b"),
    _format("GitHub token", "github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{82}\b"),
    _format(
        "GitLab token",
        "glpat- gldt- glrt- glcbt- glptt- glft- glsoat-",
        r"\bgl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_-]{20,}",
    ),
    _format("Google API key", "AIza", r"\bAIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])"),
    _format(
        "Google OAuth secret",
        "GOCSPX- ya29.",
        r"\b(?:GOCSPX-[A-Za-z0-9_-]{28}|ya29\.[0-9A-Za-z_-]{40,})",
    ),
    _format("Groq key", "gsk_", r"\bgsk_[A-Za-z0-9]{48,}\b"),
    _format("Hugging Face token", "hf_ api_org_", r"\b(?:hf|api_org)_[A-Za-z]{34}\b"),
    _format(
        "JSON web token",
        "eyJ",
        r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
    ),
    _format(
        "OpenAI key",
        "sk-",
        r"\bsk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{40,}"
        r"|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|[A-Za-z0-9]{48})(?![A-Za-z0-9])",
    ),
    _format("PyPI token", "pypi-AgE", r"\bpypi-AgE[A-Za-z0-9_-]{60,}"),
    _format("Replicate token", "r8_", r"\br8_[A-Za-z0-9]{37}\b"),
    _format("SendGrid key", "SG.", r"\bSG\.[\w-]{22}\.[\w-]{43}\b"),
    _format(
        "Shopify token", "shpat_ shpca_ shppa_ shpss_", r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b"
    ),
    _format("Slack token", "xox", r"\bxox[abeoprs]-[0-9A-Za-z-]{20,}"),
    _format(
        "Slack webhook",
        "hooks.slack.com",
        r"hooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{20,}",
    ),
    _format(
        "Stripe key",
        "k_live_ k_test_ whsec_",
        r"\b(?:[sr]k_(?:live|test)_[A-Za-z0-9]{20,}|whsec_[A-Za-z0-9]{32,})\b",
    ),
    _format("Telegram bot token", ":AA", r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b"),
    _format("npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    _format(
        PASSWORD,
        "://",
        r"://(?P<user>[^\s/:@\"'<>]{1,64}):(?P<password>[^\s/@\"'<>]{3,128})@(?P<host>[^\s/:\"'<>]+)",
    ),
    _format(
        "private key",
        "PRIVATE KEY",
        r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\\[nr]|\s)+[A-Za-z0-9+/=:,\s-]{16,}",
    ),
)

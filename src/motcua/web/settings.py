"""Settings of every door. Secrets come from files or the environment, never from here."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from motcua.web import links, logs, mail

HOME = Path(os.environ.get("MOTCUA_HOME", "var")).resolve()


def database(url: str | None, embedded: Path) -> dict[str, Any]:
    """A database from its URL (`postgres://…`), or the embedded SQLite file."""
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(embedded),
            "TEST": {"NAME": str(embedded.with_suffix(".test.sqlite3"))},  # a file: writers wait for each other
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
                " PRAGMA temp_store=MEMORY;",
            },
        }
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or options.pop("host", ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
        "OPTIONS": options,  # libpq's: sslmode, sslrootcert
    }


def _mirror_url() -> str | None:
    if url := os.environ.get("MIRROR_DATABASE_URL"):
        return url
    if url := os.environ.get("DATABASE_URL"):
        parts = urlsplit(url)
        return parts._replace(path=parts.path + "_mirror").geturl()
    return None


def _secret_key() -> str:
    if key := os.environ.get("MOTCUA_SECRET_KEY"):
        return key
    file = HOME / "secret.key"
    if not file.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        # Two commands may come first together: the key of whichever links it first is the key of both, and whole.
        draft = HOME / f"secret.{os.getpid()}"
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as key_file:
            key_file.write(secrets.token_urlsafe(50))
        with suppress(FileExistsError):
            file.hardlink_to(draft)
        draft.unlink()
    return file.read_text().strip()


SECRET_KEY = _secret_key()
DEBUG = os.environ.get("MOTCUA_DEBUG") == "1"
ALLOWED_HOSTS = os.environ.get("MOTCUA_HOSTS", "127.0.0.1,localhost,[::1],testserver").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("MOTCUA_ORIGINS", "").split(",") if o]

DATABASES = {
    "default": database(os.environ.get("DATABASE_URL"), HOME / "motcua.sqlite3"),
    "mirror": database(_mirror_url(), HOME / "mirror.sqlite3"),
}
DATABASE_ROUTERS = ["motcua.mirror.router.MirrorRouter"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "motcua.ledger",
    "motcua.jobs",
    "motcua.catalogue",
    "motcua.accounts",
    "motcua.dossiers",
    "motcua.mirror",
    "motcua.payments",
    "motcua.exchange",
    "motcua.oversight",
    "motcua.warning",
    "motcua.findings",
    "motcua.rounds",
    "motcua.directives",
    "motcua.evidence",
    "motcua.notices",
    "motcua.web",
]
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

USE_TZ = True
TIME_ZONE = "Asia/Ho_Chi_Minh"
LANGUAGE_CODE = "vi"
LANGUAGES = [("vi", "Tiếng Việt"), ("en", "English")]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [Path(__file__).resolve().parent / "locale"]
FORMAT_MODULE_PATH = ["motcua.web.formats"]
LOGGING = logs.configuration()

# ---- the web ----------------------------------------------------------------------------------------------------

ROOT_URLCONF = "motcua.web.urls"
WSGI_APPLICATION = "motcua.web.wsgi.application"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "motcua.web.language.chosen",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "motcua.web.people.gate.Gate",
    "motcua.web.parts.Switched",
    "motcua.web.training.marks.Named",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).resolve().parent / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "motcua.web.parts.menu",
                "motcua.web.people.gate.top",
            ],
            "builtins": ["django.templatetags.i18n", "motcua.web.words"],
            "libraries": {"words": "motcua.web.words"},
        },
    }
]
STATIC_URL = "static/"
STATICFILES_DIRS = [Path(__file__).resolve().parent / "static"]
WHITENOISE_USE_FINDERS = True
CSRF_FAILURE_VIEW = "motcua.web.console.doors.stale"
SOURCE_LINKS = links.patterns(os.environ.get("MOTCUA_SOURCE_LINKS"))
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
SESSION_COOKIE_AGE = 12 * 3600  # a working day: tomorrow somebody else may sit here
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
if os.environ.get("MOTCUA_BEHIND_TLS") == "1":  # a proxy with TLS is the only way in, and says so itself
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "style-src": ["'self'"],
        "script-src": ["'self'"],
        "img-src": ["'self'"],
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
    }
}

# ---- e-mail -----------------------------------------------------------------------------------------------------

MAIL_FROM, _MAIL = mail.configuration(os.environ)
EMAIL_HOST, EMAIL_PORT, EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.host, _MAIL.port, _MAIL.starttls, _MAIL.tls
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD, EMAIL_TIMEOUT = _MAIL.user, _MAIL.password, 20
EMAIL_BACKEND = "motcua.web.training.post.Backend"
DEFAULT_FROM_EMAIL = MAIL_FROM or "motcua@localhost"

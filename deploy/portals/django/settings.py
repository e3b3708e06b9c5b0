"""A portal of Django whose users come from the gateway (docs/portals.md).

`PORTAL_IDENTITY` says how: `remote-user` by plain headers, `assertion` by the signed token."""

import os
from pathlib import Path

FOLDER = Path(os.environ.get("PORTAL_FOLDER", "."))  # of this portal alone
SECRET_KEY = os.environ["PORTAL_SECRET"]
ALLOWED_HOSTS = [os.environ.get("PORTAL_HOST", "localhost")]
ROOT_URLCONF = "urls"
WSGI_APPLICATION = "urls.application"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "portal.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- who it is
if os.environ.get("PORTAL_IDENTITY", "assertion") == "assertion":
    MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "assertion.AssertionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "assertion.GatewayUserMiddleware",
    ]
    AUTHENTICATION_BACKENDS = ["assertion.GatewayUserBackend"]
else:
    MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "remote_user.GatewayUserMiddleware",
    ]
    AUTHENTICATION_BACKENDS = ["remote_user.GatewayUserBackend"]
# --- end

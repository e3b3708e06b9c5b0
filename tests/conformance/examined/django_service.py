#!/usr/bin/env python3
"""A small Django project that signs in with django-logingovpl, as its README has it.

    django_service.py --kit FOLDER --issuer I --sso URL --resolve URL --port P

The library is unchanged. Its page with the request names one environment of the node; the project puts
a template of its own in the place of that, with the address from its settings, as every project that
uses another environment must. Prints `listening URL` when it listens.

  /           a page for who is signed in; 401 for others
  /login/     begins a login
  /acs/       takes the artifact
  /logout/    ends the session
"""

import argparse
import pathlib
import socketserver
import tempfile
import wsgiref.simple_server

TEMPLATE = """<!DOCTYPE html><html><body onload="document.forms[0].submit()">
<form action="%s" method="post">
<input type="hidden" name="SAMLRequest" value="{{envelop|safe}}"/>
<input type="hidden" name="RelayState" value="{{relay_state|safe}}"/>
</form></body></html>
"""


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    """A thread for each request: some wait for the node."""

    daemon_threads = True


class Handler(wsgiref.simple_server.WSGIRequestHandler):
    """Says nothing."""

    def log_message(self, *_):
        pass


def configure(options, folder):
    """The settings of the project."""
    import django
    from django.conf import settings

    (folder / "Envelop.html").write_text(TEMPLATE % options.sso)
    settings.configure(
        SECRET_KEY="of a test",
        ALLOWED_HOSTS=["127.0.0.1", "localhost"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "logingovpl",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [str(folder)],
                "APP_DIRS": True,
            }
        ],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(folder / "db.sqlite3"),
                "OPTIONS": {"timeout": 20},
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        LOGIN_REDIRECT_URL="/",
        LOGGING_CONFIG=None,
        USE_TZ=True,
        TIME_ZONE="UTC",
        LOGINGOVPL_ENC_KEY=str(options.kit / "service-enc.key.pem"),
        LOGINGOVPL_ENC_CERT=str(options.kit / "service-enc.crt.pem"),
        LOGINGOVPL_ISSUER=options.issuer,
        LOGINGOVPL_SSO_URL=options.sso,
        LOGINGOVPL_ARTIFACT_RESOLVE_URL=options.resolve,
        LOGINGOVPL_ASSERTION_CONSUMER_URL=options.acs,
        # The library's default is ten seconds.
        LOGINGOVPL_TIMEOUT=3,
    )
    django.setup()

    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def home(request):
    """Greets who is signed in."""
    from django.http import HttpResponse

    if not request.user.is_authenticated:
        return HttpResponse("sign in", status=401)
    user = request.user
    return HttpResponse(f"Signed in as {user.first_name} {user.last_name} {user.username}")


def leave(request):
    """Ends the session."""
    from django.contrib.auth import logout
    from django.http import HttpResponse

    logout(request)
    return HttpResponse("signed out")


def urls():
    from django.urls import include, path

    return [path("", home), path("logout/", leave), path("", include("logingovpl.urls"))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kit", type=pathlib.Path, required=True)
    for name in ("issuer", "sso", "resolve"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    options.acs = f"http://localhost:{options.port}/acs/"
    with tempfile.TemporaryDirectory() as folder:
        configure(options, pathlib.Path(folder))
        from django.core.wsgi import get_wsgi_application

        globals()["urlpatterns"] = urls()
        server = wsgiref.simple_server.make_server(
            "127.0.0.1", options.port, get_wsgi_application(), Server, Handler
        )
        print(f"listening http://localhost:{options.port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()

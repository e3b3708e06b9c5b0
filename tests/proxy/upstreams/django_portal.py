"""A portal of Django whose own session says whose page it is.

`/kept` believes its session for as long as there is one, `/bound` begins a new one when the login is
another (docs/backends.md). Ends with its standard input."""

import base64
import json
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="of the tests",
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
)


def claims(request):
    # How a signature is checked is for others to show.
    payload = request.headers["X-Brama-Assertion"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def kept(request):
    if "name" not in request.session:
        request.session["name"] = claims(request)["given_name"]
    return HttpResponse(request.session["name"])


def bound(request):
    found = claims(request)
    login = [found["sub"], found["sid"]]
    if request.session.get("login") != login:
        request.session.flush()
        request.session["login"] = login
        request.session["name"] = found["given_name"]
    return HttpResponse(request.session["name"])


urlpatterns = [path("kept", kept), path("bound", bound)]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"listening http://127.0.0.1:{server.server_port}", flush=True)
sys.stdin.read()

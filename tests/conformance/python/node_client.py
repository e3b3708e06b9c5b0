#!/usr/bin/env python3
"""Signs a person in with django-logingovpl, a client of the real node, against a simulator.

    node_client.py --simulator-sso URL --simulator-resolve URL --issuer I --key KEY.pem
                   --certificate CERT.pem --acs URL --person N

One process plays the whole story: the service (a Django project made of settings alone, driven
with Django's test client) and the browser (requests, against the running simulator).

  1. GET /login/ of the service gives the signed AuthnRequest and RelayState.
  2. The browser posts them to the simulator, which shows a page with people to choose from.
  3. The browser submits the form whose control `person` has the value N.
  4. The answer is a form with `SAMLart` and `RelayState` whose action is the ACS address.
  5. POST /acs/ of the service: it resolves the artifact at the simulator, decrypts, signs in.

Prints {"username": ..., "first_name": ..., "last_name": ...} of the signed-in user; the client uses
the person identifier as username. The client's own limits: it uses one key for signing and
decrypting, P-256 and kw-aes256 only, and verifies neither signatures nor conditions. So this judges
the shape of the simulator's messages and the encryption, and that the simulator accepts
signatures made by libxmlsec.

Exit codes: 0 signed in, 1 not signed in (standard error says at which step and why), 2 wrong usage.
"""

import argparse
import base64
import json
import logging
import os
import pathlib
import sys
import traceback
import urllib.parse

import lxml.etree
import lxml.html
import requests

CHOICE_PATH = "/login/choose"
AUTHN_REQUEST = "{urn:oasis:names:tc:SAML:2.0:protocol}AuthnRequest"
TIMEOUT_SECONDS = 10
PAGE_EXCERPT = 2000


class Failed(Exception):
    """The sign-in stopped; the text says where and why."""


def main():
    arguments = parse_arguments()
    # Nothing here may leave for a proxy that the environment names.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"
    try:
        user = sign_in(start_service(arguments), requests.Session(), arguments)
    except Failed as failure:
        print(f"node_client.py: {failure}", file=sys.stderr)
        return 1
    print(json.dumps(user, ensure_ascii=False))
    return 0


def sign_in(service, browser, arguments):
    """Plays the story and returns the signed-in user's fields."""
    # 1. The service makes its request.
    page = service.get("/login/")
    if page.status_code != 200:
        raise Failed(f"the client's own login page answered {page.status_code}")
    request = find_form(page.content, "SAMLRequest").values
    check_request(request["SAMLRequest"])

    # 2. The simulator shows people.
    page = browse(browser, "SSO", arguments.simulator_sso, request)
    choice = find_choice(page, arguments.person)

    # 3. One of them is chosen.
    page = browse(browser, "choice", urllib.parse.urljoin(page.url, choice.action), choice.values)

    # 4. The simulator sends the browser back.
    form = find_form(page.content, "SAMLart")
    if form.action != arguments.acs:
        raise Failed(f'the artifact goes to "{form.action}", not to "{arguments.acs}"')
    if form.method != "post":
        raise Failed(f'the form with the artifact has method "{form.method}"')
    if form.values.get("RelayState") != request["RelayState"]:
        raise Failed(
            f'RelayState came back as "{form.values.get("RelayState")}",'
            f' it was sent as "{request["RelayState"]}"'
        )

    # 5. The service resolves the artifact and signs the user in.
    fields = {name: form.values[name] for name in ("SAMLart", "RelayState")}
    try:
        answer = service.post("/acs/", fields)
    except Exception as error:
        # The client checks little and stumbles over what it does not find: show where.
        raise Failed(f"the client failed at its ACS:\n{traceback.format_exc()}") from error
    if answer.status_code != 302:
        body = answer.content.decode(errors="replace")
        raise Failed(f"the client refused at its ACS with {answer.status_code}: {body}")
    return read_user(service)


# --- the service: Django with django-logingovpl -----------------------------------------------


def start_service(arguments):
    """Configures Django in memory and returns a test client of it."""
    import django
    from django.conf import settings
    from django.core.management.utils import get_random_secret_key

    settings.configure(
        SECRET_KEY=get_random_secret_key(),
        ALLOWED_HOSTS=["*"],
        # The client writes local time with a Z.
        TIME_ZONE="UTC",
        USE_TZ=True,
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "logingovpl",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        ROOT_URLCONF="logingovpl.urls",
        LOGIN_REDIRECT_URL="/",
        LOGGING_CONFIG=None,
        LOGINGOVPL_ENC_KEY=arguments.key,
        LOGINGOVPL_ENC_CERT=arguments.certificate,
        LOGINGOVPL_ISSUER=arguments.issuer,
        LOGINGOVPL_SSO_URL=arguments.simulator_sso,
        LOGINGOVPL_ASSERTION_CONSUMER_URL=arguments.acs,
        LOGINGOVPL_ARTIFACT_RESOLVE_URL=arguments.simulator_resolve,
        LOGINGOVPL_TIMEOUT=TIMEOUT_SECONDS,
    )
    django.setup()

    # Our own message says it all.
    logging.getLogger("django.request").setLevel(logging.CRITICAL + 1)

    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0, interactive=False)
    return Client()


def check_request(encoded):
    """Makes sure that we really drive the client, before blaming the simulator."""
    root = lxml.etree.fromstring(base64.b64decode(encoded))
    if root.tag != AUTHN_REQUEST:
        raise Failed(f"the client's request is a {root.tag}")


def read_user(service):
    """Returns the fields of the user whom the service's session names."""
    from django.contrib.auth import get_user

    class Request:
        session = service.session

    user = get_user(Request)
    if not user.is_authenticated:
        raise Failed("the client answered with a redirect, but nobody is signed in")
    return {
        "username": user.get_username(),
        "first_name": user.first_name,
        "last_name": user.last_name,
    }


# --- the browser -----------------------------------------------------------------------------


class Form:
    """An HTML form: where it goes, and what it would send when nothing is touched."""

    def __init__(self, element):
        self.action = element.get("action", "")
        self.method = element.get("method", "get").lower()
        self.values = {}
        self.offers = {}
        for control in element.iter("input", "button", "option"):
            name, value = control.get("name"), control.get("value", "")
            if control.tag == "option":
                select = next(control.iterancestors("select"), None)
                name = select.get("name") if select is not None else None
                offered = True
            elif control.tag == "button":
                offered = True
            else:
                offered = control.get("type", "text") in ("radio", "checkbox", "submit")
            if not name:
                continue
            self.offers.setdefault(name, []).append(value)
            if not offered:
                self.values[name] = value


def read_forms(page):
    """Returns the forms of an HTML page given as bytes."""
    if not page.strip():
        return []
    parser = lxml.html.HTMLParser(encoding="utf-8")
    return [Form(element) for element in lxml.html.fromstring(page, parser=parser).iter("form")]


def find_form(page, field):
    """Returns the only form of the page that would send the field."""
    forms = [form for form in read_forms(page) if field in form.values]
    if len(forms) != 1:
        raise Failed(f"{len(forms)} forms with {field}, expected one, in:\n{excerpt(page)}")
    return forms[0]


def find_choice(page, person):
    """Returns the form that chooses the person, with its values filled in."""
    forms = [
        form
        for form in read_forms(page.content)
        if urllib.parse.urlsplit(urllib.parse.urljoin(page.url, form.action)).path == CHOICE_PATH
        and form.method == "post"
    ]
    if not forms:
        raise Failed(f"no form that posts to {CHOICE_PATH} in:\n{excerpt(page.content)}")
    for form in forms:
        if person in form.offers.get("person", []):
            if not form.values.get("transaction"):
                raise Failed("the form that chooses the person has no hidden field transaction")
            form.values["person"] = person
            return form
    offered = sorted({value for form in forms for value in form.offers.get("person", [])})
    raise Failed(f'the simulator does not offer the person "{person}"; it offers {offered}')


def browse(browser, step, url, fields):
    """Posts a form as a browser does and returns the page."""
    try:
        page = browser.post(url, data=fields, timeout=TIMEOUT_SECONDS)
    except requests.RequestException as error:
        raise Failed(f"{step}: {url} cannot be reached: {error}") from error
    if page.status_code != 200:
        raise Failed(f"{step}: {page.url} answered {page.status_code}:\n{excerpt(page.content)}")
    return page


def excerpt(page):
    return page[:PAGE_EXCERPT].decode(errors="replace")


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--simulator-sso", required=True, metavar="URL", help="where the AuthnRequest is posted")
    add("--simulator-resolve", required=True, metavar="URL", help="where artifacts are resolved")
    add("--issuer", required=True, metavar="I", help="the service's name at the node")
    add("--key", required=True, metavar="KEY.pem", help="the service's P-256 key, for all purposes")
    add("--certificate", required=True, metavar="CERT.pem", help="the certificate of that key")
    add("--acs", required=True, metavar="URL", help="the service's registered ACS address")
    add("--person", required=True, metavar="N", help="the person's id on the simulator's page")
    arguments = parser.parse_args()
    for path in (arguments.key, arguments.certificate):
        if not pathlib.Path(path).is_file():
            parser.error(f"{path} is not a file")
    return arguments


if __name__ == "__main__":
    sys.exit(main())

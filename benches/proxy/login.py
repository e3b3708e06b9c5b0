"""A citizen signs in to Brama through the simulator, as a browser does, and keeps the cookie."""

import http.client
import ssl
import urllib.parse
from html.parser import HTMLParser

from programs import Failed

PERSON = "anna"
STEPS = 12
# Under callgrind all is slow.
TIMEOUT = 120


def sign_in(origin, path, certificate):
    """Goes through a login that begins at a path of the portal; returns the session cookie."""
    return Browser(origin, certificate).sign_in(path)


class Browser:
    """Cookies of one origin, forms and redirects; no more than a login needs.

    Connections are kept in `kept`, by their address, when there is such a thing; otherwise each
    request has its own. `tls` may be that of another browser.
    """

    def __init__(self, origin, certificate=None, tls=None, kept=None):
        self.origin = origin
        self.tls = tls or ssl.create_default_context(cafile=certificate)
        self.cookies = {}
        self.kept = kept

    def sign_in(self, path):
        # 1. The portal's page sends the browser to the node.
        page = self.open("GET", f"{self.origin}{path}")
        # 2. The node lets one choose who to be.
        chooser = self.open(*page.form())
        method, action, fields = chooser.form()
        fields = [(name, value) for name, value in fields if name == "transaction"]
        last = self.open(method, action, [*fields, ("person", PERSON)])
        # 3. The node's last page brings the browser back, and the portal gives the session.
        if not self.session():
            self.open(*last.form())
        if not self.session():
            raise Failed(f"no session after the login at {self.origin}")
        return self.session()

    def session(self):
        """Returns the session cookie as a pair for `Cookie`."""
        for name in ("__Host-brama", "brama"):
            if name in self.cookies:
                return f"{name}={self.cookies[name]}"
        return None

    def open(self, method, url, fields=()):
        """Opens a page, and goes where it leads until there is a session or a page to act on."""
        body = urllib.parse.urlencode(fields)
        site = "same-origin" if method == "GET" else "cross-site"
        for _ in range(STEPS):
            answer, page = self.send(method, url, body, site)
            refresh = (answer.headers.get("refresh") or "").partition("url=")[2]
            leads_to = answer.headers.get("location") or refresh
            if self.session() or not leads_to:
                if answer.status >= 400:
                    raise Failed(f"{method} {url} was answered {answer.status}:\n{page[:2000]}")
                return Page(url, page)
            method, url, body, site = "GET", urllib.parse.urljoin(url, leads_to), "", "same-origin"
        raise Failed(f"too many redirects in a login, last to {url}")

    def send(self, method, url, body, site):
        parts = urllib.parse.urlsplit(url)
        connection = (self.kept or {}).get(parts.netloc) or self.connect(parts)
        headers = {
            "Accept": "text/html",
            "Sec-Fetch-Mode": "navigate",
            "Sec-Fetch-Dest": "document",
            "Sec-Fetch-Site": site,
        }
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        is_portal = url.startswith(f"{self.origin}/")
        if is_portal and site == "same-origin" and self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        target = parts._replace(scheme="", netloc="", fragment="").geturl()
        connection.request(method, target, body if method == "POST" else None, headers)
        answer = connection.getresponse()
        page = answer.read().decode(errors="replace")
        if self.kept is None:
            connection.close()
        else:
            self.kept[parts.netloc] = connection
        if is_portal:
            for cookie in answer.headers.get_all("set-cookie") or []:
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
                if "Max-Age=0" in cookie:
                    del self.cookies[name]
        return answer, page

    def connect(self, parts):
        """Returns a connection that is not yet made."""
        if parts.scheme == "https":
            return http.client.HTTPSConnection(parts.netloc, timeout=TIMEOUT, context=self.tls)
        return http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT)


class Page(HTMLParser):
    """The first form of a page."""

    def __init__(self, url, text):
        super().__init__()
        self.url = url
        self.text = text
        self.found = None
        self.inside = False
        self.feed(text)

    def form(self):
        """Returns its method, address and hidden fields."""
        if self.found is None:
            raise Failed(f"there is no form on {self.url}:\n{self.text[:2000]}")
        return self.found

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form" and self.found is None:
            method = (attributes.get("method") or "get").upper()
            action = urllib.parse.urljoin(self.url, attributes.get("action") or "")
            self.found, self.inside = (method, action, []), True
        elif tag == "input" and self.inside and attributes.get("type") == "hidden":
            self.found[2].append((attributes["name"], attributes.get("value") or ""))

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False

"""Users by plain headers, for a portal that only the gateway reaches."""

# --- who it is
from urllib.parse import unquote

from django.contrib.auth.backends import RemoteUserBackend
from django.contrib.auth.middleware import RemoteUserMiddleware


class GatewayUserMiddleware(RemoteUserMiddleware):
    # Not REMOTE_USER: that is a variable of a server in the same process, and no header becomes it.
    header = "HTTP_REMOTE_USER"


class GatewayUserBackend(RemoteUserBackend):
    """Makes a user of whoever comes for the first time. The user name is the subject."""

    def configure_user(self, request, user, created=True):
        # At each sign-in. A name that the gateway writes is percent-encoded UTF-8.
        user.first_name = unquote(request.headers.get("Remote-Name", ""))[:150]
        user.save(update_fields=["first_name"])
        return user
# --- end

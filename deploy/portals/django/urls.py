"""The pages: one, which shows the user of Django and counts in Django's session."""

from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path


def whoami(request):
    if not request.user.is_authenticated:
        return JsonResponse({"user": None})
    request.session["visits"] = request.session.get("visits", 0) + 1
    return JsonResponse(
        {
            "user": request.user.get_username(),
            "name": request.user.get_full_name(),
            "visits": request.session["visits"],
        }
    )


urlpatterns = [path("whoami", whoami)]
application = get_wsgi_application()

"""A real OpenID provider: django-oauth-toolkit with Django's own accounts and login form.

  PROVIDER_PORT     loopback port; 0 or unset: any free one
  BASE_URLS         base URLs of the proxy, with spaces between
  ACCESS_TOKEN_TTL  seconds, default 3600

Prints one line of JSON when it listens. `POST /_control` is for the journeys alone:
`rotate=1` signs with a new key, `disable=<account>` and `enable=<account>` do what an administrator does.
"""

import json
import os
import socketserver
import sys
import tempfile
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

CLIENT_ID = "tower-oauth-proxy"
CLIENT_SECRET = "interop+secret/with=signs & a space %41"
folder = tempfile.TemporaryDirectory(prefix="django-provider-")


def new_key():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.path.join(folder.name, "db.sqlite3"),
            "OPTIONS": {"timeout": 20},
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "oauth2_provider",
    ],
    LOGIN_URL="/login/",
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    OAUTH2_PROVIDER={
        "ACCESS_TOKEN_EXPIRE_SECONDS": int(os.environ.get("ACCESS_TOKEN_TTL", "3600")),
        "OAUTH2_VALIDATOR_CLASS": "__main__.Validator",
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": new_key(),
        "PKCE_REQUIRED": True,
        "REFRESH_TOKEN_REUSE_PROTECTION": True,
        "ROTATE_REFRESH_TOKEN": True,
        "SCOPES": {
            "openid": "who you are",
            "profile": "your name",
            "email": "your address",
        },
    },
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ROOT_URLCONF="__main__",
    SECRET_KEY="a key for tests only",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    USE_TZ=True,
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.contrib.auth.views import LoginView  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse, JsonResponse  # noqa: E402
from django.template import engines  # noqa: E402
from django.urls import include, path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402
from oauth2_provider.models import get_application_model  # noqa: E402
from oauth2_provider.oauth2_validators import OAuth2Validator  # noqa: E402
from oauth2_provider.settings import oauth2_settings  # noqa: E402

seen = {"authorization_code": 0, "refresh_token": 0, "revocations": 0, "keys": 0}


class Validator(OAuth2Validator):
    """With an address, and without refreshes for accounts that an administrator has disabled."""

    oidc_claim_scope = {**OAuth2Validator.oidc_claim_scope, "email": "email", "email_verified": "email"}

    def get_additional_claims(self):
        return {
            "name": lambda request: request.user.get_full_name(),
            "email": lambda request: request.user.email,
            "email_verified": lambda request: True,
        }

    def validate_refresh_token(self, refresh_token, client, request, *args, **kwargs):
        known = super().validate_refresh_token(refresh_token, client, request, *args, **kwargs)
        return known and request.user.is_active


class Login(LoginView):
    """Django's login with the least of pages."""

    PAGE = engines["django"].from_string(
        "<!doctype html><title>Log in</title><form method=post>{% csrf_token %}{{ form.as_p }}"
        "<input type=hidden name=next value='{{ next }}'><button type=submit>Log in</button></form>"
    )

    def render_to_response(self, context, **response_kwargs):
        return HttpResponse(self.PAGE.render(context, self.request))


@csrf_exempt
def control(request):
    if request.POST.get("rotate"):
        oauth2_settings.OIDC_RSA_PRIVATE_KEYS_INACTIVE = [oauth2_settings.OIDC_RSA_PRIVATE_KEY]
        oauth2_settings.OIDC_RSA_PRIVATE_KEY = new_key()
    for word, is_active in (("disable", False), ("enable", True)):
        if name := request.POST.get(word):
            User.objects.filter(username=name).update(is_active=is_active)
    return JsonResponse(seen)


urlpatterns = [
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("login/", Login.as_view()),
    path("_control", control),
]


class Quiet(WSGIRequestHandler):
    def log_message(self, format, *args):
        where = self.path.split("?")[0]
        if self.command == "POST" and where == "/o/revoke_token/":
            seen["revocations"] += 1
        if where == "/o/.well-known/jwks.json":
            seen["keys"] += 1
        if os.environ.get("VERBOSE"):
            super().log_message(format, *args)


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


call_command("migrate", verbosity=0)
for account in ("alice", "bob"):
    User.objects.create_user(account, f"{account}@example.com", "any password", first_name=account.title())
get_application_model().objects.create(
    name="tower-oauth-proxy",
    client_id=CLIENT_ID,
    client_secret=CLIENT_SECRET,
    client_type="confidential",
    authorization_grant_type="authorization-code",
    algorithm="RS256",
    redirect_uris=" ".join(f"{url.rstrip('/')}/oauth/callback" for url in os.environ["BASE_URLS"].split()),
)
server = Server(("127.0.0.1", int(os.environ.get("PROVIDER_PORT", "0"))), Quiet)
server.set_app(get_wsgi_application())
print(
    json.dumps(
        {
            "issuer": f"http://127.0.0.1:{server.server_port}/o",
            "control": f"http://127.0.0.1:{server.server_port}/_control",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }
    )
)
sys.stdout.flush()
server.serve_forever()

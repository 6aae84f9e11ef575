"""A real OpenID provider: Canaille with its memory backend, its own login form, and RFC 9207's `iss`.

  PROVIDER_PORT     loopback port; 0 or unset: any free one
  BASE_URLS         base URLs of the proxy, with spaces between
  ACCESS_TOKEN_TTL  seconds, default 3600

Prints one line of JSON when it listens. `POST /_control` is for the journeys alone:
`rotate=1` signs with a new key, `disable=<account>` and `enable=<account>` do what an administrator does.
"""

import datetime
import json
import logging
import os
import socket
import sys

from werkzeug.serving import make_server

CLIENT_ID = "tower-oauth-proxy"
CLIENT_SECRET = "interop+secret/with=signs & a space %41"

# Bound first: Canaille's issuer is its SERVER_NAME.
listener = socket.create_server(("127.0.0.1", int(os.environ.get("PROVIDER_PORT", "0"))))
port = listener.getsockname()[1]
ttl = int(os.environ.get("ACCESS_TOKEN_TTL", "3600"))
bases = [url.rstrip("/") for url in os.environ["BASE_URLS"].split()]

from flask import jsonify, request  # noqa: E402
from joserfc.jwk import RSAKey  # noqa: E402

import canaille  # noqa: E402
from canaille.app import models  # noqa: E402
from canaille.app.flask import csrf  # noqa: E402


def new_key():
    return RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True)


app = canaille.create_app(
    {
        "SECRET_KEY": "a key for tests only",
        "SERVER_NAME": f"127.0.0.1:{port}",
        "PREFERRED_URL_SCHEME": "http",
        "OAUTH2_TOKEN_EXPIRES_IN": {"authorization_code": ttl, "refresh_token": ttl},
        "CANAILLE_OIDC": {"ACTIVE_JWKS": [new_key()], "TRUSTED_DOMAINS": []},
        "CANAILLE": {
            "DATABASE": "memory",
            "JAVASCRIPT": False,
            "HTMX": False,
            "SMTP": None,
            "TIMEZONE": "UTC",
            "LOGGING": {
                "version": 1,
                "root": {"level": "INFO" if os.environ.get("VERBOSE") else "ERROR", "handlers": []},
            },
            "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"], "READ": ["user_name"], "WRITE": []}},
        },
    }
)
seen = {"revocations": 0, "keys": 0}

# Canaille lets a refresh token end with its access token, which here lives for seconds.
models.Token.is_refresh_token_active = lambda token: not token.revokation_date


@app.after_request
def count(response):
    if request.path.endswith("/revoke"):
        seen["revocations"] += 1
    if request.path.endswith("/jwks.json"):
        seen["keys"] += 1
    if os.environ.get("VERBOSE"):
        print(request.method, request.path, response.status_code, file=sys.stderr)
    return response


@csrf.exempt
def control():
    settings = app.config["CANAILLE_OIDC"]
    if request.form.get("rotate"):
        settings["INACTIVE_JWKS"] = settings["ACTIVE_JWKS"]
        settings["ACTIVE_JWKS"] = [new_key()]
    now = datetime.datetime.now(datetime.timezone.utc)
    for word, lock_date in (("disable", now), ("enable", None)):
        if name := request.form.get(word):
            user = app.backend.get(models.User, user_name=name)
            user.lock_date = lock_date
            app.backend.save(user)
    return jsonify(seen)


app.add_url_rule("/_control", view_func=control, methods=["POST"])

with app.app_context():
    for account in ("alice", "bob"):
        user = models.User(
            user_name=account,
            formatted_name=account.title(),
            family_name=account.title(),
            emails=[f"{account}@example.com"],
            password="any password",
        )
        app.backend.save(user)
    client = models.Client(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        client_name="tower-oauth-proxy",
        client_id_issued_at=datetime.datetime.now(datetime.timezone.utc),
        redirect_uris=[f"{base}/oauth/callback" for base in bases],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        scope=["openid", "profile", "email"],
        token_endpoint_auth_method="client_secret_basic",
    )
    app.backend.save(client)
    # Whom it answers introspection for.
    client.audience = [client]
    app.backend.save(client)

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = make_server("127.0.0.1", port, app, threaded=True, fd=listener.fileno())
print(
    json.dumps(
        {
            "issuer": f"http://127.0.0.1:{port}",
            "control": f"http://127.0.0.1:{port}/_control",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }
    )
)
sys.stdout.flush()
server.serve_forever()

"""Makes the vectors beside it: `pip install jwcrypto==1.6.1 cryptography==50.0.2`, `python make.py`.

`rfc.json` has the examples of RFC 7515, RFC 7520 and RFC 8037, as jwcrypto's own tests carry them.
`made.json` has one token for each algorithm, signed by jwcrypto (OpenSSL below) with keys made here; `*.pem`
are the private keys, each in the shapes that OpenSSL writes. Each run makes new keys.
"""

import hashlib
import importlib.util
import json
import pathlib
import subprocess

from jwcrypto import jwk, jwt, tests
from jwcrypto.common import base64url_encode as b64

HERE = pathlib.Path(__file__).parent
COOKBOOK = pathlib.Path(tests.__file__).with_name("tests-cookbook.py")
spec = importlib.util.spec_from_file_location("cookbook", COOKBOOK)
cookbook = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cookbook)
PRIVATE = {"d", "p", "q", "dp", "dq", "qi"}


def public(key):
    return {name: value for name, value in key.items() if name not in PRIVATE}


def compact(example):
    parts = example["protected"], example["payload"], example["signature"]
    return ".".join(b64(part) for part in parts)


def vector(name, key, token):
    return {"name": name, "jwk": public(key), "token": token}


ed = tests.E_Ed25519
rfc = [
    vector("RFC 7515 A.2, RS256", tests.A2_key, compact(tests.A2_example)),
    vector("RFC 7515 A.3, ES256", tests.A3_key, compact(tests.A3_example)),
    vector("RFC 7515 A.4, ES512", tests.A4_key, compact(tests.A4_example)),
    vector("RFC 7520 4.1, RS256", cookbook.RSA_Public_Key_3_3, cookbook.JWS_compact_4_1_3),
    vector("RFC 7520 4.2, PS384", cookbook.RSA_Public_Key_3_3, cookbook.JWS_compact_4_2_3),
    vector("RFC 7520 4.3, ES512", cookbook.EC_Public_Key_3_1, cookbook.JWS_compact_4_3_3),
    vector("RFC 8037 A.4, EdDSA", json.loads(ed["key_json"]), ed["jws_serialization_compact"]),
]

CLAIMS = {"iss": "https://idp.example", "aud": "api", "sub": "ada", "iat": 1800000000, "exp": 1800003600}
RSA = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
KINDS = {
    "rsa": ({"kty": "RSA", "size": 2048}, RSA),
    "p256": ({"kty": "EC", "crv": "P-256"}, ["ES256"]),
    "p384": ({"kty": "EC", "crv": "P-384"}, ["ES384"]),
    "p521": ({"kty": "EC", "crv": "P-521"}, ["ES512"]),
    "ed25519": ({"kty": "OKP", "crv": "Ed25519"}, ["EdDSA"]),
}


def openssl(*args, pem):
    done = subprocess.run(["openssl", *args], input=pem, capture_output=True, check=True)
    return done.stdout


made = []
for name, (kind, algorithms) in KINDS.items():
    key, other = jwk.JWK.generate(**kind), jwk.JWK.generate(**kind)
    pem = key.export_to_pem(private_key=True, password=None)
    (HERE / f"{name}.pkcs8.pem").write_bytes(openssl("pkey", pem=pem))
    if name == "rsa":
        (HERE / "rsa.pkcs1.pem").write_bytes(openssl("rsa", "-traditional", pem=pem))
    elif name != "ed25519":
        (HERE / f"{name}.sec1.pem").write_bytes(openssl("ec", pem=pem))
    for algorithm in algorithms:
        token = jwt.JWT(header={"alg": algorithm, "kid": name, "typ": "at+jwt"}, claims=CLAIMS)
        token.make_signed_token(key)
        made.append({
            "name": algorithm,
            "jwk": {**json.loads(key.export_public()), "kid": name},
            "other": {**json.loads(other.export_public()), "kid": name},
            "thumbprint": key.thumbprint(),
            "token": token.serialize(),
        })

own = HERE / "p256.pkcs8.pem"
name = ["-new", "-x509", "-subj", "/CN=client", "-days", "36500"]
certificate = openssl("req", "-key", own, *name, pem=b"")
(HERE / "p256.certificate.pem").write_bytes(certificate)
der = openssl("x509", "-outform", "DER", pem=certificate)
(HERE / "p256.certificate.sha256.txt").write_text(b64(hashlib.sha256(der).digest()) + "\n")
# RFC 7638 section 3.1 has the key of RFC 7517 appendix A.1.
(HERE / "rfc7638.n.txt").write_text(tests.PublicKeys["keys"][1]["n"] + "\n")
short = jwk.JWK.generate(kty="RSA", size=1024).export_to_pem(private_key=True, password=None)
(HERE / "rsa_short.pkcs8.pem").write_bytes(openssl("pkey", pem=short))
for name in ["p256", "p384", "ed25519", "rsa", "rsa_short"]:
    public = openssl("pkey", "-pubout", pem=(HERE / f"{name}.pkcs8.pem").read_bytes())
    (HERE / f"{name}.public.pem").write_bytes(public)
for name, vectors in {"rfc": rfc, "made": made}.items():
    (HERE / f"{name}.json").write_text(json.dumps(vectors, indent=1) + "\n")

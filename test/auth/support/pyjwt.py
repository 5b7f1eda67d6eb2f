"""An issuer of its own: PyJWT signs, this side never sees our code.

Reads one JSON request per line: {"alg", "kid"?, "claims"} and answers with a line of
{"token", "jwk" | "secret"}.
"""

import base64
import json
import secrets
import sys

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}


def make_key(alg):
    if alg.startswith("HS"):
        return secrets.token_bytes(64)
    if alg.startswith("ES"):
        return ec.generate_private_key(CURVES[alg]())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def publish(alg, key, kid):
    if alg.startswith("HS"):
        return {"secret": base64.b64encode(key).decode()}
    algorithm = jwt.get_algorithm_by_name(alg)
    return {"jwk": {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid}}


for line in sys.stdin:
    request = json.loads(line)
    alg, kid = request["alg"], request.get("kid")
    key = make_key(alg)
    headers = {"kid": kid} if kid else None
    token = jwt.encode(request["claims"], key, algorithm=alg, headers=headers)
    print(json.dumps({"token": token, **publish(alg, key, kid)}), flush=True)

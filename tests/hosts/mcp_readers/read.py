"""What Python's readers make of JSON-RPC bodies. A body a line, in hex; see `programs.rs`."""

import json
import sys

KEYS = {
    "tools/call": "name", "prompts/get": "name",
    "resources/read": "uri", "resources/subscribe": "uri", "resources/unsubscribe": "uri",
    "tasks/get": "taskId", "tasks/update": "taskId", "tasks/cancel": "taskId",
}


def field(value):
    if value is None:
        return "-"
    if not isinstance(value, str):
        return "?"
    return "=" + value.encode("utf-8", "surrogatepass").hex()


def one(message):
    if not isinstance(message, dict):
        return "-/-"
    method, params = message.get("method"), message.get("params")
    key = KEYS.get(method) if isinstance(method, str) else None
    name = params.get(key) if key and isinstance(params, dict) else None
    return field(method) + "/" + field(name)


def told(parse, body):
    try:
        parsed = parse(body)
    except Exception:  # Whatever a parser raises, it has refused.
        return "refused"
    messages = parsed if isinstance(parsed, list) else [parsed]
    return ";".join(one(message) for message in messages) or "none"


def first_wins(pairs):
    found = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


class AnyCase(dict):
    def get(self, key):
        for own, value in self.items():
            if own.casefold() == key.casefold():
                return value
        return None


def text(errors):
    return lambda body: json.loads(body.decode("utf-8", errors))


VARIANTS = {
    "json.loads, bytes": json.loads,
    "json.loads, characters replaced": text("replace"),
    "json.loads, characters ignored": text("ignore"),
    "json.loads, not strict": lambda body: json.loads(body, strict=False),
    "json.loads, the first of two keys": lambda body: json.loads(body, object_pairs_hook=first_wins),
    "json.loads, any case": lambda body: json.loads(body, object_pairs_hook=AnyCase),
    "the first document": lambda body: json.JSONDecoder().raw_decode(body.decode().lstrip())[0],
}
try:
    import pydantic_core

    VARIANTS["pydantic"] = pydantic_core.from_json
except ImportError:
    pass

print("\t".join(VARIANTS))
for line in sys.stdin:
    body = bytes.fromhex(line.strip())
    print("\t".join(told(parse, body) for parse in VARIANTS.values()))

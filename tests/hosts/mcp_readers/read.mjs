// What JavaScript's reader makes of JSON-RPC bodies. A body a line, in hex; see `programs.rs`.
import { createInterface } from "node:readline";

const KEYS = {
  "tools/call": "name", "prompts/get": "name",
  "resources/read": "uri", "resources/subscribe": "uri", "resources/unsubscribe": "uri",
  "tasks/get": "taskId", "tasks/update": "taskId", "tasks/cancel": "taskId",
};

// With half surrogates as they are, in the three bytes of the others.
function hex(text) {
  let out = "";
  for (const char of text) {
    const point = char.codePointAt(0);
    const bytes = point >= 0xd800 && point <= 0xdfff
      ? Buffer.from([0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f)])
      : Buffer.from(char);
    out += bytes.toString("hex");
  }
  return out;
}

function field(value) {
  if (value === undefined || value === null) return "-";
  return typeof value === "string" ? `=${hex(value)}` : "?";
}

function one(message) {
  if (typeof message !== "object" || message === null || Array.isArray(message)) return "-/-";
  const { method, params } = message;
  const key = typeof method === "string" && Object.hasOwn(KEYS, method) ? KEYS[method] : undefined;
  const named = key && typeof params === "object" && params !== null;
  return `${field(method)}/${field(named ? params[key] : undefined)}`;
}

function told(parse, body) {
  let parsed;
  try {
    parsed = parse(body);
  } catch {
    return "refused";
  }
  const messages = Array.isArray(parsed) ? parsed : [parsed];
  return messages.map(one).join(";") || "none";
}

// As code does that copies what it was sent into an object of its own.
function assigned(value) {
  if (Array.isArray(value)) return value.map(assigned);
  if (typeof value !== "object" || value === null) return value;
  const own = Object.assign({}, value);
  if (own.params) own.params = assigned(own.params);
  return own;
}

const VARIANTS = {
  "JSON.parse, strict characters": (body) => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)),
  "JSON.parse, of a Buffer": (body) => JSON.parse(body.toString()),
  "JSON.parse, as fetch has it": (body) => JSON.parse(new TextDecoder().decode(body)),
  "JSON.parse, assigned": (body) => assigned(JSON.parse(body.toString())),
  "JSON.parse, trimmed": (body) => JSON.parse(body.toString().trim()),
};

console.log(Object.keys(VARIANTS).join("\t"));
for await (const line of createInterface({ input: process.stdin })) {
  const body = Buffer.from(line.trim(), "hex");
  console.log(Object.values(VARIANTS).map((parse) => told(parse, body)).join("\t"));
}

# What Ruby's reader makes of JSON-RPC bodies. A body a line, in hex; see `programs.rs`.
require "json"

KEYS = {
  "tools/call" => "name", "prompts/get" => "name",
  "resources/read" => "uri", "resources/subscribe" => "uri", "resources/unsubscribe" => "uri",
  "tasks/get" => "taskId", "tasks/update" => "taskId", "tasks/cancel" => "taskId"
}.freeze

def field(value)
  return "-" if value.nil?
  value.is_a?(String) ? "=#{value.b.unpack1("H*")}" : "?"
end

def one(message)
  return "-/-" unless message.is_a?(Hash)
  method, params = message["method"], message["params"]
  key = KEYS[method]
  name = key && params.is_a?(Hash) ? params[key] : nil
  "#{field(method)}/#{field(name)}"
end

def told(parse, body)
  parsed = parse.call(body)
  messages = parsed.is_a?(Array) ? parsed : [parsed]
  messages.empty? ? "none" : messages.map { |message| one(message) }.join(";")
rescue StandardError, SystemStackError
  "refused"
end

VARIANTS = {
  "JSON.parse" => ->(body) { JSON.parse(body) },
  "JSON.parse, of UTF-8" => ->(body) { JSON.parse(body.dup.force_encoding("UTF-8")) },
  "JSON.parse, scrubbed, NaN allowed" =>
    ->(body) { JSON.parse(body.dup.force_encoding("UTF-8").scrub, allow_nan: true, max_nesting: 0) },
}.freeze

$stdout.sync = true
puts VARIANTS.keys.join("\t")
$stdin.each_line do |line|
  body = [line.strip].pack("H*")
  puts VARIANTS.values.map { |parse| told(parse, body) }.join("\t")
end

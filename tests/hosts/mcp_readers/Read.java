// What Java's readers make of JSON-RPC bodies. A body a line, in hex; see `programs.rs`.
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.gson.*;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

public class Read {
  static final Map<String, String> KEYS = Map.of(
      "tools/call", "name", "prompts/get", "name",
      "resources/read", "uri", "resources/subscribe", "uri", "resources/unsubscribe", "uri",
      "tasks/get", "taskId", "tasks/update", "taskId", "tasks/cancel", "taskId");

  interface Parse {
    Object of(byte[] body) throws Exception;
  }

  @JsonIgnoreProperties(ignoreUnknown = true)
  public static class Params {
    public String name, uri, taskId;
  }

  @JsonIgnoreProperties(ignoreUnknown = true)
  public static class Message {
    public String method;
    public Params params;
  }

  // Half surrogates as they are, in the three bytes of the others.
  static String hex(String text) {
    StringBuilder out = new StringBuilder();
    text.codePoints().forEach(point -> {
      byte[] bytes = point >= 0xd800 && point <= 0xdfff
          ? new byte[] {(byte) (0xe0 | point >> 12), (byte) (0x80 | point >> 6 & 0x3f), (byte) (0x80 | point & 0x3f)}
          : new String(Character.toChars(point)).getBytes(StandardCharsets.UTF_8);
      for (byte each : bytes) out.append(String.format("%02x", each));
    });
    return out.toString();
  }

  static String field(Object value) {
    if (value == null) return "-";
    return value instanceof String text ? "=" + hex(text) : "?";
  }

  static String one(Object value) {
    if (value instanceof Message message) {
      Map<String, Object> members = new HashMap<>();
      members.put("method", message.method);
      if (message.params != null) {
        Map<String, Object> params = new HashMap<>();
        params.put("name", message.params.name);
        params.put("uri", message.params.uri);
        params.put("taskId", message.params.taskId);
        members.put("params", params);
      }
      value = members;
    }
    if (!(value instanceof Map<?, ?> members)) return "-/-";
    Object method = members.get("method");
    String key = method instanceof String ? KEYS.get(method) : null;
    Object name = key != null && members.get("params") instanceof Map<?, ?> params ? params.get(key) : null;
    return field(method) + "/" + field(name);
  }

  static String told(Parse parse, byte[] body) {
    Object parsed;
    try {
      parsed = parse.of(body);
    } catch (Exception | StackOverflowError refused) {
      return "refused";
    }
    List<?> messages = parsed instanceof List<?> list ? list : parsed instanceof Object[] array ? Arrays.asList(array) : Collections.singletonList(parsed);
    List<String> told = new ArrayList<>();
    for (Object message : messages) told.add(one(message));
    return told.isEmpty() ? "none" : String.join(";", told);
  }

  static String text(byte[] body) {
    return new String(body, StandardCharsets.UTF_8);
  }

  public static void main(String[] arguments) throws Exception {
    ObjectMapper plain = new ObjectMapper();
    JsonMapper.Builder builder = JsonMapper.builder()
        .configure(MapperFeature.ACCEPT_CASE_INSENSITIVE_PROPERTIES, true)
        .enable(DeserializationFeature.ACCEPT_SINGLE_VALUE_AS_ARRAY);
    for (JsonParser.Feature feature : new JsonParser.Feature[] {
        JsonParser.Feature.ALLOW_COMMENTS, JsonParser.Feature.ALLOW_YAML_COMMENTS, JsonParser.Feature.ALLOW_SINGLE_QUOTES,
        JsonParser.Feature.ALLOW_UNQUOTED_FIELD_NAMES, JsonParser.Feature.ALLOW_BACKSLASH_ESCAPING_ANY_CHARACTER,
        JsonParser.Feature.ALLOW_UNQUOTED_CONTROL_CHARS, JsonParser.Feature.ALLOW_NUMERIC_LEADING_ZEROS,
        JsonParser.Feature.ALLOW_NON_NUMERIC_NUMBERS, JsonParser.Feature.ALLOW_TRAILING_COMMA,
        JsonParser.Feature.ALLOW_MISSING_VALUES}) {
      builder.configure(feature, true);
    }
    JsonMapper lenient = builder.build();
    Gson gson = new Gson();
    Map<String, Parse> variants = new LinkedHashMap<>();
    variants.put("Jackson", body -> plain.readValue(body, Object.class));
    variants.put("Jackson, of text", body -> plain.readValue(text(body), Object.class));
    variants.put("Jackson, everything allowed, any case", body -> lenient.readValue(body, Message[].class));
    variants.put("Jackson, everything allowed, values", body -> lenient.readValue(body, Object.class));
    variants.put("Gson", body -> gson.fromJson(text(body), Object.class));
    System.out.println(String.join("\t", variants.keySet()));
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = in.readLine()) != null; ) {
      byte[] body = HexFormat.of().parseHex(line.trim());
      List<String> told = new ArrayList<>();
      for (Parse parse : variants.values()) told.add(told(parse, body));
      System.out.println(String.join("\t", told));
    }
  }
}

// What cJSON makes of JSON-RPC bodies. A body a line, in hex; see `programs.rs`.
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef cJSON *(*get)(const cJSON *, const char *);
typedef cJSON *(*parse)(const char *, size_t);

static const char *keys[][2] = {
    {"tools/call", "name"}, {"prompts/get", "name"},
    {"resources/read", "uri"}, {"resources/subscribe", "uri"}, {"resources/unsubscribe", "uri"},
    {"tasks/get", "taskId"}, {"tasks/update", "taskId"}, {"tasks/cancel", "taskId"},
};

static void field(const cJSON *value) {
  if (value == NULL || cJSON_IsNull(value)) {
    printf("-");
  } else if (!cJSON_IsString(value)) {
    printf("?");
  } else {
    printf("=");
    for (const char *at = value->valuestring; *at; at++) printf("%02x", (unsigned char)*at);
  }
}

static void one(const cJSON *message, get member) {
  if (!cJSON_IsObject(message)) {
    printf("-/-");
    return;
  }
  const cJSON *method = member(message, "method"), *params = member(message, "params"), *name = NULL;
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
    if (cJSON_IsString(method) && strcmp(method->valuestring, keys[i][0]) == 0 && cJSON_IsObject(params))
      name = member(params, keys[i][1]);
  field(method);
  printf("/");
  field(name);
}

static void told(const char *body, size_t length, parse reader, get member) {
  cJSON *parsed = reader(body, length);
  if (parsed == NULL) {
    printf("refused");
    return;
  }
  if (cJSON_IsArray(parsed)) {
    if (parsed->child == NULL) printf("none");
    for (const cJSON *each = parsed->child; each; each = each->next) {
      one(each, member);
      if (each->next) printf(";");
    }
  } else {
    one(parsed, member);
  }
  cJSON_Delete(parsed);
}

static cJSON *whole(const char *body, size_t length) {
  const char *end = NULL;
  cJSON *parsed = cJSON_ParseWithLengthOpts(body, length + 1, &end, 1);
  return parsed;
}
static cJSON *of_a_string(const char *body, size_t length) {
  (void)length;
  return cJSON_Parse(body);
}
static cJSON *of_a_length(const char *body, size_t length) { return cJSON_ParseWithLength(body, length); }

int main(void) {
  printf("cJSON\tcJSON, of a string\tcJSON, of a string, exact case\tcJSON, of a length\n");
  char *line = NULL;
  size_t room = 0;
  ssize_t length;
  while ((length = getline(&line, &room, stdin)) > 0) {
    size_t count = strspn(line, "0123456789abcdef") / 2;
    char *body = calloc(count + 1, 1);
    for (size_t i = 0; i < count; i++) {
      unsigned int byte;
      sscanf(line + 2 * i, "%2x", &byte);
      body[i] = (char)byte;
    }
    told(body, count, whole, cJSON_GetObjectItem);
    printf("\t");
    told(body, count, of_a_string, cJSON_GetObjectItem);
    printf("\t");
    told(body, count, of_a_string, cJSON_GetObjectItemCaseSensitive);
    printf("\t");
    told(body, count, of_a_length, cJSON_GetObjectItem);
    printf("\n");
    free(body);
  }
  free(line);
  return 0;
}

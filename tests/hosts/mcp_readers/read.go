// What Go's reader makes of JSON-RPC bodies. A body a line, in hex; see `programs.rs`.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

var keys = map[string]string{
	"tools/call": "name", "prompts/get": "name",
	"resources/read": "uri", "resources/subscribe": "uri", "resources/unsubscribe": "uri",
	"tasks/get": "taskId", "tasks/update": "taskId", "tasks/cancel": "taskId",
}

func field(value any) string {
	switch text := value.(type) {
	case nil:
		return "-"
	case string:
		return "=" + hex.EncodeToString([]byte(text))
	}
	return "?"
}

func one(method any, params map[string]any) string {
	text, _ := method.(string)
	name := any(nil)
	if key, found := keys[text]; found && params != nil {
		name = params[key]
	}
	return field(method) + "/" + field(name)
}

func generic(parsed any) string {
	message, isObject := parsed.(map[string]any)
	if !isObject {
		return "-/-"
	}
	params, _ := message["params"].(map[string]any)
	return one(message["method"], params)
}

type params struct {
	Name   *string `json:"name"`
	Uri    *string `json:"uri"`
	TaskId *string `json:"taskId"`
}

type message struct {
	Method *string `json:"method"`
	Params *params `json:"params"`
}

func (m message) told() string {
	members := map[string]any{}
	if m.Params != nil {
		for key, value := range map[string]*string{"name": m.Params.Name, "uri": m.Params.Uri, "taskId": m.Params.TaskId} {
			if value != nil {
				members[key] = *value
			}
		}
	}
	if m.Method == nil {
		return one(nil, members)
	}
	return one(*m.Method, members)
}

func joined(told []string) string {
	if len(told) == 0 {
		return "none"
	}
	return strings.Join(told, ";")
}

func values(parse func(any) error) (string, error) {
	var parsed any
	if err := parse(&parsed); err != nil {
		return "", err
	}
	list, isList := parsed.([]any)
	if !isList {
		list = []any{parsed}
	}
	var told []string
	for _, message := range list {
		told = append(told, generic(message))
	}
	return joined(told), nil
}

// Field names of structs match in any case.
func structs(parse func(any) error, body []byte) (string, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		var parsed message
		err := parse(&parsed)
		return parsed.told(), err
	}
	var list []message
	if err := parse(&list); err != nil {
		return "", err
	}
	var told []string
	for _, message := range list {
		told = append(told, message.told())
	}
	return joined(told), nil
}

func main() {
	fmt.Println(strings.Join([]string{"values", "structs", "values, the first document", "structs, the first document", "structs, what was read before an error"}, "\t"))
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		body, err := hex.DecodeString(strings.TrimSpace(in.Text()))
		if err != nil {
			panic(err)
		}
		whole := func(into any) error { return json.Unmarshal(body, into) }
		first := func(into any) error { return json.NewDecoder(bytes.NewReader(body)).Decode(into) }
		careless := func(into any) error {
			err := json.Unmarshal(body, into)
			var mistyped *json.UnmarshalTypeError
			if errors.As(err, &mistyped) {
				return nil
			}
			return err
		}
		var told []string
		for _, variant := range []func() (string, error){
			func() (string, error) { return values(whole) },
			func() (string, error) { return structs(whole, body) },
			func() (string, error) { return values(first) },
			func() (string, error) { return structs(first, body) },
			func() (string, error) { return structs(careless, body) },
		} {
			result, err := variant()
			if err != nil {
				result = "refused"
			}
			told = append(told, result)
		}
		fmt.Println(strings.Join(told, "\t"))
	}
}

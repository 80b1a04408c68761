package relay

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/fault"
)

// keys are the condition keys that the request itself tells.
func (a *access) keys() map[string][]string {
	keys := map[string][]string{}
	for key, member := range map[string]string{"dynamodb:ReturnValues": "ReturnValues", "dynamodb:ReturnConsumedCapacity": "ReturnConsumedCapacity"} {
		if value := a.asked.text(member); value != "" {
			keys[key] = []string{value}
		}
	}
	if a.within != "" {
		keys["dynamodb:EnclosingOperation"] = []string{a.within}
	}
	if a.action == "Query" || a.action == "Scan" || a.action == "GetItem" || a.action == "BatchGetItem" {
		keys["dynamodb:Select"] = []string{a.selected()}
	}
	if names := a.attributes(); len(names) > 0 {
		keys["dynamodb:Attributes"] = names
	}
	return keys
}

func (a *access) selected() string {
	switch {
	case a.asked.text("Select") != "":
		return a.asked.text("Select")
	case a.asked.text("ProjectionExpression") != "" || a.asked["AttributesToGet"] != nil:
		return "SPECIFIC_ATTRIBUTES"
	case a.index != "":
		return "ALL_PROJECTED_ATTRIBUTES"
	}
	return "ALL_ATTRIBUTES"
}

// attributes are the top-level attributes that the request names.
func (a *access) attributes() []string {
	found := map[string]bool{}
	for _, item := range a.items {
		for name := range item {
			found[name] = true
		}
	}
	for _, name := range a.asked.texts("AttributesToGet") {
		found[name] = true
	}
	for _, member := range []string{"Expected", "AttributeUpdates", "KeyConditions", "QueryFilter", "ScanFilter"} {
		for name := range a.asked.object(member) {
			found[name] = true
		}
	}
	for _, member := range []string{"ProjectionExpression", "FilterExpression", "ConditionExpression", "KeyConditionExpression", "UpdateExpression"} {
		for _, name := range a.named(a.asked.text(member)) {
			found[name] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// named are the top-level attributes in an expression.
func (a *access) named(expression string) []string {
	var names []string
	// A path is names between dots, with indexes; a value begins with a colon, a
	// function is followed by a bracket.
	for _, match := range regexp.MustCompile(`(:?)(#?[A-Za-z0-9_-]+)((?:\[\d+\]|\.#?[A-Za-z0-9_-]+)*)(\s*\()?`).FindAllStringSubmatch(expression, -1) {
		if match[1] == "" && match[4] == "" && !keyword(match[2]) {
			names = append(names, a.alias(match[2]))
		}
	}
	return names
}

// alias is the attribute that a name in an expression means.
func (a *access) alias(name string) string {
	if strings.HasPrefix(name, "#") {
		return a.asked.object("ExpressionAttributeNames").text(name)
	}
	return name
}

func keyword(s string) bool {
	switch strings.ToUpper(s) {
	case "AND", "OR", "NOT", "IN", "BETWEEN", "SET", "REMOVE", "ADD", "DELETE":
		return true
	}
	return strings.Trim(s, "0123456789-") == ""
}

// leading are the values of the partition key that the request touches. A request
// that hides them from us is refused: a policy that bounds them would not hold.
func (a *access) leading(key string) ([]string, error) {
	if a.action == "Query" {
		value, ok := a.queried(key)
		if !ok {
			return nil, fault.New(fault.Validation, "Query condition missed key schema element: %s", key)
		}
		return []string{value}, nil
	}
	var values []string
	for _, item := range a.items {
		value, ok := scalar(item[key])
		if !ok {
			return nil, fault.New(fault.Validation, "One of the required keys was not given a value")
		}
		if !slices.Contains(values, value) {
			values = append(values, value)
		}
	}
	return values, nil
}

// queried is the partition that a Query reads.
func (a *access) queried(key string) (string, bool) {
	if condition := a.asked.object("KeyConditions").object(key); condition != nil {
		var values []json.RawMessage
		if json.Unmarshal(condition["AttributeValueList"], &values) != nil || len(values) != 1 || condition.text("ComparisonOperator") != "EQ" {
			return "", false
		}
		return scalar(values[0])
	}
	var found []string
	for _, match := range regexp.MustCompile(`(#?[A-Za-z0-9_.-]+)\s*=\s*(:[A-Za-z0-9_]+)`).FindAllStringSubmatch(a.asked.text("KeyConditionExpression"), -1) {
		if a.alias(match[1]) == key {
			found = append(found, match[2])
		}
	}
	if len(found) != 1 {
		return "", false
	}
	return scalar(a.asked.object("ExpressionAttributeValues")[found[0]])
}

// scalar is the value of a key: {"S": "text"}, {"N": "1"} or {"B": "base64"}.
func scalar(raw json.RawMessage) (string, bool) {
	var value map[string]string
	if json.Unmarshal(raw, &value) != nil || len(value) != 1 {
		return "", false
	}
	for _, kind := range []string{"S", "N", "B"} {
		if text, ok := value[kind]; ok {
			return text, true
		}
	}
	return "", false
}

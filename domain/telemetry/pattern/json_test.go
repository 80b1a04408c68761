package pattern

import "testing"

func TestJSON(t *testing.T) {
	const trail = `{"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","arrayKey":["value","another value"],` +
		`"objectList":[{"name":"a","id":1},{"name":"b","id":2}],"SomeObject":null,"cluster.name":"c","ThisFlag":true,"n":404,"neg":-1.5e3}`
	const people = `{"user":{"id":1,"email":"John.Stiles@example.com"},"users":[{"id":2,"email":"John.Doe@example.com"},` +
		`{"id":3,"email":"Jane.Doe@example.com"}],"actions":["GET","PUT","DELETE"],"coordinates":[[0,1,2],[4,5,6],[7,8,9]]}`

	takes := map[string][]string{
		trail: {
			`{ $.eventType = "UpdateTrail" }`,
			`{$.eventType=UpdateTrail}`,
			`{ $.eventType = *Trail }`,
			`{ $.eventType = "Update*" }`,
			`{ $.eventType = *date* }`,
			`{ $.sourceIPAddress != 123.123.* }`,
			`{ $.sourceIPAddress = 111.111.* }`,
			`{ $.arrayKey[0] = "value" }`,
			`{ $.eventType = %Trail% }`,
			`{ $.arrayKey[*] = %val.{2}% }`,
			`{ $.* = %111\.111\.111\.1[0-9]{1,2}% }`,
			`{ $.['cluster.name'] = "c" }`,
			`{ $["cluster.name"] = c }`,
			`{ $.SomeObject IS NULL }`,
			`{ $.SomeOtherObject NOT EXISTS }`,
			`{ $.ThisFlag IS TRUE }`,
			`{ $.ThisFlag = true }`,
			`{ $.objectList[1].id = 2 }`,
			`{ $.objectList[*].name = "b" }`,
			`{ $.objectList.*.name = "b" }`,
			`{ $.n = 404 }`, `{ $.n = 4* }`, `{ $.n = *4 }`, `{ $.n > 403.5 }`, `{ $.n >= 404 }`, `{ $.n < 1e3 }`,
			`{ $.n <= +404 }`, `{ $.n != 500 }`, `{ $.n = 4.04e2 }`, `{ $.n = * }`, `{ $.eventType = "*" }`,
			`{ $.neg < -1e3 }`, `{ $.neg = -1500 }`,
		},
		people: {
			`{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }`,
			`{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" && $.actions[2] = "nonmatch" }`,
			`{ $.coordinates[2][0] = 7 }`,
			`{ (($.user.id = 2 || ($.user.id = 1))) }`,
			`{ $.user.id=1&&$.actions[0]=GET }`,
		},
	}
	leaves := map[string][]string{
		trail: {
			`{ $.eventType = "updateTrail" }`,
			`{ $.eventType = Up*Trail }`,
			`{ $.sourceIPAddress != 111.* }`,
			`{ $.arrayKey[5] = "value" }`,
			`{ $.arrayKey = "value" }`, `{ $.arrayKey != "x" }`,
			`{ $.missing != "x" }`, `{ $.missing = * }`,
			`{ $.SomeObject = "x" }`, `{ $.SomeObject != "x" }`, `{ $.SomeObject NOT EXISTS }`,
			`{ $.ThisFlag IS FALSE }`, `{ $.ThisFlag IS NULL }`, `{ $.eventType IS NULL }`,
			`{ $.eventType > 1 }`, `{ $.n < 404 }`, `{ $.n > 404 }`, `{ $.objectList[0] = 1 }`,
		},
		people: {
			`{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch") && $.actions[2] = "nonmatch" }`,
			`{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }`,
		},
		"not json":       {`{ $.a NOT EXISTS }`},
		`{"a":1} extra`:  {`{ $.a = 1 }`},
		`{"a":1}{"a":1}`: {`{ $.a = 1 }`},
		"":               {`{ $.a NOT EXISTS }`},
	}
	for message, patterns := range takes {
		for _, p := range patterns {
			check(t, []matchCase{{pattern: p, takes: []string{message}}})
		}
	}
	for message, patterns := range leaves {
		for _, p := range patterns {
			check(t, []matchCase{{pattern: p, leaves: []string{message}}})
		}
	}
}

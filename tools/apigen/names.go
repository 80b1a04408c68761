package main

import (
	"strings"
	"unicode"
)

// packageName is a service's Go package: its name without dashes.
func packageName(service string) string { return strings.ReplaceAll(service, "-", "") }

// exported is a model name as an exported Go name.
func exported(name string) string {
	name = strings.ReplaceAll(name, "_", "")
	return strings.ToUpper(name[:1]) + name[1:]
}

// constantName is the Go name of an enum's value: the words of the value, joined.
func constantName(enum, value string) string {
	var b strings.Builder
	b.WriteString(enum)
	up := true
	for _, r := range value {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			up = true
			continue
		}
		switch {
		case up:
			b.WriteRune(unicode.ToUpper(r))
		case isShouted(value):
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteRune(r)
		}
		up = false
	}
	return b.String()
}

// isShouted tells values like TASK_SET, whose words need lower case.
func isShouted(value string) bool { return value == strings.ToUpper(value) }

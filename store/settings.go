package store

import "github.com/berthhq/berth/domain/arn"

// Setting is one account setting, for one principal or for all that have none of
// their own.
type Setting struct {
	Scope     arn.Scope
	Principal string // ARN; empty for the account's default
	Name      string
	Value     string
}

// Settings by SettingKey.
var Settings = &Table[Setting]{
	ID: settings, Noun: "setting", Schema: 1,
	Primary: func(s *Setting) string { return SettingKey(s.Scope, s.Principal, s.Name) },
}

// SettingKey is the primary key of a setting. Those of one principal share the
// prefix SettingKey(scope, principal, "").
func SettingKey(s arn.Scope, principal, name string) string {
	return s.Account + "/" + s.Region + "/" + principal + "/" + name
}

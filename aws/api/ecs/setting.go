package ecs

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

// accountSetting is a setting with what it may be; the first value is the one in
// force when nobody set any.
type accountSetting struct {
	name   string
	values []string
}

// Settings with rules of their own.
const (
	guardDuty  = "guardDutyActivate"               // Amazon GuardDuty's to set
	retirement = "fargateTaskRetirementWaitPeriod" // the account's, nobody's own
)

// maxSettingsPage is the greatest page of settings, and what one holds when the
// caller did not say.
const maxSettingsPage = 10

// accountSettings lists AWS's account settings, by name. Identifiers are of the
// long format: whoever would have the old one is refused. What a setting does here
// is said in docs/compatibility.md.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-account-settings.html
func accountSettings() []accountSetting {
	return []accountSetting{
		{"awsvpcTrunking", []string{"disabled", "enabled"}},
		{"containerInsights", []string{"disabled", "enabled", "enhanced"}},
		{"containerInstanceLongArnFormat", []string{"enabled"}},
		{"defaultLogDriverMode", []string{"non-blocking", "blocking"}},
		{"dualStackIPv6", []string{"enabled", "disabled"}},
		{"fargateEventWindows", []string{"disabled", "enabled"}},
		{"fargateFIPSMode", []string{"disabled", "enabled"}},
		{retirement, []string{"7", "0", "14"}},
		{guardDuty, []string{"off", "on"}},
		{"serviceLongArnFormat", []string{"enabled"}},
		{"tagResourceAuthorization", []string{"on", "off"}},
		{"taskLongArnFormat", []string{"enabled"}},
	}
}

func findSetting(name string) (accountSetting, error) {
	var names []string
	for _, s := range accountSettings() {
		if s.name == name {
			return s, nil
		}
		names = append(names, s.name)
	}
	return accountSetting{}, invalid("%s should be one of [%s]", name, strings.Join(names, ","))
}

// ownSetting finds a setting that a principal may change.
func ownSetting(name, principal string) (accountSetting, error) {
	s, err := findSetting(name)
	switch {
	case err != nil:
		return s, err
	case name == guardDuty:
		return s, invalid("The account setting %s is read-only.", name).WithHint("Amazon GuardDuty manages it")
	case name == retirement && principal != "":
		return s, invalid("You must use the root user when you set %s.", name).WithHint("use put-account-setting-default")
	}
	return s, nil
}

// setting is the value in force for whoever calls.
func setting(r store.Reader, call *gateway.Call, name string) string {
	value, _ := settingFor(r, call, name, caller(call))
	return value
}

// settingFor is the value in force for a principal, and whose it is: the
// principal's own, or the account's (its root).
func settingFor(r store.Reader, call *gateway.Call, name, principal string) (value, owner string) {
	for _, who := range []string{principal, ""} {
		if s, ok := store.Settings.Get(r, store.SettingKey(call.Scope, who, name)); ok {
			return s.Value, ownerShown(call, who)
		}
	}
	s, err := findSetting(name)
	if err != nil {
		return "", ""
	}
	return s.values[0], ownerShown(call, "")
}

func ownerShown(call *gateway.Call, principal string) string {
	if principal == "" {
		return call.Scope.Global("iam", "root")
	}
	return principal
}

func (a *API) listAccountSettings(_ context.Context, call *gateway.Call, in *ecs.ListAccountSettingsRequest) (*ecs.ListAccountSettingsResponse, error) {
	page, err := readPageUpTo(maxSettingsPage, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	if in.Name != "" {
		if _, err := findSetting(string(in.Name)); err != nil {
			return nil, err
		}
	}
	if in.Value != nil && in.Name == "" {
		return nil, invalid("An account setting name must be specified with a value.")
	}
	principal, err := settingPrincipal(call, in.PrincipalArn)
	if err != nil {
		return nil, err
	}
	var list []ecs.Setting
	for _, s := range accountSettings() {
		value, owner := settingFor(a.store.View(), call, s.name, principal)
		_, set := store.Settings.Get(a.store.View(), store.SettingKey(call.Scope, principal, s.name))
		if !member.Value(in.EffectiveSettings) && !set || in.Name != "" && string(in.Name) != s.name || in.Value != nil && *in.Value != value || s.name <= page.after.Key {
			continue
		}
		list = append(list, showSetting(s.name, value, owner))
	}
	found, next := fill(page, slices.Values(list), func(s ecs.Setting) cursor { return cursor{Key: string(s.Name)} })
	return &ecs.ListAccountSettingsResponse{Settings: member.Each(found, func(s *ecs.Setting) ecs.Setting { return *s }), NextToken: next}, nil
}

// caller is the user or role that calls; a role's sessions have its settings.
func caller(call *gateway.Call) string {
	return cmp.Or(call.Principal.RoleARN, call.Principal.ARN)
}

// settingPrincipal is whose setting is meant: the named principal's, or the
// caller's own. The account's own, the root's, are the defaults of all. Only root
// may name others.
func settingPrincipal(call *gateway.Call, named *string) (string, error) {
	principal := cmp.Or(member.Value(named), caller(call))
	if principal != caller(call) && call.Principal.Kind != identity.Root {
		return "", fault.New(fault.AccessDenied, "You must be the root user or the principal to use the principalArn parameter.")
	}
	if principal == call.Scope.Global("iam", "root") {
		return "", nil
	}
	a, err := arn.Parse(principal)
	if err != nil || a.Service != "iam" || a.Account != call.Scope.Account || a.Kind() != "user" && a.Kind() != "role" {
		return "", invalid("The principal ARN '%s' is not valid. Specify the ARN of a user, a role or the root user of this account.", principal)
	}
	return principal, nil
}

func showSetting(name, value, principal string) ecs.Setting {
	kind := ecs.SettingTypeUser
	if name == guardDuty {
		kind = ecs.SettingTypeAwsManaged
	}
	return ecs.Setting{Name: ecs.SettingName(name), Value: &value, PrincipalArn: &principal, Type: kind}
}

func (a *API) putAccountSetting(ctx context.Context, call *gateway.Call, in *ecs.PutAccountSettingRequest) (*ecs.PutAccountSettingResponse, error) {
	principal, err := settingPrincipal(call, in.PrincipalArn)
	if err != nil {
		return nil, err
	}
	s, err := a.putSetting(ctx, call, principal, string(in.Name), member.Value(in.Value))
	return &ecs.PutAccountSettingResponse{Setting: s}, err
}

func (a *API) putAccountSettingDefault(ctx context.Context, call *gateway.Call, in *ecs.PutAccountSettingDefaultRequest) (*ecs.PutAccountSettingDefaultResponse, error) {
	s, err := a.putSetting(ctx, call, "", string(in.Name), member.Value(in.Value))
	return &ecs.PutAccountSettingDefaultResponse{Setting: s}, err
}

func (a *API) putSetting(ctx context.Context, call *gateway.Call, principal, name, value string) (*ecs.Setting, error) {
	known, err := ownSetting(name, principal)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(known.values, value) {
		return nil, invalid("Invalid value for setting %s. The value should be one of [%s]", name, strings.Join(known.values, ","))
	}
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		store.Settings.Put(tx, &store.Setting{Scope: call.Scope, Principal: principal, Name: name, Value: value})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return new(showSetting(name, value, ownerShown(call, principal))), nil
}

func (a *API) deleteAccountSetting(ctx context.Context, call *gateway.Call, in *ecs.DeleteAccountSettingRequest) (*ecs.DeleteAccountSettingResponse, error) {
	principal, err := settingPrincipal(call, in.PrincipalArn)
	if err != nil {
		return nil, err
	}
	if _, err := ownSetting(string(in.Name), principal); err != nil {
		return nil, err
	}
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		store.Settings.Delete(tx, store.SettingKey(call.Scope, principal, string(in.Name)))
		return nil
	})
	if err != nil {
		return nil, err
	}
	value, owner := settingFor(v, call, string(in.Name), principal)
	return &ecs.DeleteAccountSettingResponse{Setting: new(showSetting(string(in.Name), value, owner))}, nil
}

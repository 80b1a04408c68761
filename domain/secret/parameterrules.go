package secret

import (
	"encoding/json"
	"regexp"
	"time"

	"github.com/berthhq/berth/domain/fault"
)

// Limits of parameters.
const (
	MaxStandard = 4096 // bytes of a value
	MaxAdvanced = 8192
	// MaxEditions is how many versions are kept; older ones go unless labelled.
	MaxEditions = 100
	// MaxLabels is how many labels a version has.
	MaxLabels   = 10
	maxPolicies = 10
)

// Data types of parameters.
const (
	Text        = "text"
	EC2Image    = "aws:ec2:image"
	Integration = "aws:ssm:integration"
)

// Settle chooses the tier that an edition gets, of the one asked for and the one
// its parameter has; both may be empty.
func Settle(asked, have Tier, size int, policies bool) (Tier, error) {
	switch {
	case asked == Standard && have == Advanced:
		return "", fault.New(fault.Validation, "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard parameter.")
	case asked == Advanced || have == Advanced:
		return Advanced, nil
	case asked == Intelligent && (size > MaxStandard || policies):
		return Advanced, nil
	}
	return Standard, nil
}

// CheckValue holds a value against tier, pattern and data type.
func CheckValue(value string, tier Tier, pattern, dataType string) error {
	switch {
	case value == "":
		return fault.New(fault.Validation, "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.")
	case tier == Standard && len(value) > MaxStandard:
		return fault.New(fault.Validation, "Standard tier parameters support a maximum parameter value of %d characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html", MaxStandard)
	case len(value) > MaxAdvanced:
		return fault.New(fault.Validation, "Advanced tier parameters support a maximum parameter value of %d characters.", MaxAdvanced)
	}
	switch dataType {
	case Text, EC2Image, Integration:
	default:
		return fault.New(fault.Validation, "The following data type is not supported: %s (Data type names are all lowercase.)", dataType)
	}
	return checkPattern(value, pattern)
}

func checkPattern(value, pattern string) error {
	if pattern == "" {
		return nil
	}
	re, err := regexp.Compile(pattern)
	switch {
	case err != nil:
		return fault.New(fault.InvalidAllowedPattern, "The request does not meet the regular expression requirement.").WithHint("%v", err)
	case !re.MatchString(value):
		return fault.New(fault.ParameterPatternMismatch, "Parameter value, cannot be validated against allowedPattern: %s", pattern)
	}
	return nil
}

// ReadPolicies reads the policies of an advanced parameter.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-policies.html
func ReadPolicies(text string, tier Tier) ([]ParameterPolicy, error) {
	if text == "" {
		return nil, nil
	}
	var raw []json.RawMessage
	if json.Unmarshal([]byte(text), &raw) != nil {
		return nil, fault.New(fault.InvalidPolicyAttribute, "Invalid policies input: it is not a JSON list of policies.").
			WithHint(`write [{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2030-01-02T15:04:05.000Z"}}]`)
	}
	switch {
	case len(raw) == 1 && string(raw[0]) == "{}": // AWS's way to take all policies away
		return nil, nil
	case len(raw) > maxPolicies:
		return nil, fault.New(fault.PoliciesLimit, "You specified more than the maximum number of allowed policies for the parameter. The maximum is %d.", maxPolicies)
	case len(raw) > 0 && tier != Advanced:
		return nil, fault.New(fault.Validation, "Parameter policies are only available to advanced parameters.").WithHint("put it with the tier Advanced")
	}
	list := make([]ParameterPolicy, len(raw))
	for i, text := range raw {
		var err error
		if list[i], err = readPolicy(text); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func readPolicy(text json.RawMessage) (ParameterPolicy, error) {
	var said struct {
		Type, Version string
		Attributes    struct{ Timestamp, Before, After, Unit string }
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return ParameterPolicy{}, fault.New(fault.InvalidPolicyAttribute, "Invalid policies input: %s", err)
	}
	p := ParameterPolicy{Type: said.Type, Text: string(text)}
	bad := func(what string) error {
		return fault.New(fault.InvalidPolicyAttribute, "A policy attribute or its value is invalid.").WithHint("%s needs %s", said.Type, what)
	}
	var err error
	switch at := said.Attributes; said.Type {
	case "Expiration":
		if p.ExpiresAt, err = time.Parse(time.RFC3339, at.Timestamp); err != nil {
			return p, bad("a Timestamp like 2030-01-02T15:04:05.000Z")
		}
	case "ExpirationNotification":
		if at.Before == "" || !isUnit(at.Unit) {
			return p, bad("Before, and Unit of Days or Hours")
		}
	case "NoChangeNotification":
		if at.After == "" || !isUnit(at.Unit) {
			return p, bad("After, and Unit of Days or Hours")
		}
	default:
		return p, fault.New(fault.InvalidPolicyType, "The policy type isn't supported. Parameter Store supports the following policy types: Expiration, ExpirationNotification, and NoChangeNotification.")
	}
	return p, nil
}

func isUnit(unit string) bool { return unit == "Days" || unit == "Hours" }

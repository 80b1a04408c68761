package identity

import "time"

// Account is what belongs to an account as a whole.
type Account struct {
	ID        string
	Alias     string          // of its sign-in page; empty for none
	Passwords *PasswordPolicy // nil for AWS's defaults
}

// PasswordPolicy says what the passwords of users must be like.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PasswordPolicy.html
type PasswordPolicy struct {
	MinLength   int // characters
	Symbols     bool
	Numbers     bool
	Uppercase   bool
	Lowercase   bool
	Changeable  bool // by the users themselves
	MaxAge      int  // days; 0 for no end
	Reuse       int  // how many earlier ones cannot be used again; 0 for none
	HardExpired bool // who let it end cannot set a new one
}

// DefaultPasswordPolicy holds where an account has set none.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html#default-policy-details
func DefaultPasswordPolicy() PasswordPolicy { return PasswordPolicy{MinLength: 8} }

// RoleDeletion is what came of deleting a service-linked role.
type RoleDeletion struct {
	ID      string // "task/aws-service-role/SERVICE/ROLE/UUID"
	Account string
	At      time.Time
	Using   []string // ARNs of what still used the role; empty when it is gone
}

// AccessReport is a question which services a principal used.
type AccessReport struct {
	ID      string // a UUID
	Account string
	ARN     string // of a user, group, role or policy
	Actions bool   // by action, not only by service
	At      time.Time
}

package wire

// Violations is how a service answers requests that break the model's
// constraints, as AWS's services differ in it.
type Violations int

// Ways to answer.
const (
	AsValidation       Violations = iota // ValidationException, all violations listed
	AsInvalidParameter                   // the same words as InvalidParameterException
	AsECS                                // bounds only: ECS's handlers check the rest in their own words
	AsECR                                // "Invalid parameter at 'x' failed to satisfy constraint: '...'"
	AsInvalidInput                       // Cloud Map's InvalidInput
	AsEC2                                // MissingParameter, InvalidParameterValue
)

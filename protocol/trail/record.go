// Package trail is the audit: one record for each call, in the form of AWS CloudTrail,
// so that what reads CloudTrail reads berth.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
package trail

import "time"

// Version is that of the records' form.
const Version = "1.11"

// Record is one call. Members that it does not have are empty.
type Record struct {
	EventVersion      string     `json:"eventVersion"`
	UserIdentity      Identity   `json:"userIdentity"`
	EventTime         time.Time  `json:"eventTime"`
	EventSource       string     `json:"eventSource"` // "ecs.amazonaws.com"
	EventName         string     `json:"eventName"`
	AWSRegion         string     `json:"awsRegion,omitempty"`
	SourceIPAddress   string     `json:"sourceIPAddress,omitempty"`
	UserAgent         string     `json:"userAgent,omitempty"`
	ErrorCode         string     `json:"errorCode,omitempty"`
	ErrorMessage      string     `json:"errorMessage,omitempty"`
	RequestParameters any        `json:"requestParameters"` // without secrets; null for reads
	ResponseElements  any        `json:"responseElements"`  // always null: answers are not kept
	RequestID         string     `json:"requestID"`
	EventID           string     `json:"eventID"`
	ReadOnly          bool       `json:"readOnly"`
	Resources         []Resource `json:"resources,omitempty"` // that the caller had to be allowed
	EventType         string     `json:"eventType"`
	ManagementEvent   bool       `json:"managementEvent"`
	RecipientAccount  string     `json:"recipientAccountId,omitempty"`
	EventCategory     string     `json:"eventCategory"`
	Additional        Additional `json:"additionalEventData"`
}

// Identity is who called.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
type Identity struct {
	Type           string          `json:"type"`
	PrincipalID    string          `json:"principalId,omitempty"`
	ARN            string          `json:"arn,omitempty"`
	AccountID      string          `json:"accountId,omitempty"`
	AccessKeyID    string          `json:"accessKeyId,omitempty"`
	UserName       string          `json:"userName,omitempty"`
	SessionContext *SessionContext `json:"sessionContext,omitempty"` // of temporary keys
}

// SessionContext is of what a temporary key was made.
type SessionContext struct {
	SessionIssuer  *Issuer    `json:"sessionIssuer,omitempty"` // of a role's sessions
	Attributes     Attributes `json:"attributes"`
	SourceIdentity string     `json:"sourceIdentity,omitempty"`
}

// Issuer is the role of a session.
type Issuer struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
	ARN         string `json:"arn"`
	AccountID   string `json:"accountId"`
	UserName    string `json:"userName"`
}

// Attributes of a session; CloudTrail writes the boolean as text.
type Attributes struct {
	CreationDate     time.Time `json:"creationDate"`
	MFAAuthenticated string    `json:"mfaAuthenticated"`
}

// Resource is one that a call was about.
type Resource struct {
	AccountID string `json:"accountId,omitempty"`
	ARN       string `json:"ARN"`
}

// Additional is what CloudTrail has no member for.
type Additional struct {
	Status int      `json:"httpStatus"`
	Millis float64  `json:"milliseconds"`
	Needed []string `json:"neededActions,omitempty"` // that were asked for, "ecs:RunTask"
}

// Denied tells whether the caller was not allowed to.
func (r *Record) Denied() bool {
	switch r.ErrorCode {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Client.UnauthorizedOperation":
		return true
	}
	return false
}

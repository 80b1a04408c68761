package gateway

import "github.com/berthhq/berth/domain/fault"

// inWordsOf gives a fault of authentication the words of a protocol: EC2 and the
// query services say some of them in their own way.
func inWordsOf(family fault.Family, f *fault.Fault) *fault.Fault {
	words := f.Message
	switch {
	case family == fault.Query && f.Kind == fault.MissingAuthentication:
		words = "Request is missing Authentication Token"
	case family == fault.EC2:
		switch f.Kind {
		case fault.MissingAuthentication, fault.UnrecognizedClient, fault.InvalidToken, fault.SignatureMismatch, fault.IncompleteSignature:
			words = "AWS was not able to validate the provided access credentials"
		case fault.SignatureExpired, fault.ExpiredToken:
			words = "Request has expired."
		}
	}
	if words == f.Message {
		return f
	}
	said := *f
	if said.Hint == "" {
		said.Hint = f.Message // what the other protocols would have said is the best hint there is
	}
	said.Message = words
	return &said
}

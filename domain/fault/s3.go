package fault

// OnS3 is the HTTP status and the error code of the kind where S3 answers: it has
// its own for what all services say.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func (k Kind) OnS3() (status int, code string) {
	switch k {
	case Server:
		return 500, "InternalError"
	case Unavailable:
		return 503, "ServiceUnavailable"
	case Throttling:
		return 503, "SlowDown"
	case AccessDenied, MissingAuthentication:
		return 403, "AccessDenied"
	case IncompleteSignature:
		return 400, "AuthorizationHeaderMalformed"
	case UnrecognizedClient:
		return 403, "InvalidAccessKeyId"
	case SignatureMismatch:
		return 403, "SignatureDoesNotMatch"
	case SignatureExpired:
		return 403, "RequestTimeTooSkewed"
	case InvalidToken:
		return 400, "InvalidToken"
	case ExpiredToken:
		return 400, "ExpiredToken"
	case InvalidRequest:
		return 400, "InvalidRequest"
	case RequestTooLarge:
		return 400, "EntityTooLarge"
	}
	return k.Status(), k.Code(JSON)
}

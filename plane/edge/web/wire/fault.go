package wire

// Fault is why bytes are no request.
type Fault struct {
	Status int    // of the answer
	Reason string // AWS's name for it, in access logs; empty for none
}

// Error implements error.
func (f *Fault) Error() string { return "not a request of HTTP/1.1: " + f.Reason }

// What is wrong with requests.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html#classification-reasons
var ( // never changed
	badMethod      = &Fault{400, "BadMethod"}
	badURI         = &Fault{400, "BadUri"}
	badVersion     = &Fault{400, "BadVersion"}
	badHeader      = &Fault{400, "BadHeader"}
	badLength      = &Fault{400, "BadContentLength"}
	severalLengths = &Fault{400, "MultipleContentLength"}
	badCoding      = &Fault{400, "BadTransferEncoding"}
	severalCodings = &Fault{400, "MultipleTransferEncodingChunked"}
	badHost        = &Fault{400, ""}
	longTarget     = &Fault{414, ""}
	longField      = &Fault{400, ""}
	longHead       = &Fault{431, ""}
	unknownCoding  = &Fault{501, "BadTransferEncoding"}
	unknownVersion = &Fault{505, "NonCompliantVersion"}
	errChunk       = &Fault{400, "BadTransferEncoding"}
	errLongTrailer = &Fault{431, ""}
	spaceInTarget  = &Fault{400, "SpaceInUri"}
)

// Limits of heads, as AWS documents them.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
const (
	maxHead   = 64 << 10 // of a request
	maxLine   = 16 << 10 // one field, and the request line
	maxFields = 1000     // a limit of our own
	maxAnswer = 32 << 10 // head of an answer
)

package certificate

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Record is the DNS record that proves a domain: AWS's CNAME.
// https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
type Record struct{ Name, Value string }

// RecordOf follows from the account and the domain: as on AWS a name and its wildcard
// share one, and asking again needs no other.
func RecordOf(account, domain string) Record {
	bare := strings.TrimPrefix(domain, "*.")
	sum := sha256.Sum256([]byte(account + " " + bare))
	text := hex.EncodeToString(sum[:])
	return Record{Name: "_" + text[:32] + "." + bare + ".", Value: "_" + text[32:] + ".acm-validations.aws."}
}

// Mailboxes are the addresses that AWS writes to about a domain.
func Mailboxes(domain string) []string {
	var all []string
	for _, who := range []string{"admin", "administrator", "hostmaster", "postmaster", "webmaster"} {
		all = append(all, who+"@"+strings.TrimPrefix(domain, "*."))
	}
	return all
}

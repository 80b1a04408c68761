package web

import (
	"cmp"
	"strconv"
	"time"

	"github.com/berthhq/berth/plane/edge/ssl"
)

// line is a line of the access log while it is made: fields after one another.
type line struct{ text []byte }

func (l *line) field(s string) { l.text = append(append(l.text, ' '), s...) }

func (l *line) number(n int64) { l.text = strconv.AppendInt(append(l.text, ' '), n, 10) }

func (l *line) time(t time.Time) {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	l.text = append(l.text, ' ')
	l.padded(year, 4, '-')
	l.padded(int(month), 2, '-')
	l.padded(day, 2, 'T')
	l.padded(hour, 2, ':')
	l.padded(minute, 2, ':')
	l.padded(second, 2, '.')
	l.padded(t.Nanosecond()/1000, 6, 'Z')
}

// padded is a number of so many digits, and what follows it.
func (l *line) padded(n, digits int, then byte) {
	at := len(l.text)
	l.text = append(l.text, "000000"[:digits]...)
	for i := at + digits - 1; i >= at; i-- {
		l.text[i] = byte('0' + n%10)
		n /= 10
	}
	l.text = append(l.text, then)
}

// status is one, or nothing for 0.
func (l *line) status(n int) {
	l.text = append(l.text, ' ')
	l.digits(n)
}

func (l *line) digits(n int) {
	if n == 0 {
		l.text = append(l.text, '-')
		return
	}
	l.text = strconv.AppendInt(l.text, int64(n), 10)
}

// spent is a time in seconds, or -1 where no target had a part in it.
func (l *line) spent(d time.Duration, known bool) {
	if !known {
		l.field("-1")
		return
	}
	ms := int((d + time.Millisecond/2) / time.Millisecond)
	l.number(int64(ms / 1000))
	l.text = append(l.text, '.', byte('0'+ms/100%10), byte('0'+ms/10%10), byte('0'+ms%10))
}

func (l *line) quoted(s string) {
	l.open()
	l.add(s)
	l.close()
}

func (l *line) open()  { l.text = append(l.text, ' ', '"') }
func (l *line) close() { l.text = append(l.text, '"') }

// list is words with something between them, or nothing for none.
func (l *line) list(words []string, between string) {
	l.open()
	for n, w := range words {
		if n > 0 {
			l.add(between)
		}
		l.add(w)
	}
	if len(words) == 0 {
		l.add("-")
	}
	l.close()
}

// add keeps a client from ending the field it is in.
func (l *line) add(s string) {
	const digits = "0123456789ABCDEF"
	from := 0
	for n := range len(s) {
		if c := s[n]; c < ' ' || c == '"' || c == '\\' {
			l.text = append(append(l.text, s[from:n]...), '\\', 'x', digits[c>>4], digits[c&15])
			from = n + 1
		}
	}
	l.text = append(l.text, s[from:]...)
}

// askedFor are the request and the client's name for itself.
func (x *exchange) askedFor(l *line) {
	l.open()
	l.add(cmp.Or(x.asked.Method, "-"))
	l.add(" ")
	l.add(x.l.scheme)
	l.add("://")
	l.add(cmp.Or(x.host, x.l.balancer.DNSName))
	l.add(":")
	l.add(x.l.port)
	l.add(x.asked.Origin())
	if x.asked.Method == "" {
		l.add("-")
	}
	l.add(" ")
	l.add(cmp.Or(x.asked.Proto, "-"))
	l.close()
	l.quoted(cmp.Or(x.asked.Fields.Get("User-Agent"), "-"))
}

// secured is how the client's connection is.
func (x *exchange) secured(l *line) {
	if state := x.conn.tls; state != nil {
		l.field(ssl.SuiteName(state.CipherSuite))
		l.field(ssl.VersionName(state.Version))
		return
	}
	l.field("-")
	l.field("-")
}

// certified are the name that the client asked a certificate for, and which it got.
func (x *exchange) certified(l *line) {
	name, arn := "-", "-"
	if state := x.conn.tls; state != nil {
		name = cmp.Or(state.ServerName, "-")
		if len(x.l.Certificates) > 0 {
			arn = x.l.Certificates[0]
		}
	}
	l.quoted(name)
	l.quoted(arn)
}

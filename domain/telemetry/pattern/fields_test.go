package pattern

import "testing"

func TestFields(t *testing.T) {
	const (
		index = `127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`
		gif   = `127.0.0.1 - frank [10/Oct/2000:13:35:22 -0700] "GET /apache_pb.gif HTTP/1.0" 500 5324`
		get   = "INFO 09/25/2014 12:00:00 GET /service/resource/67 1200"
		post  = "INFO 09/25/2014 12:00:01 POST /service/resource/67/part/111 1310"
		warn  = "WARNING 09/25/2014 12:00:02 Invalid user request"
		fail  = "ERROR 09/25/2014 12:00:02 Failed to process request"
	)
	check(t, []matchCase{
		{`[ip=%127\.0\.0\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]`, []string{index}, []string{gif, get}},
		{`[..., request =*.html*, status_code = 4*, bytes]`, []string{index}, []string{gif}},
		{`[..., request=*.html*, status_code=4*,]`, []string{index}, []string{gif}},
		{`[ip, user, username, timestamp, request =*.html*, status_code = 404 || status_code = 410, bytes]`, []string{index}, []string{gif}},
		{`[ip, user, username, timestamp, request, status_code, bytes > 1000]`, []string{index, gif}, nil},
		{`[ip, user, username, timestamp, request, status_code = 4* && status_code != 403, bytes]`, []string{index}, []string{gif}},
		{`[ip, user, username, timestamp, request, status_code >= 500, bytes < 1e4]`, []string{gif}, []string{index}},
		{`[ip, user, ..., status_code = 500, bytes]`, []string{gif}, []string{index}},
		{`[ip = 127.*, ...]`, []string{index, gif}, []string{get}},
		{`[ip, user, username, timestamp = "10/Oct/2000:13:25:15 -0700", ...]`, []string{index}, []string{gif}},
		{`[w1=ERROR, w2]`, []string{fail}, []string{get, post, warn}},
		{`[w1=ERROR || w1=WARNING, w2]`, []string{fail, warn}, []string{get}},
		{`[(w1=ERROR || w1=WARNING) && w1!=*ING, w2]`, []string{fail}, []string{warn}},
		{`[w1!=ERROR && w1!=WARNING, w2]`, []string{get, post}, []string{warn, fail}},
		{`[w1=ERROR]`, []string{"ERROR"}, []string{fail}},
		{`[logLevel, date, time, method, url=%/service/resource/[0-9]+$%, response_time]`, []string{get}, []string{post, warn}},
		{`[logLevel, date, time, method, url=%/service/resource/[0-9]+/part/[0-9]+$%, response_time]`, []string{post}, []string{get}},
		{`[level=INFO, ..., ms > 1250 && level = INFO]`, []string{post}, []string{get, fail}},
		{`[a, b = "to process request"]`, nil, []string{fail}},
		{`[a, b, c, d = "Failed to process request"]`, []string{fail}, nil},
		{`[]`, []string{"one", "two words"}, []string{""}},
		{`[...]`, []string{"one", ""}, nil},
		{`[a, b]`, []string{"x y z", `[unclosed "quote`}, []string{"x", ""}},
	})
}

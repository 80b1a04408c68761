package wire

import (
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/berthhq/berth/domain/fault"
)

// Refuse answers with a fault, in the form of the request's protocol.
func (q *Request) Refuse(w http.ResponseWriter, id string, f *fault.Fault) error {
	code := f.Kind.Code(q.Protocol.Family())
	q.head(w.Header(), id)
	var body []byte
	switch q.Protocol {
	case AWSQuery:
		body = q.queryError(id, code, f)
	case EC2Query:
		body = ec2Error(id, code, f)
	case CBOR:
		body = q.cborError(w.Header(), code, f)
	case RESTJSON:
		w.Header().Set("X-Amzn-Errortype", code)
		body = restError(code, f)
	default:
		body = q.jsonError(w.Header(), code, f)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(q.Protocol.status(f.Kind))
	_, err := w.Write(body)
	return err
}

// status is the HTTP status of a kind: the JSON protocols alone refuse access with 400.
func (p Protocol) status(k fault.Kind) int {
	if k == fault.AccessDenied && p != AWSJSON10 && p != AWSJSON11 && p != CBOR {
		return http.StatusForbidden
	}
	return k.Status()
}

// blame is whose fault it is, as the query protocols call it.
func blame(f *fault.Fault) string {
	if f.Kind.OurFault() {
		return "Receiver"
	}
	return "Sender"
}

// namesQueryCode tells clients of a service that left the query protocol the code
// they used to see.
func (q *Request) namesQueryCode(h http.Header, f *fault.Fault) {
	if q.Service != nil && q.Service.QueryCompatible {
		h.Set("X-Amzn-Query-Error", f.Kind.Code(fault.Query)+";"+blame(f))
	}
}

func (q *Request) jsonError(h http.Header, code string, f *fault.Fault) []byte {
	q.namesQueryCode(h, f)
	b := append([]byte(`{"__type":`), appendJSONString(nil, code)...)
	b = append(b, `,"message":`...)
	b = appendJSONString(b, f.Error())
	if f.Resources != nil {
		b = append(b, `,"resourceIds":[`...)
		for i, r := range f.Resources {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSONString(b, r)
		}
		b = append(b, ']')
	}
	for _, name := range slices.Sorted(maps.Keys(f.Members)) {
		b = appendJSONString(append(b, ','), name)
		b = appendJSONString(append(b, ':'), f.Members[name])
	}
	return append(b, '}')
}

func restError(code string, f *fault.Fault) []byte {
	b := append([]byte(`{"ErrorCode":`), appendJSONString(nil, code)...)
	b = append(b, `,"Message":`...)
	b = appendJSONString(b, f.Error())
	return append(b, '}')
}

func (q *Request) cborError(h http.Header, code string, f *fault.Fault) []byte {
	q.namesQueryCode(h, f)
	b := appendCBORHead(nil, cborMap, 2)
	b = appendCBORText(appendCBORText(b, "__type"), code)
	return appendCBORText(appendCBORText(b, "message"), f.Error())
}

func (q *Request) queryError(id, code string, f *fault.Fault) []byte {
	x := xmlWriter{}
	root := "<ErrorResponse>"
	if q.Service != nil {
		root = `<ErrorResponse xmlns="` + q.Service.Namespace + `">`
	}
	x.b = append(x.b, root...)
	x.open("Error")
	x.textElement("Type", blame(f))
	x.textElement("Code", code)
	x.textElement("Message", f.Error())
	x.close("Error")
	x.textElement("RequestId", id)
	x.close("ErrorResponse")
	return x.b
}

func ec2Error(id, code string, f *fault.Fault) []byte {
	x := xmlWriter{b: []byte(xmlHeader)}
	x.open("Response")
	x.open("Errors")
	x.open("Error")
	x.textElement("Code", code)
	x.textElement("Message", f.Error())
	x.close("Error")
	x.close("Errors")
	x.textElement("RequestID", id)
	x.close("Response")
	return x.b
}

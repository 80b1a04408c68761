package alarm

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// shownDatapoints bounds the datapoints in a reason, which has 1023 characters, and
// in its data, which has 4000.
const shownDatapoints = 20

// reason tells in AWS's words why the evaluation came to the state.
func (e *evaluation) reason(state State) string {
	switch {
	case state == InsufficientData:
		return fmt.Sprintf("Insufficient Data: %s unknown.", were(e.lacking(), "datapoint"))
	case e.filled():
		received := "no datapoints were"
		if n := len(e.samples); n > 0 {
			received = were(n, "datapoint")
		}
		return fmt.Sprintf("Threshold Crossed: %s received for %s and %s treated as [%s].",
			received, plural(e.EvaluationPeriods, "period"), were(e.lacking(), "missing datapoint"), e.treatment().word())
	}
	return e.crossed(state)
}

// filled tells that missing datapoints counted.
func (e *evaluation) filled() bool {
	return e.lacking() > 0 && (e.treatment() == TreatAsBreaching || e.treatment() == TreatAsNotBreaching)
}

func (t Treatment) word() string {
	if t == TreatAsBreaching {
		return "Breaching"
	}
	return "NonBreaching"
}

// crossed tells the datapoints that decided.
func (e *evaluation) crossed(state State) string {
	var shown []string
	n := 0
	for _, s := range e.samples {
		if s.breaches != (state == InAlarm) {
			continue
		}
		if n++; n <= shownDatapoints {
			shown = append(shown, fmt.Sprintf("%s (%s)", number(s.value), s.at.UTC().Format("02/01/06 15:04:05")))
		}
	}
	not, way, minimum := "", "OK -> ALARM", e.needed()
	if state == OK {
		not, way, minimum = "not ", "ALARM -> OK", e.EvaluationPeriods-e.needed()+1
	}
	verb := "were"
	if n == 1 {
		verb = "was"
	}
	list := strings.Join(shown, ", ")
	said := fmt.Sprintf("%s %s%s the threshold (%s)", verb, not, e.Operator.words(), number(e.Threshold))
	if e.DatapointsToAlarm == 0 {
		return fmt.Sprintf("Threshold Crossed: %s [%s] %s.", plural(n, "datapoint"), list, said)
	}
	return fmt.Sprintf("Threshold Crossed: %d out of the last %d datapoints [%s] %s (minimum %s for %s transition).",
		n, len(e.samples), list, said, plural(minimum, "datapoint"), way)
}

func (o Operator) words() string {
	switch o {
	case GreaterOrEqual:
		return "greater than or equal to"
	case Greater:
		return "greater than"
	case Less:
		return "less than"
	}
	return "less than or equal to"
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

func were(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " was"
	}
	return plural(n, noun) + " were"
}

// number writes a number as CloudWatch, a Java program, does: 70.0, 1.5E10.
func number(v float64) string {
	if a := math.Abs(v); a != 0 && (a < 1e-3 || a >= 1e7) {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'E', -1, 64), "E")
		power, _ := strconv.Atoi(exponent) // FormatFloat's own
		return point(mantissa) + "E" + strconv.Itoa(power)
	}
	return point(strconv.FormatFloat(v, 'f', -1, 64))
}

func point(digits string) string {
	if strings.Contains(digits, ".") {
		return digits
	}
	return digits + ".0"
}

// double is a number that is written in JSON as CloudWatch does.
type double float64

// MarshalJSON implements json.Marshaler.
func (d double) MarshalJSON() ([]byte, error) { return []byte(number(float64(d))), nil }

// reasonData is StateReasonData, version 1.0.
type reasonData struct {
	Version    string      `json:"version"`
	QueryDate  string      `json:"queryDate"`
	StartDate  string      `json:"startDate,omitempty"`
	Unit       string      `json:"unit,omitempty"`
	Statistic  string      `json:"statistic"`
	Period     int         `json:"period"`
	Recent     []double    `json:"recentDatapoints"` // the oldest first
	Threshold  double      `json:"threshold"`
	Datapoints []evaluated `json:"evaluatedDatapoints,omitempty"` // the newest first
}

type evaluated struct {
	Timestamp   string `json:"timestamp"`
	SampleCount double `json:"sampleCount"`
	Value       double `json:"value"`
}

// stamp writes a moment as it stands in the data of reasons and of history.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000-0700") }

// data is the evaluation for programs.
func (e *evaluation) data() string {
	r := reasonData{
		Version: "1.0", QueryDate: stamp(e.now), Unit: e.Unit, Statistic: string(e.Statistic), Period: e.Period,
		Recent: []double{}, Threshold: double(e.Threshold),
	}
	samples := e.samples[:min(len(e.samples), shownDatapoints)]
	for i, s := range samples {
		r.Recent = append(r.Recent, double(samples[len(samples)-1-i].value))
		r.Datapoints = append(r.Datapoints, evaluated{stamp(s.at), double(s.count), double(s.value)})
		r.StartDate = stamp(s.at)
	}
	return encode(r)
}

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and finite numbers always encode
	}
	return string(text)
}

package logs

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/berthhq/berth/agent/logs/lines"
	"github.com/berthhq/berth/agent/logs/spool"
)

// Drivers names the log drivers there are.
func Drivers() []string { return []string{"awslogs", "json-file", "none"} }

// driver is a log configuration, read. Of aws and file at most one is set; without
// either the output goes nowhere.
type driver struct {
	terms spool.Terms
	aws   *awslogs
	file  *jsonFile
}

func (d driver) nowhere() bool { return d.aws == nil && d.file == nil }

// awslogs are the options of the awslogs driver.
type awslogs struct {
	group       string
	stream      string
	region      string
	endpoint    string
	createGroup bool
	start       *regexp.Regexp // of an event of several lines; nil when a line is one
}

// jsonFile are the options of the json-file driver.
type jsonFile struct {
	maxSize  int64
	maxFiles int
}

const (
	// bufferBytes is awslogs' max-buffer-size where the definition has none.
	bufferBytes = 10 << 20
	// Docker's json-file grows without bound by default, and fills disks.
	fileBytes = 20 << 20
	fileCount = 5
)

// Check tells what is wrong with a log configuration.
func Check(o Order) error {
	_, err := parse(o)
	return err
}

func parse(o Order) (driver, error) {
	switch o.Driver {
	case "awslogs":
		return parseAWSLogs(o)
	case "", "json-file":
		return parseJSONFile(o)
	case "none":
		return driver{}, nil
	}
	return driver{}, fmt.Errorf("log driver %s is not supported; use one of %s", o.Driver, strings.Join(Drivers(), ", "))
}

func parseAWSLogs(o Order) (driver, error) {
	known := []string{
		"awslogs-group", "awslogs-region", "awslogs-stream-prefix", "awslogs-stream", "awslogs-create-group",
		"awslogs-datetime-format", "awslogs-multiline-pattern", "awslogs-endpoint", "mode", "max-buffer-size",
		// Known and without effect here: keys come from the agent, formats are
		// shipped as they are, and batches are made by time and size.
		"awslogs-credentials-endpoint", "awslogs-format", "awslogs-create-stream",
		"awslogs-force-flush-interval-seconds", "awslogs-max-buffered-events", "tag",
	}
	if err := checkKnown(o, known); err != nil {
		return driver{}, err
	}
	a := &awslogs{
		group: o.Options["awslogs-group"], region: o.Options["awslogs-region"],
		endpoint: o.Options["awslogs-endpoint"], stream: streamName(o),
	}
	if a.group == "" {
		return driver{}, fmt.Errorf("must specify a value for log opt 'awslogs-group'")
	}
	if a.region == "" {
		a.region = o.Region
	}
	var err error
	if a.createGroup, err = parseBool(o, "awslogs-create-group"); err != nil {
		return driver{}, err
	}
	if a.start, err = parseStart(o); err != nil {
		return driver{}, err
	}
	terms, err := parseTerms(o)
	return driver{terms: terms, aws: a}, err
}

// streamName is PREFIX/CONTAINER/TASK; without a prefix the container's own id, as
// on EC2 capacity.
func streamName(o Order) string {
	if name := o.Options["awslogs-stream"]; name != "" {
		return name
	}
	if prefix := o.Options["awslogs-stream-prefix"]; prefix != "" {
		return prefix + "/" + o.Container + "/" + o.TaskID
	}
	return o.RuntimeID
}

func parseStart(o Order) (*regexp.Regexp, error) {
	format, pattern := o.Options["awslogs-datetime-format"], o.Options["awslogs-multiline-pattern"]
	switch {
	case format != "" && pattern != "":
		return nil, fmt.Errorf("you cannot configure log opt 'awslogs-datetime-format' and 'awslogs-multiline-pattern' at the same time")
	case format != "":
		return lines.DatetimeStart(format)
	case pattern != "":
		re, err := regexp.Compile(pattern)
		if err != nil {
			return nil, fmt.Errorf("awslogs could not parse multiline pattern key '%s': %w", pattern, err)
		}
		return re, nil
	}
	return nil, nil
}

func parseTerms(o Order) (spool.Terms, error) {
	mode := o.Options["mode"]
	if mode == "" {
		mode = o.Mode
	}
	terms := spool.Terms{Limit: bufferBytes}
	switch mode {
	case "", "non-blocking":
	case "blocking":
		terms.Blocking = true
	default:
		return terms, fmt.Errorf("logging mode not supported: %s", mode)
	}
	size, ok := o.Options["max-buffer-size"]
	if !ok {
		return terms, nil
	}
	if o.Options["mode"] == "blocking" {
		return terms, fmt.Errorf("max-buffer-size log option is only valid with mode=non-blocking")
	}
	var err error
	if terms.Limit, err = parseSize(size); err != nil {
		return terms, fmt.Errorf("max-buffer-size: %w", err)
	}
	return terms, nil
}

func parseJSONFile(o Order) (driver, error) {
	known := []string{"max-size", "max-file", "mode", "max-buffer-size",
		// Known and without effect: they decorate the file.
		"compress", "labels", "labels-regex", "env", "env-regex", "tag"}
	if err := checkKnown(o, known); err != nil {
		return driver{}, err
	}
	f := &jsonFile{maxSize: fileBytes, maxFiles: fileCount}
	var err error
	if size, ok := o.Options["max-size"]; ok && size != "-1" {
		if f.maxSize, err = parseSize(size); err != nil {
			return driver{}, fmt.Errorf("max-size: %w", err)
		}
		f.maxFiles = 1
	}
	if count, ok := o.Options["max-file"]; ok {
		if f.maxFiles, err = strconv.Atoi(count); err != nil || f.maxFiles < 1 {
			return driver{}, fmt.Errorf("max-file cannot be less than 1: %s", count)
		}
	}
	// A local file is never slow, so the modes do not differ.
	return driver{terms: spool.Terms{Limit: bufferBytes, Blocking: true}, file: f}, nil
}

func checkKnown(o Order, known []string) error {
	for _, option := range slices.Sorted(maps.Keys(o.Options)) {
		if !slices.Contains(known, option) {
			return fmt.Errorf("unknown log opt '%s' for %s log driver", option, o.Driver)
		}
	}
	return nil
}

func parseBool(o Order, option string) (bool, error) {
	text := o.Options[option]
	if text == "" {
		return false, nil
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		return false, fmt.Errorf("must specify valid value for log opt '%s': %s", option, text)
	}
	return b, nil
}

// parseSize reads 10m, 512k, 1g or bytes, as Docker does.
func parseSize(text string) (int64, error) {
	number := strings.TrimRight(strings.ToLower(strings.TrimSpace(text)), "ib")
	unit := int64(1)
	for suffix, bytes := range map[string]int64{"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40} {
		if rest, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = rest, bytes
			break
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n <= 0 || n*float64(unit) > 1<<50 {
		return 0, fmt.Errorf("invalid size: '%s'", text)
	}
	return int64(n * float64(unit)), nil
}

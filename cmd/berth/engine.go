package main

import (
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/berthhq/berth/plane/relay"
	"github.com/berthhq/berth/protocol/sigv4"
)

const engineUsage = "SERVICE=URL[,key=ID,secret-file=PATH,region=REGION]: AWS-compatible engine that answers for a service, such as dynamodb; may be repeated"

// engineFlags are the engines as --engine gives them.
type engineFlags struct {
	texts   []string
	engines []relay.Engine
}

func (e *engineFlags) String() string { return "" }

// Set takes one engine.
func (e *engineFlags) Set(text string) error {
	engine, err := parseEngine(text)
	if err != nil {
		return err
	}
	for _, other := range e.engines {
		if other.Service == engine.Service {
			return fmt.Errorf("%s has two engines", engine.Service)
		}
	}
	e.texts, e.engines = append(e.texts, text), append(e.engines, engine)
	return nil
}

// args are the flags that say the same.
func (e *engineFlags) args() []string {
	var out []string
	for _, text := range e.texts {
		out = append(out, "--engine", text)
	}
	return out
}

func parseEngine(text string) (relay.Engine, error) {
	service, rest, _ := strings.Cut(text, "=")
	address, options, _ := strings.Cut(rest, ",")
	u, err := url.Parse(address)
	if service == "" || err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return relay.Engine{}, fmt.Errorf("%q is not SERVICE=URL with an http or https URL", text)
	}
	// Engines that take any key take this one.
	e := relay.Engine{Service: service, URL: u, Keys: sigv4.Keys{ID: "berth", Secret: "berth"}}
	for option := range strings.SplitSeq(options, ",") {
		if err := setEngine(&e, option); err != nil {
			return relay.Engine{}, err
		}
	}
	return e, nil
}

func setEngine(e *relay.Engine, option string) error {
	name, value, _ := strings.Cut(option, "=")
	switch name {
	case "":
	case "key":
		e.Keys.ID = value
	case "region":
		e.Region = value
	case "secret-file":
		secret, err := os.ReadFile(value)
		if err != nil {
			return fmt.Errorf("secret of the engine of %s: %w", e.Service, err)
		}
		e.Keys.Secret = strings.TrimSpace(string(secret))
	default:
		return fmt.Errorf("an engine has no option %q: key, secret-file and region", name)
	}
	return nil
}

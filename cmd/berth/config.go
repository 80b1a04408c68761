package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// config is the file of --config.
type config struct {
	Fargate fargateConfig `json:"fargate"`
	// Engines are as in --engine.
	Engines []string `json:"engines"`
}

type fargateConfig struct {
	// CPUOvercommit is how many times the machine's CPU may be promised to
	// Fargate tasks; each is still held to its own limit. 0 means the default.
	CPUOvercommit int `json:"cpu_overcommit"`
	// Isolation is "gvisor", or "none" to run Fargate tasks on the host's kernel.
	Isolation string `json:"isolation"`
}

func (f fargateConfig) overcommit(byDefault int) int {
	if f.CPUOvercommit > 0 {
		return f.CPUOvercommit
	}
	return byDefault
}

func (f fargateConfig) isolation() string {
	if f.Isolation == "" {
		return "gvisor"
	}
	return f.Isolation
}

func readConfig(path string) (config, error) {
	var c config
	if path == "" {
		return c, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return c, err
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, misuse{fmt.Errorf("%s: %w", path, err)}
	}
	if i := c.Fargate.isolation(); i != "gvisor" && i != "none" {
		return c, misuse{fmt.Errorf("%s: fargate.isolation is %q: use gvisor or none", path, i)}
	}
	return c, nil
}

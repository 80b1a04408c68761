package main

import (
	"flag"
	"os"
	"strconv"
)

// imds are the settings of the instance's metadata.
type imds struct {
	hopLimit int
	block    bool
}

// flags reads them. The hop limit is 2 by default, as the console and the launch
// templates of Amazon Linux 2023 set it: with EC2's own default of 1, no task in
// bridge or awsvpc network mode gets a token.
func (i *imds) flags(fs *flag.FlagSet) {
	blocked, _ := strconv.ParseBool(os.Getenv("ECS_AWSVPC_BLOCK_IMDS"))
	fs.IntVar(&i.hopLimit, "imds-hop-limit", 2, "hops that tokens of the instance's metadata go; with 1 they reach host mode tasks only")
	fs.BoolVar(&i.block, "block-imds", blocked, "close the instance's metadata to tasks in awsvpc network mode; also ECS_AWSVPC_BLOCK_IMDS=true")
}

func (i imds) args() []string {
	return []string{"--imds-hop-limit", strconv.Itoa(i.hopLimit), "--block-imds=" + strconv.FormatBool(i.block)}
}

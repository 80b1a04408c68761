// Command berth-gvisor stands before gVisor's runsc, so that the runc shim can hold
// several containers of one sandbox.
package main

import "github.com/berthhq/berth/agent/runtime/gvisor"

func main() { gvisor.Main() }

// Command berth-shim is the small companion of berth that outlives it: one stands
// by each running task. It is installed beside berth under the name that
// containerd's shim protocol expects.
package main

import "github.com/berthhq/berth/agent/runtime/shim"

func main() { shim.Main() }

package runtimetest

import goruntime "runtime"

func architecture() string { return goruntime.GOARCH }

package runtime

import (
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"
	"tags.cncf.io/container-device-interface/pkg/cdi"
)

// injectCDI adds devices that vendors describe in /etc/cdi and /var/run/cdi: GPUs
// with the libraries that go with them.
// https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md
func injectCDI(s *specs.Spec, devices []string) error {
	if len(devices) == 0 {
		return nil
	}
	cache, err := cdi.NewCache(cdi.WithAutoRefresh(false))
	if err != nil {
		return fmt.Errorf("read CDI specs: %w", err)
	}
	if unknown, err := cache.InjectDevices(s, devices...); err != nil {
		return fmt.Errorf("inject devices %v: %w", unknown, err)
	}
	return nil
}

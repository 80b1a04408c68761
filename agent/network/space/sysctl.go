package space

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Set writes kernel parameters under /proc/sys/net of the calling thread's
// namespace: call it inside Do or prepare. Names are paths such as
// "ipv4/ip_forward". A parameter this kernel lacks is left out.
func Set(values map[string]string) error {
	for name, value := range values {
		err := os.WriteFile(sysctl(name), []byte(value), 0o644)
		if err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("set net/%s to %q: %w", name, value, err)
		}
	}
	return nil
}

// Get reads a kernel parameter of the calling thread's namespace.
func Get(name string) (string, error) {
	b, err := os.ReadFile(sysctl(name))
	return strings.TrimSpace(string(b)), err
}

func sysctl(name string) string { return filepath.Join("/proc/sys/net", name) }

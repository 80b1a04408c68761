package workload

// Essential tells whether the named container is. Nothing is in a definition that
// is gone, a nil one.
func (d *Definition) Essential(name string) bool {
	if d == nil {
		return false
	}
	c := d.Container(name)
	return c != nil && c.Essential
}

// Checked tells whether the health of the definition's tasks is checked: whether
// an essential container has a health check.
func (d *Definition) Checked() bool {
	if d == nil {
		return false
	}
	for i := range d.Containers {
		if c := &d.Containers[i]; c.Essential && c.HealthCheck != nil {
			return true
		}
	}
	return false
}

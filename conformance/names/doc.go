// Package names holds Cloud Map against AWS's own client.
package names

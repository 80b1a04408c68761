package main

// hidden runs what berth starts of itself under another name or word, and that
// no person calls. It reports whether it did.
func hidden(args []string) bool { return false }

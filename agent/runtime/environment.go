package runtime

import "strings"

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// environment adds what every container expects to find: PATH, HOME and, with a
// terminal, TERM.
func environment(env []string, home string, terminal bool) []string {
	usual := []string{"PATH=" + defaultPath}
	if terminal {
		usual = append(usual, "TERM=xterm")
	}
	if home != "" {
		usual = append(usual, "HOME="+home)
	}
	return lastOf(append(usual, env...))
}

// lastOf keeps one value of each name: the last, where the first was.
func lastOf(env []string) []string {
	out := make([]string, 0, len(env))
	at := map[string]int{}
	for _, pair := range env {
		name, _, _ := strings.Cut(pair, "=")
		if i, ok := at[name]; ok {
			out[i] = pair
			continue
		}
		at[name] = len(out)
		out = append(out, pair)
	}
	return out
}

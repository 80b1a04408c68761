package runtime

import "strings"

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// environment adds what every container expects to find: PATH, HOME and, with a
// terminal, TERM. Of a name given twice the last value counts.
func environment(env []string, home string, terminal bool) []string {
	out := make([]string, 0, len(env)+3)
	at := map[string]int{}
	set := func(pair string) {
		name, _, _ := strings.Cut(pair, "=")
		if i, ok := at[name]; ok {
			out[i] = pair
			return
		}
		at[name] = len(out)
		out = append(out, pair)
	}
	set("PATH=" + defaultPath)
	if terminal {
		set("TERM=xterm")
	}
	if home != "" {
		set("HOME=" + home)
	}
	for _, pair := range env {
		set(pair)
	}
	return out
}

package spec

// Nearest is the candidate that most likely was meant by name: the one with the
// fewest changed, added, dropped or swapped letters, if that is few enough for
// a slip of the fingers. It is "" if none is near.
func Nearest(name string, candidates []string) string {
	const tooLong = 256 // a name this long is no slip, and the table below grows with it
	if len(name) > tooLong {
		return ""
	}
	best, bestAt := "", len([]rune(name))/3+2
	for _, c := range candidates {
		if len(c) > tooLong {
			continue
		}
		if d := distance(lower(name), lower(c)); d < bestAt {
			best, bestAt = c, d
		}
	}
	return best
}

// distance is the optimal string alignment distance of a and b.
func distance(a, b []rune) int {
	before, last := []int(nil), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// lower folds ASCII capitals: sshkeys is sshKeys with a slip.
func lower(s string) []rune {
	r := []rune(s)
	for i, c := range r {
		if c >= 'A' && c <= 'Z' {
			r[i] = c + 'a' - 'A'
		}
	}
	return r
}

//go:build !unix

package standalone

import "strings"

func isBusy(err error) bool {
	return strings.Contains(err.Error(), "Only one usage of each socket address")
}

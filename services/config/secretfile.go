package config

import (
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	// fileSuffix ends the key that names a file with a secret's value; in the
	// environment it is upper case.
	fileSuffix = "_file"
	// maxSecretBytes bounds such a file: a secret is a key or a password, and a
	// mistaken path must not fill the memory.
	maxSecretBytes = 64 << 10
)

// secretFile reads the file that the value of key names. both tells that the
// same source also gives the secret itself.
func (c *converter) secretFile(key string, in any, both bool) any {
	path, ok := in.(string)
	switch {
	case !ok || path == "":
		c.fail(key, "must be the path of a file")
		return nil
	case both:
		c.fail(key, "the secret itself is given too; leave one of the two out")
		return nil
	}
	secret, err := readSecret(path)
	if err != nil {
		c.fail(key, "%v", err)
		return nil
	}
	return secret
}

// readSecret returns the file's content without the line ends it closes with.
func readSecret(path string) (Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxSecretBytes+1))
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	if len(content) > maxSecretBytes {
		return "", fmt.Errorf("read secret: %s is larger than %d bytes", path, maxSecretBytes)
	}
	secret := strings.TrimRight(string(content), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("read secret: %s is empty", path)
	}
	return Secret(secret), nil
}

package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/services/config"
)

// defaultURL is where parley dev listens unless its port is busy.
const defaultURL = "http://127.0.0.1:7420"

// apiFlags say where Parley is, and with which API key it is asked.
type apiFlags struct {
	url     string
	keyFile string
	store   string
}

func (f *apiFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.url, "url", "", "where Parley is (default: $"+config.VariableURL+", then the parley dev that runs here, then "+defaultURL+")")
	cmd.Flags().StringVar(&f.keyFile, "api-key-file", "", "file with the app's API key (default: $"+config.VariableAPIKey+", then that of parley dev)")
	cmd.Flags().StringVar(&f.store, "store", ".parley", "folder of parley dev, which keeps its API key and its address")
}

// address is where Parley is, without a path.
func (f *apiFlags) address() (string, error) {
	address, from := f.url, "--url"
	if address == "" {
		address, from = os.Getenv(config.VariableURL), config.VariableURL
	}
	if address == "" {
		place, err := standalone.Files{Dir: f.store}.Place()
		if err != nil { // none runs here
			return defaultURL, nil //nolint:nilerr // see above
		}
		address, from = place.URL, "the address of parley dev"
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return "", usage(errors.New(from + ": must be the address of Parley without a path, as in " + defaultURL))
	}
	return u.Scheme + "://" + u.Host, nil
}

// key finds the API key: the named file, the environment, parley dev's.
func (f *apiFlags) key() (config.Secret, error) {
	path := f.keyFile
	if path == "" {
		if key := os.Getenv(config.VariableAPIKey); key != "" {
			return config.Secret(key), nil
		}
		path = filepath.Join(f.store, "api.key")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the API key: %w (start parley dev here, or set %s or --api-key-file)", err, config.VariableAPIKey)
	}
	return config.Secret(strings.TrimSpace(string(text))), nil
}

// both are the address and the API key.
func (f *apiFlags) both() (address string, key config.Secret, err error) {
	if address, err = f.address(); err != nil {
		return "", "", err
	}
	key, err = f.key()
	return address, key, err
}

// rooms is the Server API.
func (f *apiFlags) rooms() (standalone.Rooms, error) {
	address, key, err := f.both()
	return standalone.Rooms{URL: address, APIKey: key}, err
}

// socket is where clients connect.
func (f *apiFlags) socket() (string, error) {
	address, err := f.address()
	return "ws" + strings.TrimPrefix(address, "http") + "/v1/ws", err
}

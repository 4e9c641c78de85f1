package standalone

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Place is where a `parley dev` that runs can be reached, which it leaves in its
// folder for the tools.
type Place struct {
	// URL is the public address, without a path; from this machine.
	URL string `json:"url"`
	// WebSocket is where clients connect.
	WebSocket string `json:"websocket"`
	// Admin is the address of the admin listener; empty: there is none.
	Admin string `json:"admin,omitempty"`
	// PID is the process's.
	PID int `json:"pid"`
}

// placeFile is the name of the file in the folder.
const placeFile = "dev.json"

// Place reads where a `parley dev` over this folder can be reached; without one
// the error is fs.ErrNotExist. One that was killed leaves its file.
func (f Files) Place() (Place, error) {
	var p Place
	text, err := os.ReadFile(filepath.Join(f.Dir, placeFile))
	if err != nil {
		return p, fmt.Errorf("read %s: %w", placeFile, err)
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("read %s: %w", placeFile, err)
	}
	return p, nil
}

// LeavePlace leaves a place for Place to read, whole or not at all. Remove takes
// it away.
func (f Files) LeavePlace(p Place) (remove func() error, err error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("keep %s: %w", placeFile, err)
	}
	path := filepath.Join(f.Dir, placeFile)
	half := path + ".new"
	if err := os.WriteFile(half, append(text, '\n'), 0o600); err != nil {
		return nil, fmt.Errorf("keep %s: %w", placeFile, err)
	}
	if err := os.Rename(half, path); err != nil {
		return nil, fmt.Errorf("keep %s: %w", placeFile, err)
	}
	return func() error {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s: %w", placeFile, err)
		}
		return nil
	}, nil
}

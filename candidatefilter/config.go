package candidatefilter

import (
	"errors"
	"fmt"

	"github.com/parley-rtc/parley/candidatefilter/internal/sdp"
	"github.com/parley-rtc/parley/services/contract"
)

// Config is the section "candidatefilter".
type Config struct {
	// Policy is what counts if the sender's token says nothing: all, public or
	// relay. A token can only be stricter.
	Policy contract.Policy `koanf:"policy"`
	// Workers is how many entries are sanitised at once.
	Workers int `koanf:"workers"`
	// Queue is how many entries may wait for a worker; one that finds no place
	// is dropped, and its edge sends it again.
	Queue int `koanf:"queue"`
	// Commits is how many entries with verdicts may wait for the log at once;
	// the edge of one that finds no place is told to try again.
	Commits int `koanf:"commits"`
	// Descriptions bounds what an SDP may hold.
	Descriptions Descriptions `koanf:"descriptions"`
}

// Descriptions are the limits of one SDP.
type Descriptions struct {
	// Bytes, Lines, LineBytes and Sections (m= lines) bound a description; one
	// over them is refused.
	Bytes     int `koanf:"bytes"`
	Lines     int `koanf:"lines"`
	LineBytes int `koanf:"line_bytes"`
	Sections  int `koanf:"sections"`
	// Candidates bounds the candidates in a description; those over it are
	// taken out.
	Candidates int `koanf:"candidates"`
}

// DefaultConfig lets public addresses and mDNS names pass.
func DefaultConfig() Config {
	d := sdp.DefaultLimits()
	return Config{
		Policy: contract.PolicyPublic, Workers: 4, Queue: 1024, Commits: 1024,
		Descriptions: Descriptions{
			Bytes: d.Bytes, Lines: d.Lines, LineBytes: d.LineBytes, Sections: d.Sections, Candidates: d.Candidates,
		},
	}
}

// Validate reports every fault of the section.
func (c Config) Validate() error {
	var faults []error
	if _, err := contract.ParsePolicy(string(c.Policy)); err != nil {
		faults = append(faults, fmt.Errorf("policy: %w", err))
	}
	for _, one := range []struct {
		key   string
		value int
	}{
		{"workers", c.Workers}, {"queue", c.Queue}, {"commits", c.Commits},
		{"descriptions.bytes", c.Descriptions.Bytes}, {"descriptions.lines", c.Descriptions.Lines},
		{"descriptions.line_bytes", c.Descriptions.LineBytes}, {"descriptions.sections", c.Descriptions.Sections},
		{"descriptions.candidates", c.Descriptions.Candidates},
	} {
		if one.value < 1 {
			faults = append(faults, fmt.Errorf("%s: is %d, must be at least 1", one.key, one.value))
		}
	}
	if c.Descriptions.Bytes > contract.MaxEntryBytes {
		faults = append(faults, fmt.Errorf("descriptions.bytes: is %d, must be at most %d, which is a whole entry of the log",
			c.Descriptions.Bytes, contract.MaxEntryBytes))
	}
	return errors.Join(faults...)
}

func (d Descriptions) limits() sdp.Limits {
	return sdp.Limits{Bytes: d.Bytes, Lines: d.Lines, LineBytes: d.LineBytes, Sections: d.Sections, Candidates: d.Candidates}
}

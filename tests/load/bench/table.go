//go:build linux

package bench

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/parley-rtc/parley/tests/load/target"
)

// String is a run on one line.
func (r Run) String() string {
	state := ""
	if r.Saturated {
		state = "  saturated"
	}
	return fmt.Sprintf("%s %d/s in bursts of %d: %.1f us a message, p50 %.2f p99 %.2f p99.9 %.2f ms (driver %.1f us)%s",
		r.Target, r.Rate, r.Burst, r.CPU, r.P50, r.P99, r.P999, r.Driver, state)
}

// String is an idle round on one line.
func (i Idle) String() string {
	return fmt.Sprintf("%s %d joins in %.2f s (connections before that: %.2f s), %.1f KB a connection",
		i.Target, i.Joins, i.JoinSeconds, i.OpenSeconds, i.PerConnection/1000)
}

// Print writes the tables and, at the end, one line for each figure.
func (r *Results) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "target\trate\tburst\tCPU us/message\tp50 ms\tp99 ms\tp99.9 ms\tdriver us\trounds\t")
	for _, s := range r.Summaries {
		fmt.Fprintln(t, r.row(s))
	}
	if len(r.Climbs)+len(r.Idles) > 0 {
		fmt.Fprintln(t, "\t\t\t\t\t\t\t\t\t")
		fmt.Fprintf(t, "target\thighest rate, p99 < %d ms\tjoins/s\tKB/connection\t\t\t\t\t\t\n", promptly)
		for _, name := range r.Plan.Targets {
			fmt.Fprintln(t, r.extremes(name))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, fault := range r.Faults {
		fmt.Fprintf(w, "%s broke its word (%s, %d/s in bursts of %d): %s\n", fault.Target, fault.Stage, fault.Rate, fault.Burst, fault.Fault)
	}
	fmt.Fprintln(w)
	for _, f := range r.Figures {
		fmt.Fprintln(w, f.Line())
	}
	return nil
}

func (r *Results) row(s Summary) string {
	head := fmt.Sprintf("%s\t%d\t%d\t", s.Target, s.Rate, s.Burst)
	switch {
	case r.broken(s.Target, rates, s.Burst, s.Rate):
		return head + "no figure: it broke its word\t\t\t\t\t\t"
	case !s.Kept():
		return fmt.Sprintf("%ssaturated\t\t\t\t\t%d\t", head, s.Rounds)
	}
	return fmt.Sprintf("%s%s\t%s\t%s\t%s\t%.1f\t%d\t", head, s.CPU, s.P50, s.P99, s.P999, s.Driver.Median, s.Rounds)
}

func (r *Results) extremes(name target.Name) string {
	cell := func(value Spread, ok bool) string {
		if !ok || value.Median == 0 {
			return "-"
		}
		return value.text(amount)
	}
	rate, hasRate := r.highest(name)
	joins, hasJoins := r.idles(name, Idle.JoinRate)
	memory, hasMemory := r.idles(name, func(i Idle) float64 { return i.PerConnection / 1000 })
	return fmt.Sprintf("%s\t%s\t%s\t%s\t\t\t\t\t\t", name, cell(rate, hasRate), cell(joins, hasJoins), cell(memory, hasMemory))
}

// String is the median and, if there was more than one value, the ends.
func (s Spread) String() string {
	return s.text(func(value float64) string {
		if value >= 100 {
			return fmt.Sprintf("%.0f", value)
		}
		return fmt.Sprintf("%.3g", value)
	})
}

func (s Spread) text(of func(value float64) string) string {
	if s.Min == s.Max {
		return of(s.Median)
	}
	return of(s.Median) + " (" + of(s.Min) + "-" + of(s.Max) + ")"
}

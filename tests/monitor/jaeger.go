package monitor

import (
	"context"
	"fmt"
)

// Jaeger is a running one.
type Jaeger struct {
	URL string // without a path
}

// Span is a span of a trace.
type Span struct {
	ID, Parent    string
	Service, Name string
}

// Spans are what it has of a trace; it has all of them some seconds later only.
func (j Jaeger) Spans(ctx context.Context, trace string) ([]Span, error) {
	var answer struct {
		Data []struct {
			Spans []struct {
				SpanID, OperationName, ProcessID string
				References                       []struct{ RefType, SpanID string }
			}
			Processes map[string]struct{ ServiceName string }
		}
	}
	if err := get(ctx, j.URL+"/api/traces/"+trace, &answer); err != nil {
		return nil, fmt.Errorf("jaeger: %w", err)
	}
	var spans []Span
	for _, one := range answer.Data {
		for _, s := range one.Spans {
			span := Span{ID: s.SpanID, Service: one.Processes[s.ProcessID].ServiceName, Name: s.OperationName}
			for _, to := range s.References {
				if to.RefType == "CHILD_OF" {
					span.Parent = to.SpanID
				}
			}
			spans = append(spans, span)
		}
	}
	return spans, nil
}

package observability_test

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

var record = flag.String("record", "", "write the data of all panels to this file, for make dashboard-screenshots")

// recording is the data of all panels.
type recording struct {
	// From and To are the time that was recorded, in milliseconds.
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Panels are by file and number of the panel.
	Panels map[string][]recordedSeries `json:"panels"`
}

// recordedSeries is one line of a panel. The first time is From, the others follow by seconds; null is no value.
type recordedSeries struct {
	Name   string     `json:"name"`
	Values []*float64 `json:"values"`
}

func (r *recording) add(file string, panel int, target target, found []series) {
	if r.Panels == nil {
		r.Panels = map[string][]recordedSeries{}
	}
	key := file + "#" + strconv.Itoa(panel)
	for _, s := range found {
		name := target.LegendFormat
		for label, value := range s.Metric {
			name = strings.ReplaceAll(name, "{{"+label+"}}", value)
		}
		// A label that a series does not have is shown by its own name, as Grafana does.
		line := recordedSeries{Name: strings.NewReplacer("{{", "", "}}", "").Replace(name)}
		for _, pair := range s.Values {
			at, _ := pair[0].(float64)
			line.set(int64(at), number(pair))
		}
		r.Panels[key] = append(r.Panels[key], line)
	}
}

// set keeps the value of a second; the beginning is subtracted when the recording is written.
func (s *recordedSeries) set(at int64, value float64) {
	seconds := float64(at)
	s.Values = append(s.Values, &seconds)
	if math.IsNaN(value) || math.IsInf(value, 0) {
		s.Values = append(s.Values, nil)
		return
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(value, 'g', 4, 64), 64)
	if err != nil {
		rounded = value
	}
	s.Values = append(s.Values, &rounded)
}

func (r *recording) write(t *testing.T, from, to time.Time) {
	t.Helper()
	if *record == "" {
		return
	}
	r.From, r.To = from.UnixMilli(), to.UnixMilli()
	for _, lines := range r.Panels {
		for i := range lines {
			lines[i].Values = spread(lines[i].Values, from.Unix(), to.Unix())
		}
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(*record, append(text, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}

// spread gives every second between from and to its value.
func spread(pairs []*float64, from, to int64) []*float64 {
	values := make([]*float64, to-from+1)
	for i := 0; i+1 < len(pairs); i += 2 {
		if second := int64(*pairs[i]) - from; second >= 0 && second < int64(len(values)) {
			values[second] = pairs[i+1]
		}
	}
	return values
}

// Package dashboards has the Grafana dashboards: which panels there are, what they ask of Prometheus and how the answer is
// to be read. The chart's JSON files are written from it, and tests hold every query to the metrics that exist.
//
// It knows what Grafana's classic schema needs and nothing of how dashboards are installed.
package dashboards

import (
	"encoding/json"
)

// Dashboard is a dashboard in Grafana's classic schema.
type Dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	Editable      bool        `json:"editable"`
	GraphTooltip  int         `json:"graphTooltip"`
	Refresh       string      `json:"refresh"`
	SchemaVersion int         `json:"schemaVersion"`
	Time          Range       `json:"time"`
	Timezone      string      `json:"timezone"`
	Annotations   Annotations `json:"annotations"`
	Links         []Link      `json:"links"`
	Templating    Templating  `json:"templating"`
	Panels        []Panel     `json:"panels"`
}

// Range is what time a dashboard shows at first.
type Range struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Annotations are marks in all panels.
type Annotations struct {
	List []Annotation `json:"list"`
}

// Annotation is one kind of mark.
type Annotation struct {
	Name        string     `json:"name"`
	Datasource  Datasource `json:"datasource"`
	Enable      bool       `json:"enable"`
	Expr        string     `json:"expr"`
	IconColor   string     `json:"iconColor"`
	TitleFormat string     `json:"titleFormat"`
}

// Datasource is where a query goes.
type Datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// Link leads somewhere else.
type Link struct {
	Title       string `json:"title"`
	Type        string `json:"type,omitempty"`
	URL         string `json:"url"`
	TargetBlank bool   `json:"targetBlank,omitempty"`
	KeepTime    bool   `json:"keepTime,omitempty"`
	IncludeVars bool   `json:"includeVars,omitempty"`
}

// Templating are the variables.
type Templating struct {
	List []Variable `json:"list"`
}

// Variable is what a user chooses.
type Variable struct {
	Name       string      `json:"name"`
	Label      string      `json:"label"`
	Type       string      `json:"type"`
	Query      string      `json:"query"`
	Datasource *Datasource `json:"datasource,omitempty"`
	Refresh    int         `json:"refresh,omitempty"`
	IncludeAll bool        `json:"includeAll,omitempty"`
	AllValue   string      `json:"allValue,omitempty"`
	Multi      bool        `json:"multi,omitempty"`
	Sort       int         `json:"sort,omitempty"`
}

// Panel is a row, a number or a graph.
type Panel struct {
	ID          int          `json:"id"`
	Type        string       `json:"type"`
	Title       string       `json:"title"`
	Description string       `json:"description,omitempty"`
	GridPos     Position     `json:"gridPos"`
	Datasource  *Datasource  `json:"datasource,omitempty"`
	Targets     []Target     `json:"targets,omitempty"`
	FieldConfig *FieldConfig `json:"fieldConfig,omitempty"`
	Options     any          `json:"options,omitempty"`
	Links       []Link       `json:"links,omitempty"`
}

// Position is where a panel stands in a grid of 24 columns.
type Position struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// Target is one query.
type Target struct {
	RefID        string     `json:"refId"`
	Datasource   Datasource `json:"datasource"`
	Expr         string     `json:"expr"`
	LegendFormat string     `json:"legendFormat"`
	Instant      bool       `json:"instant,omitempty"`
	Range        bool       `json:"range,omitempty"`
}

// FieldConfig is how values are shown.
type FieldConfig struct {
	Defaults  Defaults `json:"defaults"`
	Overrides []any    `json:"overrides"`
}

// Defaults are that for all values of a panel.
type Defaults struct {
	Unit       string         `json:"unit"`
	Min        *float64       `json:"min,omitempty"`
	Color      map[string]any `json:"color"`
	Thresholds Thresholds     `json:"thresholds"`
	Custom     map[string]any `json:"custom,omitempty"`
}

// Thresholds colour values.
type Thresholds struct {
	Mode  string `json:"mode"`
	Steps []Step `json:"steps"`
}

// Step colours values from Value on; nil is from the beginning.
type Step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

// All returns the dashboards by the names of their files.
func All() map[string]Dashboard {
	return map[string]Dashboard{"overview.json": overview(), "policy.json": policy()}
}

// JSON is the file of a dashboard.
func (d Dashboard) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(d, "", "  ")
	return append(text, '\n'), err
}

// source is the data source that the user chooses.
var source = Datasource{Type: "prometheus", UID: "$datasource"}

// of selects the series that the variables ask for.
const of = `job=~"$job", namespace=~"$namespace"`

// runbooks is where the pages about alerts are.
const runbooks = "https://github.com/clusterimport/clusterimport/blob/main/docs/runbooks/"

func newDashboard(uid, title, description string) Dashboard {
	return Dashboard{
		UID: uid, Title: title, Description: description, Tags: []string{"clusterimport"},
		GraphTooltip: 1, Refresh: "30s", SchemaVersion: 39, Timezone: "browser", Time: Range{From: "now-1h", To: "now"},
		Annotations: Annotations{List: []Annotation{{
			Name: "Leader changes", Datasource: source, Enable: true, IconColor: "blue", TitleFormat: "leader changed",
			Expr: `sum(changes(leader_election_master_status{` + of + `}[$__rate_interval])) > 0`,
		}}},
		Links: []Link{
			{Title: "Documentation", Type: "link", URL: "https://github.com/clusterimport/clusterimport/blob/main/docs/observability.md", TargetBlank: true},
		},
		Templating: Templating{List: []Variable{
			{Name: "datasource", Label: "Data source", Type: "datasource", Query: "prometheus"},
			query("job", "Job", `label_values(clusterimport_build_info, job)`),
			query("namespace", "Namespace", `label_values(clusterimport_build_info{job=~"$job"}, namespace)`),
		}},
	}
}

// query is a variable with the values of a label, of which several or all may be chosen.
func query(name, label, values string) Variable {
	return Variable{
		Name: name, Label: label, Type: "query", Query: values, Datasource: &source,
		Refresh: 2, IncludeAll: true, AllValue: ".*", Multi: true, Sort: 1,
	}
}

// layout places panels.
type layout struct {
	dashboard *Dashboard
	// width is that of a graph.
	width   int
	x, y, h int
}

func (l *layout) add(p Panel, w, h int) {
	if l.x+w > 24 {
		l.x, l.y = 0, l.y+l.h
	}
	p.ID = len(l.dashboard.Panels) + 1
	p.GridPos = Position{H: h, W: w, X: l.x, Y: l.y}
	l.x, l.h = l.x+w, h
	l.dashboard.Panels = append(l.dashboard.Panels, p)
}

// row begins a group of panels.
func (l *layout) row(title string) {
	if l.x > 0 {
		l.x, l.y = 0, l.y+l.h
	}
	l.add(Panel{Type: "row", Title: title}, 24, 1)
}

// asked is a query and the legend of its series.
type asked struct{ expr, legend string }

// panel is a panel as the dashboards describe it.
type panel struct {
	title, description, unit string
	asks                     []asked
	steps                    []Step
	// alerts are the runbooks that the panel helps with.
	alerts []string
}

func (p panel) build(kind string, instant bool, options any, custom map[string]any) Panel {
	out := Panel{Type: kind, Title: p.title, Description: p.description, Datasource: &source, Options: options}
	for i, a := range p.asks {
		out.Targets = append(out.Targets, Target{
			RefID: string(rune('A' + i)), Datasource: source, Expr: a.expr, LegendFormat: a.legend, Instant: instant, Range: !instant,
		})
	}
	steps, colour := p.steps, "thresholds"
	if len(steps) == 0 {
		steps = []Step{{Color: "green"}}
	}
	if kind == "timeseries" {
		colour = "palette-classic"
	}
	out.FieldConfig = &FieldConfig{Overrides: []any{}, Defaults: Defaults{
		Unit: p.unit, Color: map[string]any{"mode": colour}, Thresholds: Thresholds{Mode: "absolute", Steps: steps}, Custom: custom,
	}}
	for _, alert := range p.alerts {
		out.Links = append(out.Links, Link{Title: "Runbook: " + alert, URL: runbooks + alert + ".md", TargetBlank: true})
	}
	return out
}

// stat adds a number.
func (l *layout) stat(p panel) {
	l.add(p.build("stat", true, map[string]any{
		"colorMode": "background", "graphMode": "none", "justifyMode": "auto", "textMode": "value",
		"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
	}, nil), 3, 4)
}

// graph adds a graph over time.
func (l *layout) graph(p panel) {
	panel := p.build("timeseries", false, map[string]any{
		"legend":  map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": true},
		"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
	}, map[string]any{"drawStyle": "line", "fillOpacity": 10, "lineWidth": 1, "showPoints": "never", "spanNulls": false})
	zero := 0.0
	panel.FieldConfig.Defaults.Min = &zero
	l.add(panel, l.width, 8)
}

// above colours values from a bound on, those below are green.
func above(bound float64, colour string) []Step {
	return []Step{{Color: "green"}, {Color: colour, Value: &bound}}
}

// below colours values below a bound, those from it on are green.
func below(bound float64, colour string) []Step {
	return []Step{{Color: colour}, {Color: "green", Value: &bound}}
}

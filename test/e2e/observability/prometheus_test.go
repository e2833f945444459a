package observability_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clusterimport/clusterimport/test/e2e/testbed"
)

// prometheus is a real Prometheus that scrapes the controller twice a second.
type prometheus struct {
	t       *testing.T
	address string
}

const prometheusConfig = `
global: {scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 500ms}
rule_files: [rules.yaml]
scrape_configs:
  - job_name: clusterimport-metrics
    static_configs:
      - targets: [%q]
        labels: {namespace: clusterimport-system}
`

var (
	pending = regexp.MustCompile(`(?m)^(\s+for:) .*$`)
	window  = regexp.MustCompile(`\[10m\]`)
)

// quickly shortens what a test cannot wait for: how long a fault lasts before its alert fires, and over how long rates are
// taken. What a fault is stays as it is.
func quickly(rules string) string {
	return window.ReplaceAllString(pending.ReplaceAllString(rules, "$1 2s"), "[10s]")
}

// startPrometheus starts Prometheus with the alerts of the chart.
func startPrometheus(t *testing.T, target string) *prometheus {
	t.Helper()
	binary := os.Getenv("PROMETHEUS_BIN")
	if binary == "" {
		t.Fatal("PROMETHEUS_BIN is not set: make prometheus builds the binary")
	}
	dir := t.TempDir()
	rules, err := os.ReadFile(filepath.Join(root, "charts/clusterimport/alerts/clusterimport.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"prometheus.yaml": fmt.Sprintf(prometheusConfig, target), "rules.yaml": quickly(string(rules)),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := &prometheus{t, testbed.FreeAddress(t)}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	process := exec.Command(binary, "--config.file", filepath.Join(dir, "prometheus.yaml"), "--web.listen-address", p.address,
		"--storage.tsdb.path", filepath.Join(dir, "data"), "--query.lookback-delta", "2s")
	process.Stdout, process.Stderr = log, log
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGTERM)
		_ = process.Wait()
		_ = log.Close()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("Prometheus' log:\n%s", text[max(0, len(text)-4000):])
		}
	})
	p.eventually(time.Minute, "Prometheus is ready", func() error {
		_, err := fetch("http://" + p.address + "/-/ready")
		return err
	})
	return p
}

// eventually waits until check finds nothing wrong any more.
func (p *prometheus) eventually(within time.Duration, what string, check func() error) {
	p.t.Helper()
	testbed.Eventually(p.t, within, func(context.Context) error {
		if err := check(); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	})
}

// series is one of the answers to a query.
type series struct {
	Metric map[string]string `json:"metric"`
	// Values are pairs of a time in seconds and a number as text; Value is the only one of an instant query.
	Values [][2]any `json:"values"`
	Value  [2]any   `json:"value"`
}

func (p *prometheus) ask(path string, parameters url.Values) ([]series, error) {
	body, err := fetch("http://" + p.address + path + "?" + parameters.Encode())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Result []series `json:"result"`
		} `json:"data"`
	}
	err = json.Unmarshal([]byte(body), &answer)
	return answer.Data.Result, err
}

// instant returns the value of each series now, by the value of a label.
func (p *prometheus) instant(query, label string) (map[string]float64, error) {
	found, err := p.ask("/api/v1/query", url.Values{"query": {query}})
	values := map[string]float64{}
	for _, s := range found {
		values[s.Metric[label]] = number(s.Value)
	}
	return values, err
}

// over returns the series of a query over a time.
func (p *prometheus) over(query string, from, to time.Time, step time.Duration) ([]series, error) {
	return p.ask("/api/v1/query_range", url.Values{
		"query": {query}, "start": {seconds(from)}, "end": {seconds(to)}, "step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)},
	})
}

func seconds(at time.Time) string {
	return strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)
}

// number is the number of a pair, NaN when it is none.
func number(pair [2]any) float64 {
	text, _ := pair[1].(string)
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return value
}

// fires waits until the alerts fire.
func (p *prometheus) fires(within time.Duration, alerts ...string) {
	p.t.Helper()
	p.eventually(within, "alerts", func() error {
		firing, err := p.instant(`ALERTS{alertstate="firing"}`, "alertname")
		var missing []string
		for _, alert := range alerts {
			if _, ok := firing[alert]; !ok {
				missing = append(missing, alert)
			}
		}
		if err == nil && len(missing) > 0 {
			err = fmt.Errorf("%s: silent; firing are %v", strings.Join(missing, ", "), firing)
		}
		return err
	})
}

func fetch(address string) (string, error) {
	client := http.Client{Timeout: 20 * time.Second}
	response, err := client.Get(address)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return string(body), err
}

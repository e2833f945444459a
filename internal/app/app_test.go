package app

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	logsapi "k8s.io/component-base/logs/api/v1"
)

func TestArguments(t *testing.T) {
	cases := map[string]struct {
		reason         string
		args           []string
		code           int
		stdout, stderr string
	}{
		"Version": {reason: "the version is printed", args: []string{"--version"}, stdout: "v"},
		"Help":    {reason: "help is no failure", args: []string{"--help"}, stderr: "--leader-elect"},
		"Unknown": {reason: "an unknown flag is a mistake", args: []string{"--nope"}, code: 2, stderr: "unknown flag"},
		"Workers": {reason: "nobody works with no workers", args: []string{"--workers=0"}, code: 2, stderr: "--workers must be at least 1"},
		"QPS":     {reason: "limits are positive", args: []string{"--kube-api-qps=0"}, code: 2, stderr: "must be positive"},
		"Logs":    {reason: "an unknown log format is a mistake", args: []string{"--logging-format=xml"}, code: 2, stderr: "xml"},
		"Config":  {reason: "a kubeconfig that is not there ends the process", args: []string{"--kubeconfig=/nonexistent"}, code: 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if err := logsapi.ResetForTest(nil); err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			code := Main(tc.args, &stdout, &stderr)
			if code != tc.code || !strings.Contains(stdout.String(), tc.stdout) || !strings.Contains(stderr.String(), tc.stderr) {
				t.Errorf("%s: code %d\nstdout: %s\nstderr: %s", tc.reason, code, &stdout, &stderr)
			}
		})
	}
}

func TestReadiness(t *testing.T) {
	closed := make(chan struct{})
	close(closed)
	cases := map[string]struct {
		reason        string
		synced        chan struct{}
		elects, leads bool
		want          int
	}{
		"StandBy":  {"a replica that stands by is ready", make(chan struct{}), true, false, http.StatusOK},
		"Starting": {"a leader is not ready before its caches are synced", make(chan struct{}), true, true, http.StatusServiceUnavailable},
		"Leading":  {"a leader with synced caches is ready", closed, true, true, http.StatusOK},
		"Alone":    {"without election the process is the leader", make(chan struct{}), false, false, http.StatusServiceUnavailable},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := newProbes(tc.synced, tc.elects)
			if tc.leads {
				p.lead()
			}
			answer := httptest.NewRecorder()
			p.serveReady(answer, httptest.NewRequest(http.MethodGet, "/readyz", http.NoBody))
			if answer.Code != tc.want {
				t.Errorf("%s: got %d, want %d", tc.reason, answer.Code, tc.want)
			}
		})
	}
}

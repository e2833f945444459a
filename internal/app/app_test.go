package app

import (
	"bytes"
	"errors"
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
		"Lease":   {reason: "a leader ends before others lead", args: []string{"--leader-elect-lease-duration=5s"}, code: 2, stderr: "must be more than --leader-elect-renew-deadline"},
		"Logs":    {reason: "an unknown log format is a mistake", args: []string{"--logging-format=xml"}, code: 2, stderr: "xml"},
		"Mode":    {reason: "an unknown mode is a mistake", args: []string{"--webhook-cert-mode=self"}, code: 2, stderr: "must be Self, Files or None"},
		"NoHook":  {reason: "an authority that nobody is told of is of no use", args: []string{"--webhook-cert-mode=Self", "--webhook-configuration-name="}, code: 2, stderr: "is needed with"},
		"CALife":  {reason: "certificates live for some time", args: []string{"--webhook-ca-lifetime=1s"}, code: 2, stderr: "at least 10s"},
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
	open := make(chan struct{})
	callable, unknown := func() error { return nil }, func() error { return errors.New("there is no caBundle") }
	cases := map[string]struct {
		reason        string
		synced        chan struct{}
		elects, leads bool
		webhook       func() error
		mismatch      string
		code          int
		body          string
	}{
		"StandBy":  {"a replica that stands by is ready", open, true, false, nil, "", 200, "ok\n"},
		"Starting": {"a leader is not ready before its caches are synced", open, true, true, nil, "", 503, "the caches are not synced\n"},
		"Leading":  {"a leader with synced caches is ready", closed, true, true, nil, "", 200, "ok\n"},
		"Alone":    {"without election the process is the leader", open, false, false, nil, "", 503, "the caches are not synced\n"},
		"Webhook":  {"a webhook that can be called is ready", open, true, false, callable, "", 200, "ok\n"},
		"NoCA":     {"a webhook that the API server does not trust is not", open, true, false, unknown, "", 503, "the webhook cannot be called: there is no caBundle\n"},
		"Mismatch": {"a definition that lacks something is told of, and does no harm", closed, true, true, nil, "it lacks spec.a", 200, "ok\nwarning: it lacks spec.a\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := newProbes(tc.synced, tc.elects)
			p.webhook = tc.webhook
			p.compared("things.example.com", tc.mismatch)
			p.compared("others.example.com", "")
			if tc.leads {
				p.lead()
			}
			answer := httptest.NewRecorder()
			p.serveReady(answer, httptest.NewRequest(http.MethodGet, "/readyz", http.NoBody))
			if answer.Code != tc.code || answer.Body.String() != tc.body {
				t.Errorf("%s: got %d %q, want %d %q", tc.reason, answer.Code, answer.Body, tc.code, tc.body)
			}
		})
	}
}

func TestWebhookService(t *testing.T) {
	for flag, want := range map[string]string{"hook": "lease/hook", "ns/hook": "ns/hook"} {
		o := webhookOptions{service: flag}
		if namespace, name := o.address("lease"); namespace+"/"+name != want {
			t.Errorf("%s is %s/%s", flag, namespace, name)
		}
	}
}

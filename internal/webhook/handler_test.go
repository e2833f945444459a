package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/diag"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mistake is what the tests' validation finds in a policy whose condition is "wrong"; "risky" is warned of.
func validate(_ context.Context, spec *v1alpha1.ClusterImportPolicySpec) diag.List {
	switch spec.CreationCondition {
	case "wrong":
		return diag.List{
			diag.At(diag.Error, "C", "spec.creationCondition", "a\nwrong", 2, "it is wrong"),
			{Severity: diag.Warning, Code: "W", Field: "spec.source", Message: "careful", Hint: "do\nthis"},
			{Severity: diag.Info, Code: "I", Message: "by the way"},
		}
	case "many":
		list := make(diag.List, maxShown+5)
		for i := range list {
			list[i] = diag.Diagnostic{Severity: diag.Error, Code: "C", Field: "spec", Message: "no"}
		}
		return list
	case "panic":
		panic("c4n4ry")
	default:
		return nil
	}
}

// question is an AdmissionReview about a policy with that condition, and about the one before it.
func question(operation admissionv1.Operation, condition, before string) *admissionv1.AdmissionReview {
	object := func(condition string) runtime.RawExtension {
		return runtime.RawExtension{Raw: fmt.Appendf(nil, `{"spec": {"creationCondition": %q}}`, condition)}
	}
	return &admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{
			UID: "1", Operation: operation, Name: "p", Kind: metav1.GroupVersionKind{Group: "policy.clusterpedia.io", Kind: "ClusterImportPolicy"},
			Resource: metav1.GroupVersionResource{Group: "policy.clusterpedia.io", Version: "v1alpha1", Resource: "clusterimportpolicies"},
			Object:   object(condition), OldObject: object(before),
		},
	}
}

func TestHandler(t *testing.T) {
	edit := func(r *admissionv1.AdmissionReview, change func(*admissionv1.AdmissionReview)) *admissionv1.AdmissionReview {
		change(r)
		return r
	}
	cases := map[string]struct {
		reason string
		review *admissionv1.AdmissionReview
		want   string
	}{
		"Good": {reason: "a policy without mistakes is allowed", review: question("CREATE", "true", ""), want: "allowed"},
		"Wrong": {
			reason: "a mistake is shown with its place, to every kind of client; warnings are one line each",
			review: question("CREATE", "wrong", ""),
			want: "refused 422 Invalid\nthe policy does not compile\nerror: spec.creationCondition:2:1: it is wrong [C]\n  | wrong\n  | ^\n" +
				"cause spec.creationCondition: 2:1: it is wrong [C]\n  | wrong\n  | ^\nwarning spec.source: careful [W]; do this",
		},
		"Update":      {reason: "a new spec is checked", review: question("UPDATE", "many", "true"), want: "refused 422 Invalid\nthe policy does not compile\n" + strings.Repeat("error: spec: no [C]\n", maxShown) + "and 5 more" + strings.Repeat("\ncause spec: no [C]", maxShown)},
		"Unchanged":   {reason: "a spec that was accepted before is not checked again", review: question("UPDATE", "wrong", "wrong"), want: "allowed"},
		"Delete":      {reason: "anything can be deleted", review: question("DELETE", "wrong", ""), want: "allowed"},
		"Status":      {reason: "a status has no expressions", review: edit(question("UPDATE", "wrong", ""), func(r *admissionv1.AdmissionReview) { r.Request.SubResource = "status" }), want: "allowed"},
		"OtherKind":   {reason: "other kinds are none of ours", review: edit(question("CREATE", "wrong", ""), func(r *admissionv1.AdmissionReview) { r.Request.Resource.Resource = "others" }), want: "allowed"},
		"NoObject":    {reason: "what is no policy cannot be judged", review: edit(question("CREATE", "", ""), func(r *admissionv1.AdmissionReview) { r.Request.Object.Raw = []byte(`"c4n4ry"`) }), want: "HTTP 400 the object is no ClusterImportPolicy"},
		"NoRequest":   {reason: "an answer is no question", review: edit(question("CREATE", "", ""), func(r *admissionv1.AdmissionReview) { r.Request = nil }), want: "HTTP 400 this is no AdmissionReview of admission.k8s.io/v1"},
		"OtherReview": {reason: "v1beta1 is not spoken", review: edit(question("CREATE", "", ""), func(r *admissionv1.AdmissionReview) { r.APIVersion = "admission.k8s.io/v1beta1" }), want: "HTTP 400 this is no AdmissionReview of admission.k8s.io/v1"},
		"Panic":       {reason: "a panic is an error of the webhook, and the failurePolicy decides", review: question("CREATE", "panic", ""), want: "HTTP 500 the check of the policy broke off"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			body, err := json.Marshal(tc.review)
			if err != nil {
				t.Fatal(err)
			}
			answer := ask(NewHandler(validate, func(string, string, bool, time.Duration) {}, time.Now), "/validate?timeout=10s", "application/json", bytes.NewReader(body))
			if diff := cmp.Diff(tc.want, describe(t, answer)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func ask(h http.Handler, url, media string, body io.Reader) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, url, body)
	request.Header.Set("Content-Type", media)
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, request)
	return answer
}

// describe is an answer as text.
func describe(t *testing.T, answer *httptest.ResponseRecorder) string {
	t.Helper()
	if answer.Code != http.StatusOK {
		return fmt.Sprintf("HTTP %d %s", answer.Code, strings.TrimSpace(answer.Body.String()))
	}
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(answer.Body.Bytes(), &review); err != nil {
		t.Fatal(err)
	}
	r := review.Response
	if review.APIVersion != "admission.k8s.io/v1" || review.Kind != "AdmissionReview" || r.UID != "1" {
		t.Errorf("the answer is a %s/%s for %q", review.APIVersion, review.Kind, r.UID)
	}
	var text strings.Builder
	if r.Allowed {
		text.WriteString("allowed")
	} else {
		fmt.Fprintf(&text, "refused %d %s\n%s", r.Result.Code, r.Result.Reason, r.Result.Message)
		for _, c := range r.Result.Details.Causes {
			fmt.Fprintf(&text, "\ncause %s: %s", c.Field, c.Message)
		}
	}
	for _, w := range r.Warnings {
		text.WriteString("\nwarning " + w)
	}
	return text.String()
}

func TestBodies(t *testing.T) {
	cases := map[string]struct {
		reason, media string
		body          io.Reader
		want          string
	}{
		"NotJSON":  {"only JSON is read", "text/plain", strings.NewReader("{}"), "HTTP 415 an AdmissionReview is application/json"},
		"Garbage":  {"what is no JSON is not quoted", "application/json", strings.NewReader("c4n4ry"), "HTTP 400 this is no AdmissionReview of admission.k8s.io/v1"},
		"Empty":    {"nothing is no question", "application/json", http.NoBody, "HTTP 400 this is no AdmissionReview of admission.k8s.io/v1"},
		"TooLarge": {"a body that never ends is not read to its end", "application/json; charset=utf-8", io.MultiReader(strings.NewReader(`{"a": "`), endless{}), "HTTP 413 the AdmissionReview is too large"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			answer := ask(NewHandler(validate, func(string, string, bool, time.Duration) {}, time.Now), Path, tc.media, tc.body)
			if got := describe(t, answer); got != tc.want {
				t.Errorf("%s: got %s", tc.reason, got)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// TestDeadline: an answer that takes too long is given up before the API server does, those that wait for their turn too.
func TestDeadline(t *testing.T) {
	release := make(chan struct{})
	h := NewHandler(func(context.Context, *v1alpha1.ClusterImportPolicySpec) diag.List {
		<-release
		return nil
	}, func(string, string, bool, time.Duration) {}, time.Now)
	body, err := json.Marshal(question("CREATE", "slow", ""))
	if err != nil {
		t.Fatal(err)
	}
	for range atOnce + 1 {
		answer := ask(h, Path+"?timeout=20ms", "application/json", bytes.NewReader(body))
		if got := describe(t, answer); got != "HTTP 503 the policy could not be checked in time" {
			t.Errorf("got %s", got)
		}
	}
	close(release)
	if got := describe(t, ask(h, Path+"?timeout=20s", "application/json", bytes.NewReader(body))); got != "allowed" {
		t.Errorf("when the slow ones have ended: %s", got)
	}
}

func TestTimeout(t *testing.T) {
	for query, want := range map[string]time.Duration{
		"?timeout=5s": 4500 * time.Millisecond, "?timeout=600ms": 300 * time.Millisecond, "": 4500 * time.Millisecond,
		"?timeout=x": 4500 * time.Millisecond, "?timeout=-1s": 4500 * time.Millisecond, "?timeout=1h": 4500 * time.Millisecond,
	} {
		if got := timeoutOf(httptest.NewRequest(http.MethodPost, Path+query, http.NoBody)); got != want {
			t.Errorf("%q leaves %v, want %v", query, got, want)
		}
	}
}

// TestObserved: metrics get names that are few, whatever is asked.
func TestObserved(t *testing.T) {
	var got []string
	h := NewHandler(validate, func(resource, operation string, allowed bool, _ time.Duration) {
		got = append(got, fmt.Sprint(resource, " ", operation, " ", allowed))
	}, time.Now)
	reviews := []*admissionv1.AdmissionReview{question("CREATE", "true", ""), question("CREATE", "wrong", ""), question("CONNECT", "", ""), question("UPDATE", "panic", "")}
	reviews[2].Request.Resource.Resource = "anything"
	for _, review := range reviews {
		body, err := json.Marshal(review)
		if err != nil {
			t.Fatal(err)
		}
		ask(h, Path, "application/json", bytes.NewReader(body))
	}
	want := []string{"clusterimportpolicies CREATE true", "clusterimportpolicies CREATE false", "other other true", "clusterimportpolicies UPDATE false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Package webhook answers the API server's question whether a ClusterImportPolicy is acceptable: AdmissionReview v1 over
// HTTPS. It runs on every replica, and holds no state but a short memory of rights.
//
// It owns the protocol; what is wrong with a policy is pkg/policy's to say, and certificates are internal/certificates'.
// It is a courtesy to authors and no safety net: the controller checks every policy again.
package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/diag"
)

// Path is where the API server sends its questions.
const Path = "/validate"

const (
	// maxBody is far more than the limits of the schema let a policy and the one before it have.
	maxBody = 3 << 20
	// defaultTimeout is for a question that does not say how long its asker waits.
	defaultTimeout = 5 * time.Second
	// margin is for the answer to arrive in.
	margin = 500 * time.Millisecond
	// atOnce is how many policies are compiled at a time. More wait their turn.
	atOnce = 4
	// maxShown is how many mistakes an answer shows.
	maxShown = 20
)

// Handler answers AdmissionReviews.
type Handler struct {
	validate func(context.Context, *v1alpha1.ClusterImportPolicySpec) diag.List
	observe  func(resource, operation string, allowed bool, took time.Duration)
	now      func() time.Time
	turns    chan struct{}
}

// NewHandler answers by what validate says of a policy; observe is told of every answer.
func NewHandler(
	validate func(context.Context, *v1alpha1.ClusterImportPolicySpec) diag.List,
	observe func(resource, operation string, allowed bool, took time.Duration), now func() time.Time,
) *Handler {
	return &Handler{validate, observe, now, make(chan struct{}, atOnce)}
}

// httpError is a question that gets no answer but a status.
type httpError struct {
	code    int
	message string
}

func (e *httpError) Error() string { return e.message }

// ServeHTTP implements http.Handler. An answer that cannot be given is a status of HTTP, so that the webhook's
// failurePolicy decides.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := h.now()
	request, err := read(w, r)
	if err == nil {
		var response *admissionv1.AdmissionResponse
		if response, err = h.inTime(r, request); err == nil {
			h.answer(w, request, response)
			h.observed(request, response.Allowed, started)
			return
		}
		h.observed(request, false, started)
	}
	code := http.StatusInternalServerError
	if known, ok := errors.AsType[*httpError](err); ok {
		code = known.code
	}
	http.Error(w, err.Error(), code)
}

// read reads the question. No error quotes it.
func read(w http.ResponseWriter, r *http.Request) (*admissionv1.AdmissionRequest, error) {
	if media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(media) != "application/json" {
		return nil, &httpError{http.StatusUnsupportedMediaType, "an AdmissionReview is application/json"}
	}
	var review admissionv1.AdmissionReview
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&review)
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, &httpError{http.StatusRequestEntityTooLarge, "the AdmissionReview is too large"}
	}
	if err != nil || review.APIVersion != admissionv1.SchemeGroupVersion.String() || review.Kind != "AdmissionReview" || review.Request == nil {
		return nil, &httpError{http.StatusBadRequest, "this is no AdmissionReview of " + admissionv1.SchemeGroupVersion.String()}
	}
	return review.Request, nil
}

// inTime decides, or gives up shortly before the asker does. A decision that is not waited for any more ends by the
// limits of expressions.
func (h *Handler) inTime(r *http.Request, request *admissionv1.AdmissionRequest) (*admissionv1.AdmissionResponse, error) {
	ctx, cancel := context.WithTimeout(r.Context(), timeoutOf(r))
	defer cancel()
	late := &httpError{http.StatusServiceUnavailable, "the policy could not be checked in time"}
	select {
	case h.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, late
	}
	type outcome struct {
		response *admissionv1.AdmissionResponse
		err      error
	}
	done := make(chan outcome, 1)
	go func() {
		defer func() { <-h.turns }()
		defer func() {
			if reason := recover(); reason != nil {
				// A panic's text may quote what it stumbled over.
				klog.ErrorS(nil, "The check of a policy broke off", "policy", request.Name, "panic", fmt.Sprintf("%T", reason), "stack", string(debug.Stack()))
				done <- outcome{nil, &httpError{http.StatusInternalServerError, "the check of the policy broke off"}}
			}
		}()
		response, err := h.decide(ctx, request)
		done <- outcome{response, err}
	}()
	select {
	case o := <-done:
		return o.response, o.err
	case <-ctx.Done():
		return nil, late
	}
}

// timeoutOf is how long there is to answer: the API server says how long it waits.
func timeoutOf(r *http.Request) time.Duration {
	timeout, err := time.ParseDuration(r.URL.Query().Get("timeout"))
	if err != nil || timeout <= 0 || timeout > 30*time.Second {
		timeout = defaultTimeout
	}
	return max(timeout-margin, timeout/2)
}

// decide answers one question. What is not a new spec of a policy is none of ours.
func (h *Handler) decide(ctx context.Context, request *admissionv1.AdmissionRequest) (*admissionv1.AdmissionResponse, error) {
	allowed := &admissionv1.AdmissionResponse{UID: request.UID, Allowed: true}
	group := metav1.GroupResource{Group: v1alpha1.ClusterImportPolicyResource.Group, Resource: v1alpha1.ClusterImportPolicyResource.Resource}
	if request.Resource.Group != group.Group || request.Resource.Resource != group.Resource || request.SubResource != "" ||
		request.Operation != admissionv1.Create && request.Operation != admissionv1.Update {
		return allowed, nil
	}
	policy, before := &v1alpha1.ClusterImportPolicy{}, &v1alpha1.ClusterImportPolicy{}
	if err := json.Unmarshal(request.Object.Raw, policy); err != nil {
		return nil, &httpError{http.StatusBadRequest, "the object is no ClusterImportPolicy"}
	}
	if request.Operation == admissionv1.Update {
		if err := json.Unmarshal(request.OldObject.Raw, before); err != nil {
			return nil, &httpError{http.StatusBadRequest, "the old object is no ClusterImportPolicy"}
		}
		if policy.DeletionTimestamp != nil || equality.Semantic.DeepEqual(policy.Spec, before.Spec) {
			return allowed, nil
		}
	}
	list := h.validate(ctx, &policy.Spec)
	allowed.Warnings = warnings(list)
	if list.HasErrors() {
		allowed.Allowed, allowed.Result = false, refusal(request, list)
	}
	return allowed, nil
}

// refusal is the status of a policy that is refused: every mistake with its line and a caret, as a whole for tools that
// show the message, and by field for kubectl, which shows the causes of what is invalid.
func refusal(request *admissionv1.AdmissionRequest, list diag.List) *metav1.Status {
	errs := list.Errors()
	causes := make([]metav1.StatusCause, len(errs))
	for i, e := range errs {
		causes[i] = metav1.StatusCause{Type: metav1.CauseTypeFieldValueInvalid, Field: e.Field, Message: cause(e)}
	}
	text := errs[:min(len(errs), maxShown)].String()
	if more := len(errs) - maxShown; more > 0 {
		text += fmt.Sprintf("\nand %d more", more)
	}
	return &metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnprocessableEntity, Reason: metav1.StatusReasonInvalid,
		Message: "the policy does not compile\n" + text,
		Details: &metav1.StatusDetails{
			Name: request.Name, Group: request.Kind.Group, Kind: request.Kind.Kind, Causes: causes[:min(len(causes), maxShown)],
		},
	}
}

// cause is a mistake without its field, which stands before it.
func cause(d diag.Diagnostic) string {
	return strings.TrimLeft(strings.TrimPrefix(d.String(), string(d.Severity)+": "+d.Field), ": ")
}

// warnings are the warnings of a list, one line each, as the Warning header of HTTP wants them.
func warnings(list diag.List) []string {
	var out []string
	for _, d := range list {
		if d.Severity != diag.Warning || len(out) == maxShown {
			continue
		}
		text := fmt.Sprintf("%s: %s [%s]", d.Field, d.Message, d.Code)
		if d.Hint != "" {
			text += "; " + d.Hint
		}
		out = append(out, strings.Join(strings.Fields(text), " "))
	}
	return out
}

func (h *Handler) answer(w http.ResponseWriter, request *admissionv1.AdmissionRequest, response *admissionv1.AdmissionResponse) {
	review := admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: admissionv1.SchemeGroupVersion.String(), Kind: "AdmissionReview"}, Response: response,
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(review); err != nil {
		klog.V(2).InfoS("Cannot answer an AdmissionReview", "policy", request.Name, "reason", err.Error())
	}
}

// observed counts an answer, by names that are few.
func (h *Handler) observed(request *admissionv1.AdmissionRequest, allowed bool, started time.Time) {
	resource, operation := request.Resource.Resource, string(request.Operation)
	if resource != v1alpha1.ClusterImportPolicyResource.Resource {
		resource = "other"
	}
	if request.Operation != admissionv1.Create && request.Operation != admissionv1.Update {
		operation = "other"
	}
	klog.V(3).InfoS("Answered an AdmissionReview", "policy", request.Name, "operation", operation, "allowed", allowed)
	h.observe(resource, operation, allowed, h.now().Sub(started))
}

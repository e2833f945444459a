package lifecycle

import (
	"context"
	"errors"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/lifecycle/preflight"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// Fit is a rendered PediaCluster that may be written.
type Fit struct {
	*policy.Rendered

	// Expiry is when its credentials end.
	Expiry preflight.Expiry
}

// Render returns the PediaCluster of that name when it is fit to be written, or nil with a reason and a message.
func Render(
	ctx context.Context, compiled *policy.Policy, r Resolution, name string, allowInsecure bool,
) (fit *Fit, reason, message string) {
	rendered, err := compiled.Render(ctx, r.Binding, name)
	if err != nil {
		reason, message = Explain(err, r, v1alpha1.ReasonFailedResolvePediaCluster)
		return nil, reason, message
	}
	if fault := incomplete(rendered, allowInsecure); fault != "" {
		return nil, v1alpha1.ReasonMissingCredentials, fault
	}
	expiry, err := preflight.Check(rendered.Cluster.Spec, preflight.Options{AllowInsecure: allowInsecure})
	if err != nil {
		return nil, v1alpha1.ReasonPreflightFailed, err.Error()
	}
	return &Fit{rendered, expiry}, "", ""
}

func expiryStatus(e preflight.Expiry) *v1alpha1.CredentialExpiry {
	var status v1alpha1.CredentialExpiry
	if !e.ClientCertificate.IsZero() {
		status.ClientCertificate = &metav1.Time{Time: e.ClientCertificate}
	}
	if !e.Token.IsZero() {
		status.Token = &metav1.Time{Time: e.Token}
	}
	if status.ClientCertificate == nil && status.Token == nil {
		return nil
	}
	return &status
}

// incomplete says what a rendered PediaCluster lacks to be written: an endpoint, or a value for a field that
// its template names. A blank CA means a connection that is not verified, which a policy must allow.
func incomplete(rendered *policy.Rendered, allowInsecure bool) string {
	blank := rendered.Blank
	if allowInsecure {
		blank = slices.DeleteFunc(slices.Clone(blank), func(field string) bool { return field == "caData" })
	}
	if len(blank) > 0 {
		return "empty in the rendered PediaCluster: spec." + strings.Join(blank, ", spec.")
	}
	spec := rendered.Cluster.Spec
	if len(spec.Kubeconfig) == 0 && spec.APIServer == "" && spec.AuthenticationFrom == nil {
		return "the rendered PediaCluster has neither kubeconfig nor apiserver"
	}
	return ""
}

// Explain turns the error of an evaluation over a resolution into a reason and a message; fallback is the
// reason of a failure that no missing reference explains.
func Explain(err error, r Resolution, fallback string) (reason, message string) {
	pending := new(expr.PendingError)
	switch {
	case !errors.As(err, &pending):
		return fallback, err.Error()
	case r.Err != nil:
		return v1alpha1.ReasonFailedReferenceResourceParse, r.Err.Error()
	case r.Unsynced:
		return v1alpha1.ReasonWaitDependentResourceSynced, r.AbsentMessage()
	default:
		return v1alpha1.ReasonReferenceResourceNotFound, r.AbsentMessage()
	}
}

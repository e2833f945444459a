package lifecycle

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// maxMessage is how much text a condition carries: less than the API allows, enough for several diagnostics.
const maxMessage = 8 << 10

// conditions builds the conditions of a status from the ones that are there.
type conditions struct {
	now        time.Time
	generation int64
	list       []metav1.Condition
	before     []metav1.Condition
}

func newConditions(now time.Time, generation int64, existing []metav1.Condition) *conditions {
	return &conditions{now: now, generation: generation, list: slices.Clone(existing), before: existing}
}

func (c *conditions) set(conditionType string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&c.list, metav1.Condition{
		Type: conditionType, Status: status, Reason: reason, Message: clip(message, maxMessage),
		ObservedGeneration: c.generation, LastTransitionTime: metav1.NewTime(c.now.Truncate(time.Second)),
	})
	// A condition that is set twice has not changed when it ends as it was.
	was, is := meta.FindStatusCondition(c.before, conditionType), meta.FindStatusCondition(c.list, conditionType)
	if was != nil && was.Status == is.Status {
		is.LastTransitionTime = was.LastTransitionTime
	}
}

// clip cuts text to at most limit bytes, between characters.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const ellipsis = "…"
	cut := limit - len(ellipsis)
	for cut > 0 && text[cut]&0xC0 == 0x80 {
		cut--
	}
	return text[:cut] + ellipsis
}

func isTrue(list []metav1.Condition, conditionType string) bool {
	return meta.IsStatusConditionTrue(list, conditionType)
}

func reasonOf(list []metav1.Condition, conditionType string) string {
	if c := meta.FindStatusCondition(list, conditionType); c != nil {
		return c.Reason
	}
	return ""
}

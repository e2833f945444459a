// Package lifecycle decides. Given what is known of a policy, a source or a lifecycle, it says what has to be
// done, as data: a Plan of Actions. It has no clients, no clock and no log, so that every decision of the
// controller, and each of its messages, is a table test here.
//
// Every question has three answers: yes, no and not known. An error, a missing reference or a cache that is
// not synced is "not known", and not known keeps what is there. Only a proven no, or a source that a synced
// watch has seen go, removes anything.
package lifecycle

package policy

import (
	"errors"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// Result is how an evaluation ended.
type Result string

// The results. Conditions give true or false, the other stages success.
const (
	ResultTrue    Result = "true"
	ResultFalse   Result = "false"
	ResultSuccess Result = "success"
	// ResultPending is an evaluation that a missing reference decides.
	ResultPending Result = "pending"
	ResultError   Result = "error"
	// ResultCostExceeded is an error: a limit of cost, size or time was met.
	ResultCostExceeded Result = "cost_exceeded"
)

// Evaluation is one evaluation that has ended.
type Evaluation struct {
	Stage  Stage
	Result Result
	// Err is set when Result is ResultPending, ResultError or ResultCostExceeded.
	Err error
	// Mark is what Observer.Begin gave.
	Mark int64
	// Cost is what CEL programs cost, in the unit of expr's limit. A literal or a plain selection costs nothing.
	Cost int
}

// Observer is told of a policy's evaluations, by whoever evaluates, at the same time from many goroutines. It is the
// way out for measurements: this package has no clock and knows no metrics.
type Observer interface {
	// Begin is called before an evaluation. What it returns, a time for instance, is the Mark of the Evaluation.
	Begin(stage Stage) int64
	// End is called after it.
	End(e Evaluation)
}

// Observed is the same policy, whose evaluations are told to by.
func (p *Policy) Observed(by Observer) *Policy {
	observed := *p
	observed.observer = by
	return &observed
}

// evaluation is one under way.
type evaluation struct {
	observer Observer
	binding  *expr.Binding
	stage    Stage
	mark     int64
	spent    int
}

func (p *Policy) begin(stage Stage, b *expr.Binding) evaluation {
	if p.observer == nil {
		return evaluation{}
	}
	return evaluation{p.observer, b, stage, p.observer.Begin(stage), b.Spent()}
}

// end reports the evaluation; ok is its result when there is no error.
func (e evaluation) end(ok Result, err error) {
	if e.observer == nil {
		return
	}
	if err != nil {
		ok = failure(err)
	}
	e.observer.End(Evaluation{Stage: e.stage, Result: ok, Err: err, Mark: e.mark, Cost: e.binding.Spent() - e.spent})
}

func failure(err error) Result {
	if errors.As(err, new(*expr.PendingError)) {
		return ResultPending
	}
	if failed, ok := errors.AsType[*expr.Error](err); ok && failed.Code() == expr.CodeTooExpensive {
		return ResultCostExceeded
	}
	return ResultError
}

func truth(value bool) Result {
	if value {
		return ResultTrue
	}
	return ResultFalse
}

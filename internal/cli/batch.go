package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/clusterimport/clusterimport/pkg/diag"
)

// evalLine is one case of a batch.
type evalLine struct {
	Name     string          `json:"name"`
	Field    string          `json:"field"`
	Template string          `json:"template"`
	Data     json.RawMessage `json:"data"`
}

// lineTimeout bounds a line well below the second that is promised, so that its result is out in time.
const lineTimeout = 800 * time.Millisecond

// evalLines evaluates a batch. No line stops it: what is wrong with one is its result.
func evalLines(ctx context.Context, in io.Reader, out io.Writer) error {
	// The environments are made when they are first needed; the first line must not wait for them.
	evaluate(ctx, fieldCondition, "{{ true }}", evalData{})
	reader := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := reader.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if err := writeLine(out, evalOne(ctx, line)); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// evalOne evaluates a line in time. An evaluation that does not end is left behind; the limits of expressions
// end it.
func evalOne(ctx context.Context, line []byte) *evalResult {
	var c evalLine
	if err := json.Unmarshal(line, &c); err != nil {
		return inputFault(c, "the line is not a case: "+err.Error())
	}
	if err := checkField(c.Field); err != nil {
		return inputFault(c, err.Error())
	}
	var data evalData
	if len(c.Data) > 0 && string(c.Data) != "null" {
		if err := decodeData(c.Data, &data); err != nil {
			return inputFault(c, "the data cannot be read: "+err.Error())
		}
	}
	ctx, cancel := context.WithTimeout(ctx, lineTimeout)
	defer cancel()
	done := make(chan *evalResult, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- failedLine(c, "EVAL-PANIC", fmt.Sprintf("the evaluation broke off: %T", r))
			}
		}()
		done <- evaluate(ctx, c.Field, c.Template, data)
	}()
	select {
	case r := <-done:
		r.Name = c.Name
		return r
	case <-ctx.Done():
		return failedLine(c, codeTimeout, "the evaluation took too long")
	}
}

func inputFault(c evalLine, message string) *evalResult {
	r := &evalResult{Name: c.Name, Engine: engineOf(c.Field, c.Template), Diagnostics: []diag.Diagnostic{}}
	return r.reject(diag.List{{Severity: diag.Error, Code: codeInput, Message: message}})
}

func failedLine(c evalLine, code diag.Code, message string) *evalResult {
	return &evalResult{
		Name: c.Name, Status: statusError, Engine: engineOf(c.Field, c.Template),
		Diagnostics: []diag.Diagnostic{{Severity: diag.Error, Code: code, Message: message}},
	}
}

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// evalOptions are the flags of eval.
type evalOptions struct {
	data, field, output string
	jsonl               bool
}

func newEval() *cobra.Command {
	o := &evalOptions{}
	cmd := &cobra.Command{
		Use:   "eval [--data FILE] [EXPRESSION]",
		Short: "Evaluate one field in either language",
		Long: `Eval compiles and evaluates an expression, from the argument or from stdin, over a data file that holds
{"source": ..., "references": ...}. With --jsonl it reads one case from each line of stdin and writes one result
for each, in order.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	cmd.Flags().StringVar(&o.data, "data", "", "YAML or JSON file with source and references; - is stdin")
	cmd.Flags().StringVar(&o.field, "field", "", "the field that the expression is for: "+strings.Join(fieldNames, ", ")+"; empty: a CEL expression of any type")
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "text or json")
	cmd.Flags().BoolVar(&o.jsonl, "jsonl", false, "evaluate JSON Lines from stdin")
	return cmd
}

func (o *evalOptions) run(cmd *cobra.Command, args []string) error {
	if o.output != "text" && o.output != "json" {
		return fmt.Errorf("--output must be text or json, not %q", o.output)
	}
	if o.jsonl {
		if len(args) > 0 || o.data != "" || o.field != "" {
			return errors.New("--jsonl takes everything from stdin")
		}
		return evalLines(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
	}
	if o.field != fieldExpression {
		if err := checkField(o.field); err != nil {
			return err
		}
	}
	text, data, err := o.input(cmd.InOrStdin(), args)
	if err != nil {
		return err
	}
	return o.print(cmd, evaluate(cmd.Context(), o.field, text, data))
}

func (o *evalOptions) input(stdin io.Reader, args []string) (text string, data evalData, err error) {
	if len(args) == 0 {
		if o.data == "-" {
			return "", data, errors.New("the expression and the data cannot both come from stdin")
		}
		in, err := io.ReadAll(stdin)
		if err != nil {
			return "", data, err
		}
		text = string(in)
	} else {
		text = args[0]
	}
	if o.data == "" {
		return text, data, nil
	}
	in, err := readInput(o.data, stdin)
	if err != nil {
		return "", data, err
	}
	in, err = yaml.YAMLToJSONStrict(in)
	if err != nil {
		return "", data, fmt.Errorf("cannot read the data: %w", err)
	}
	if err := decodeData(in, &data); err != nil {
		return "", data, fmt.Errorf("cannot read the data: %w", err)
	}
	return text, data, nil
}

// decodeData decodes objects as the API machinery does: whole numbers are int64.
func decodeData(in []byte, data *evalData) error {
	var object map[string]any
	if err := utiljson.Unmarshal(in, &object); err != nil {
		return err
	}
	for key, val := range object {
		part, ok := val.(map[string]any)
		if !ok && val != nil {
			return fmt.Errorf("%q must be an object", key)
		}
		switch key {
		case "source":
			data.Source = part
		case "references":
			data.References = map[string]map[string]any{}
			for name, ref := range part {
				if data.References[name], ok = ref.(map[string]any); !ok && ref != nil {
					return fmt.Errorf("reference %q must be an object or null", name)
				}
			}
		default:
			return fmt.Errorf("unknown key %q: the data has source and references", key)
		}
	}
	return nil
}

func (o *evalOptions) print(cmd *cobra.Command, r *evalResult) error {
	if err := printDiagnostics(cmd.ErrOrStderr(), r.list); err != nil {
		return err
	}
	var err error
	switch {
	case o.output == "json":
		err = writeLine(cmd.OutOrStdout(), r)
	case r.Status != statusOK:
	case r.Text != nil:
		_, err = fmt.Fprintln(cmd.OutOrStdout(), *r.Text)
	case r.Truth != nil:
		_, err = fmt.Fprintln(cmd.OutOrStdout(), *r.Truth)
	case r.PediaCluster != nil:
		err = writeYAML(cmd.OutOrStdout(), r.PediaCluster)
	default:
		err = writeYAML(cmd.OutOrStdout(), r.Value)
	}
	if err == nil && r.Status != statusOK {
		return errFindings
	}
	return err
}

func writeYAML(w io.Writer, val any) error {
	out, err := yaml.Marshal(val)
	if err != nil {
		return err
	}
	_, err = w.Write(out)
	return err
}

// writeLine writes a result as one line of JSON.
func writeLine(w io.Writer, r *evalResult) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}

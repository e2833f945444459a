package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// convertOptions are the flags of convert.
type convertOptions struct {
	policy, output string
	crds           []string
	verify         bool
}

func newConvert() *cobra.Command {
	o := &convertOptions{}
	cmd := &cobra.Command{
		Use:   "convert -f POLICY [-o yaml|json] [--verify OBJECTS...]",
		Short: "Rewrite a policy's Go templates in CEL",
		Long: `Convert prints a ClusterImportPolicy with CEL in the place of its Go templates, as a person would have written it.
What must hold for both to give the same stands in comments. A template that has no such form stays as it is, which
works as before; stderr says of each field what became of it. With --verify both policies are tried on OBJECTS, which
are files or folders as for render, and exit code 1 says that they differ.`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	cmd.Flags().StringVarP(&o.policy, "filename", "f", "", "file with one ClusterImportPolicy; - is stdin")
	cmd.Flags().StringVarP(&o.output, "output", "o", "yaml", "yaml or json")
	cmd.Flags().StringSliceVar(&o.crds, "crds", nil, "files or folders with CustomResourceDefinitions: known fields need fewer assumptions")
	cmd.Flags().BoolVar(&o.verify, "verify", false, "compare both policies on OBJECTS")
	_ = cmd.MarkFlagRequired("filename")
	return cmd
}

func (o *convertOptions) run(cmd *cobra.Command, args []string) error {
	switch {
	case o.output != "yaml" && o.output != "json":
		return fmt.Errorf("--output must be yaml or json, not %q", o.output)
	case o.verify != (len(args) > 0):
		return errors.New("--verify and OBJECTS go together")
	}
	data, err := readInput(o.policy, cmd.InOrStdin())
	if err != nil {
		return err
	}
	before, err := decodePolicy(data)
	if err != nil {
		return err
	}
	objects, err := readManifests(args, cmd.InOrStdin())
	if err != nil {
		return err
	}
	defined, err := readDefinitions(o.crds, nil)
	if err != nil {
		return err
	}
	types := policy.TypesOf(cmd.Context(), defined, defined.resources(&before.Spec))
	types.Untyped = nil
	compiled, list := policy.Compile(&before.Spec, types)
	if compiled == nil {
		return errors.Join(printDiagnostics(cmd.ErrOrStderr(), list), errFindings)
	}
	fields, list := policy.Convert(&before.Spec, types)
	if list.HasErrors() {
		return errors.New(list.String())
	}
	converted, after, err := rewrite(data, fields)
	if err != nil {
		return err
	}
	again, list := policy.Compile(&after.Spec, types)
	if again == nil {
		return fmt.Errorf("cannot compile the converted policy, please report this:\n%s", list)
	}
	if err := errors.Join(o.print(cmd.OutOrStdout(), converted), report(cmd.ErrOrStderr(), fields)); err != nil {
		return err
	}
	if !o.verify {
		return nil
	}
	return verify(cmd, objects, renderer{policy: before, compiled: compiled}, renderer{policy: after, compiled: again})
}

func (o *convertOptions) print(w io.Writer, document *yamlv3.Node) error {
	text, err := encodeYAML(document)
	if err != nil {
		return err
	}
	if o.output == "json" {
		compact, err := yaml.YAMLToJSON(text)
		if err != nil {
			return err
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, compact, "", "  "); err != nil {
			return err
		}
		text = append(indented.Bytes(), '\n')
	}
	_, err = w.Write(text)
	return err
}

func encodeYAML(document *yamlv3.Node) ([]byte, error) {
	var out bytes.Buffer
	encoder := yamlv3.NewEncoder(&out)
	encoder.SetIndent(2)
	err := encoder.Encode(document)
	return out.Bytes(), err
}

// rewrite puts converted fields into the text of a policy; everything else in it stays.
func rewrite(data []byte, fields []policy.FieldConversion) (*yamlv3.Node, *v1alpha1.ClusterImportPolicy, error) {
	document := &yamlv3.Node{}
	if err := yamlv3.Unmarshal(data, document); err != nil {
		return nil, nil, err
	}
	blockStyle(document)
	for _, f := range fields {
		if f.Converted == nil {
			continue
		}
		key, val := fieldNodes(document, f.Field)
		if val == nil {
			return nil, nil, fmt.Errorf("cannot find the field %s", f.Field)
		}
		*val = scalarOf(f)
		key.HeadComment = strings.Trim(key.HeadComment+"\n"+comment(f.Converted), "\n")
	}
	text, err := encodeYAML(document)
	if err != nil {
		return nil, nil, err
	}
	after, err := decodePolicy(text)
	return document, after, err
}

// blockStyle takes the braces of JSON from a document that is written in it.
func blockStyle(n *yamlv3.Node) {
	if n.Kind == yamlv3.DocumentNode && n.Content[0].Style&yamlv3.FlowStyle == 0 {
		return
	}
	n.Style = 0
	for _, child := range n.Content {
		blockStyle(child)
	}
}

func scalarOf(f policy.FieldConversion) yamlv3.Node {
	n := yamlv3.Node{Kind: yamlv3.ScalarNode, Tag: "!!str", Value: f.Converted.Text}
	if strings.Contains(n.Value, "\n") || strings.HasSuffix(f.Field, "Condition") {
		n.Style = yamlv3.LiteralStyle
		n.Value = strings.TrimSpace(n.Value) + "\n"
	}
	return n
}

// fieldNodes finds a field by its path, such as "spec.references[0].nameTemplate".
func fieldNodes(n *yamlv3.Node, path string) (key, val *yamlv3.Node) {
	val = n.Content[0]
	for name := range strings.SplitSeq(path, ".") {
		val.Style &^= yamlv3.FlowStyle // comments stand between lines
		name, index, indexed := strings.Cut(strings.TrimSuffix(name, "]"), "[")
		if key, val = entry(val, name); val == nil {
			return nil, nil
		}
		if indexed {
			var i int
			if _, err := fmt.Sscan(index, &i); err != nil || i >= len(val.Content) {
				return nil, nil
			}
			val.Style &^= yamlv3.FlowStyle
			val = val.Content[i]
		}
	}
	return key, val
}

func entry(n *yamlv3.Node, name string) (key, val *yamlv3.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

// comment says what a conversion assumes, above its field.
func comment(c *compat.Conversion) string {
	var lines []string
	if len(c.Assumptions) > 0 {
		lines = append(lines, "# Assumes:\n# - "+strings.Join(compat.Sentences(c.Assumptions), "\n# - "))
	}
	for _, note := range c.Notes {
		lines = append(lines, "# Note: "+note+".")
	}
	return strings.Join(lines, "\n")
}

// report says of each field in which language it is now, and why.
func report(w io.Writer, fields []policy.FieldConversion) error {
	var b strings.Builder
	for _, f := range fields {
		switch {
		case f.Converted != nil:
			fmt.Fprintf(&b, "%s: CEL, converted\n", f.Field)
			for _, sentence := range compat.Sentences(f.Converted.Assumptions) {
				fmt.Fprintf(&b, "  assumes: %s\n", sentence)
			}
			for _, note := range f.Converted.Notes {
				fmt.Fprintf(&b, "  note: %s\n", note)
			}
		case len(f.Stays) > 0:
			fmt.Fprintf(&b, "%s: stays a Go template\n", f.Field)
			for _, d := range f.Stays {
				fmt.Fprintf(&b, "  why: %d:%d: %s\n", d.Line, d.Column, d.Message)
			}
		default:
			fmt.Fprintf(&b, "%s: unchanged\n", f.Field)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

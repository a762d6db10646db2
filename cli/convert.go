package cli

import (
	"fmt"
	"io"

	"github.com/myoaxis/myoaxis/antimony"
	"github.com/myoaxis/myoaxis/sbml"
	"github.com/spf13/cobra"
)

func (a *app) sbmlConvertCmd() *cobra.Command {
	var out, to string
	c := &cobra.Command{
		Use: "convert MODEL", Short: "Convert a model to SBML Level 3 or to Antimony; submodels are put in place",
		Example: "  myoaxis sbml convert old-level2.xml --out new.xml\n  myoaxis sbml convert model.xml --to antimony",
		Args:    exactly(1, "name one model file", "for example: myoaxis sbml convert model.xml --to antimony"),
		RunE: func(_ *cobra.Command, args []string) error {
			doc, flat, _, err := buildModel(args[0])
			if err != nil {
				return err
			}
			return a.emitModel(flat, doc.Namespaces, to, out)
		},
	}
	c.Flags().StringVar(&out, "out", "", "file to write instead of stdout")
	c.Flags().StringVar(&to, "to", "", "sbml or antimony; by the ending of --out where left out")
	return c
}

// emitModel writes a model to a file or stdout, and what was lost to stderr.
func (a *app) emitModel(m *sbml.Model, namespaces map[string]string, to, out string) error {
	text, lost, err := modelText(m, namespaces, to, out)
	if err != nil {
		return err
	}
	for _, l := range lost {
		fmt.Fprintln(a.sys.Stderr, "lost: "+l)
	}
	if out == "" {
		_, err = a.sys.Stdout.Write(text)
		return err
	}
	return writeFile(out, func(w io.Writer) error { _, err := w.Write(text); return err })
}

// modelText writes a model in the language asked for, or that of the ending of
// the file it goes to.
func modelText(m *sbml.Model, namespaces map[string]string, to, out string) (text []byte, lost []string, err error) {
	if to == "" && isAntimony(out) {
		to = "antimony"
	}
	switch to {
	case "antimony":
		s, lost, err := antimony.Write(m)
		return []byte(s), lost, err
	case "", "sbml":
		text, err = sbml.Write(m, namespaces)
		return text, nil, err
	}
	return nil, nil, usage(fmt.Errorf("--to %q is neither sbml nor antimony", to), "for example --to antimony")
}

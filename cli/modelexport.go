package cli

import (
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/population"
	"github.com/myoaxis/myoaxis/sbml"
	"github.com/myoaxis/myoaxis/training"
	"github.com/spf13/cobra"
)

func (a *app) modelExportCmd() *cobra.Command {
	var format, program, person, out string
	c := &cobra.Command{
		Use: "export", Short: "Write the axis model, with a programme and a person, for other tools",
		Long: "The typical person: parameters at their medians after calibration, links at their probabilities. The sessions of the programme are events.\n" +
			"Meaning, unit and source of every parameter are in its notes; identifiers are in annotations.",
		Example: "  myoaxis model export --format sbml --out axis.xml\n  myoaxis model export --format petab --out problem\n  myoaxis model export --format antimony --program \"2x/week, 12 weeks: 6 exercises, 3x10 @ 70% 1RM\"",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if format != "sbml" && format != "antimony" && format != "petab" {
				return usage(fmt.Errorf("--format %q is not known", format), "sbml, antimony or petab")
			}
			prog, err := a.programme(program)
			if err != nil {
				return err
			}
			who, err := population.ParsePerson(person)
			if err != nil {
				return err
			}
			p, err := a.pack()
			if err != nil {
				return err
			}
			m, err := axis.Build(p)
			if err != nil {
				return err
			}
			if format == "petab" {
				if out == "" {
					return usage(errors.New("a PEtab problem is a folder of files"), "give --out FOLDER")
				}
				post, err := calibrate.Shipped(p, m)
				if err != nil {
					return err
				}
				problem, err := exportPetab(c.Context(), p, m, post)
				if err != nil {
					return err
				}
				return writePetab(problem, out)
			}
			post, err := a.posteriorOrPrior("", p, m)
			if err != nil {
				return err
			}
			model, err := exportAxis(p, m, post, prog, who)
			if err != nil {
				return err
			}
			return a.emitModel(model, axisNamespaces, format, out)
		},
	}
	f := c.Flags()
	f.StringVar(&format, "format", "sbml", "sbml (Level 3 Version 2), antimony, or petab (version 2: the calibration problem)")
	f.StringVar(&program, "program", defaultProgramme, "programme, as notation or a .yaml file")
	f.StringVar(&person, "person", defaultPerson, "person")
	f.StringVar(&out, "out", "", "file (petab: folder) to write instead of stdout")
	a.evidenceFlag(c)
	return c
}

var axisNamespaces = map[string]string{"rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "bqbiol": "http://biomodels.net/biology-qualifiers/"}

// exportAxis writes the axis for the typical person with a programme; without a
// posterior at the medians of the priors.
func exportAxis(p *evidence.Pack, m *axis.Model, post *calibrate.Posterior, prog training.Programme, who population.Person) (*sbml.Model, error) {
	run := population.Run{Model: m, Programme: &prog, Person: who, N: 1, Times: []float64{prog.Weeks() * training.HoursPerWeek}}
	if post != nil {
		run.Posterior = post
	}
	task := run.Task(0, prog.Schedule())
	x := sbml.Export{ID: "muscle_brain_axis", TimeUnits: "hour", Params: task.Params, Initial: task.Initial, Stops: task.Stops,
		Describe: func(name, metaid string) (notes, annotation string) {
			return axisNotes(m, name), axisAnnotation(p, m, name, metaid)
		}}
	return sbml.FromKinetics(m.K, x)
}

// axisNotes is the meaning of a name as a paragraph of XHTML.
func axisNotes(m *axis.Model, name string) string {
	var parts []string
	for _, q := range m.K.Params {
		if q.Name == name {
			parts = []string{q.Meaning, "unit " + q.Unit, "prior " + q.Prior, "source " + q.Source}
		}
	}
	for _, q := range m.K.States {
		if q.Name == name {
			parts = []string{q.Meaning, "unit " + q.Unit}
		}
	}
	for _, q := range m.K.Inputs {
		if q.Name == name {
			parts = []string{q.Meaning, "unit " + q.Unit}
		}
	}
	for _, q := range m.K.Outputs {
		if q.Name == name {
			parts = []string{q.Meaning, "unit " + q.Unit}
		}
	}
	if len(parts) == 0 {
		return ""
	}
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(strings.Join(parts, "; "))); err != nil {
		panic("cli: " + err.Error()) // a strings.Builder does not fail
	}
	return `<p xmlns="http://www.w3.org/1999/xhtml">` + b.String() + "</p>"
}

// axisAnnotation links a name to the identifiers of its entity, and a link of
// the axis to the sources of its claims.
func axisAnnotation(p *evidence.Pack, m *axis.Model, name, metaid string) string {
	var is, by []string
	if e, ok := p.Entity(axis.EntityOf(name)); ok {
		if e.Gene != "" {
			is = append(is, "https://identifiers.org/ncbigene:"+e.Gene)
		}
		if e.MeSH != "" {
			is = append(is, "https://identifiers.org/mesh:"+e.MeSH)
		}
	}
	for _, l := range m.Links {
		if m.K.Params[l.Param].Name != name {
			continue
		}
		for _, t := range l.Terms {
			src := t.Claim.Loc.Source
			if strings.HasPrefix(src, "10.") {
				src = "https://identifiers.org/doi:" + src
			}
			if strings.HasPrefix(src, "http") && !slices.Contains(by, src) {
				by = append(by, src)
			}
		}
	}
	if len(is)+len(by) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<rdf:RDF><rdf:Description rdf:about="#%s">`, metaid)
	for _, q := range []struct {
		name  string
		links []string
	}{{"isVersionOf", is}, {"isDescribedBy", by}} {
		if len(q.links) == 0 {
			continue
		}
		fmt.Fprintf(&b, "<bqbiol:%s><rdf:Bag>", q.name)
		for _, l := range q.links {
			b.WriteString(`<rdf:li rdf:resource="`)
			if err := xml.EscapeText(&b, []byte(l)); err != nil {
				panic("cli: " + err.Error()) // a strings.Builder does not fail
			}
			b.WriteString(`"/>`)
		}
		fmt.Fprintf(&b, "</rdf:Bag></bqbiol:%s>", q.name)
	}
	b.WriteString("</rdf:Description></rdf:RDF>")
	return b.String()
}

package trace

import (
	"strings"
	"testing"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/synthesis"
)

func graph(t *testing.T) *Graph {
	t.Helper()
	p, _ := evidence.Embedded()
	m, err := axis.Build(p)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := synthesis.PoolDomain(p, synthesis.Options{Selection: synthesis.Selection{Domain: "memory"}, Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	post, err := calibrate.Shipped(p, m)
	if err != nil {
		t.Fatal(err)
	}
	return Build(p, m, post, []*synthesis.Pool{pool})
}

// Every branch ends in a source, or in an assumption that says so.
func TestEveryBranchEndsInASource(t *testing.T) {
	g := graph(t)
	p, _ := evidence.Embedded()
	m, _ := axis.Build(p)
	direct := map[string]string{}
	for _, par := range m.K.Params {
		direct[par.Name] = par.Source
	}
	for _, id := range g.IDs() {
		n, _ := g.Node(id)
		for _, parent := range n.Parents {
			if _, ok := g.Node(parent); !ok {
				t.Errorf("%s rests on %s, which is not there", id, parent)
			}
		}
		if len(n.Parents) > 0 || n.Source != "" || n.DOI != "" {
			continue
		}
		if s := direct[id]; s == "person" || s == "calendar" {
			continue
		}
		t.Errorf("%s (%s) ends without a source", id, n.Kind)
	}
}

func TestPoolLeadsToItsStudies(t *testing.T) {
	g := graph(t)
	kinds := map[string]int{}
	for _, n := range g.Subgraph("pool:memory") {
		kinds[n.Kind]++
	}
	if kinds["pooled"] != 1 || kinds["observation"] != 19 || kinds["study"] < 15 {
		t.Errorf("%v", kinds)
	}
	var b strings.Builder
	if err := g.Write(&b, "pool:memory"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "doi:10.1155/2013/861893") {
		t.Error("the trace names no DOI")
	}
}

func TestSuggest(t *testing.T) {
	g := graph(t)
	if s := g.Suggest("irisin.kk"); len(s) == 0 || s[0] != "irisin.k" && s[0] != "irisin.kr" {
		t.Errorf("%v", s)
	}
}

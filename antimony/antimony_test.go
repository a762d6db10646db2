package antimony_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/myoaxis/myoaxis/antimony"
	"github.com/myoaxis/myoaxis/sbml"
)

var renamed = regexp.MustCompile(`^the name (\S+) is a word of the language: it is now (\S+)$`)

const suiteDir = "../../shared/sbml-test-suite/semantic"

// Every case of the SBML Test Suite that Antimony can express gives the same
// results after SBML -> Antimony -> SBML.
func TestSuiteThroughAntimony(t *testing.T) {
	dir := os.DirFS(suiteDir)
	ids, err := sbml.Cases(dir)
	if err != nil {
		t.Skip("../shared/sbml-test-suite is not beside this checkout: the models committed here still run")
	}
	var wg sync.WaitGroup
	next := make(chan string)
	var mu sync.Mutex
	done, refused := 0, 0
	for range 2 {
		wg.Go(func() {
			for id := range next {
				for _, level := range []string{"l3v2", "l2v4"} {
					file := id + "/" + id + "-sbml-" + level + ".xml"
					out, err := through(dir, id, file)
					mu.Lock()
					switch {
					case err != nil:
						t.Errorf("%s: %v", file, err)
					case out:
						done++
					default:
						refused++
					}
					mu.Unlock()
				}
			}
		})
	}
	for _, id := range ids {
		next <- id
	}
	close(next)
	wg.Wait()
	t.Logf("%d files went through, %d were refused or absent", done, refused)
	if done < 1700 {
		t.Errorf("only %d files went through", done)
	}
}

// through is false where the file is absent or refused.
func through(dir fs.FS, id, file string) (bool, error) {
	data, err := fs.ReadFile(dir, file)
	if err != nil {
		return false, nil
	}
	doc, err := sbml.Read(file, data)
	if err != nil {
		return false, nil
	}
	flat, err := doc.Flat(func(s string) ([]byte, error) { return fs.ReadFile(dir, id+"/"+s) })
	if err != nil {
		return false, nil
	}
	text, lost, err := antimony.Write(flat)
	if err != nil {
		return false, nil
	}
	again, err := antimony.Parse(id+".ant", text)
	if err != nil {
		return false, fmt.Errorf("%w\n%s", err, text)
	}
	xml, err := sbml.Write(again.Model, nil)
	if err != nil {
		return false, err
	}
	m := fstest.MapFS{id + "/" + id + "-sbml-l3v2.xml": {Data: xml}}
	for _, s := range []string{"-settings.txt", "-results.csv", "-model.m"} {
		b, err := fs.ReadFile(dir, id+"/"+id+s)
		if err != nil {
			return false, err
		}
		for _, l := range lost { // names that are words of the language
			if g := renamed.FindStringSubmatch(l); g != nil && s != "-model.m" {
				head, rest := b, []byte(nil)
				if k := bytes.IndexByte(b, '\n'); k >= 0 && s == "-results.csv" {
					head, rest = b[:k:k], b[k:]
				}
				b = regexp.MustCompile(`(^|[,\s])`+g[1]+`($|[,\s])`).ReplaceAll(head, []byte("${1}"+g[2]+"${2}"))
				if s == "-results.csv" && bytes.HasPrefix(b, []byte(g[2]+",")) { // the column of the time
					b = append([]byte(g[1]), b[len(g[2]):]...)
				}
				b = append(b, rest...)
			}
		}
		m[id+"/"+id+s] = &fstest.MapFile{Data: b}
	}
	for _, r := range sbml.RunCase(context.Background(), m, id) {
		if r.Outcome == sbml.Failed {
			return false, fmt.Errorf("%s\n%s", r.Detail, text)
		}
	}
	second, _, err := antimony.Write(again.Model)
	if err != nil {
		return false, err
	}
	// the order of names may settle once; from then on nothing changes
	once, err := antimony.Parse(id+".ant", second)
	if err != nil {
		return false, err
	}
	if third, _, err := antimony.Write(once.Model); err != nil || third != second {
		return false, fmt.Errorf("written again it differs (%v):\n%s\n%s", err, second, third)
	}
	return true, err
}

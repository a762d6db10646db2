package sbml

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestSuiteDev(t *testing.T) {
	dir := os.DirFS("/work/shared/sbml-test-suite/semantic")
	ids, err := Cases(dir)
	if err != nil {
		t.Fatal(err)
	}
	if f := os.Getenv("CASE"); f != "" {
		ids = strings.Split(f, ",")
	}
	count := map[Outcome]int{}
	res := make([][]CaseResult, len(ids))
	var wg sync.WaitGroup
	sem := make(chan bool, 2)
	for i, id := range ids {
		wg.Add(1)
		sem <- true
		go func() {
			defer wg.Done()
			defer func() { <-sem }()
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			start := time.Now()
			res[i] = RunCase(ctx, dir, id)
			if d := time.Since(start); d > 500*time.Millisecond {
				fmt.Println("SLOW", id, d)
			}
		}()
	}
	wg.Wait()
	why := map[string][]string{}
	for _, rr := range res {
		for _, r := range rr {
			count[r.Outcome]++
			if r.Outcome != Passed {
				d := r.Detail
				if i := strings.Index(d, ".xml:"); i >= 0 {
					d = d[i:]
				}
				if len(d) > 100 {
					d = d[:100]
				}
				k := string(r.Outcome) + " " + d
				why[r.Case+" "+k] = append(why[r.Case+" "+k], r.Level)
			}
		}
	}
	fmt.Println(count)
	var keys []string
	for k := range why {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		fmt.Println(k, strings.Join(why[k], " "))
	}
}

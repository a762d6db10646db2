package main

import (
	"bytes"
	"os"
	"testing"
)

// The committed kernels are what this program writes.
func TestKernelsAreFresh(t *testing.T) {
	got, err := os.ReadFile("../kernels_amd64.s")
	if err != nil || !bytes.Equal(got, Kernels()) {
		t.Errorf("kernels_amd64.s is out of date (%v): go generate ./internal/lane", err)
	}
}

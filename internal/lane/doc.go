// Package lane computes the same operation for many people at once: registers
// hold one value a person side by side (structure of arrays). The kernels for
// AVX2 and AVX-512 are assembly written by gen; twin.go is the same arithmetic
// in Go, and all three give the same bits. Exp is within 1, Log within 1 and
// Pow within 1 unit in the last place (TestAccuracy); results below the normal
// numbers within 1 unit of the smallest.
package lane

//go:generate go run ./gen

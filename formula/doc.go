// Package formula is the tree of a mathematical expression as SBML and Antimony
// have it, with its infix notation. It gives no meaning to names.
package formula

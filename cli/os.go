// Package cli is the command line: it alone, with the server, knows files,
// streams and the clock. Whole commands run in process in the tests.
package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// System is the outside world as the commands see it.
type System struct {
	Args           []string // without the program name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Terminal       bool // stderr is a terminal: progress may be shown
}

// OS is the real world.
func OS() System {
	return System{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Terminal: isTerminal(os.Stderr)}
}

func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

// writeFile writes through a temporary file in the same folder, so that a
// failure leaves neither a partial file nor a damaged old one.
func writeFile(path string, write func(io.Writer) error) (err error) {
	dir := filepath.Dir(path)
	if st, serr := os.Stat(path); serr == nil && st.IsDir() {
		return &Fault{Code: ExitIO, Err: fmt.Errorf("%s is a folder", path), Hint: "name a file"}
	}
	f, err := os.CreateTemp(dir, ".myoaxis-*")
	if err != nil {
		return ioFault(path, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err = write(f); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return ioFault(path, err)
	}
	if err = f.Close(); err != nil {
		return ioFault(path, err)
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return ioFault(path, err)
	}
	return nil
}

func ioFault(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &Fault{Code: ExitIO, Err: fmt.Errorf("%s: %w", path, err), Hint: "check that the folder exists and may be written to"}
}

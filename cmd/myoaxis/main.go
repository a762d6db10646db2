// Command myoaxis is the muscle–brain axis made executable.
package main

import (
	"os"

	"github.com/myoaxis/myoaxis/cli"
)

func main() { os.Exit(cli.Main(cli.OS())) }

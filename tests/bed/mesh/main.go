// Istio's own programs for the test bed: istiod and istioctl in one, chosen by the first argument.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"istio.io/istio/istioctl/cmd"
	pilot "istio.io/istio/pilot/cmd/pilot-discovery/app"
	"istio.io/istio/pkg/log"
)

func main() {
	programs := map[string]func([]string) *cobra.Command{
		"pilot-discovery": func([]string) *cobra.Command { return pilot.NewRootCommand() },
		"istioctl":        func(args []string) *cobra.Command { return cmd.GetRootCmd(args) },
	}
	if len(os.Args) < 2 || programs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: mesh pilot-discovery|istioctl FLAGS...")
		os.Exit(64)
	}
	os.Args = os.Args[1:]
	log.EnableKlogWithCobra()
	if err := programs[os.Args[0]](os.Args[1:]).Execute(); err != nil {
		log.Error(err)
		os.Exit(1)
	}
}

// Command engine renders template texts with Helm's own engine, many in one process: to start Helm for each of them would take minutes.
//
// On standard input comes a JSON document, {"values": {…}, "templates": ["{{ … }}", …]}; for each template a JSON line comes out,
// {"text": "…"} or {"error": "…"}. Each is rendered alone, as templates/row of a chart named `table`.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/yaml"
)

type request struct {
	Values    string   `json:"values"`
	Templates []string `json:"templates"`
}

type answer struct {
	Text  *string `json:"text,omitempty"`
	Error *string `json:"error,omitempty"`
}

func main() {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		log.Fatal(err)
	}
	// Helm says on standard error what it thinks of a template; the answers stand alone.
	log.SetOutput(os.Stderr)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, text := range asked.Templates {
		line, err := json.Marshal(render(asked.Values, text))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprintln(out, string(line))
	}
}

// render gives what the engine makes of one template. A panic that Go's template package does not catch is Helm's crash, told as such.
func render(values, text string) (result answer) {
	defer func() {
		if cause := recover(); cause != nil {
			told := fmt.Sprintf("panic: %v", cause)
			result = answer{Error: &told}
		}
	}()
	read := map[string]interface{}{}
	// As Helm reads a values file: numbers are float64.
	if err := yaml.Unmarshal([]byte(values), &read); err != nil {
		log.Fatal(err)
	}
	table := &chart.Chart{
		Metadata:  &chart.Metadata{APIVersion: "v2", Name: "table", Version: "0.1.0"},
		Templates: []*chart.File{{Name: "templates/row", Data: []byte(text)}},
	}
	release := chartutil.ReleaseOptions{Name: "row", Namespace: "default", Revision: 1, IsInstall: true}
	context, err := chartutil.ToRenderValues(table, read, release, chartutil.DefaultCapabilities)
	if err != nil {
		log.Fatal(err)
	}
	rendered, err := engine.Engine{}.Render(table, context)
	if err != nil {
		told := err.Error()
		return answer{Error: &told}
	}
	made := rendered["table/templates/row"]
	return answer{Text: &made}
}

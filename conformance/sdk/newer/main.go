// Command newer writes what AWS's Go client knows of a service's shapes and the
// models at hand do not: members, structures and enum values, in the form of the
// models, for apigen to merge. What the shapes have already is not written, so
// start from shapes that were generated without such files:
//
//	rm ../../tools/apigen/newer/*; (cd ../.. && go run ./tools/apigen -models DIR)
//	go run ./newer -out ../../tools/apigen/newer
//	(cd ../.. && go run ./tools/apigen -models DIR)
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/berthhq/berth/conformance/sdk"
)

func main() {
	out := flag.String("out", "", "directory for <service>.json")
	flag.Parse()
	if *out == "" {
		fmt.Fprintln(os.Stderr, "newer: -out is required")
		os.Exit(2)
	}
	for _, s := range sdk.Services() {
		if err := write(*out, s); err != nil {
			fmt.Fprintf(os.Stderr, "newer: %s: %v\n", s.API.Name, err)
			os.Exit(1)
		}
	}
}

func write(dir string, s sdk.Service) error {
	d := differ{style: styleOf(s.API), shapes: map[string]*shape{}, seen: map[reflect.Type]bool{}}
	client := reflect.TypeOf(s.Client(aws.Config{}))
	for _, op := range s.API.Operations {
		method, ok := client.MethodByName(op.Name)
		if !ok || !op.Modelled() {
			continue
		}
		d.structure(op.In, method.Type.In(2).Elem())
		d.structure(op.Out, method.Type.Out(0).Elem())
	}
	if len(d.shapes) == 0 {
		return nil
	}
	data, err := json.MarshalIndent(map[string]any{"shapes": d.shapes}, "", " ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, s.API.Name+".json")
	fmt.Println(path, len(d.shapes))
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

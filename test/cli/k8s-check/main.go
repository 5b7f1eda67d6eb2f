// Reads Kubernetes manifests from the named files, or from standard input, and decodes each strictly
// into the type of k8s.io/api its kind names: an unknown or misspelt field is an error. Prints one
// kind per line, or with -json each object as Kubernetes reads it.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

var types = map[string]func() any{
	"apps/v1 Deployment":                     func() any { return &appsv1.Deployment{} },
	"autoscaling/v2 HorizontalPodAutoscaler": func() any { return &autoscalingv2.HorizontalPodAutoscaler{} },
	"networking.k8s.io/v1 NetworkPolicy":     func() any { return &networkingv1.NetworkPolicy{} },
	"policy/v1 PodDisruptionBudget":          func() any { return &policyv1.PodDisruptionBudget{} },
	"v1 ConfigMap":                           func() any { return &corev1.ConfigMap{} },
	"v1 Service":                             func() any { return &corev1.Service{} },
	"v1 ServiceAccount":                      func() any { return &corev1.ServiceAccount{} },
}

func main() {
	log.SetFlags(0)
	asJSON := flag.Bool("json", false, "print each object as JSON")
	flag.Parse()
	if flag.NArg() == 0 {
		input, err := io.ReadAll(os.Stdin)
		if err != nil {
			log.Fatal(err)
		}
		check(input, *asJSON)
	}
	for _, path := range flag.Args() {
		input, err := os.ReadFile(path)
		if err != nil {
			log.Fatal(err)
		}
		log.SetPrefix(path + ": ")
		check(input, *asJSON)
	}
}

func check(input []byte, asJSON bool) {
	for _, document := range bytes.Split(input, []byte("\n---\n")) {
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		var meta metav1.TypeMeta
		if err := yaml.Unmarshal(document, &meta); err != nil {
			log.Fatal(err)
		}
		name := meta.APIVersion + " " + meta.Kind
		create, ok := types[name]
		if !ok {
			log.Fatalf("%s: no type for it here", name)
		}
		object := create()
		if err := yaml.UnmarshalStrict(document, object); err != nil {
			log.Fatalf("%s: %v", name, err)
		}
		if !asJSON {
			fmt.Println(name)
			continue
		}
		output, err := json.Marshal(object)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(output))
	}
}

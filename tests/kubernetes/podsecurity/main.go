// Pods on standard input, as JSON; what the admission of Kubernetes itself says of each, one line a pod.
//
// The checks are those of k8s.io/pod-security-admission, which the API server runs in a namespace with
// pod-security.kubernetes.io/enforce=restricted. A line is empty for a pod that is let in.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

func main() {
	checks, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		fail(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	pods := json.NewDecoder(os.Stdin)
	pods.DisallowUnknownFields()
	for {
		var pod corev1.PodTemplateSpec
		err := pods.Decode(&pod)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			fail(err)
		}
		said := policy.AggregateCheckResults(checks.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec))
		fmt.Println(strings.ReplaceAll(said.ForbiddenDetail(), "\n", " "))
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

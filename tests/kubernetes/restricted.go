// Judges Pods by Kubernetes' own rules for namespaces labelled `restricted`: reads objects as YAML, says of each Pod template what it
// violates, and how many there were. It ends with 1 where something is violated.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// findTemplate gives the object's Pod template, nil where it makes no Pods.
func findTemplate(object []byte) (string, *corev1.PodTemplateSpec, error) {
	var about metav1.PartialObjectMetadata
	if err := yaml.Unmarshal(object, &about); err != nil {
		return "", nil, err
	}
	name := about.Kind + " " + about.Name
	switch about.Kind {
	case "Deployment":
		var deployment appsv1.Deployment
		return name, &deployment.Spec.Template, yaml.UnmarshalStrict(object, &deployment)
	case "StatefulSet":
		var set appsv1.StatefulSet
		return name, &set.Spec.Template, yaml.UnmarshalStrict(object, &set)
	case "Job":
		var job batchv1.Job
		return name, &job.Spec.Template, yaml.UnmarshalStrict(object, &job)
	}
	return name, nil, nil
}

func judge(objects []byte) (judged, violating int, err error) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return 0, 0, err
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, object := range bytes.Split(objects, []byte("\n---\n")) {
		name, template, err := findTemplate(object)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", name, err)
		}
		if template == nil {
			continue
		}
		judged++
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &template.ObjectMeta, &template.Spec))
		if !result.Allowed {
			violating++
			fmt.Printf("%s: %s\n", name, result.ForbiddenDetail())
		}
	}
	return judged, violating, nil
}

func main() {
	objects, err := io.ReadAll(os.Stdin)
	judged, violating := 0, 0
	if err == nil {
		judged, violating, err = judge(objects)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Printf("%d Pods, %d violate\n", judged, violating)
	if violating > 0 {
		os.Exit(1)
	}
}

package deploy

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// example is what kustomize makes of the overlay, its base and its components.
func example(t *testing.T) resmap.ResMap {
	t.Helper()
	m, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), "../../deploy/kubernetes/overlays/example")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestKustomizeRenders builds the example. RENDERED is where to leave it, for who validates it
// by Kubernetes's schemas.
func TestKustomizeRenders(t *testing.T) {
	m := example(t)
	names := map[string]string{}
	for _, r := range m.Resources() {
		names[r.GetKind()] = r.GetName()
		if r.GetNamespace() != "dynamolake" {
			t.Errorf("%s is in namespace %q", r.CurId(), r.GetNamespace())
		}
	}
	for _, kind := range []string{"ConfigMap", "Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget", "PodMonitor", "ServiceAccount"} {
		if names[kind] == "" {
			t.Errorf("there is no %s", kind)
		}
	}
	text, err := m.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	if folder := os.Getenv("RENDERED"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, "kubernetes.yaml"), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSelectorsAreOfTheFleet looks at whom each resource is about: the pods of its fleet, not all of the namespace, and not
// those of another table. kustomize puts labels into some selectors only, and into those of others' pods too.
func TestSelectorsAreOfTheFleet(t *testing.T) {
	specs := map[string]map[string]any{}
	for _, r := range example(t).Resources() {
		all, err := r.Map()
		if err != nil {
			t.Fatal(err)
		}
		specs[r.GetKind()], _ = all["spec"].(map[string]any)
	}
	labels := func(kind, field string) map[string]any {
		selector, _ := specs[kind][field].(map[string]any)
		found, _ := selector["matchLabels"].(map[string]any)
		return found
	}
	fleet := labels("Deployment", "selector")
	if len(fleet) < 2 {
		t.Fatalf("the Deployment selects %v: fleets of one namespace would count each other's pods", fleet)
	}
	for kind, field := range map[string]string{"PodDisruptionBudget": "selector", "NetworkPolicy": "podSelector", "PodMonitor": "selector"} {
		if got := labels(kind, field); !maps.Equal(got, fleet) {
			t.Errorf("the %s is about %v, want %v", kind, got, fleet)
		}
	}
	egress, _ := specs["NetworkPolicy"]["egress"].([]any)
	for _, rule := range egress {
		to, _ := rule.(map[string]any)["to"].([]any)
		for _, peer := range to {
			pods, _ := peer.(map[string]any)["podSelector"].(map[string]any)
			found, _ := pods["matchLabels"].(map[string]any)
			for name := range fleet {
				if found[name] != nil {
					t.Errorf("workers may only go to pods that are %v, which are themselves: no name would resolve", found)
					break
				}
			}
		}
	}
}

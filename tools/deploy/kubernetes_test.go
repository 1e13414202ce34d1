package deploy

import (
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// TestKustomizeRenders builds the example, with its base and components. RENDERED is
// where to leave it, for who validates it by Kubernetes's schemas.
func TestKustomizeRenders(t *testing.T) {
	k := krusty.MakeKustomizer(krusty.MakeDefaultOptions())
	m, err := k.Run(filesys.MakeFsOnDisk(), "../../deploy/kubernetes/overlays/example")
	if err != nil {
		t.Fatal(err)
	}
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

package deploy

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// readRequest decodes what `aws ecs` is given into what the SDK sends, strictly.
func readRequest(t *testing.T, file string, in any) {
	t.Helper()
	text, err := os.ReadFile("../../deploy/ecs/" + file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func TestECSRequestsAreWhatTheAPITakes(t *testing.T) {
	var task ecs.RegisterTaskDefinitionInput
	readRequest(t, "task-definition.json", &task)
	var service ecs.CreateServiceInput
	readRequest(t, "service.json", &service)
	if *service.TaskDefinition != *task.Family {
		t.Errorf("the service runs %s, the task definition is %s", *service.TaskDefinition, *task.Family)
	}
	c := task.ContainerDefinitions[0]
	if c.StopTimeout == nil || *c.StopTimeout <= 45 || *c.StopTimeout > 120 {
		t.Errorf("stopTimeout %v: a hand-over may take 45 s, and Fargate waits 120 at most", c.StopTimeout)
	}
	// A deployment goes on when this is healthy, and a task is killed when it is not.
	if h := c.HealthCheck; h.Command[len(h.Command)-1] != "--started" || *h.StartPeriod != 300 || *h.Timeout <= 3 {
		t.Errorf("the health check %v, from %d s on, within %d s: a new worker has to join before another goes, and may take its time", h.Command, *h.StartPeriod, *h.Timeout)
	}
	if c.ReadonlyRootFilesystem == nil || !*c.ReadonlyRootFilesystem || strings.HasPrefix(*c.User, "0") || c.LinuxParameters.Capabilities.Drop[0] != "ALL" {
		t.Error("the container may do more than it needs")
	}
	known := func(v string, all []string) bool {
		for _, a := range all {
			if v == a {
				return true
			}
		}
		return false
	}
	if !known(string(task.NetworkMode), stringsOf(types.NetworkMode("").Values())) || !known(string(service.LaunchType), stringsOf(types.LaunchType("").Values())) ||
		!known(string(task.RuntimePlatform.CpuArchitecture), stringsOf(types.CPUArchitecture("").Values())) {
		t.Error("a word that the API does not know")
	}
	volumes := map[string]bool{}
	for _, v := range task.Volumes {
		volumes[*v.Name] = true
	}
	for _, m := range c.MountPoints {
		if !volumes[*m.SourceVolume] {
			t.Errorf("there is no volume %s", *m.SourceVolume)
		}
	}
}

func stringsOf[S ~string](values []S) (all []string) {
	for _, v := range values {
		all = append(all, string(v))
	}
	return all
}

package deploy

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func readYAML(t *testing.T, path string, v any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, path)), v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// TestLibrariesOfTheReadersAcceptTheFiles runs the tests of tools/deploy: kustomize, the Compose loader, HCL, the ECS API
// and Prometheus are no dependencies of ours. What kustomize renders goes to Kubernetes's schemas.
func TestLibrariesOfTheReadersAcceptTheFiles(t *testing.T) {
	folder := t.TempDir()
	cmd := exec.Command("go", "test", "-count=1", ".")
	cmd.Dir, cmd.Env = "../tools/deploy", append(os.Environ(), "RENDERED="+folder)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	t.Run("by the schemas of Kubernetes", func(t *testing.T) {
		validate := tool(t, "kubernetes-validate")
		text := read(t, filepath.Join(folder, "kubernetes.yaml"))
		n := 0
		for document := range strings.SplitSeq(text, "\n---\n") {
			if strings.Contains(document, "\nkind: PodMonitor\n") || strings.HasPrefix(document, "apiVersion: monitoring.coreos.com/") {
				continue // of an operator, whose schema is not Kubernetes's
			}
			n++
			if err := os.WriteFile(filepath.Join(folder, "one.yaml"), []byte(document), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(validate, "--strict", "--kubernetes-version=1.31", filepath.Join(folder, "one.yaml")).CombinedOutput(); err != nil {
				t.Errorf("%s\n%s", out, document)
			}
		}
		if n < 6 {
			t.Errorf("%d resources were validated", n)
		}
	})
}

// environments are those of the workers, by file.
func environments(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	var base, overlay struct {
		Generators []struct{ Literals []string } `yaml:"configMapGenerator"`
	}
	readYAML(t, "kubernetes/base/kustomization.yaml", &base)
	readYAML(t, "kubernetes/overlays/example/kustomization.yaml", &overlay)
	all["kubernetes"] = append(base.Generators[0].Literals, overlay.Generators[0].Literals...)

	var compose struct {
		Services map[string]struct {
			Command     []string
			Environment map[string]string
		}
	}
	readYAML(t, "compose/compose.yaml", &compose)
	for name, value := range compose.Services["worker"].Environment {
		all["compose"] = append(all["compose"], name+"="+value)
	}

	var task struct {
		ContainerDefinitions []struct {
			Environment []struct{ Name, Value string }
		}
	}
	text := os.Expand(read(t, "ecs/task-definition.json"), func(string) string { return "word" })
	if err := json.Unmarshal([]byte(text), &task); err != nil {
		t.Fatal(err)
	}
	for _, e := range task.ContainerDefinitions[0].Environment {
		all["ecs"] = append(all["ecs"], e.Name+"="+e.Value)
	}
	return all
}

// TestTheWorkersTakeTheirVariables asks the binary itself: it refuses variables that it does not know, and values
// that it cannot use.
func TestTheWorkersTakeTheirVariables(t *testing.T) {
	bin := binary(t)
	for name, env := range environments(t) {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(bin, "config", "consume", "--json")
			cmd.Env = env
			out, err := cmd.Output()
			if err != nil {
				failed, _ := err.(*exec.ExitError)
				t.Fatalf("%v\n%s", err, failed.Stderr)
			}
			var config struct {
				Settings []struct{ Flag, Variable, Source string }
			}
			if err := json.Unmarshal(out, &config); err != nil {
				t.Fatal(err)
			}
			taken := map[string]bool{}
			for _, s := range config.Settings {
				taken[s.Variable] = s.Source != "default"
			}
			for _, pair := range env {
				if key, _, _ := strings.Cut(pair, "="); strings.HasPrefix(key, "DYNAMOLAKE_") && !taken[key] {
					t.Errorf("consume does not take %s", pair)
				}
			}
			for _, key := range []string{"DYNAMOLAKE_TABLE", "DYNAMOLAKE_LAKE", "DYNAMOLAKE_LISTEN", "DYNAMOLAKE_LOG_FORMAT"} {
				if !taken[key] {
					t.Errorf("%s is not set", key)
				}
			}
		})
	}
}

// TestEveryVariableInTheFilesIsASetting finds those in comments and in files that run another command.
func TestEveryVariableInTheFilesIsASetting(t *testing.T) {
	page := read(t, "../docs/configuration.md") // made from the code
	for _, file := range files(t, ".yaml", ".yml", ".json", ".tf", "Dockerfile") {
		for _, name := range regexp.MustCompile(`DYNAMOLAKE_[A-Z_]+`).FindAllString(read(t, file), -1) {
			if !strings.Contains(page, "`"+name+"`") {
				t.Errorf("%s has %s, which is no setting", file, name)
			}
		}
	}
}

// TestEveryMetricOnADashboardOrInAnAlertExists goes by docs/operations.md, which is compared with what a
// running worker registers.
func TestEveryMetricOnADashboardOrInAnAlertExists(t *testing.T) {
	page := read(t, "../docs/operations.md")
	shown := map[string]bool{}
	for _, file := range []string{"grafana/dashboards/dynamolake.json", "prometheus/alerts.yml", "kubernetes/components/hpa/hpa.yaml", "kubernetes/components/hpa/prometheus-adapter.yaml"} {
		names := regexp.MustCompile(`\bdynamolake_[a-z_]+[a-z]\b`).FindAllString(read(t, file), -1)
		if len(names) == 0 {
			t.Errorf("%s has no metric", file)
		}
		for _, name := range names {
			name = strings.TrimSuffix(name, "_bucket")
			shown[name] = true
			if !strings.Contains(page, "`"+name+"`") {
				t.Errorf("%s has %s, which docs/operations.md does not describe", file, name)
			}
		}
	}
	if len(shown) < 30 {
		t.Errorf("only %d metrics are shown", len(shown))
	}
}

// TestOneHotShardDoesNotScaleTheFleet: by the lag as it is, it would, and help nobody.
func TestOneHotShardDoesNotScaleTheFleet(t *testing.T) {
	hpa, rule := read(t, "kubernetes/components/hpa/hpa.yaml"), read(t, "kubernetes/components/hpa/prometheus-adapter.yaml")
	number := func(text, pattern string) float64 {
		found := regexp.MustCompile(pattern).FindStringSubmatch(text)
		if found == nil {
			t.Fatalf("nothing is like %s in\n%s", pattern, text)
		}
		n, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	least, target, most := number(hpa, `minReplicas: (\d+)`), number(hpa, `averageValue: "(\d+)"`), number(rule, `clamp_max\(.*, (\d+)\)`)
	if most != 2*target || most/least >= target {
		t.Errorf("a lag of up to %g s, on average over %g workers, has the target %g s: want twice the target, and one late worker of the fewest below it", most, least, target)
	}
	name := regexp.MustCompile(`as: (\w+)`).FindStringSubmatch(rule)
	if name == nil || !strings.Contains(hpa, "metric: {name: "+name[1]+"}") {
		t.Errorf("the autoscaler does not ask for %v", name)
	}
}

func TestEachAlertHasAParagraph(t *testing.T) {
	var alerts struct {
		Groups []struct {
			Rules []struct {
				Alert               string
				Labels, Annotations map[string]string
			}
		}
	}
	readYAML(t, "prometheus/alerts.yml", &alerts)
	page := read(t, "../docs/operations.md")
	paragraphs := map[string]string{}
	for _, part := range strings.Split(page, "\n### ")[1:] {
		title, text, _ := strings.Cut(part, "\n")
		if strings.HasPrefix(title, "Dynamolake") {
			paragraphs[title] = text
		}
	}
	for _, r := range alerts.Groups[0].Rules {
		for _, part := range []string{"*What it means.*", "*How to look.*", "*What to do.*"} {
			if !strings.Contains(paragraphs[r.Alert], part) {
				t.Errorf("the paragraph of %s in docs/operations.md does not say %s", r.Alert, part)
			}
		}
		if want := "docs/operations.md#" + strings.ToLower(r.Alert); r.Annotations["runbook_url"] != want || r.Annotations["summary"] == "" {
			t.Errorf("%s: runbook_url %q, want %q; summary %q", r.Alert, r.Annotations["runbook_url"], want, r.Annotations["summary"])
		}
		if !slices.Contains([]string{"warning", "critical"}, r.Labels["severity"]) {
			t.Errorf("%s: severity %q", r.Alert, r.Labels["severity"])
		}
		delete(paragraphs, r.Alert)
	}
	for title := range paragraphs {
		t.Errorf("docs/operations.md tells of the alert %s, which there is not", title)
	}
}

// TestWorkersHaveTimeToHandOver compares what each platform waits before it kills with what a worker may need.
func TestWorkersHaveTimeToHandOver(t *testing.T) {
	for file, want := range map[string]string{
		"kubernetes/base/deployment.yaml": "terminationGracePeriodSeconds: 60\n", "compose/compose.yaml": "stop_grace_period: 60s\n", "ecs/task-definition.json": `"stopTimeout": 60,`,
	} {
		if !strings.Contains(read(t, file), want) {
			t.Errorf("%s does not say %q", file, want)
		}
	}
	if page := read(t, "../docs/operations.md"); !strings.Contains(page, "Give it 45 seconds before SIGKILL") {
		t.Error("docs/operations.md gives it another time than 45 s: look at the 60 s in deploy")
	}
}

// TestServersOfComposeAreThoseOfTheTests keeps what a user tries what the tests run against.
func TestServersOfComposeAreThoseOfTheTests(t *testing.T) {
	compose := read(t, "compose/compose.yaml")
	gateway := regexp.MustCompile(`github.com/versity/versitygw (v\S+)`).FindStringSubmatch(read(t, "../tools/versitygw/go.mod"))
	local := regexp.MustCompile(`dynamodbVersion = "(\S+)"`).FindStringSubmatch(read(t, "../internal/emulators/dynamodb.go"))
	for _, image := range []string{"versity/versitygw:" + gateway[1], "amazon/dynamodb-local:" + local[1]} {
		if !strings.Contains(compose, "image: "+image+"\n") {
			t.Errorf("compose.yaml does not have %s", image)
		}
	}
}

// TestTerraformMakesTheTablesOfTheCode looks at their keys, which no worker could do without.
func TestTerraformMakesTheTablesOfTheCode(t *testing.T) {
	tables := read(t, "terraform/tables.tf")
	for file, name := range map[string]string{"../checkpoint/row.go": "attrKey", "../checkpoint/worker.go": "attrWorker", "../checkpoint/ledger/dynamodb.go": "attrKey"} {
		key := regexp.MustCompile(name + `\s*= "(\w+)"`).FindStringSubmatch(read(t, file))
		if key == nil {
			t.Fatalf("%s has no %s", file, name)
		}
		if !regexp.MustCompile(`hash_key\s*= "` + key[1] + `"`).MatchString(tables) {
			t.Errorf("no table has the hash key %s", key[1])
		}
	}
	roles := regexp.MustCompile(`"commands" \{[^}]*default\s*= \[([^\]]*)\]`).FindStringSubmatch(read(t, "terraform/variables.tf"))
	policies, err := filepath.Glob("iam/*.json")
	if err != nil || roles == nil {
		t.Fatal(err, roles)
	}
	for _, p := range policies {
		if name := strings.TrimSuffix(filepath.Base(p), ".json"); !strings.Contains(roles[1], `"`+name+`"`) {
			t.Errorf("%s has no role in terraform", name)
		}
		for _, v := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(read(t, p), -1) {
			if !regexp.MustCompile(`(?m)^\s+` + v[1] + `\s+= `).MatchString(read(t, "terraform/roles.tf")) {
				t.Errorf("%s has the variable %s, which terraform does not fill in", p, v[1])
			}
			if !strings.Contains(read(t, "README.md"), v[1]) {
				t.Errorf("deploy/README.md does not say what %s is", v[1])
			}
		}
	}
}

// TestTheAlarmIsOfThisFleet: GetRecords of a stream are those of all who read it, a Lambda trigger too. Beats are of nobody else.
func TestTheAlarmIsOfThisFleet(t *testing.T) {
	_, alarm, _ := strings.Cut(read(t, "terraform/alarms.tf"), `"nobody_reads"`)
	alarm, _, _ = strings.Cut(alarm, "\n}\n")
	for _, want := range []string{`TableName\s*= aws_dynamodb_table\.workers\.name`, `Operation\s*= "UpdateItem"`, `treat_missing_data\s*= "breaching"`} {
		if !regexp.MustCompile(want).MatchString(alarm) {
			t.Errorf("the alarm does not say %s:%s", want, alarm)
		}
	}
}

// TestTerraformMakesWhatTheECSTaskNames: a task whose role or log group is not there does not start.
func TestTerraformMakesWhatTheECSTaskNames(t *testing.T) {
	var task struct {
		ExecutionRoleArn, TaskRoleArn string
		ContainerDefinitions          []struct {
			LogConfiguration struct{ Options map[string]string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "ecs/task-definition.json")), &task); err != nil {
		t.Fatal(err)
	}
	_, execution, _ := strings.Cut(task.ExecutionRoleArn, ":role/${ROLES}-")
	_, consume, _ := strings.Cut(task.TaskRoleArn, ":role/${ROLES}-")
	group := strings.ReplaceAll(task.ContainerDefinitions[0].LogConfiguration.Options["awslogs-group"], "${TABLE}", "${var.table}")
	var all strings.Builder
	for _, file := range files(t, ".tf") {
		all.WriteString(read(t, file))
	}
	for _, want := range []string{`"${local.roles}-` + execution + `"`, `"${local.roles}-${each.key}"`, `"` + group + `"`} {
		if !regexp.MustCompile(`name\s*= ` + regexp.QuoteMeta(want)).MatchString(all.String()) {
			t.Errorf("nothing has the name %s", want)
		}
	}
	if !strings.Contains(all.String(), `"`+consume+`"`) {
		t.Errorf("no command is %q", consume)
	}
	for output, value := range map[string]string{"app": "local.app", "role_prefix": "local.roles"} { // APP and ROLES
		if !regexp.MustCompile(`(?s)output "` + output + `" \{[^}]*value\s*= ` + regexp.QuoteMeta(value) + `\n`).MatchString(all.String()) {
			t.Errorf("no output %s says %s", output, value)
		}
	}
	page := read(t, "../docs/operations.md")
	for _, file := range []string{"ecs/task-definition.json", "ecs/service.json"} {
		for _, v := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(read(t, file), -1) {
			if !strings.Contains(page, v[1]+"=") {
				t.Errorf("docs/operations.md does not set %s, which %s wants", v[1], file)
			}
		}
	}
}

// files are those of this folder with such endings, and the Dockerfile.
func files(t *testing.T, endings ...string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(path, e) }) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return append(found, "../Dockerfile")
}

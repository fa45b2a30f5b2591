//! A namespace in which something is about to break.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Place, Run};

/// How long a symptom may take to show: a back-off, a probe's thresholds, a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A namespace of its own, deleted in the end.
pub(super) struct Stage {
    pub(super) namespace: String,
    kubectl: PathBuf,
    place: Place,
}

impl Stage {
    /// Makes a namespace for the test of this name.
    pub(super) fn new(name: &str) -> Self {
        let kubeconfig = std::env::var("KUBECONFIG").expect("KUBECONFIG has to name a cluster that may be tested on");
        let kubectl = which::which("kubectl").expect("kubectl is on the PATH");
        let namespace = format!("t-{name}-{}", std::process::id());
        let stage = Self { namespace, kubectl, place: Place::new().kubeconfig(&kubeconfig) };
        stage.kubectl(&["create", "namespace", &stage.namespace]);
        stage.until("serviceaccount", |accounts| !accounts.is_empty());
        stage
    }

    /// Makes a namespace with these objects in it.
    pub(super) fn with(name: &str, objects: &[Value]) -> Self {
        let stage = Self::new(name);
        stage.apply(objects);
        stage
    }

    pub(super) fn apply(&self, objects: &[Value]) {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string();
        let mut child =
            self.command(&["apply", "-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(list.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// Runs kubectl in the namespace and returns what it printed.
    pub(super) fn kubectl(&self, args: &[&str]) -> String {
        let output = self.command(args).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "kubectl {args:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Asks the server what somebody may do.
    pub(super) fn review(&self, spec: &Value) -> bool {
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec});
        let args = ["create", "-f", "-", "-o", "jsonpath={.status.allowed}"];
        let mut child = self.command(&args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(review.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        output.stdout == b"true"
    }

    /// Returns whether the server would let in a pod of a template.
    pub(super) fn admits(&self, mut template: Value) -> bool {
        template["apiVersion"] = "v1".into();
        template["kind"] = "Pod".into();
        template["metadata"]["name"] = "one-more".into();
        let args = ["create", "--dry-run=server", "-f", "-"];
        let mut child =
            self.command(&args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(template.to_string().as_bytes()).unwrap();
        child.wait().unwrap().success()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.args(args).args(["-n", &self.namespace]);
        if let Ok(context) = std::env::var("RCA_TEST_CONTEXT") {
            command.args(["--context", &context]);
        }
        command
    }

    pub(super) fn list(&self, kind: &str) -> Vec<Value> {
        let list: Value = serde_json::from_str(&self.kubectl(&["get", kind, "-o", "json"])).unwrap();
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// Waits until the objects of a kind look as wanted.
    #[track_caller]
    pub(super) fn until(&self, kind: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let started = Instant::now();
        loop {
            let objects = self.list(kind);
            if wanted(&objects) {
                return objects;
            }
            assert!(started.elapsed() < PATIENCE, "{kind} never got there: {:#}", Value::Array(objects));
            std::thread::sleep(Duration::from_millis(2500));
        }
    }

    /// Waits until there is an event with these words.
    #[track_caller]
    pub(super) fn until_event(&self, reason: &str, words: &str) {
        self.until("events", |events| {
            let told = |event: &Value| event["message"].as_str().is_some_and(|message| message.contains(words));
            events.iter().any(|event| event["reason"] == reason && told(event))
        });
    }

    /// Waits until all pods have a container that ended so often, and returns their names.
    #[track_caller]
    pub(super) fn until_restarted(&self, pods: usize, times: i64) -> Vec<String> {
        let restarts = |pod: &Value| pod["status"]["containerStatuses"][0]["restartCount"].as_i64();
        let found =
            self.until("pods", |found| found.len() == pods && found.iter().all(|pod| restarts(pod) >= Some(times)));
        names(&found)
    }

    /// Waits until a container waits for this reason.
    #[track_caller]
    pub(super) fn until_waiting(&self, reasons: &[&str]) {
        self.until("pods", |pods| {
            let waits = |pod: &Value| {
                let reason = pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"].as_str();
                reason.is_some_and(|reason| reasons.contains(&reason))
            };
            !pods.is_empty() && pods.iter().all(waits)
        });
    }

    /// Runs the program with the words of a command line.
    pub(super) fn rca(&self, line: &str) -> Run {
        let context = std::env::var("RCA_TEST_CONTEXT").ok().map(|context| format!("--context={context}"));
        self.place.run(line.split_whitespace().map(str::to_owned).chain(context))
    }

    /// Starts the program with the words of a command line.
    pub(super) fn start(&self, line: &str) -> Child {
        let context = std::env::var("RCA_TEST_CONTEXT").ok().map(|context| format!("--context={context}"));
        let mut command = self.place.command(line.split_whitespace().map(str::to_owned).chain(context));
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Waits until something is so, looking often.
    #[track_caller]
    pub(super) fn until_soon(&self, is_so: impl Fn() -> bool) {
        let started = Instant::now();
        while !is_so() {
            assert!(started.elapsed() < PATIENCE, "it never was so in {}", self.namespace);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until a container of an app waits for this reason.
    #[track_caller]
    pub(super) fn until_waiting_of(&self, app: &str, reason: &str) {
        self.until("pods", |pods| {
            let mut of_app = pods.iter().filter(|pod| pod["metadata"]["labels"]["app"] == app);
            of_app.any(|pod| pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == reason)
        });
    }

    /// Diagnoses the namespace.
    pub(super) fn report(&self) -> Value {
        self.rca(&format!("namespace {} -o json", self.namespace)).json()
    }

    /// Diagnoses the namespace when there is something to say: a pod is given some seconds to start before it is judged.
    fn settled(&self) -> Value {
        let deadline = Instant::now() + Duration::from_secs(45);
        loop {
            let report = self.report();
            if !troubles(&report).is_empty() || Instant::now() > deadline {
                return report;
            }
            std::thread::sleep(Duration::from_secs(2));
        }
    }

    /// Diagnoses the namespace and checks what is said first.
    #[track_caller]
    pub(super) fn says(&self, categories: &[&str], subject: &str, words: &[&str]) -> Value {
        let report = self.settled();
        let incident = &report["incidents"][0];
        let cause = &incident["cause"];
        let category = cause["category"].as_str().unwrap_or_default();
        assert!(categories.contains(&category), "{categories:?} expected: {report:#}");
        let kind = cause["subject"]["kind"].as_str().unwrap_or_default();
        let name = cause["subject"]["name"].as_str().unwrap_or_default();
        assert_eq!(format!("{kind}/{name}"), subject, "{report:#}");
        assert_ne!(incident["severity"], "info", "{report:#}");
        let told = cause.to_string();
        for word in words {
            assert!(told.contains(word), "{word:?} is not told: {cause:#}");
        }
        let text = self.rca(&format!("namespace {}", self.namespace));
        assert!(!text.ok().contains("nothing is wrong"), "{}", text.stdout);
        report
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A test that failed must not fail again; what is left is told by its name.
        _ = self.command(&["delete", "namespace", &self.namespace, "--wait=false"]).stdout(Stdio::null()).status();
    }
}

pub(super) fn names(objects: &[Value]) -> Vec<String> {
    objects.iter().filter_map(|object| object["metadata"]["name"].as_str()).map(str::to_owned).collect()
}

/// Returns the incidents above `info`.
pub(super) fn troubles(report: &Value) -> Vec<&Value> {
    report["incidents"].as_array().unwrap().iter().filter(|incident| incident["severity"] != "info").collect()
}

/// Makes a container of busybox that runs a line of shell.
pub(super) fn shell(line: &str) -> Value {
    json!({"name": "main", "image": "busybox:1.36", "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", line]})
}

/// Makes a container that serves files on port 8080.
pub(super) fn server() -> Value {
    let mut server = shell("mkdir -p /www && echo ok > /www/index.html && exec httpd -f -p 8080 -h /www");
    server["ports"] = json!([{"name": "http", "containerPort": 8080}]);
    server
}

/// Adds fields to an object.
pub(super) fn with(mut object: Value, fields: Value) -> Value {
    let Value::Object(fields) = fields else { return object };
    object.as_object_mut().unwrap().extend(fields);
    object
}

/// Makes a Deployment whose pods stop at once.
pub(super) fn deployment(name: &str, replicas: usize, container: Value) -> Value {
    let spec = json!({"containers": [container], "terminationGracePeriodSeconds": 0});
    deployment_of(name, replicas, spec)
}

pub(super) fn deployment_of(name: &str, replicas: usize, pod: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod}}})
}

pub(super) fn service(name: &str, app: &str, target: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": app}, "ports": [{"port": 80, "targetPort": target}]}})
}

pub(super) fn config_map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

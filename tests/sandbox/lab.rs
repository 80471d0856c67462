//! A laboratory: an empty folder with a sandbox in it, the binary, and raw clients that change and list the world behind its back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use aws_credential_types::Credentials;
use aws_types::region::Region;
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::{ApiResource, GroupVersionKind};
use meshform::sandbox::Sandbox;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The stack that most tests use: two certificates, two zones, a secret, two namespaces, three TLS Secrets.
pub(crate) const STACK: &str = r#"version: 1
stack: lab
aws: { region: eu-west-1, account: "000000000000", tags: { team: edge } }
cluster: { eks: demo }
namespaces:
  istio-ingress: {}
  prod: { injection: enabled, labels: { tier: front }, annotations: { note: hello } }
certificates:
  edge:
    domain: shop.example.com
    names: ["*.shop.example.com"]
    zone: example.com
    export: true
    tags: { owner: shop }
    secrets_manager: { name: istio/lab/edge, description: the edge, tags: { kind: tls } }
    tls_secrets:
      - { namespace: istio-ingress, name: edge-cert }
      - { namespace: prod, name: edge-cert, labels: { color: blue }, annotations: { mark: one } }
  api:
    domain: api.example.com
    names: [api.example.org]
    key_algorithm: EC_prime256v1
    export: true
    tls_secrets: [{ namespace: prod, name: api-cert }]
"#;

/// Prints a figure past the test harness, which swallows what passing tests print.
pub(crate) fn tell(figure: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{figure}\n").as_bytes());
}

/// What a run printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// The output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.stdout, self.stderr))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// A folder with a stack file and a sandbox.
pub(crate) struct Lab {
    folder: TempDir,
}

impl Lab {
    /// An empty one, with this stack in `stack.yaml`.
    pub(crate) fn new(stack: &str) -> Self {
        let lab = Self { folder: tempfile::tempdir().unwrap() };
        lab.write("stack.yaml", stack);
        lab
    }

    /// One whose stack was applied.
    pub(crate) fn applied(stack: &str) -> Self {
        let lab = Self::new(stack);
        lab.run("apply stack.yaml --auto-approve").ends_with(0);
        lab
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    /// A copy of the whole folder: the same world, to be treated otherwise.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self { folder: tempfile::tempdir().unwrap() };
        copy_folder(self.path(), copy.path());
        copy
    }

    /// The binary's command, with nothing of this process's environment.
    pub(crate) fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshform"));
        command.args(args.split_whitespace()).current_dir(self.path()).env_clear();
        command.env("MESHFORM_SANDBOX", "1").env("HOME", self.path()).env("NO_COLOR", "1");
        // No test asks the network for a chart.
        command.env("MESHFORM_SANDBOX_STAND_INS", "1");
        command
    }

    pub(crate) fn run(&self, args: &str) -> Ran {
        self.command(args).output().unwrap().into()
    }

    /// Loses the state, not the world.
    pub(crate) fn lose_state(&self) {
        for entry in std::fs::read_dir(self.path().join(".meshform")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("sandbox") {
                std::fs::remove_dir_all(path).unwrap();
            }
        }
    }

    /// The addresses and changed fields of the next plan, with their actions.
    pub(crate) fn planned(&self) -> BTreeMap<String, (String, Vec<String>)> {
        planned(&self.run("plan stack.yaml --json").ends_with(0).json())
    }

    /// Opens the world for raw clients.
    pub(crate) fn raw(&self) -> Raw {
        Raw::open(&self.path().join(".meshform/sandbox"))
    }
}

/// The steps of a plan that count: address to action and changed fields.
pub(crate) fn planned(plan: &Value) -> BTreeMap<String, (String, Vec<String>)> {
    let steps = plan["resource_changes"].as_array().unwrap().iter().filter(|step| step["counts"] == json!(true));
    let step = |step: &Value| {
        let fields = step["changed"].as_array().unwrap().iter().map(|change| change["path"].as_str().unwrap().to_owned()).collect();
        (step["address"].as_str().unwrap().to_owned(), (step["action"].as_str().unwrap().to_owned(), fields))
    };
    steps.map(step).collect()
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target: PathBuf = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Raw clients of a world: those of AWS and of Kubernetes, with nothing of the program's own in between.
pub(crate) struct Clients {
    pub(crate) acm: aws_sdk_acm::Client,
    pub(crate) route53: aws_sdk_route53::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
    pub(crate) kube: kube::Client,
}

impl Clients {
    /// An API of objects of a core kind.
    pub(crate) fn objects(&self, kind: &str, namespace: Option<&str>) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", kind));
        match namespace {
            Some(namespace) => Api::namespaced_with(self.kube.clone(), namespace, &resource),
            None => Api::all_with(self.kube.clone(), &resource),
        }
    }
}

/// A sandbox with its raw clients.
pub(crate) struct Raw {
    pub(crate) sandbox: Sandbox,
    clients: Clients,
}

impl std::ops::Deref for Raw {
    type Target = Clients;

    fn deref(&self) -> &Clients {
        &self.clients
    }
}

thread_local! {
    /// Whether the test's time is real: with servers whose answers take a while.
    static IS_REAL: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    /// The runtime of a test: a client lives and dies with its runtime, and the sandbox's clock rests on its paused time.
    static RUNTIME: tokio::runtime::Runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(!IS_REAL.get()).build().unwrap();
}

/// Makes the time of this test real; before anything else of it.
#[cfg(feature = "bed")]
pub(crate) fn in_real_time() {
    IS_REAL.set(true);
}

/// Runs a future on the test's runtime.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

impl Raw {
    fn open(folder: &Path) -> Self {
        // A clock rests on tokio's time.
        block_on(async {
            let sandbox = Sandbox::open(folder).unwrap();
            let credentials = Credentials::new("AKIASANDBOX000000000", "sandbox", None, None, "test");
            let config = aws_config::SdkConfig::builder()
                .behavior_version(aws_config::BehaviorVersion::latest())
                .region(Region::new("eu-west-1"))
                .http_client(sandbox.http_client())
                .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
                .time_source(aws_smithy_async::time::SystemTimeSource::new())
                .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials))
                .build();
            let clients = Clients {
                acm: aws_sdk_acm::Client::new(&config),
                route53: aws_sdk_route53::Client::new(&config),
                secrets: aws_sdk_secretsmanager::Client::new(&config),
                kube: sandbox.kube_client(),
            };
            Self { sandbox, clients }
        })
    }

    /// The world, object by object, without what differs from run to run: ids, serials, dates, and the lineage in the marks.
    pub(crate) fn dump(&self) -> BTreeMap<String, Value> {
        block_on(async {
            let mut world = BTreeMap::new();
            self.dump_certificates(&mut world).await;
            self.dump_records(&mut world).await;
            self.dump_secrets(&mut world).await;
            self.dump_objects(&mut world).await;
            world
        })
    }

    async fn dump_certificates(&self, world: &mut BTreeMap<String, Value>) {
        let filters = aws_sdk_acm::types::Filters::builder();
        let filters = ["RSA_2048", "EC_prime256v1", "EC_secp384r1"].iter().fold(filters, |f, key| f.key_types((*key).into()));
        let listed = self.acm.list_certificates().includes(filters.build()).max_items(1000).send().await.unwrap();
        for summary in listed.certificate_summary_list() {
            let arn = summary.certificate_arn().unwrap();
            let detail = self.acm.describe_certificate().certificate_arn(arn).send().await.unwrap().certificate.unwrap();
            let tags = self.acm.list_tags_for_certificate().certificate_arn(arn).send().await.unwrap();
            let tags: BTreeMap<&str, &str> = tags.tags().iter().map(|tag| (tag.key(), tag.value().unwrap_or_default())).collect();
            let mut names = detail.subject_alternative_names().to_vec();
            names.sort();
            let key = format!("certificate {} {}", names.join(","), detail.status().unwrap().as_str());
            let value = json!({
                "key_algorithm": detail.key_algorithm().unwrap().as_str(),
                "export": format!("{:?}", detail.options().and_then(|o| o.export())),
                "tags": without_lineage(&json!(tags)),
            });
            insert(world, &key, value);
        }
    }

    async fn dump_records(&self, world: &mut BTreeMap<String, Value>) {
        let zones = self.route53.list_hosted_zones().send().await.unwrap();
        for zone in zones.hosted_zones() {
            let records = self.route53.list_resource_record_sets().hosted_zone_id(zone.id()).send().await.unwrap();
            for record in records.resource_record_sets() {
                // The name and value of a validation record are made of the account's own secret: the kind and the domain are compared.
                let name =
                    record.name().split_once('.').filter(|(first, _)| first.starts_with('_')).map_or(record.name(), |(_, rest)| rest);
                let key = format!("record {} {} {name}", zone.name(), record.r#type().as_str());
                insert(world, &key, json!({"ttl": record.ttl(), "values": record.resource_records().len()}));
            }
        }
    }

    async fn dump_secrets(&self, world: &mut BTreeMap<String, Value>) {
        let listed = self.secrets.list_secrets().include_planned_deletion(true).max_results(100).send().await.unwrap();
        for entry in listed.secret_list() {
            let tags: BTreeMap<&str, &str> = entry.tags().iter().map(|t| (t.key().unwrap(), t.value().unwrap())).collect();
            let current = entry.secret_versions_to_stages().unwrap().values().filter(|s| s.contains(&"AWSCURRENT".to_owned())).count();
            let value = json!({
                "description": entry.description(),
                "kms": entry.kms_key_id(),
                "tags": without_lineage(&json!(tags)),
                "current": current,
                "deleted": entry.deleted_date().is_some(),
            });
            insert(world, &format!("secret {}", entry.name().unwrap()), value);
        }
    }

    async fn dump_objects(&self, world: &mut BTreeMap<String, Value>) {
        for kind in ["Namespace", "Secret", "ConfigMap", "ServiceAccount"] {
            for object in self.objects(kind, None).list(&ListParams::default()).await.unwrap() {
                let mut value = serde_json::to_value(&object).unwrap();
                let metadata = value["metadata"].as_object_mut().unwrap();
                let name =
                    format!("{kind} {}/{}", object.metadata.namespace.clone().unwrap_or_default(), object.metadata.name.clone().unwrap());
                metadata.retain(|key, _| ["labels", "annotations", "finalizers"].contains(&key.as_str()));
                // A Secret's data is another at every issue: its keys are compared here, what it holds in other tests.
                if let Some(data) = value.get_mut("data") {
                    *data = json!(data.as_object().unwrap().keys().collect::<Vec<_>>());
                }
                insert(world, &name, without_lineage(&value));
            }
        }
    }
}

fn insert(world: &mut BTreeMap<String, Value>, key: &str, value: Value) {
    let mut number = 1;
    let mut unique = key.to_owned();
    while world.contains_key(&unique) {
        number += 1;
        unique = format!("{key} #{number}");
    }
    world.insert(unique, value);
}

/// The same without the lineage: each first apply draws its own.
fn without_lineage(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| match (key.as_str(), value) {
                ("meshform.dev/stack", Value::String(text)) => (key.clone(), json!(text.split('/').next())),
                ("meshform.dev/lineage", _) => (key.clone(), json!("…")),
                _ => (key.clone(), without_lineage(value)),
            };
            Value::Object(map.iter().map(entry).collect())
        }
        other => other.clone(),
    }
}

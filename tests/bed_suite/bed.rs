//! The servers that `tests/bed/bed` started: raw clients, the binary with the environment that reaches them, and who asked what.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::region::Region;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ran, meshform};

/// The account that the emulator is.
pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-west-1";

/// One test at a time: they compare whole worlds, and count requests.
static ENTRY: Mutex<()> = Mutex::new(());

/// Makes the caller the only one to use the bed.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ENTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The bed, for one test alone.
pub(crate) struct Bed {
    dir: PathBuf,
    runtime: tokio::runtime::Runtime,
    folder: TempDir,
    pub(crate) acm: aws_sdk_acm::Client,
    pub(crate) route53: aws_sdk_route53::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
    pub(crate) kube: kube::Client,
    _alone: MutexGuard<'static, ()>,
}

impl Bed {
    /// The bed of the environment; without one the test fails, it doesn't pass for nothing.
    pub(crate) fn enter(stack: &str) -> Self {
        let alone = alone();
        let dir = PathBuf::from(variable("MESHFORM_BED_DIR"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let config = aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(Region::new(REGION))
            // Past the proxy: what a test asks is not counted.
            .endpoint_url(variable("MESHFORM_BED_MOTO"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
            .time_source(aws_smithy_async::time::SystemTimeSource::new())
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("AKIATEST000000000000", "test", None, None, "test")))
            .build();
        let kube = runtime.block_on(kube_client(&dir));
        runtime.block_on(until_nothing_ends(&kube));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("stack.yaml"), stack).unwrap();
        Self {
            acm: aws_sdk_acm::Client::new(&config),
            route53: aws_sdk_route53::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            kube,
            dir,
            runtime,
            folder,
            _alone: alone,
        }
    }

    /// A client of the API server that lives on the runtime it is made on.
    pub(crate) async fn kube_client(&self) -> kube::Client {
        kube_client(&self.dir).await
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The folder that the binary runs in.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the binary, with only the bed's environment.
    pub(crate) fn run(&self, args: &str) -> Ran {
        Ran::of(args, meshform(self.path(), args).envs(Self::environment()).output().unwrap())
    }

    /// The environment that reaches the bed.
    pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
        std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name == "KUBECONFIG" || name == "NO_PROXY")
    }

    /// Makes a public hosted zone, and returns its id.
    pub(crate) fn zone(&self, name: &str) -> String {
        let request = self.route53.create_hosted_zone().name(name).caller_reference(format!("{name} {}", std::process::id()));
        let made = self.block_on(request.send()).unwrap();
        made.hosted_zone().unwrap().id().trim_start_matches("/hostedzone/").to_owned()
    }

    /// What a raw GET of the API server answers.
    pub(crate) fn kube_get(&self, path: &str) -> Value {
        self.block_on(self.kube.request(http::Request::get(path).body(Vec::new()).unwrap())).unwrap_or_else(|e| panic!("GET {path}: {e}"))
    }

    /// What a raw request to the API server answers, or what it says when it refuses.
    pub(crate) fn kube_raw(&self, method: &str, path: &str, content_type: &str, body: &Value) -> Result<Value, String> {
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = http::Request::builder().method(method).uri(path).header("content-type", content_type).body(bytes).unwrap();
        self.block_on(self.kube.request(request)).map_err(|error| error.to_string())
    }

    /// Applies an object, and tells what the server says against it.
    pub(crate) fn kube_try(&self, path: &str, object: &Value) -> Result<Value, String> {
        self.kube_raw("PATCH", path, "application/apply-patch+yaml", object)
    }

    /// The path of an object of a built-in kind in its preferred version.
    pub(crate) fn path_of(object: &Value) -> String {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let (api_version, kind) = (text("/apiVersion").unwrap(), text("/kind").unwrap());
        let (group, _) = meshform::resource::kinds::split_api_version(api_version);
        let plural = meshform::resource::kinds::built_in(group, kind).unwrap().plural;
        let root = if group.is_empty() { format!("/api/{api_version}") } else { format!("/apis/{api_version}") };
        let within = text("/metadata/namespace").map_or(String::new(), |namespace| format!("/namespaces/{namespace}"));
        format!("{root}{within}/{plural}/{}", text("/metadata/name").unwrap())
    }

    /// Waits until no namespace is ending.
    pub(crate) fn until_nothing_ends(&self) {
        self.block_on(until_nothing_ends(&self.kube));
    }

    /// Sends a request to the API server as its administrator. A PATCH is a merge patch; the deletion of what isn't there is none.
    pub(crate) fn kube_send(&self, method: &str, path: &str, body: &Value) -> Value {
        let content = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let request = http::Request::builder().method(method).uri(path).header("content-type", content);
        match self.block_on(self.kube.request(request.body(serde_json::to_vec(body).unwrap()).unwrap())) {
            Ok(answer) => answer,
            Err(kube::Error::Api(status)) if status.code == 404 && method != "POST" => Value::Null,
            Err(error) => panic!("{method} {path}: {error}"),
        }
    }

    /// A dump of the emulator's whole world.
    pub(crate) fn moto_data() -> Value {
        let url = variable("MESHFORM_BED_MOTO");
        let host = url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET /moto-api/data.json HTTP/1.0\r\nHost: {host}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{head}");
        serde_json::from_str(body).unwrap()
    }

    /// Runs something, and tells which requests it made.
    pub(crate) fn counted<T>(&self, run: impl FnOnce() -> T) -> (T, Requests) {
        let (aws, audit) = (self.dir.join("aws-requests.jsonl"), self.dir.join("audit.log"));
        let before = [lines(&aws).len(), lines(&audit).len()];
        let result = run();
        let aws = lines(&aws).split_off(before[0]);
        let kube = lines(&audit).split_off(before[1]);
        (result, Requests { aws, kube })
    }
}

/// The requests of a run.
pub(crate) struct Requests {
    /// As the proxy logged them.
    pub(crate) aws: Vec<Value>,
    /// As the API server's audit log has them.
    pub(crate) kube: Vec<Value>,
}

impl Requests {
    /// How often each operation of AWS was asked for.
    pub(crate) fn aws_operations(&self) -> BTreeMap<String, usize> {
        count(self.aws.iter().map(|line| format!("{} {}", text(line, "service"), text(line, "operation"))))
    }

    /// How often each verb was asked of each kind; further pages of a list are told apart.
    pub(crate) fn kube_verbs(&self) -> BTreeMap<String, usize> {
        count(self.kube.iter().map(|line| {
            let verb = if text(line, "requestURI").contains("continue=") { "go on with list" } else { text(line, "verb") };
            format!("{verb} {}", line["objectRef"]["resource"].as_str().unwrap_or(text(line, "requestURI")))
        }))
    }
}

fn count(keys: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap_or_default()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}; start the bed with --proxy", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Waits until no namespace of an earlier test is left: tests compare all that there is.
async fn until_nothing_ends(client: &kube::Client) {
    let namespaces: kube::Api<k8s_openapi::api::core::v1::Namespace> = kube::Api::all(client.clone());
    for _ in 0..600 {
        let list = namespaces.list(&kube::api::ListParams::default()).await.unwrap();
        if list.iter().all(|namespace| namespace.metadata.deletion_timestamp.is_none()) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("a namespace is ending for more than a minute");
}

/// A variable of the bed's environment.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run this inside `tests/bed/bed run --proxy -- …`"))
}

/// A client of the bed's API server.
pub(crate) async fn kube_client(dir: &Path) -> kube::Client {
    let file = kube::config::Kubeconfig::read_from(dir.join("kubeconfig")).unwrap();
    let config = kube::Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default()).await.unwrap();
    kube::Client::try_from(config).unwrap()
}

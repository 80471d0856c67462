//! Tests through the real client.
#![allow(clippy::unwrap_used)]

mod faults;
mod hostile;
mod objects;

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{ApiResource, DynamicObject, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// A sandbox in a folder of its own, which goes with it.
struct Bed {
    _folder: tempfile::TempDir,
    sandbox: Sandbox,
    client: Client,
}

impl Bed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::open(folder.path()).unwrap();
        let client = sandbox.kube_client();
        Self { _folder: folder, sandbox, client }
    }

    fn secrets(&self, namespace: &str) -> Api<Secret> {
        Api::namespaced(self.client.clone(), namespace)
    }

    fn namespaces(&self) -> Api<Namespace> {
        Api::all(self.client.clone())
    }

    /// Any kind by its version and names.
    fn any(&self, namespace: Option<&str>, version: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let resource = ApiResource {
            group: group.into(),
            version: version.into(),
            api_version: if group.is_empty() { version.into() } else { format!("{group}/{version}") },
            kind: kind.into(),
            plural: plural.into(),
        };
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        }
    }

    async fn add_secret(&self, name: &str, labels: Value) -> Secret {
        self.secrets("default").create(&PostParams::default(), &secret(name, &labels)).await.unwrap()
    }
}

fn secret(name: &str, labels: &Value) -> Secret {
    let object = json!({"metadata": {"name": name, "labels": labels}, "data": {"k": "YQ=="}});
    serde_json::from_value(object).unwrap()
}

/// The code, the reason and the message of a refusal.
fn refusal<T: std::fmt::Debug>(result: kube::Result<T>) -> (u16, String, String) {
    match result.unwrap_err() {
        kube::Error::Api(status) => (status.code, status.reason.clone(), status.message.clone()),
        other => panic!("{other:?}"),
    }
}

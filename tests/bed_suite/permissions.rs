//! The RBAC that `permissions` prints, on an API server that enforces it: enough for every command, and without any single right a command
//! fails and names the right.

use serde_json::{Value, json};

use super::bed::{ACCOUNT, Bed, REGION};
use crate::support::{Ran, meshform};

const STACK: &str = r#"version: 1
stack: rights
aws: { region: REGION, account: "ACCOUNT", verify_chain: false } # the emulator's chain doesn't sign its leaf
cluster: { context: bed }
namespaces:
  rights-own: {}
certificates:
  edge:
    domain: shop.rights.test
    export: true
    tls_secrets:
      - { namespace: rights-own, name: own }
      - { namespace: rights-theirs, name: theirs }
"#;

/// A service account with the rights that are given to it, and the binary run as it.
struct Account<'a> {
    bed: &'a Bed,
    /// What was applied, to be taken away again.
    roles: std::cell::RefCell<Vec<String>>,
}

impl<'a> Account<'a> {
    fn new(bed: &'a Bed) -> Self {
        bed.kube_send("POST", "/api/v1/namespaces", &json!({"metadata": {"name": "rights-theirs"}}));
        bed.kube_send("POST", "/api/v1/namespaces/rights-theirs/serviceaccounts", &json!({"metadata": {"name": "meshform"}}));
        let token = bed.kube_send(
            "POST",
            "/api/v1/namespaces/rights-theirs/serviceaccounts/meshform/token",
            &json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}),
        );
        let mut config: Value = serde_json::from_str(&std::fs::read_to_string(super::bed::variable("KUBECONFIG")).unwrap()).unwrap();
        config["users"][0]["user"] = json!({"token": token["status"]["token"]});
        std::fs::write(bed.path().join("kubeconfig"), config.to_string()).unwrap();
        Self { bed, roles: std::cell::RefCell::default() }
    }

    /// Runs the binary as the account.
    fn run(&self, args: &str) -> Ran {
        let mut command = meshform(self.bed.path(), args);
        command.envs(Bed::environment()).env("KUBECONFIG", self.bed.path().join("kubeconfig"));
        Ran::of(args, command.output().unwrap())
    }

    /// The objects that are printed for a purpose.
    fn printed(&self, purpose: &str) -> Vec<Value> {
        let args = format!("permissions stack.yaml --json --subject serviceaccount:rights-theirs/meshform --for {purpose}");
        self.run(&args).ends_with(0).json()["kubernetes"].as_array().unwrap().clone()
    }

    /// Gives these rights, and takes all others.
    fn grant(&self, objects: &[Value]) {
        for path in self.roles.borrow_mut().drain(..) {
            self.bed.kube_send("DELETE", &path, &json!({}));
        }
        for object in objects {
            let namespace = object["metadata"]["namespace"].as_str().map_or(String::new(), |namespace| format!("namespaces/{namespace}/"));
            let plural = format!("{}s", object["kind"].as_str().unwrap().to_lowercase());
            let path = format!("/apis/rbac.authorization.k8s.io/v1/{namespace}{plural}");
            self.bed.kube_send("POST", &path, object);
            self.roles.borrow_mut().push(format!("{path}/{}", object["metadata"]["name"].as_str().unwrap()));
        }
    }
}

/// The rights of some objects one by one: (index of the object, of the rule, of the verb), with the words that name it.
fn single(objects: &[Value]) -> Vec<(usize, usize, usize, String)> {
    let mut found = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        for (number, rule) in object["rules"].as_array().into_iter().flatten().enumerate() {
            for (at, verb) in rule["verbs"].as_array().unwrap().iter().enumerate() {
                found.push((index, number, at, format!("{} {}", verb.as_str().unwrap(), rule["resources"][0].as_str().unwrap())));
            }
        }
    }
    found
}

fn without(objects: &[Value], (index, number, at, _): &(usize, usize, usize, String)) -> Vec<Value> {
    let mut objects = objects.to_vec();
    let rule = &mut objects[*index]["rules"][*number];
    rule["verbs"].as_array_mut().unwrap().remove(*at);
    if rule["verbs"].as_array().unwrap().is_empty() {
        objects[*index]["rules"].as_array_mut().unwrap().remove(*number);
    }
    objects
}

#[test]
fn the_printed_rights_are_enough_and_each_of_them_is_needed() {
    let bed = Bed::enter(&STACK.replace("REGION", REGION).replace("ACCOUNT", ACCOUNT));
    let zone = bed.zone("rights.test");
    let account = Account::new(&bed);
    // Enough: each command with its own rights.
    for (purpose, commands) in [
        ("plan", &["plan stack.yaml"][..]),
        ("apply", &["plan stack.yaml", "apply stack.yaml --auto-approve", "drift stack.yaml", "plan stack.yaml --detailed-exitcode"]),
        ("plan", &["plan stack.yaml --detailed-exitcode", "drift stack.yaml"]),
        ("rotate", &["rotate stack.yaml"]),
        ("destroy", &["plan stack.yaml --destroy", "destroy stack.yaml --auto-approve"]),
    ] {
        account.grant(&account.printed(purpose));
        for command in commands {
            account.run(command).ends_with(0);
        }
    }
    let (mut untold, mut tried) = (Vec::new(), 0);
    for purpose in ["plan", "apply", "rotate", "destroy"] {
        there(&bed);
        let objects = account.printed(purpose);
        for right in single(&objects) {
            tried += 1;
            let words = format!("missing permission `{}", right.3.replace(" *", ""));
            let is_told = trials(purpose, &right.3).iter().any(|(before, command)| {
                before(&bed);
                account.grant(&without(&objects, &right));
                let ran = account.run(command);
                matches!(ran.code, Some(1 | 3)) && format!("{}{}", ran.stdout, ran.stderr).contains(&words)
            });
            if !is_told {
                untold.push(format!("{purpose}: {}", right.3));
            }
        }
    }
    account.grant(&[]);
    bed.run("destroy stack.yaml --auto-approve").ends_with(0);
    bed.kube_send("DELETE", "/api/v1/namespaces/rights-theirs", &json!({}));
    bed.block_on(bed.route53.delete_hosted_zone().id(zone).send()).unwrap();
    assert!(untold.is_empty(), "of {tried} rights, nobody told that these were missing:\n{}", untold.join("\n"));
    crate::sandbox::lab::tell(&format!("{tried} rights, each of them needed and told"));
}

/// Where the certificate is delivered to.
const SECRETS: [(&str, &str); 2] = [("rights-own", "own"), ("rights-theirs", "theirs")];

/// Everything is as the stack says.
fn there(bed: &Bed) {
    bed.until_nothing_ends();
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
}

/// Nothing of the stack is there.
fn gone(bed: &Bed) {
    bed.until_nothing_ends();
    bed.run("destroy stack.yaml --auto-approve").ends_with(0);
    bed.until_nothing_ends();
}

/// Others take our labels off: no list shows the objects any more.
fn unlabelled(bed: &Bed) {
    there(bed);
    let namespace = "/api/v1/namespaces/rights-own".to_owned();
    for path in SECRETS.map(|(namespace, name)| format!("/api/v1/namespaces/{namespace}/secrets/{name}")).into_iter().chain([namespace]) {
        bed.kube_send("PATCH", &path, &json!({"metadata": {"labels": {"meshform.dev/stack": null}}}));
    }
}

/// Others delete what was delivered.
fn lost(bed: &Bed) {
    there(bed);
    for (namespace, name) in SECRETS {
        bed.kube_send("DELETE", &format!("/api/v1/namespaces/{namespace}/secrets/{name}"), &json!({}));
    }
}

/// Others make what was delivered anew, of another type, which can't be changed.
fn of_another_type(bed: &Bed) {
    there(bed);
    for (namespace, name) in SECRETS {
        let path = format!("/api/v1/namespaces/{namespace}/secrets");
        let mut object = bed.kube_get(&format!("{path}/{name}"));
        bed.kube_send("DELETE", &format!("{path}/{name}"), &json!({}));
        let metadata = object["metadata"].as_object_mut().unwrap();
        metadata.retain(|key, _| ["name", "labels", "annotations"].contains(&key.as_str()));
        object["type"] = json!("Opaque");
        bed.kube_send("POST", &path, &object);
    }
}

/// What makes a command need a right, and the command.
type Trial = (fn(&Bed), &'static str);

/// The situations in which a purpose needs a right.
fn trials(purpose: &str, right: &str) -> &'static [Trial] {
    match (purpose, right.split_once(' ').unwrap().0) {
        ("plan", _) => &[(unlabelled, "plan stack.yaml"), (gone, "plan stack.yaml")],
        ("apply", "create") => &[(gone, "apply stack.yaml --auto-approve")],
        ("apply", "delete") => &[(of_another_type, "apply stack.yaml --auto-approve")],
        ("apply", _) => &[(unlabelled, "apply stack.yaml --auto-approve"), (gone, "apply stack.yaml --auto-approve")],
        ("rotate", _) => &[(lost, "rotate stack.yaml"), (unlabelled, "rotate stack.yaml")],
        _ => &[(unlabelled, "destroy stack.yaml --auto-approve")],
    }
}

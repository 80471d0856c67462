//! Random stacks, one after the other in one world, with faults, kills and lost states in between: what must hold holds for all of them.
//!
//! `MESHFORM_SEEDS=500` tries more worlds than the few of a usual run; a failure names its seed, and `MESHFORM_SEED=n` repeats it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::lab::{Lab, block_on, tell};
use super::pki::leaf_of;

/// Numbers that follow from a seed (xorshift64*, as in G. Marsaglia, "Xorshift RNGs").
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides as u64).unwrap()
    }

    /// Whether something of this many percent happens.
    fn happens(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// Up to `most` of them, at least `least`, each once.
    fn some<'a>(&mut self, of: &[&'a str], least: usize, most: usize) -> Vec<&'a str> {
        let count = least + self.below(most - least + 1);
        let mut left = of.to_vec();
        (0..count.min(of.len())).map(|_| left.remove(self.below(left.len()))).collect()
    }
}

const NAMES: &[&str] = &[
    "shop.example.com",
    "*.shop.example.com",
    "www.shop.example.com",
    "api.example.com",
    "api.example.org",
    "*.api.example.org",
    "example.com",
    "*.example.org",
    "Mixed.Example.com",
];
const NAMESPACES: &[&str] = &["prod", "edge", "istio-ingress"];
const FAULTS: &[&str] = &[
    "acm:RequestCertificate lost-reply times=1",
    "acm:ImportCertificate lost-reply times=1",
    "acm:ImportCertificate access-denied times=5",
    "secretsmanager:ReplicateSecretToRegions lost-reply times=1",
    "secretsmanager:ReplicateSecretToRegions access-denied times=5",
    "secretsmanager:PutResourcePolicy server-error times=2",
    "secretsmanager:RemoveRegionsFromReplication lost-reply times=1",
    "acm:RequestCertificate server-error times=40",
    "acm:DescribeCertificate throttle times=3",
    "acm:ExportCertificate server-error times=2",
    "acm:ExportCertificate access-denied times=9",
    "acm:DeleteCertificate lost-reply times=1",
    "route53:ChangeResourceRecordSets lost-reply times=1",
    "secretsmanager:CreateSecret lost-reply times=1",
    "secretsmanager:CreateSecret access-denied times=5",
    "secretsmanager:PutSecretValue lost-reply times=1",
    "secretsmanager:DeleteSecret access-denied times=9",
    "kube:patch/secrets lost-reply times=1",
    "kube:patch/secrets access-denied times=5",
    "kube:patch/namespaces cut times=1",
    "kube:delete/secrets lost-reply times=1",
    "kube:patch/configmaps lost-reply times=2",
    "kube:patch/deployments access-denied times=5",
    "kube:patch/customresourcedefinitions cut times=2",
    "kube:patch/things server-error times=9",
    "kube:delete/* access-denied times=5",
    "kube:patch/ingresses lost-reply times=1",
    "kube:patch/ingresses access-denied times=5",
    "kube:delete/ingresses lost-reply times=1",
];

/// Regions that have copies of secrets, and no certificates.
const COPIES: &[&str] = &["ap-south-1", "us-west-2", "eu-north-1"];

/// Writes a certificate for random names where the import of a key has its files.
fn files(lab: &Lab, key: &str, dice: &mut Dice, algorithm: &'static rcgen::SignatureAlgorithm) {
    let made = leaf_of(lab, &dice.some(NAMES, 1, 3), -1, 2000, algorithm);
    lab.write(&format!("{key}.pem"), &format!("{}{}", made.leaf, made.chain));
    lab.write(&format!("{key}.key"), &made.key);
}

fn certificate(lab: &Lab, key: &str, dice: &mut Dice, theirs: &str) -> (Value, BTreeSet<&'static str>) {
    let names = dice.some(NAMES, 1, 3);
    let region = if dice.happens(20) { dice.one(&["us-east-1", "eu-central-1"]) } else { "eu-west-1" };
    let algorithm = if dice.happens(30) { dice.one(&["EC_prime256v1", "EC_secp384r1", "RSA_2048"]) } else { "RSA_2048" };
    let tags = if dice.happens(30) { json!({"x": dice.one(&["1", "2"])}) } else { json!({}) };
    let mut is_exported = true;
    let certificate = match dice.below(100) {
        0..60 => {
            is_exported = dice.happens(80);
            json!({
                "domain": names[0], "names": names[1..], "region": region, "key_algorithm": algorithm, "tags": tags, "export": is_exported,
            })
        }
        60..75 => {
            let authority = format!("arn:aws:acm-pca:{region}:000000000000:certificate-authority/{}", dice.one(&["one", "two"]));
            json!({
                "domain": names[0], "names": names[1..], "region": region, "key_algorithm": algorithm, "tags": tags, "private_ca": authority,
            })
        }
        75..92 => {
            let curves: [&'static rcgen::SignatureAlgorithm; 2] = [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384];
            if dice.happens(60) || !lab.path().join(format!("{key}.pem")).exists() {
                let curve = curves[dice.below(2)];
                files(lab, key, dice, curve);
            }
            let import = json!({"certificate": format!("{key}.pem"), "private_key": format!("{key}.key")});
            json!({"import": import, "region": region, "tags": tags})
        }
        _ => json!({"arn": theirs}),
    };
    let Value::Object(mut certificate) = certificate else { unreachable!() };
    let mut put = |field: &str, value: Value| certificate.insert(field.to_owned(), value);
    if is_exported && dice.happens(60) {
        let mut secret = json!({"name": format!("{}/{key}", dice.one(&["s", "t"]))});
        if dice.happens(40) {
            let arn = format!("arn ${{certificates.{key}.arn}}");
            let end = format!("till ${{certificates.{key}.not_after}}");
            secret["description"] = json!(dice.one(&["one", "two", &arn, &end]));
        }
        if dice.happens(30) {
            secret["recovery_window_days"] = json!([0, 7, 30][dice.below(3)]);
        }
        if dice.happens(30) {
            secret["tags"] = json!({"y": dice.one(&["1", "2"])});
        }
        if dice.happens(40) {
            let copies = dice.some(COPIES, 1, 2);
            let one = |region: &&str, key: &str| json!({"region": region, "kms_key_id": key});
            secret["replicas"] = copies.iter().map(|region| one(region, dice.one(&["alias/one", "alias/two"]))).collect();
        }
        if dice.happens(30) {
            let account = dice.one(&["111122223333", "444455556666"]);
            secret["policy"] = json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}});
        }
        if dice.happens(40) {
            let members = json!({"cert": "certificate", "key": "private_key", "chain": "chain"});
            secret["layout"] =
                [members, json!({"all": "certificate_with_chain", "key": "private_key"}), json!(["private_key", "certificate_with_chain"])]
                    [dice.below(3)]
                .clone();
        }
        put("secrets_manager", secret);
    }
    let mut used = BTreeSet::new();
    if is_exported {
        let places = dice.some(NAMESPACES, 0, 3);
        let deliveries: Vec<Value> = places
            .iter()
            .map(|namespace| {
                let mut delivery = json!({"namespace": namespace, "name": format!("{key}-tls")});
                if dice.happens(30) {
                    delivery["labels"] = json!({"l": dice.one(&["1", "2"])});
                }
                if dice.happens(30) {
                    delivery["annotations"] = json!({"n": dice.one(&["1", "2"])});
                }
                delivery
            })
            .collect();
        put("tls_secrets", json!(deliveries));
        used.extend(places);
    }
    (Value::Object(certificate), used)
}

/// Sets of manifests, and the namespaces that they are in.
fn manifests(dice: &mut Dice) -> (Value, BTreeSet<&'static str>) {
    let mut objects = Vec::new();
    let mut used = BTreeSet::new();
    for name in dice.some(&["m-a", "m-b", "m-c", "m-d"], 0, 4) {
        let namespace = *dice.some(NAMESPACES, 1, 1).first().unwrap();
        used.insert(namespace);
        let label = dice.one(&["1", "2"]);
        let metadata = json!({"name": name, "namespace": namespace, "labels": {"l": label}});
        objects.push(match dice.below(6) {
            0 => {
                let selector = json!({"app": dice.one(&["x", "y"])});
                let pod = json!({
                    "serviceAccountName": "m-a",
                    "containers": [{"name": "c", "image": dice.one(&["example/a:1", "example/a:2"]), "envFrom": [{"configMapRef": {"name": "m-b"}}]}],
                });
                json!({
                    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
                    "spec": {
                        "replicas": dice.below(3), "selector": {"matchLabels": selector},
                        "template": {"metadata": {"labels": selector}, "spec": pod},
                    },
                })
            }
            1 => json!({
                "apiVersion": "v1", "kind": "Service", "metadata": metadata,
                "spec": {"type": dice.one(&["ClusterIP", "NodePort"]), "ports": [{"port": 80 + dice.below(2)}]},
            }),
            2 => json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}),
            3 => json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"k": dice.one(&["v", "w"])}}),
            4 => json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": metadata, "spec": {"n": dice.below(3)}}),
            _ => json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"k": dice.one(&["v", "w"])}}),
        });
    }
    if objects.iter().any(|object| object["kind"] == "Thing") || dice.happens(20) {
        let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        objects.push(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.example.com"},
            "spec": {
                "group": "example.com", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
            },
        }));
    }
    (json!({"set": {"objects": objects, "replace": true}}), used)
}

/// Load balancers on an ingress gateway, and the gateway's Service. The certificates that they serve are of their region, and their hosts among
/// the names.
fn edge(dice: &mut Dice, certificates: &Map<String, Value>) -> (Value, Value) {
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "m-gateway", "namespace": "istio-ingress"},
        "spec": {"type": "NodePort", "ports": [{"name": "status-port", "port": 15021}, {"name": "http2", "port": 80}]},
    });
    let mut balancers = Map::new();
    let mut hosts = vec!["one.example.com", "*.two.example.com", "three.example.org", "four.example.com"];
    for key in dice.some(&["m-x", "m-y"], 1, 2) {
        let mut one = json!({
            "ingress": {"namespace": "istio-ingress", "service": "m-gateway"}, "replace": true,
            "scheme": dice.one(&["internal", "internet-facing"]), "dns": dice.one(&["route53", "route53", "manual", "external-dns"]),
            "ip_address_type": dice.one(&["ipv4", "dualstack"]), "evaluate_target_health": dice.happens(20),
        });
        if dice.happens(20) {
            one["group"] = json!("m-shared");
        }
        let usable = |(_, one): &(&String, &Value)| one["domain"].is_string() && one["region"] == "eu-west-1";
        let keys: Vec<&str> = certificates.iter().filter(usable).map(|(key, _)| key.as_str()).collect();
        if !keys.is_empty() && dice.happens(50) {
            one["certificate"] = json!([dice.one(&keys)]);
        } else {
            let chosen = dice.some(&hosts, 0, 2);
            hosts.retain(|host| !chosen.contains(host));
            one["hosts"] = json!(chosen);
        }
        balancers.insert(key.to_owned(), one);
    }
    (Value::Object(balancers), service)
}

fn stack(lab: &Lab, dice: &mut Dice, theirs: &str) -> String {
    let mut certificates = Map::new();
    let mut used = BTreeSet::new();
    for key in dice.some(&["a", "b", "c", "d"], 0, 4) {
        let (certificate, places) = certificate(lab, key, dice, theirs);
        certificates.insert(key.to_owned(), certificate);
        used.extend(places);
    }
    let (mut manifests, places) = manifests(dice);
    used.extend(places);
    let mut balancers = json!({});
    if dice.happens(50) {
        let (edge, service) = edge(dice, &certificates);
        balancers = edge;
        manifests["set"]["objects"].as_array_mut().unwrap().push(service);
        used.insert("istio-ingress");
    }
    let mut namespaces = Map::new();
    for namespace in NAMESPACES {
        if !used.contains(namespace) && !dice.happens(40) {
            continue;
        }
        let injection = if dice.happens(40) { json!({"injection": dice.one(&["enabled", "disabled"])}) } else { json!({}) };
        namespaces.insert((*namespace).to_owned(), injection);
    }
    let aws = json!({"region": "eu-west-1", "account": "000000000000", "tags": {"team": dice.one(&["a", "b"])}});
    json!({
        "version": 1, "stack": "lab", "aws": aws, "cluster": {"eks": "demo"}, "namespaces": namespaces, "certificates": certificates,
        "manifests": manifests, "load_balancers": balancers,
    })
    .to_string()
}

const APPLY: &str = "apply stack.yaml --auto-approve --approve-rebuilt-deletions";

/// Some stacks one after the other; gives how many runs were killed.
fn live_through(seed: u64) -> usize {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let lab = Lab::new("");
    let theirs = theirs(&lab);
    let mut killed = 0;
    for step in 0..4 {
        lab.write("stack.yaml", &stack(&lab, &mut dice, &theirs));
        if lab.run("validate stack.yaml").code != Some(0) {
            continue; // Two certificates that want the same secret, say.
        }
        let context = format!("seed {seed}, step {step}");
        if step > 0 && dice.happens(30) {
            lab.lose_state();
        }
        let mut command = lab.command(APPLY);
        if dice.happens(40) {
            lab.run(&format!("sandbox fault {}", dice.one(FAULTS))).ends_with(0);
        } else if dice.happens(60) {
            let point = format!("{}:{}", dice.one(&["before", "after", "before-durable"]), 1 + dice.below(40));
            command.env("MESHFORM_SANDBOX_CRASH", point);
        }
        let code = command.output().unwrap().status.code();
        lab.run("sandbox fault --clear").ends_with(0);
        if code.is_none() {
            killed += 1;
            if dice.happens(30) {
                lab.lose_state();
                // What was requested just before the kill shows after some seconds.
                lab.run("sandbox advance 1m").ends_with(0);
            }
        }
        if code != Some(0) {
            lab.run(APPLY).ends_with(0);
        }
        assert!(lab.planned().is_empty(), "{context}: after an apply that ended with {code:?}");
        if dice.happens(40) {
            lab.run(&format!("sandbox advance {}", dice.one(&["1h", "30d", "200d"]))).ends_with(0);
            renew_files(&lab, &mut dice);
            let rotated = lab.run("rotate stack.yaml");
            // A certificate that nobody has isn't renewed: it is requested anew.
            if rotated.code != Some(0) {
                assert!(rotated.stderr.contains("EXPIRED"), "{context}: {rotated:?}");
                lab.run(APPLY).ends_with(0);
            }
            assert!(lab.planned().is_empty(), "{context}: after a rotation");
        }
        if dice.happens(30) {
            lab.lose_state();
            assert!(lab.planned().is_empty(), "{context}: without the state");
            // A record whose certificate others delete while there is no state can't be told from theirs any more.
            lab.run(APPLY).ends_with(0);
        }
        if dice.happens(40) {
            meddle(&lab, &mut dice, &theirs);
            lab.run(&part(&lab, &mut dice));
            lab.run(APPLY).ends_with(0);
            assert!(lab.planned().is_empty(), "{context}: after others have meddled");
        }
        if dice.happens(30) {
            killed += rename(&lab, &mut dice, &context);
        }
        if dice.happens(20) {
            killed += usize::from(reissue(&lab, &mut dice, &context));
        }
    }
    if lab.run("validate stack.yaml").code == Some(0) {
        let said = lab.run("destroy stack.yaml --auto-approve").ends_with(0);
        let raw = lab.raw();
        let tags = block_on(raw.acm.list_tags_for_certificate().certificate_arn(&theirs).send()).unwrap();
        assert!(tags.tags().is_empty(), "seed {seed}: what is only read was marked: {tags:?}");
        block_on(raw.acm.delete_certificate().certificate_arn(&theirs).send()).unwrap_err();
        raw.sandbox.set_in_use(&theirs, &[]).unwrap();
        block_on(raw.acm.delete_certificate().certificate_arn(&theirs).send()).unwrap();
        let left: Vec<String> = raw.dump().into_keys().filter(|key| is_left(key)).collect();
        assert!(left.is_empty(), "seed {seed}: {left:?}\n{}{}", said.stdout, said.stderr);
        for region in COPIES {
            let config = raw.secrets.config().to_builder().region(aws_types::region::Region::new(*region)).build();
            let listed = block_on(aws_sdk_secretsmanager::Client::from_conf(config).list_secrets().send()).unwrap();
            assert!(listed.secret_list().is_empty(), "seed {seed}: a copy is left in {region}");
        }
    }
    killed
}

/// Gives a certificate another key and its old one back, by applies that may be killed: nothing is made anew. Says how many were killed.
fn rename(lab: &Lab, dice: &mut Dice, context: &str) -> usize {
    let text = std::fs::read_to_string(lab.path().join("stack.yaml")).unwrap();
    let mut stack: Value = serde_json::from_str(&text).unwrap();
    let keys: Vec<String> = stack["certificates"].as_object().unwrap().keys().cloned().collect();
    if keys.is_empty() {
        return 0;
    }
    let arns = |lab: &Lab| -> BTreeSet<String> {
        let listed = block_on(lab.raw().acm.list_certificates().send()).unwrap();
        listed.certificate_summary_list().iter().map(|one| one.certificate_arn().unwrap().to_owned()).collect()
    };
    let before = arns(lab);
    let first = &keys[dice.below(keys.len())];
    let second = format!("{first}2");
    let mut killed = 0;
    for (old, new) in [(first, &second), (&second, first)] {
        let section = stack["certificates"].as_object_mut().unwrap().remove(old).unwrap();
        let section = section.to_string().replace(&format!("certificates.{old}."), &format!("certificates.{new}."));
        stack["certificates"][new] = serde_json::from_str(&section).unwrap();
        for balancer in stack["load_balancers"].as_object_mut().unwrap().values_mut().filter(|one| one["certificate"] == json!([old])) {
            balancer["certificate"] = json!([new]);
        }
        stack["moved"] = json!([{"from": format!("certificates.{old}"), "to": format!("certificates.{new}")}]);
        lab.write("stack.yaml", &stack.to_string());
        if dice.happens(30) {
            lab.lose_state();
        }
        let mut command = lab.command(APPLY);
        if dice.happens(60) {
            let point = format!("{}:{}", dice.one(&["before", "after", "before-durable"]), 1 + dice.below(12));
            command.env("MESHFORM_SANDBOX_CRASH", point);
        }
        let is_killed = command.output().unwrap().status.code().is_none();
        killed += usize::from(is_killed);
        if dice.happens(30) {
            lab.lose_state();
        }
        if is_killed {
            lab.run(APPLY).ends_with(0);
        }
        let planned = lab.planned();
        // With a state again, as above.
        lab.run(APPLY).ends_with(0);
        assert!(planned.is_empty(), "{context}: after {old} was renamed to {new}: {planned:?}");
        assert_eq!(arns(lab), before, "{context}: a rename makes nothing");
    }
    killed
}

/// A certificate of others, issued by a private CA and in use for good, so that it is renewed.
fn theirs(lab: &Lab) -> String {
    let authority = "arn:aws:acm-pca:eu-west-1:000000000000:certificate-authority/theirs";
    let raw = lab.raw();
    let request = raw.acm.request_certificate().domain_name("theirs.example.com").certificate_authority_arn(authority);
    let arn = block_on(request.key_algorithm("EC_prime256v1".into()).send()).unwrap().certificate_arn().unwrap().to_owned();
    raw.sandbox.set_in_use(&arn, &["arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/x/1"]).unwrap();
    lab.run("sandbox advance 1m").ends_with(0);
    arn
}

/// Someone puts new certificates in place of the files of some imports; a key of the same kind can be carried by a rotation.
fn renew_files(lab: &Lab, dice: &mut Dice) {
    for key in ["a", "b", "c", "d"] {
        let Ok(text) = std::fs::read_to_string(lab.path().join(format!("{key}.key"))) else { continue };
        if dice.happens(40) {
            // The longer curve has the longer key.
            let is_longer = text.len() > 260;
            files(lab, key, dice, if is_longer { &rcgen::PKCS_ECDSA_P384_SHA384 } else { &rcgen::PKCS_ECDSA_P256_SHA256 });
        }
    }
}

/// Changes and deletes something behind the program's back.
fn meddle(lab: &Lab, dice: &mut Dice, theirs: &str) {
    // A certificate of the last minute that is gone may be one that ACM doesn't know yet.
    lab.run("sandbox advance 2m").ends_with(0);
    let raw = lab.raw();
    let mut ours = Vec::new();
    for kind in ["Namespace", "Secret", "ConfigMap", "Service", "ServiceAccount"] {
        let params = kube::api::ListParams::default().labels("meshform.dev/stack=lab");
        let found = block_on(raw.objects(kind, None).list(&params)).unwrap();
        ours.extend(found.into_iter().map(|object| {
            let labels = object.metadata.labels.unwrap_or_default();
            (kind, object.metadata.namespace, object.metadata.name.unwrap(), labels)
        }));
    }
    for (kind, namespace, name, labels) in ours {
        let objects = raw.objects(kind, namespace.as_deref());
        if kind != "Namespace" && dice.happens(20) {
            block_on(objects.delete(&name, &kube::api::DeleteParams::default())).unwrap();
        } else if dice.happens(30) {
            let field = dice.one(&["istio-injection", "l", "app.kubernetes.io/managed-by", "meshform.dev/stack", "theirs"]);
            // A label that only they have, and that a later stack wants, is theirs: such an apply is refused, and has a test of its own.
            let field = if labels.contains_key(field) { field } else { "theirs" };
            // Another stack's name would be a take-over, and is respected.
            let value = if field == "meshform.dev/stack" { Value::Null } else { json!(dice.one(&["x", "y"])) };
            let patch = kube::api::Patch::Merge(json!({"metadata": {"labels": {field: value}}}));
            let params = kube::api::PatchParams { field_manager: Some("kubectl-edit".into()), ..Default::default() };
            block_on(objects.patch(&name, &params, &patch)).unwrap();
        }
    }
    let listed = block_on(raw.secrets.list_secrets().max_results(100).send()).unwrap();
    for secret in listed.secret_list() {
        let arn = secret.arn().unwrap();
        let copies = block_on(raw.secrets.describe_secret().secret_id(arn).send()).unwrap();
        let copies: Vec<String> = copies.replication_status().iter().filter_map(|one| one.region()).map(ToOwned::to_owned).collect();
        match dice.below(8) {
            // With copies it would be refused.
            0 if copies.is_empty() => drop(block_on(raw.secrets.delete_secret().secret_id(arn).send()).unwrap()),
            1 => drop(block_on(raw.secrets.put_secret_value().secret_id(arn).secret_string("theirs").send()).unwrap()),
            2 => drop(block_on(raw.secrets.untag_resource().secret_id(arn).tag_keys("y").tag_keys("team").send()).unwrap()),
            3 if !copies.is_empty() => {
                let remove = raw.secrets.remove_regions_from_replication().secret_id(arn).remove_replica_regions(&copies[0]);
                drop(block_on(remove.send()).unwrap());
            }
            4 => {
                let policy =
                    json!({"Statement": [{"Effect": "Deny", "Principal": {"AWS": "777788889999"}, "Action": "*", "Resource": "*"}]});
                drop(block_on(raw.secrets.put_resource_policy().secret_id(arn).resource_policy(policy.to_string()).send()).unwrap());
            }
            5 => drop(block_on(raw.secrets.delete_resource_policy().secret_id(arn).send()).unwrap()),
            _ => {}
        }
    }
    let filters = ["RSA_2048", "EC_prime256v1", "EC_secp384r1"].iter();
    let filters = filters.fold(aws_sdk_acm::types::Filters::builder(), |filters, key| filters.key_types((*key).into()));
    let listed = block_on(raw.acm.list_certificates().includes(filters.build()).send()).unwrap();
    for certificate in listed.certificate_summary_list().iter().filter(|one| one.certificate_arn() != Some(theirs)) {
        let arn = certificate.certificate_arn().unwrap();
        match dice.below(6) {
            // One that a load balancer serves can't be deleted.
            0 => drop(block_on(raw.acm.delete_certificate().certificate_arn(arn).send())),
            1 => {
                let tag = aws_sdk_acm::types::Tag::builder().key("team").value("theirs").build().unwrap();
                block_on(raw.acm.add_tags_to_certificate().certificate_arn(arn).tags(tag).send()).unwrap();
            }
            _ => {}
        }
    }
}

/// An apply of a part of the stack.
fn part(lab: &Lab, dice: &mut Dice) -> String {
    let known = lab.run("state list stack.yaml").stdout;
    let known: Vec<&str> = known.lines().collect();
    if known.is_empty() {
        return APPLY.to_owned();
    }
    let flag = dice.one(&["--target", "--exclude"]);
    format!("{APPLY} {flag} {}", dice.one(&known))
}

/// Requests all certificates anew, perhaps killed on the way; gives whether it was.
fn reissue(lab: &Lab, dice: &mut Dice, context: &str) -> bool {
    let mut command = lab.command("rotate stack.yaml --reissue");
    if dice.happens(50) {
        command.env("MESHFORM_SANDBOX_CRASH", format!("{}:{}", dice.one(&["before", "after", "before-durable"]), 1 + dice.below(60)));
    }
    let output = command.output().unwrap();
    let is_killed = output.status.code().is_none();
    assert!(is_killed || output.status.code() == Some(0), "{context}: {output:?}");
    lab.run(APPLY).ends_with(0);
    assert!(lab.planned().is_empty(), "{context}: after everything was requested anew");
    is_killed
}

/// What a destroyed stack may not leave: secrets leave their tombstones, and the cluster has namespaces of its own.
fn is_left(key: &str) -> bool {
    key.starts_with("certificate ")
        || ["CNAME", "record example.com. A", "record example.com. TXT", "record example.org. A"].iter().any(|part| key.contains(part))
        || key.contains("/m-")
        || NAMESPACES.iter().any(|name| *key == format!("Namespace /{name}"))
}

#[test]
fn random_stacks_are_applied_rotated_lost_and_destroyed() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds: Vec<u64> = match number("MESHFORM_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("MESHFORM_SEEDS").unwrap_or(12)).collect(),
    };
    let killed: usize = seeds.iter().map(|seed| live_through(*seed)).sum();
    tell(&format!("{} random worlds, {killed} runs killed in them", seeds.len()));
}

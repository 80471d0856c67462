//! EKS: clusters, as far as it takes to reach them. rest-json.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::wire::{Answer, Caller, Outcome, Request, hex, refuse, refuse_with};
use super::{Failure, authority, unknown};
use crate::sandbox::ACCOUNT;
use crate::sandbox::due::{after, delay, schedule};
use crate::sandbox::error::SandboxError;
use crate::sandbox::settings::{self, bounds};
use crate::sandbox::world::{Tx, digest};

/// The cluster of a new world. It's in whichever region one looks.
const SEED: &str = "demo";
const ANY_REGION: &str = "*";

/// A cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Cluster {
    name: String,
    version: String,
    role: String,
    subnets: Vec<String>,
    created: Timestamp,
    active: bool,
    deleting: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateInput {
    name: Option<String>,
    role_arn: Option<String>,
    version: Option<String>,
    #[serde(default)]
    resources_vpc_config: Value,
}

/// The operation of a request.
pub(super) fn operation(request: &Request) -> String {
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    match (request.method.as_str(), path.as_slice()) {
        ("POST", ["clusters"]) => "CreateCluster".to_owned(),
        ("GET", ["clusters", _]) => "DescribeCluster".to_owned(),
        ("DELETE", ["clusters", _]) => "DeleteCluster".to_owned(),
        _ => format!("{} /{}", request.method, path.join("/")),
    }
}

/// Serves a request.
pub(super) fn serve(tx: &mut Tx<'_>, caller: &Caller, operation: &str, request: &Request) -> Outcome<Answer> {
    let name = request.path.get(1).map_or("", String::as_str);
    let cluster = match operation {
        "CreateCluster" => create(tx, caller, request.json()?)?,
        "DescribeCluster" => find(tx, caller, name)?.1,
        "DeleteCluster" => delete(tx, caller, name)?,
        _ => return Err(Failure::Refusal(unknown("eks", operation))),
    };
    let body = json!({ "cluster": show(tx, caller, &cluster)? });
    Ok(Answer { content_type: "application/json", ..Answer::json(&body) })
}

/// Gives a new world its cluster.
pub(super) fn populate(tx: &mut Tx<'_>) -> Result<(), SandboxError> {
    let cluster = Cluster {
        name: SEED.to_owned(),
        version: "1.36".to_owned(),
        role: format!("arn:aws:iam::{ACCOUNT}:role/sandbox-eks"),
        subnets: vec!["subnet-0sandbox0000000a".to_owned(), "subnet-0sandbox0000000b".to_owned()],
        created: tx.now(),
        active: true,
        deleting: false,
    };
    tx.write(&key(ACCOUNT, ANY_REGION, SEED), &cluster)
}

/// Lets something due happen to the cluster of a key.
pub(super) fn happen(tx: &mut Tx<'_>, what: &str, key: &str) -> Result<(), SandboxError> {
    let Some(mut cluster) = tx.read::<Cluster>(key)? else { return Ok(()) };
    match what {
        "active" if !cluster.deleting => {
            cluster.active = true;
            tx.write(key, &cluster)?;
        }
        "gone" if cluster.deleting => {
            tx.delete(key);
        }
        _ => {}
    }
    Ok(())
}

fn create(tx: &mut Tx<'_>, caller: &Caller, input: CreateInput) -> Outcome<Cluster> {
    let name = input.name.unwrap_or_default();
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if !first || name.len() > 100 || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return Err(refuse("InvalidParameterException", format!("The cluster name '{name}' is not valid.")));
    }
    let Some(role) = input.role_arn else {
        return Err(refuse("InvalidParameterException", "The role ARN is missing."));
    };
    if find(tx, caller, &name).is_ok() {
        return Err(refuse_with(409, "ResourceInUseException", format!("Cluster already exists with name: {name}")));
    }
    let subnets = input.resources_vpc_config["subnetIds"].as_array().into_iter().flatten();
    let cluster = Cluster {
        version: input.version.unwrap_or_else(|| "1.36".to_owned()),
        role,
        subnets: subnets.filter_map(Value::as_str).map(str::to_owned).collect(),
        created: tx.now(),
        active: false,
        deleting: false,
        name,
    };
    let key = key(&caller.account, &caller.region, &cluster.name);
    tx.write(&key, &cluster)?;
    let wait = delay(tx, bounds(settings::read(tx)?.cluster_after), &["active", &key]);
    schedule(tx, after(tx.now(), wait), "eks.active", &key)?;
    Ok(cluster)
}

fn delete(tx: &mut Tx<'_>, caller: &Caller, name: &str) -> Outcome<Cluster> {
    let (key, mut cluster) = find(tx, caller, name)?;
    cluster.deleting = true;
    tx.write(&key, &cluster)?;
    let wait = delay(tx, bounds(settings::read(tx)?.cluster_after), &["gone", &key]);
    schedule(tx, after(tx.now(), wait), "eks.gone", &key)?;
    Ok(cluster)
}

fn find(tx: &Tx<'_>, caller: &Caller, name: &str) -> Outcome<(String, Cluster)> {
    for region in [caller.region.as_str(), ANY_REGION] {
        let key = key(&caller.account, region, name);
        if let Some(cluster) = tx.read(&key)? {
            return Ok((key, cluster));
        }
    }
    Err(refuse_with(404, "ResourceNotFoundException", format!("No cluster found for name: {name}.")))
}

fn show(tx: &Tx<'_>, caller: &Caller, cluster: &Cluster) -> Outcome {
    let Cluster { name, version, role, subnets, .. } = cluster;
    let id = hex(&digest(&[&caller.account, name]))[..32].to_uppercase();
    let status = match (cluster.deleting, cluster.active) {
        (true, _) => "DELETING",
        (false, true) => "ACTIVE",
        (false, false) => "CREATING",
    };
    let mut shown = json!({
        "name": name,
        "arn": format!("arn:aws:eks:{}:{}:cluster/{name}", caller.region, caller.account),
        "createdAt": cluster.created.as_second(),
        "version": version,
        "roleArn": role,
        "status": status,
        "platformVersion": "eks.1",
        "resourcesVpcConfig": {
            "vpcId": "vpc-0sandbox000000000",
            "subnetIds": subnets,
            "clusterSecurityGroupId": "sg-0sandbox0000000000",
            "endpointPublicAccess": true,
            "endpointPrivateAccess": true,
            "publicAccessCidrs": ["0.0.0.0/0"],
        },
        "accessConfig": { "authenticationMode": "API" },
        "identity": { "oidc": { "issuer": format!("https://oidc.eks.{}.sandbox/id/{id}", caller.region) } },
        "certificateAuthority": {},
        "tags": {},
        "deletionProtection": false,
    });
    // Absent until it's active (semantics 5).
    if cluster.active {
        shown["endpoint"] = json!(format!("https://{name}.eks.sandbox"));
        shown["certificateAuthority"]["data"] = json!(BASE64.encode(authority::root_pem(tx)?));
    }
    Ok(shown)
}

fn key(account: &str, region: &str, name: &str) -> String {
    format!("eks/{account}/{region}/{name}")
}

//! `permissions`

use serde_json::json;

use crate::cli::args::permissions::PermissionsArgs;
use crate::cli::context::{Context, WithCharts};
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::cli::view::yaml;
use crate::ops::OpError;
use crate::permissions::{Grant, Identity, Policy, Purpose, Statement, grants, manifests, policies, role_name};
use crate::store::Store as _;

pub(in crate::cli) async fn run(context: &Context, args: &PermissionsArgs) -> Exit {
    let loaded = match context.load(&args.stack, WithCharts::Offline(None, Vec::new())).await {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let state = match loaded.store.read() {
        Ok(state) => state,
        Err(error) => return report::failed(&OpError::from(error)),
    };
    let purpose = Purpose::from(args.purpose);
    let policies = policies(&loaded.stack, &loaded.graph, &state, purpose);
    let grants = grants(&loaded.stack, &loaded.graph, &state, purpose);
    let objects = manifests(&grants, &role_name(&loaded.stack.name, purpose), &args.subject);
    if args.policy {
        return print_policy(&policies, args.identity.as_deref());
    }
    if args.rbac {
        if objects.is_empty() {
            return report::usage("the stack names no cluster, and so needs no rights there", "");
        }
        print!("{}", yaml::documents(&objects));
        return Exit::Done;
    }
    if args.json {
        let aws: Vec<_> = policies.iter().map(|policy| json!({"identity": key(&policy.identity), "policy": policy.document()})).collect();
        println!("{:#}", json!({"for": purpose.as_str(), "aws": aws, "kubernetes": objects}));
        return Exit::Done;
    }
    print_all(&policies, &grants);
    Exit::Done
}

/// The identity as `--identity` names it.
fn key(identity: &Identity) -> &str {
    match identity {
        Identity::Caller => "caller",
        Identity::Role(arn) => arn,
    }
}

fn print_policy(policies: &[Policy], identity: Option<&str>) -> Exit {
    let chosen = match identity {
        None => policies.first(),
        Some(wanted) => policies.iter().find(|policy| key(&policy.identity) == wanted),
    };
    let Some(policy) = chosen else {
        if policies.is_empty() {
            return report::usage("the stack uses no AWS, and so needs no policy", "");
        }
        let known: Vec<&str> = policies.iter().map(|policy| key(&policy.identity)).collect();
        let help = format!("the stack works as {}", known.join(", "));
        return report::usage(&format!("the stack doesn't work as `{}`", identity.unwrap_or_default()), &help);
    };
    println!("{:#}", policy.document());
    for other in policies.iter().filter(|other| identity.is_none() && other.identity != policy.identity) {
        eprintln!("note: the stack also works as {}: see --identity {}", other.identity.describe(), key(&other.identity));
    }
    Exit::Done
}

fn print_all(policies: &[Policy], grants: &[Grant]) {
    for policy in policies {
        println!("AWS, {}:", policy.identity.describe());
        policy.statements.iter().for_each(print_statement);
        println!();
    }
    if !grants.is_empty() {
        println!("Kubernetes:");
    }
    for Grant { namespace, group, resource, names, verbs } in grants {
        let kind = match (group.as_str(), resource.as_str()) {
            ("*", _) => "everything".to_owned(),
            ("", resource) => resource.to_owned(),
            (group, resource) => format!("{resource}.{group}"),
        };
        let place = namespace.as_ref().map_or("in the whole cluster".to_owned(), |namespace| format!("in namespace {namespace}"));
        println!("  {} {kind} {place}", verbs.join(", "));
        if !names.is_empty() {
            println!("      named {}", names.join(", "));
        }
    }
}

fn print_statement(statement: &Statement) {
    println!("  {}", statement.actions.join(", "));
    let resources = if statement.resources == ["*"] {
        "on anything, which IAM can't narrow".to_owned()
    } else {
        format!("on {}", statement.resources.join(", "))
    };
    println!("      {resources}");
    for (operator, keys) in &statement.conditions {
        for (key, values) in keys {
            println!("      if {key} {operator} {}", values.join(", "));
        }
    }
}

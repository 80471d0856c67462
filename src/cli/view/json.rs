//! Plans and runs for programs: Terraform's shapes, so that the tools that read those read these.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::apply::{Applied, Progress};
use crate::plan::saved::Decisions;
use crate::plan::{Action, Change, Drift, Plan, Refusal, Step};
use crate::resource::{Attr, Attrs, terraform_type};

/// The version of the plan's JSON; its minor part grows with additions only.
pub(crate) const FORMAT_VERSION: &str = "1.0";

fn refusal(refusal: &Refusal) -> Value {
    json!({
        "address": refusal.addr.as_ref().map(ToString::to_string),
        "code": refusal.code,
        "reason": refusal.reason,
        "help": refusal.help,
        "place": refusal.place.as_ref().map(ToString::to_string),
    })
}

/// A plan in the shape of `terraform show -json` (Terraform documentation, "JSON Output Format").
pub(crate) fn plan(plan: &Plan) -> Value {
    let identity = &plan.identity;
    json!({
        "format_version": FORMAT_VERSION,
        "tool": "meshform",
        "tool_version": env!("CARGO_PKG_VERSION"),
        "stack": plan.stack,
        "digest": Decisions::of(plan).digest(),
        "timestamp": plan.at.to_string(),
        "applyable": plan.refusals.is_empty() && !plan.is_empty(),
        "complete": !plan.is_partial,
        "errored": !plan.refusals.is_empty(),
        "target": {"account_id": identity.account, "region": identity.region, "cluster_uid": identity.cluster},
        "state_rebuilt": plan.is_rebuilt,
        "resource_changes": plan.steps.iter().map(resource_change).collect::<Vec<_>>(),
        "resource_drift": plan.drift.iter().map(resource_drift).collect::<Vec<_>>(),
        "refusals": plan.refusals.iter().map(refusal).collect::<Vec<_>>(),
        "left_out": plan.left_out.iter().map(refusal).collect::<Vec<_>>(),
        "notes": plan.notes,
        "unchanged": plan.unchanged,
        "costs": {
            "currency": "USD",
            "as_of": plan.cost.as_of,
            "at_issue": plan.cost.at_issue.iter().map(|charge| json!({"address": charge.addr.to_string(), "amount": charge.dollars})).collect::<Vec<_>>(),
            "per_renewal": plan.cost.per_renewal,
        },
    })
}

fn resource_change(step: &Step) -> Value {
    let mut change = change(step.before.as_ref(), step.after.as_ref());
    change.insert("actions".into(), json!(actions(step.action)));
    let replaces: Vec<Value> = step.changes.iter().filter(|change| change.replaces).map(|change| json!([change.path])).collect();
    if !replaces.is_empty() {
        change.insert("replace_paths".into(), Value::Array(replaces));
    }
    if step.action == Action::Adopt {
        change.insert("importing".into(), json!({"id": step.id}));
    }
    let mut value = json!({
        "address": step.addr.to_string(),
        "mode": "managed",
        "type": terraform_type(&step.addr),
        "name": step.addr.name(),
        "provider_name": if step.addr.is_kube() { "builtin/kubernetes" } else { "builtin/aws" },
        "action": step.action.as_str(),
        "action_reason": step.reason,
        "generation": step.generation,
        "counts": step.counts,
        "changed": step.changes.iter().map(changed).collect::<Vec<_>>(),
        "change": change,
    });
    if let (Some(map), Some(was)) = (value.as_object_mut(), &step.moved_from) {
        map.insert("previous_address".into(), json!(was));
    }
    if let (Some(map), true) = (value.as_object_mut(), step.is_deposed) {
        map.insert("deposed".into(), json!(step.id));
    }
    value
}

/// Terraform's action words for ours.
fn actions(action: Action) -> Vec<&'static str> {
    match action {
        Action::NoOp | Action::Adopt | Action::Move => vec!["no-op"],
        Action::Read => vec!["read"],
        Action::Create => vec!["create"],
        Action::Update | Action::Restart | Action::Restore => vec!["update"],
        Action::Replace => vec!["create", "delete"],
        Action::Release => vec!["forget"],
        Action::Delete => vec!["delete"],
    }
}

fn changed(change: &Change) -> Value {
    json!({
        "path": change.path,
        "before": change.before.as_ref().map(shown),
        "after": change.after.as_ref().map(shown),
        "manager": change.manager,
        "replaces": change.replaces,
    })
}

fn change(before: Option<&Attrs>, after: Option<&Attrs>) -> Map<String, Value> {
    let values = |attrs: Option<&Attrs>| {
        attrs.map_or(Value::Null, |attrs| {
            Value::Object(attrs.iter().filter(|(_, attr)| attr.is_known()).map(|(k, v)| (k.clone(), shown(v))).collect())
        })
    };
    let sensitive = |attrs: Option<&Attrs>| {
        let secrets = attrs.into_iter().flatten().filter(|(_, attr)| matches!(attr, Attr::Secret(_)));
        Value::Object(secrets.map(|(path, _)| (path.clone(), Value::Bool(true))).collect())
    };
    let unknown = after.into_iter().flatten().filter(|(_, attr)| !attr.is_known()).map(|(path, _)| (path.clone(), Value::Bool(true)));
    let mut map = Map::new();
    map.insert("before".into(), values(before));
    map.insert("after".into(), values(after));
    map.insert("after_unknown".into(), Value::Object(unknown.collect()));
    map.insert("before_sensitive".into(), sensitive(before));
    map.insert("after_sensitive".into(), sensitive(after));
    map
}

/// A value for programs; a secret's is its fingerprint.
pub(crate) fn shown(attr: &Attr) -> Value {
    match attr {
        Attr::Value(value) => value.clone(),
        Attr::Secret(fingerprint) => Value::String(fingerprint.clone()),
        Attr::Unknown(_) => Value::Null,
    }
}

/// Drift in the shape of `resource_drift`.
pub(crate) fn resource_drift(drift: &Drift) -> Value {
    json!({
        "address": drift.addr.to_string(),
        "mode": "managed",
        "type": terraform_type(&drift.addr),
        "name": drift.addr.name(),
        "change": {"actions": [if drift.is_gone { "delete" } else { "update" }]},
        "changed": drift.changes.iter().map(changed).collect::<Vec<_>>(),
    })
}

/// The stream of a run: one JSON object a line, in the shape of Terraform's machine-readable UI.
pub(crate) struct Stream {
    clock: crate::clock::Clock,
}

impl Stream {
    /// Starts the stream with its version.
    pub(crate) fn start(clock: crate::clock::Clock) -> Self {
        let stream = Self { clock };
        stream.line("info", "version", &format!("meshform {}", env!("CARGO_PKG_VERSION")), &[("ui", json!(FORMAT_VERSION))]);
        stream
    }

    /// One line.
    pub(crate) fn line(&self, level: &str, kind: &str, message: &str, fields: &[(&str, Value)]) {
        let mut map = Map::new();
        map.insert("@level".into(), json!(level));
        map.insert("@message".into(), json!(message));
        map.insert("@module".into(), json!("meshform"));
        map.insert("@timestamp".into(), json!(self.clock.now().to_string()));
        map.insert("type".into(), json!(kind));
        for (key, value) in fields {
            map.insert((*key).to_owned(), value.clone());
        }
        println!("{}", Value::Object(map));
    }

    /// The planned changes.
    pub(crate) fn plan(&self, plan: &Plan) {
        for drift in &plan.drift {
            self.line("info", "resource_drift", &format!("{}: drift", drift.addr), &[("change", resource_drift(drift))]);
        }
        for step in plan.steps.iter().filter(|step| step.counts) {
            let message = format!("{}: plan to {}", step.addr, step.action.as_str());
            self.line("info", "planned_change", &message, &[("change", resource_change(step))]);
        }
        for note in &plan.notes {
            self.line("info", "log", note, &[]);
        }
        for refusal in &plan.refusals {
            let fields =
                [("diagnostic", json!({"severity": "error", "summary": refusal.code, "detail": refusal.reason, "help": refusal.help}))];
            self.line("error", "diagnostic", &refusal.reason, &fields);
        }
    }

    /// One step of progress.
    pub(crate) fn progress(&self, progress: &Progress) {
        let hook = |addr: &crate::addr::Addr, more: Value| {
            let mut hook =
                json!({"resource": {"addr": addr.to_string(), "resource_type": terraform_type(addr), "resource_name": addr.name()}});
            if let (Some(map), Value::Object(more)) = (hook.as_object_mut(), more) {
                map.extend(more);
            }
            ("hook", hook)
        };
        match progress {
            Progress::Started { addr, action } => {
                let fields = [hook(addr, json!({"action": action.as_str()}))];
                self.line("info", "apply_start", &format!("{addr}: {} begins", action.as_str()), &fields);
            }
            Progress::Waiting { addr, what, limit } => {
                let fields = [hook(addr, json!({"action": "wait", "waiting_for": what, "limit_seconds": limit.as_secs()}))];
                self.line("info", "apply_progress", &format!("{addr}: waits for {what}"), &fields);
            }
            Progress::Done { addr, action } => {
                let fields = [hook(addr, json!({"action": action.as_str()}))];
                self.line("info", "apply_complete", &format!("{addr}: {} done", action.as_str()), &fields);
            }
            Progress::Failed { addr, error } => {
                let fields = [hook(addr, json!({"error": error.to_string(), "help": error.help()}))];
                self.line("error", "apply_errored", &format!("{addr}: {error}"), &fields);
            }
            Progress::Skipped { addr, because } => {
                let fields = [hook(addr, json!({"because": because.to_string()}))];
                self.line("warn", "apply_skipped", &format!("{addr}: skipped, because of {because}"), &fields);
            }
            Progress::ManualRecords { addr, records } => {
                let records: Vec<Value> = records.iter().map(|r| json!({"name": r.name, "type": "CNAME", "value": r.value})).collect();
                let fields = [hook(addr, json!({"records": records}))];
                self.line("info", "manual_records", &format!("{addr}: records to be written by hand"), &fields);
            }
            Progress::Note(note) => self.line("info", "log", note, &[]),
        }
    }

    /// The sum and the outputs.
    pub(crate) fn end(&self, applied: &Applied, outputs: &BTreeMap<String, Value>) {
        let count = |action: Action| applied.done.get(&action).map_or(0, Vec::len);
        let changes = json!({
            "add": count(Action::Create) + count(Action::Replace),
            "change": count(Action::Update) + count(Action::Restore),
            "import": count(Action::Adopt),
            "remove": count(Action::Delete),
            "forget": count(Action::Release),
            "failed": applied.failed.len(),
            "skipped": applied.skipped.len(),
            "waiting": applied.waiting.len(),
            "operation": "apply",
        });
        self.line("info", "change_summary", &super::live::sum(applied), &[("changes", changes)]);
        let outputs: Map<String, Value> =
            outputs.iter().map(|(name, value)| (name.clone(), json!({"value": value, "sensitive": false}))).collect();
        self.line("info", "outputs", &format!("outputs: {}", outputs.len()), &[("outputs", Value::Object(outputs))]);
    }
}

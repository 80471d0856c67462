//! `sandbox`

use jiff::SignedDuration;

use crate::cli::args::{SandboxArgs, SandboxCommand};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::sandbox::{Fault, Sandbox, SandboxError};

pub(in crate::cli) fn run(context: &Context, args: &SandboxArgs) -> Exit {
    let Some(sandbox) = &context.sandbox else {
        return report::usage("this command is about the sandbox", "add --sandbox, or set MESHFORM_SANDBOX=1");
    };
    let outcome = match &args.command {
        SandboxCommand::Status { json } => status(sandbox, *json),
        SandboxCommand::Advance { duration } => match parse(duration) {
            Some(by) => sandbox.advance(by).map(|()| {
                println!("The sandbox's clock stands at {}.", sandbox.clock().now());
            }),
            None => return report::usage(&format!("`{duration}` is no duration"), "write it like 90s, 45m, 12h or 200d"),
        },
        SandboxCommand::Reset => sandbox.reset().map(|()| println!("The sandbox's world is new.")),
        SandboxCommand::Fault { rule, clear } => {
            if *clear {
                sandbox.clear_faults().map(|()| println!("No fault is set."))
            } else if rule.is_empty() {
                list(sandbox)
            } else {
                match rule.join(" ").parse::<Fault>() {
                    Ok(fault) => sandbox.add_fault(&fault).map(|()| println!("Set: {fault}")),
                    Err(error) => return report::usage(&error.to_string(), "for example: acm:RequestCertificate throttle times=3"),
                }
            }
        }
    };
    match outcome {
        Ok(()) => Exit::Done,
        Err(error) => {
            eprintln!("error: {error}");
            Exit::Failed
        }
    }
}

fn list(sandbox: &Sandbox) -> Result<(), SandboxError> {
    let faults = sandbox.faults()?;
    if faults.is_empty() {
        println!("No fault is set.");
    }
    for fault in faults {
        println!("{}", serde_json::json!(fault));
    }
    Ok(())
}

fn status(sandbox: &Sandbox, json: bool) -> Result<(), SandboxError> {
    let status = serde_json::json!(sandbox.status()?);
    if json {
        println!("{status:#}");
        return Ok(());
    }
    for (key, value) in status.as_object().into_iter().flatten() {
        match value {
            serde_json::Value::Object(map) => {
                println!("{key}:");
                for (name, value) in map {
                    println!("  {name}: {value}");
                }
            }
            serde_json::Value::String(text) => println!("{key}: {text}"),
            other => println!("{key}: {other}"),
        }
    }
    Ok(())
}

/// A duration such as `200d`; a day has 24 hours.
fn parse(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().last()?;
    let number: i64 = text.get(..text.len() - unit.len_utf8())?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).filter(|seconds| *seconds >= 0).map(SignedDuration::from_secs)
}

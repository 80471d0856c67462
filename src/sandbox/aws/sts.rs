//! Security Token Service: who the caller is, and roles. Query protocol, version 2011-06-15.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::wire::{Answer, Caller, Outcome, Request, hex, parse_form, refuse};
use super::{Failure, unknown, xml};
use crate::sandbox::due::after;
use crate::sandbox::world::Tx;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// A session of a role.
#[derive(Serialize, Deserialize)]
struct Session {
    arn: String,
    user_id: String,
}

/// The operation of a request: in the form, or in the query when it's a presigned URL.
pub(super) fn operation(request: &Request) -> String {
    let form = parse_form(&String::from_utf8_lossy(&request.body));
    form.get("Action").or_else(|| request.query.get("Action")).cloned().unwrap_or_else(|| "Unknown".to_owned())
}

/// Serves a request.
pub(super) fn serve(tx: &mut Tx<'_>, caller: &Caller, operation: &str, request: &Request) -> Outcome<Answer> {
    let result = match operation {
        "GetCallerIdentity" => caller_identity(tx, caller)?,
        "AssumeRole" => assume_role(tx, request)?,
        _ => return Err(Failure::Refusal(unknown("sts", operation))),
    };
    let result = xml::tag(&format!("{operation}Result"), &result);
    Ok(Answer::xml(200, xml::document(&format!("{operation}Response"), NAMESPACE, &result)))
}

fn caller_identity(tx: &Tx<'_>, caller: &Caller) -> Outcome<String> {
    let session = tx.read::<Session>(&format!("sts/session/{}", caller.access_key))?;
    let Session { arn, user_id } = session.unwrap_or_else(|| Session {
        arn: format!("arn:aws:iam::{}:user/sandbox", caller.account),
        user_id: "AIDASANDBOXUSER000000".to_owned(),
    });
    Ok(xml::text("Arn", &arn) + &xml::text("UserId", &user_id) + &xml::text("Account", &caller.account))
}

fn assume_role(tx: &mut Tx<'_>, request: &Request) -> Outcome<String> {
    let form = parse_form(&String::from_utf8_lossy(&request.body));
    let invalid = |message: String| refuse("ValidationError", message);
    let arn = form.get("RoleArn").ok_or_else(|| invalid("RoleArn is missing".to_owned()))?;
    let session = form.get("RoleSessionName").ok_or_else(|| invalid("RoleSessionName is missing".to_owned()))?;
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let (account, role) = match parts.as_slice() {
        ["arn", _, "iam", "", account, resource] if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) => {
            let role = resource.strip_prefix("role/").ok_or_else(|| invalid(format!("{arn} is invalid")))?;
            ((*account).to_owned(), role.rsplit('/').next().unwrap_or(role).to_owned())
        }
        _ => return Err(invalid(format!("{arn} is invalid"))),
    };
    let seconds = match form.get("DurationSeconds") {
        None => 3600,
        Some(text) => match text.parse() {
            Ok(seconds @ 900..=43_200) => seconds,
            _ => return Err(invalid("DurationSeconds is not within 900 and 43200".to_owned())),
        },
    };
    let fresh = hex(&tx.fresh());
    let access_key = format!("ASIA{account}{}", fresh[..8].to_uppercase());
    let user_id = format!("AROA{}:{session}", digits_of_role(&account, &role));
    let assumed = format!("arn:aws:sts::{account}:assumed-role/{role}/{session}");
    tx.write(&format!("sts/session/{access_key}"), &Session { arn: assumed.clone(), user_id: user_id.clone() })?;
    let credentials = [
        xml::text("AccessKeyId", &access_key),
        xml::text("SecretAccessKey", &fresh[..40]),
        xml::text("SessionToken", &format!("sandbox-{fresh}")),
        xml::text("Expiration", &after(tx.now(), SignedDuration::from_secs(seconds)).to_string()),
    ];
    let user = xml::text("AssumedRoleId", &user_id) + &xml::text("Arn", &assumed);
    Ok(xml::tag("Credentials", &credentials.concat()) + &xml::tag("AssumedRoleUser", &user))
}

fn digits_of_role(account: &str, role: &str) -> String {
    hex(&crate::sandbox::world::digest(&[account, role]))[..17].to_uppercase()
}

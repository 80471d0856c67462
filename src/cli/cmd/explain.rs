//! `explain`

use crate::cli::exit::Exit;
use crate::diag::nearest;
use crate::{diag, plan};

pub(in crate::cli) fn run(code: Option<&str>) -> Exit {
    let all = || diag::CODES.iter().chain(plan::codes::CODES);
    let Some(code) = code else {
        for (code, text) in all() {
            println!("{code}\n    {text}");
        }
        return Exit::Done;
    };
    // As it stands in a message: `error[plan/foreign]`.
    let code = code.trim_start_matches("error").trim_start_matches("warning").trim_matches(['[', ']', ':']);
    if let Some((code, text)) = all().find(|(known, _)| *known == code) {
        println!("{code}\n    {text}");
        return Exit::Done;
    }
    eprintln!("error: there is no code `{code}`");
    match nearest(code, all().map(|(known, _)| *known)) {
        Some(near) => eprintln!("  = help: did you mean `{near}`?"),
        None => eprintln!("  = help: `meshform explain` lists all"),
    }
    Exit::Usage
}

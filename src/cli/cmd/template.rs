//! `template`

use crate::cli::args::TemplateCommand;
use crate::cli::exit::Exit;
use crate::diag::nearest;
use crate::render::built_in;

pub(in crate::cli) fn run(command: &TemplateCommand) -> Exit {
    match command {
        TemplateCommand::List => {
            for template in built_in::ALL {
                println!("{}\n    {}", template.name, template.about);
            }
            Exit::Done
        }
        TemplateCommand::Show { name } => {
            if let Some(template) = built_in::find(name) {
                print!("{}", template.text);
                return Exit::Done;
            }
            eprintln!("error: there is no built-in template `{name}`");
            match nearest(name, built_in::ALL.iter().map(|one| one.name)) {
                Some(near) => eprintln!("  = help: did you mean `{near}`?"),
                None => eprintln!("  = help: `meshform template list` names them"),
            }
            Exit::Usage
        }
    }
}

//! `man`

use clap::CommandFactory as _;

use crate::cli::args::{Cli, ManArgs};
use crate::cli::exit::Exit;
use crate::cli::reference;

pub(in crate::cli) fn run(args: &ManArgs) -> Exit {
    if args.markdown {
        print!("{}", reference::markdown(Cli::command()));
        return Exit::Done;
    }
    let written = reference::pages(Cli::command()).and_then(|pages| {
        let Some(dir) = &args.dir else {
            // The first is that of the program itself.
            for (_, page) in pages.iter().take(1) {
                print!("{}", String::from_utf8_lossy(page));
            }
            return Ok(0);
        };
        std::fs::create_dir_all(dir)?;
        pages.iter().try_for_each(|(name, page)| std::fs::write(dir.join(name), page))?;
        Ok(pages.len())
    });
    match (written, &args.dir) {
        (Ok(count), Some(dir)) => println!("Wrote {count} pages to {}.", dir.display()),
        (Ok(_), None) => {}
        (Err(error), dir) => {
            let place = dir.as_ref().map_or("standard output".to_owned(), |dir| dir.display().to_string());
            eprintln!("error: the man pages can't be written to {place}: {error}");
            return Exit::Failed;
        }
    }
    Exit::Done
}

//! `schema`

use crate::cli::args::SchemaOf;
use crate::cli::exit::Exit;
use crate::stack;

pub(in crate::cli) fn run(of: SchemaOf) -> Exit {
    match of {
        SchemaOf::Stack => println!("{:#}", stack::schema::document()),
    }
    Exit::Done
}
